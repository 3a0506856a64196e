"""Flask without sessions and without routes by the host's name, but with a table of routes."""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Request, Response
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import MapAdapter, RequestRedirect, Rule

from app.http.middleware import Middleware
from app.http.mounting import LINK, PREFIX, Mounted, enter_root
from app.http.routes import RouteTable, Surface, SurfaceRule, enter_route, route_of


class NoSession(SessionInterface):
    """Reads and sets no cookie; code that writes into the session gets Flask's error."""

    def __init__(self) -> None:
        self._nothing = NullSession()

    def open_session(self, app: Flask, request: Request) -> NullSession:
        """Return the one session, which takes nothing."""
        return self._nothing


class PlainRequest(Request):
    """A request whose blueprints Flask need not know.

    No hook and no error handler belongs to one blueprint alone (a test holds that), and Flask would
    look for them three times a request, which takes 9 µs.
    """

    blueprints: list[str] = []  # noqa: RUF012 (a property in Flask)


class PathRedirect(RequestRedirect):
    """The redirect that routing asks for, as to a missing slash, without the host's name in it.

    It keeps one slash at the front: after two, a browser reads the name of another server.
    """

    def get_response(self, *_: object) -> Response:
        """Build a redirect that no cache keeps."""
        target = urlsplit(self.new_url)
        location = "/" + target.path.lstrip("/\\") + (f"?{target.query}" if target.query else "")
        return Response("", self.code, {"Location": location, "Cache-Control": "no-store"})


class PathAdapter(MapAdapter):
    """Matches requests with rules, and redirects to paths alone.

    It does not match again what the table of routes has found, which would take 2 µs.
    """

    found: Rule | None = None

    def match(self, *args: Any, **kwargs: Any) -> Any:
        """Match as werkzeug does, but for redirects.

        Raises:
            PathRedirect: where another spelling of the path has a rule.
        """
        if self.found is not None and "method" not in kwargs:
            return self.found, {}
        try:
            return super().match(*args, **kwargs)
        except RequestRedirect as redirect:
            raise PathRedirect(redirect.new_url) from None


class Application(Flask):
    """A Flask app with a table of its routes and a tuple of middleware.

    It looks at the host's name only where a setting lists the names that it serves.
    """

    session_interface = NoSession()
    request_class = PlainRequest
    url_rule_class: type[Rule] = SurfaceRule
    root = ""
    """The path under which visitors reach it: see ``app.http.mounting``."""
    mounted: Mounted | None = None
    """What answers a request that brings a root of its own."""
    has_links = False
    """Whether links may give permission to use it."""
    _outermost: WSGIApplication | None = None

    @cached_property
    def routes(self) -> RouteTable:
        """The table of the routes, made when the first request comes: all are known by then."""
        return RouteTable(self.url_map)

    def wrap(self, middleware: Iterable[Middleware | None]) -> None:
        """Put middleware around the app, the outermost first; None stands for one not wanted."""
        self._outermost = self.wsgi_app
        for layer in reversed([layer for layer in middleware if layer is not None]):
            self._outermost = layer(self._outermost)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request under the root of the app, or under its own."""
        environ.setdefault("PATH_INFO", "")  # CGI and FastCGI leave out what is empty
        if self.root:
            enter_root(environ, self.root)
        elif self.mounted is not None and (PREFIX in environ or environ.get("SCRIPT_NAME")):
            return self.mounted(environ, start_response)
        if self.has_links and self.mounted is not None and environ["PATH_INFO"].startswith(LINK):
            return self.mounted(environ, start_response)
        return self.answer(environ, start_response)

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Find the route of a request, then answer it through the middleware."""
        enter_route(environ, self.routes)
        return (self._outermost or self.wsgi_app)(environ, start_response)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function unchanged: no view here is a coroutine."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Make what matches the request with a rule, by path and method alone.

        Raises:
            SecurityError: for a host's name that is not served.
        """
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        route = route_of(environ)
        if self.config["TRUSTED_HOSTS"] is not None and route.surface is not Surface.PROBE:
            super().create_url_adapter(request)  # raises for a name that is not served
        adapter = PathAdapter(
            self.url_map,
            server_name="localhost",
            script_name=request.root_path,
            subdomain="",
            url_scheme=request.scheme,
            path_info=environ["PATH_INFO"].encode("latin-1").decode(errors="replace"),
            default_method=request.method,
            query_args=request.query_string.decode(errors="replace"),
        )
        adapter.found = route.rule
        return adapter
