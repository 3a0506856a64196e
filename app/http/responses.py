"""How a body is sent: compressed where that pays and the client can read it."""

from collections.abc import Callable, Iterable
from typing import cast
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Response, request
from isal import isal_zlib
from werkzeug.datastructures import Headers

SMALLEST = 1200
"""Bytes from which on compressing pays: a smaller body fits one packet uncompressed."""

GZIP_LEVEL = 1
"""For a fragment it takes 12 µs and gives 2,454 bytes; zlib's level 1 takes 29 and gives 2,485."""

HTML = "text/html; charset=utf-8"
JSON = "application/json"

REVALIDATED = {"Cache-Control": "no-cache"}
"""For what may be cached but must be asked for again each time."""

NO_STORE = {"Cache-Control": "no-store"}
"""For what is an answer to one visitor, which no cache may keep."""

ErrorRenderer = Callable[[int, bool, str], str]
"""Makes the HTML of an error from its status, whether it is a fragment, and the request's id."""


class PreparedHeaders(Headers):
    """Headers that are known to be valid, so that werkzeug does not check each of them."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._list = pairs


class PreparedResponse(Response):
    """A response in one piece whose headers are complete, so that werkzeug has none to work out.

    With werkzeug's own response and headers a fragment takes 17 µs more.
    """

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Send the response; werkzeug answers a HEAD request."""
        if environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return cast(list[bytes], self.response)  # respond makes it of bytes


def respond(
    body: str | bytes,
    status: int,
    headers: dict[str, str],
    kind: str = HTML,
    environ: WSGIEnvironment | None = None,
) -> Response:
    """Make a response of text, compressed where that pays and the client takes it.

    Args:
        body: the text, or its bytes in UTF-8.
        status: the status code.
        headers: further headers, which must be valid.
        kind: the media type.
        environ: the present request's, if the caller has it.
    """
    data = body if isinstance(body, bytes) else body.encode()
    pairs = [*headers.items(), ("Content-Type", kind), ("Vary", "Accept-Encoding")]
    environ = request.environ if environ is None else environ
    if len(data) >= SMALLEST and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        data = isal_zlib.compress(data, GZIP_LEVEL, wbits=31)  # 31 means gzip
        pairs.append(("Content-Encoding", "gzip"))
    pairs.append(("Content-Length", str(len(data))))
    return PreparedResponse([data], status, PreparedHeaders(pairs))


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    if "gzip" not in header:
        return False
    if ";" not in header:
        return True
    return request.accept_encodings["gzip"] > 0
