"""Headers and error pages: the same for every answer, whatever went wrong."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from app.http.hosts import HSTS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADERS = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    (
        "Permissions-Policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
]


RenderError = Callable[[int, bool, str], str]
"""From a status, whether a fragment is wanted and the request's id to what is said."""


class SecureHeaders:
    """Puts the headers on whatever the app answers, below everything that could forget them."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer as the app does, with the headers."""

        extra = [*HEADERS, HSTS] if environ["wsgi.url_scheme"] == "https" else HEADERS

        # Typed by what it hands on: the WSGI protocol takes it with two arguments or three.
        def start_with_headers(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
            return start(status, headers + extra, exc_info)

        return self._app(environ, start_with_headers)
