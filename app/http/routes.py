"""Where a request goes: one table from method and path to surface and model.

A route declares its surface and its model where it declares its path, so that the app's URL map is
the table. WSGI middleware needs the answer before Flask has found the view, so the table is read
once, ahead of everything, and the answer stays in the environ.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple, cast
from wsgiref.types import WSGIEnvironment

from werkzeug.routing import Map, Rule

_ROUTE = "formcast.route"

_API = re.compile(r"(?:/[^/]+)?/api(?:/.*)?", re.DOTALL)


class Surface(Enum):
    """Who reads the answer of a route, which also decides how an error looks there."""

    PAGE = "page"
    FRAGMENT = "fragment"
    FRAME = "frame"
    FRAME_FRAGMENT = "frame fragment"
    API = "api"
    ASSET = "asset"
    PROBE = "probe"


FRAGMENTS = frozenset({Surface.FRAGMENT, Surface.FRAME_FRAGMENT})
"""Parts of a page, which a script swaps in: an error is a part, too."""

FRAMES = frozenset({Surface.FRAME, Surface.FRAME_FRAGMENT})
"""What pages of other sites may show in a frame."""


class Route(NamedTuple):
    """Where a request goes.

    ``path`` is the path as it was declared, "none" where no route takes the request; ``model`` is
    the model's slug, "" where the route belongs to no model; ``rule`` is Flask's rule, None where
    only Flask can match it.
    """

    surface: Surface
    path: str = "none"
    model: str = ""
    rule: Rule | None = None


_UNKNOWN = Route(Surface.PAGE)


class SurfaceRule(Rule):
    """A rule of the URL map that also says its surface and its model."""

    def __init__(self, string: str, *, surface: Surface, model: str = "", **options: Any) -> None:
        super().__init__(string, **options)
        self.route = Route(surface, string, model, None if "<" in string else self)


class RouteTable:
    """The rules of a URL map by method and path, without parsing: a look-up takes 0.2 µs."""

    def __init__(self, url_map: Map) -> None:
        self._routes: dict[tuple[str, str], Route] = {}
        self._surfaces: dict[str, Surface] = {}
        self._folders: list[str] = []
        for rule in cast(Iterator[SurfaceRule], url_map.iter_rules()):
            path, variable, _ = rule.rule.partition("<")
            if variable:
                self._folders.append(path)
            for spelling in {path, path if rule.strict_slashes else f"{path}/"}:
                self._surfaces.setdefault(spelling, rule.route.surface)
                for method in rule.methods or ():
                    self._routes.setdefault((method, spelling), rule.route)

    def list_paths(self, surface: Surface) -> list[str]:
        """List the paths of a surface that GET takes, in the order of their declaration."""
        return list(
            dict.fromkeys(
                route.path
                for (method, _), route in self._routes.items()
                if method == "GET" and route.surface is surface
            )
        )

    def has_below(self, path: str) -> bool:
        """Whether there is a route at this path or below it."""
        return any(known == path or known.startswith(f"{path}/") for known in self._surfaces)

    def find(self, method: str, path: str) -> Route:
        """Where a request goes, or as what it is refused.

        A wrong method is refused as the surface of its path. An unknown path is a page; below an
        ``/api``, also one of an unknown model, it belongs to the API.
        """
        return self._routes.get((method, path)) or self._find_other(method, path)

    def _find_other(self, method: str, path: str) -> Route:
        method = method.upper()  # as werkzeug reads it
        for folder in self._folders:
            if path.startswith(folder):
                path = folder
                break
        if route := self._routes.get((method, path)):
            return route
        if _API.fullmatch(path) and not (
            method in ("GET", "HEAD") and path.rstrip("/").endswith("/api")
        ):
            return Route(Surface.API)
        return Route(self._surfaces.get(path, Surface.PAGE))


def enter_route(environ: WSGIEnvironment, table: RouteTable) -> None:
    """Find the route of a request and keep it in its environ."""
    environ[_ROUTE] = table.find(environ["REQUEST_METHOD"], environ["PATH_INFO"])


def enter_model(environ: WSGIEnvironment, slug: str) -> None:
    """Say which model a request asks, where its address does not."""
    environ[_ROUTE] = route_of(environ)._replace(model=slug)


def route_of(environ: WSGIEnvironment) -> Route:
    """The route of a request; an unknown page where the app is called past its middleware."""
    route: Route = environ.get(_ROUTE, _UNKNOWN)
    return route
