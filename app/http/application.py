"""Flask without what this app does not have: no sessions, no routes by the host's name."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter, RequestRedirect

from app.http.hosts import PLAIN_PATHS

REQUEST = "formcast.request"
"""Where the request stands in its environ, for who asks after Flask is done with it."""


class NoSession(SessionInterface):
    """No cookie is read or set; whoever tries to keep something is told."""

    def __init__(self) -> None:
        self._nothing = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """The one session that nothing can be put into."""
        return self._nothing


class PlainRequest(Request):
    """A request that belongs to no blueprint, as far as Flask asks for hooks and error handlers.

    None is registered for one blueprint alone, and a test sees to that: Flask would ask three times
    a request.
    """

    blueprints: list[str] = []  # noqa: RUF012 (a property in Flask)


class ToPath(RequestRedirect):
    """The redirect that routing asks for, as to a missing slash, without the host's name in it.

    One slash at the front: with two, a browser takes what follows for another server's name.
    """

    def get_response(self, *_: object) -> Response:
        """A redirect that nobody keeps."""
        target = urlsplit(self.new_url)
        location = "/" + target.path.lstrip("/\\") + (f"?{target.query}" if target.query else "")
        return Response("", self.code, {"Location": location, "Cache-Control": "no-store"})


class ByPath(MapAdapter):
    """Finds routes, and leads to paths alone."""

    def match(self, *args: Any, **kwargs: Any) -> Any:
        """As it is, but for redirects."""
        try:
            return super().match(*args, **kwargs)
        except RequestRedirect as redirect:
            raise ToPath(redirect.new_url) from None


class Application(Flask):
    """A Flask app that looks at the host's name only where a setting lists those it serves."""

    session_interface = NoSession()
    request_class = PlainRequest

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is: no view here is a coroutine, and none is looked at for that."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """What finds the route: by path and method, whatever the host is called."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        environ[REQUEST] = request
        if self.config["TRUSTED_HOSTS"] is not None and environ["PATH_INFO"] not in PLAIN_PATHS:
            super().create_url_adapter(request)  # raises for a name that is not served
        return ByPath(
            self.url_map,
            server_name="localhost",
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),
            default_method=request.method,
            query_args=request.query_string.decode(errors="replace"),
        )
