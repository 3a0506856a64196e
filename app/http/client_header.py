"""The address of the client from a header of the outermost proxy, where a setting names one."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class ClientHeader:
    """Takes the client's address from a header; without the header, it stays as it was."""

    def __init__(self, app: WSGIApplication, name: str) -> None:
        self._app = app
        self._key = "HTTP_" + name.upper().replace("-", "_")

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer as the app does."""
        if address := environ.get(self._key, "").strip():
            environ["REMOTE_ADDR"] = address
        return self._app(environ, start)
