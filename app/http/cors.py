"""Cross-origin use of the JSON API from browsers: only where a setting lists the origins."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from app.http.middleware import ResponseHeaders, map_headers
from app.http.routes import Surface, route_of

POLICY = "cross-origin-resource-policy"

PREFLIGHT = [
    ("Access-Control-Allow-Methods", "GET, POST"),
    (
        "Access-Control-Allow-Headers",
        "Content-Type, Authorization, MCP-Protocol-Version, Mcp-Method, Mcp-Name",
    ),
    ("Access-Control-Max-Age", "600"),
]


class CrossOrigin:
    """Lets scripts of the listed origins read the answers of the API, and of nothing else.

    It is outside of what refuses requests, so that scripts can read refusals, too. It allows no
    credentials: the app has no cookies. ``Vary`` tells caches about the origin in every answer,
    also to an origin that is not listed.
    """

    def __init__(self, app: WSGIApplication, origins: Iterable[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the app does, with the headers that the browser asks for."""
        if route_of(environ).surface is not Surface.API:
            return self._app(environ, start)
        added, dropped = [("Vary", "Origin")], ""
        origin = environ.get("HTTP_ORIGIN", "")
        if origin in self._origins:
            dropped = POLICY
            added += [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Expose-Headers", "Retry-After, X-Request-ID"),
                ("Cross-Origin-Resource-Policy", "cross-origin"),
            ]
            if is_preflight(environ):
                added += PREFLIGHT

        def share(headers: ResponseHeaders) -> ResponseHeaders:
            return [header for header in headers if header[0].lower() != dropped] + added

        return self._app(environ, map_headers(start, share))


def is_preflight(environ: WSGIEnvironment) -> bool:
    """Whether a browser asks what a script of another site may send to the API.

    It sends no permission with it.
    """
    return (
        environ["REQUEST_METHOD"] == "OPTIONS"
        and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        and route_of(environ).surface is Surface.API
    )
