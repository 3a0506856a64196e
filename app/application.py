"""Flask without what this app does not have: no sessions, no routes by the host's name."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter

REQUEST = "formcast.request"
"""Where the request stands in its environ, for who asks after Flask is done with it."""


class NoSession(SessionInterface):
    """No cookie is read or set; whoever tries to keep something is told."""

    def __init__(self) -> None:
        self._nothing = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """The one session that nothing can be put into."""
        return self._nothing


class Application(Flask):
    """A Flask app that looks at the host's name only where a setting lists those it serves."""

    session_interface = NoSession()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: no view here is a coroutine, and none is looked at for that."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the route: by path and method, whatever the host is called."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        environ[REQUEST] = request
        if self.config["TRUSTED_HOSTS"] is not None:
            return super().create_url_adapter(request)
        return MapAdapter(
            self.url_map,
            server_name="localhost",
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),
            default_method=request.method,
            query_args=request.query_string.decode(errors="replace"),
        )
