"""The form inside a page of another site: who may frame it, and which addresses can be framed."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from app.http.middleware import ResponseHeaders, map_headers
from app.http.routes import FRAMES, route_of

_POLICY = "content-security-policy"
_RESOURCE_POLICY = "cross-origin-resource-policy"
_NOBODY = "frame-ancestors 'none'"


class Framing:
    """Lets pages of the listed origins frame the forms that are made for it, errors included.

    It is outside of what sets the policy for every answer, and changes one word of it. A page that
    isolates itself (COEP) may frame them, too.
    """

    def __init__(self, app: WSGIApplication, ancestors: Iterable[str]) -> None:
        self._app = app
        self._allowed = f"frame-ancestors {' '.join(ancestors)}"

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the app does, with the ancestors."""
        if route_of(environ).surface not in FRAMES:
            return self._app(environ, start)
        return self._app(environ, map_headers(start, self._allow))

    def _allow(self, headers: ResponseHeaders) -> ResponseHeaders:
        return [
            (name, value.replace(_NOBODY, self._allowed)) if name.lower() == _POLICY
            else (name, "cross-origin") if name.lower() == _RESOURCE_POLICY
            else (name, value)
            for name, value in headers
        ]  # fmt: skip
