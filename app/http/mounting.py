"""The path under which visitors reach the app: its root, "" for the root of a host.

Every address that the app writes begins with the root. Templates write ``{{ root }}/…`` or take an
address from their ``site``, which has it already; views and adapters take ``Renderer.root``. Routes
are declared without it, because it is gone from the path before a route is found. A new address
that is made in one of these ways is right under every root, and nothing else has to be done.

The root is known at the start where ``FORMCAST_ROOT_PATH`` names it. Where only the request says
it (``SCRIPT_NAME`` of mod_wsgi, Passenger or uWSGI, ``X-Forwarded-Prefix`` of a trusted proxy), the
request goes to a second app that is built with ``MARKER`` as its root, and the marker is replaced
in what it answers. So a request without a prefix pays nothing for this.
"""

import re
import secrets
import threading
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import unquote
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from isal import isal_zlib

from app.config import ROOT_PATH
from app.http.middleware import ExcInfo, ResponseHeaders
from app.http.request_id import LINK_TOKEN
from app.http.responses import GZIP_LEVEL, SMALLEST
from app.http.routes import RouteTable

MAX_ROOT = 200
"""Characters of the longest root that a request may bring."""

MARKER = "/" + secrets.token_hex(16)
"""The root of the second app. No request can guess it, so that none can have it replaced."""

PREFIX = "HTTP_X_FORWARDED_PREFIX"

LINK = "/link/"
"""Begins the path of a link that gives permission, after the root; its token follows."""

_LINK = re.compile(r"/link/([A-Za-z0-9_-]{38})(/.*)?", re.ASCII | re.DOTALL)

_IN_BYTES = re.compile(rb"\r\nx-forwarded-prefix:[ \t]*([^\r\n]*)\r\n", re.IGNORECASE)


class RootedApp(Protocol):
    """An app that was built under a root."""

    extensions: dict[str, Any]
    root: str
    has_links: bool

    @property
    def routes(self) -> RouteTable:
        """Return the table of its routes."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer under its root."""

    def answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the request stands."""


def enter_root(environ: WSGIEnvironment, root: str) -> None:
    """Move the root from the path of a request to ``SCRIPT_NAME``; a proxy may have cut it off."""
    path = environ["PATH_INFO"]
    if path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        environ["PATH_INFO"] = path[len(root) :] or "/"
    environ["SCRIPT_NAME"] = root


def read_prefix(values: str, proxies: int) -> str:
    """Read the root from X-Forwarded-Prefix, as many proxies from its end as are trusted.

    Returns:
        The root; "" where the header is not trusted, or has none.
    """
    if not proxies:
        return ""
    given = [value.strip() for value in values.split(",")]
    return check_root(given[-min(proxies, len(given))])


def check_root(text: str) -> str:
    """Return the text without a slash at its end, or "" where it is no root."""
    root = text.rstrip("/")
    return root if len(root) <= MAX_ROOT and ROOT_PATH.fullmatch(root) else ""


class Mounted:
    """Answers the requests that bring their own root."""

    def __init__(self, plain: RootedApp, build: Callable[[str], RootedApp], proxies: int) -> None:
        """Wrap an app.

        Args:
            plain: what answers where no root is trusted.
            build: makes the same app under a root; called once, by the first request that needs it.
            proxies: how many proxies are trusted.
        """
        self._plain, self._build, self._proxies = plain, build, proxies
        self._marked: RootedApp | None = None
        self._lock = threading.Lock()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer under the root of the request."""
        root = (
            self._plain.root
            or read_prefix(environ.get(PREFIX, ""), self._proxies)
            or check_root(environ.get("SCRIPT_NAME", ""))
        )
        environ["SCRIPT_NAME"] = root
        if not self._plain.root:
            self._cut(environ, root)
        link = _LINK.fullmatch(environ["PATH_INFO"]) if self._plain.has_links else None
        if link:
            environ["PATH_INFO"], environ[LINK_TOKEN] = link[2] or "/", link[1]
            root += LINK + link[1]
        if root == self._plain.root:
            return self._plain.answer(environ, start)
        app = self._get_marked()
        encoding = environ.pop("HTTP_ACCEPT_ENCODING", "")
        gzip = "gzip" in encoding and "gzip;q=0" not in encoding.replace(" ", "")
        return _replace_marker(app, environ, start, root, gzip)

    def render_error(self, first: bytes, status: int, fragment: bool, identity: str) -> str | None:
        """Render an error for a request of which only the first bytes are known.

        Returns:
            None where they name no root that is trusted.
        """
        found = _IN_BYTES.search(first)
        root = read_prefix(found[1].decode("latin-1"), self._proxies) if found else ""
        if not root:
            return None
        render = self._get_marked().extensions["render_error"]
        return str(render(status, fragment, identity)).replace(MARKER, root)

    def _get_marked(self) -> RootedApp:
        with self._lock:
            if self._marked is None:
                self._marked = self._build(MARKER)
            return self._marked

    def _cut(self, environ: WSGIEnvironment, root: str) -> None:
        """Cut the root off the path, where the proxy has not done that."""
        path, decoded = environ["PATH_INFO"], unquote(root, "latin-1")
        if not root or self._plain.routes.find(environ["REQUEST_METHOD"], path).path != "none":
            return
        if path.startswith(decoded) and path[len(decoded) : len(decoded) + 1] in ("", "/"):
            environ["PATH_INFO"] = path[len(decoded) :] or "/"


def _replace_marker(
    app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse, root: str, gzip: bool
) -> Iterable[bytes]:
    """Answer as the app does, with the root in place of the marker."""
    old, new = MARKER.encode(), root.encode()
    begun: list[tuple[str, ResponseHeaders, ExcInfo | None]] = []

    def keep(
        status: str, headers: ResponseHeaders, exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], object]:
        begun[:] = [(status, headers, exc_info)]
        return lambda _: None

    body = app(environ, keep)
    status, headers, exc_info = begun[0]
    headers = [(name, value.replace(MARKER, root)) for name, value in headers]
    if not any(name.lower() == "content-length" for name, _ in headers):
        start(status, headers, exc_info)
        return (piece.replace(old, new) for piece in body)  # a stream never cuts an address in two
    headers = [header for header in headers if header[0].lower() != "content-length"]
    if environ["REQUEST_METHOD"] == "HEAD":
        start(status, headers, exc_info)
        return []
    data = b"".join(body).replace(old, new)
    image = any(value.startswith("image/png") for _, value in headers)
    if gzip and len(data) >= SMALLEST and not image:
        data = isal_zlib.compress(data, GZIP_LEVEL, wbits=31)
        headers.append(("Content-Encoding", "gzip"))
    start(status, [*headers, ("Content-Length", str(len(data)))], exc_info)
    return [data]
