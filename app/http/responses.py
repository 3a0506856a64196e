"""How a body leaves: compressed where that pays and the client can read it."""

import zlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Response, request
from werkzeug.datastructures import Headers

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SMALLEST = 1200
"""Bytes from which on compressing pays: what is smaller fits one packet as it is."""

HTML = "text/html; charset=utf-8"
JSON = "application/json"


class PreparedHeaders(Headers):
    """Headers that are known to be sound: they are not looked at one by one."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._list = pairs


class PreparedResponse(Response):
    """A response that goes out as it is: nothing in its headers is to be worked out any more."""

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Start and answer; a question for the head alone is left to werkzeug."""
        if environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return self.response  # type: ignore[return-value]  # the list that it was made with


def respond(
    body: str | bytes,
    status: int,
    headers: dict[str, str],
    kind: str = HTML,
    environ: "WSGIEnvironment | None" = None,
) -> Response:
    """An answer of text, encoded or not, of the media type ``kind``; the headers must be sound.

    Compressed by zlib at level 1: on pages of this size it takes a third of the time of level 6 for
    a tenth more bytes. Flask-Compress does the same in 85 µs a request even where it compresses
    nothing, an eighth of the whole answer.
    """
    data = body if isinstance(body, bytes) else body.encode()
    pairs = [*headers.items(), ("Content-Type", kind), ("Vary", "Accept-Encoding")]
    environ = request.environ if environ is None else environ
    if len(data) >= SMALLEST and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        packer = zlib.compressobj(1, wbits=31)
        data = packer.compress(data) + packer.flush()
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


REVALIDATED = {"Cache-Control": "no-cache"}
