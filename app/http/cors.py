"""Cross-origin use of the JSON API from browsers: only where a setting lists the origins."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.http.problems import is_api

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = "cross-origin-resource-policy"

PREFLIGHT = [
    ("Access-Control-Allow-Methods", "GET, POST"),
    ("Access-Control-Allow-Headers", "Content-Type"),
    ("Access-Control-Max-Age", "600"),
]


class CrossOrigin:
    """Lets scripts of the listed origins read the answers of the API, and of nothing else.

    Stands outside of all else, so that refusals can be read, too. There are no credentials to be
    allowed: the app has no cookies. Whatever the origin, caches are told that the answer depends
    on it.
    """

    def __init__(self, app: "WSGIApplication", origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    def __call__(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        """Answer as the app does, with what the browser asks for."""
        method = environ["REQUEST_METHOD"]
        if not is_api(method, environ["PATH_INFO"]):
            return self._app(environ, start)
        more, dropped = [("Vary", "Origin")], ""
        origin = environ.get("HTTP_ORIGIN", "")
        if origin in self._origins:
            dropped = POLICY
            more += [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Expose-Headers", "Retry-After, X-Request-ID"),
                ("Cross-Origin-Resource-Policy", "cross-origin"),
            ]
            if method == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
                more += PREFLIGHT

        # Typed by what it hands on: the WSGI protocol takes it with two arguments or three.
        def start_with_more(status, headers, exc_info=None):  # type: ignore[no-untyped-def]
            kept = [header for header in headers if header[0].lower() != dropped]
            return start(status, kept + more, exc_info)

        return self._app(environ, start_with_more)
