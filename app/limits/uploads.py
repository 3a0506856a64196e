"""From an upload to its bytes: read in memory alone, never written to disk nor logged."""

from io import BytesIO
from typing import IO, cast

from flask import request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from app.http.forms import FORM_BYTES
from app.limits.upload_budget import UploadSlot
from model.contract.pictures import MAX_BYTES

UPLOAD_BYTES = MAX_BYTES + FORM_BYTES
"""The largest body that is read: a picture of the largest size and what a form has around it."""

MOST_PARTS = 20

BUFFER = 200_000
"""Bytes of fields that are no files. Werkzeug holds its read buffer of 64 KB against it, too: less
than that and ordinary uploads are refused."""

THROWN_AWAY = 64 * 1024 * 1024
"""Bytes of a body over the limit that are read and dropped, so that the refusal is seen: a server
that stops listening half-way shows up in a browser as a broken connection."""


def read_uploads(name: str, slot: UploadSlot) -> list[bytes]:
    """The files that were sent under ``name``; none where no file was chosen.

    Raises:
        LengthRequired: for a body whose length is not said in advance.
        RequestEntityTooLarge: for one over ``UPLOAD_BYTES``, or with too many parts.
        RequestTimeout: for one that hardly comes.
        ServiceUnavailable: where there is no room for it in time.
    """
    length = _length()
    if request.mimetype != "multipart/form-data":
        return []
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=BUFFER,
        max_content_length=UPLOAD_BYTES,
        max_form_parts=MOST_PARTS,
    )
    body = cast(IO[bytes], slot.reading(request.stream))
    _, _, files = parser.parse(body, request.mimetype, length, request.mimetype_params)
    contents = [(file.filename, read_part(file.stream)) for file in files.getlist(name)]
    # A browser sends a nameless empty file where none was chosen.
    return [content for filename, content in contents if filename or content]


def read_part(stream: IO[bytes]) -> bytes:
    """The bytes of a file part, without the copy that reading them would make."""
    return stream.getvalue() if isinstance(stream, BytesIO) else stream.read()


def read_body(slot: UploadSlot) -> bytes:
    """The body as it is, where it is the file itself.

    Raises:
        LengthRequired: for a body whose length is not said in advance.
        RequestEntityTooLarge: for one over ``UPLOAD_BYTES``.
        RequestTimeout: for one that hardly comes.
        ServiceUnavailable: where there is no room for it in time.
    """
    left, body, whole = _length(), slot.reading(request.environ["wsgi.input"]), BytesIO()
    while left > 0 and (piece := body.read(min(left, FORM_BYTES))):
        whole.write(piece)
        left -= len(piece)
    return whole.getvalue()


def _length() -> int:
    if "HTTP_TRANSFER_ENCODING" in request.environ:
        raise LengthRequired
    length = request.content_length or 0
    if length > UPLOAD_BYTES:
        _throw_away(request.environ["wsgi.input"], min(length, THROWN_AWAY))
        raise RequestEntityTooLarge
    return length


def _throw_away(body: IO[bytes], length: int) -> None:
    while length > 0 and (piece := body.read(min(length, FORM_BYTES))):
        length -= len(piece)


def _in_memory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """Where a file part goes; werkzeug's own choice for a large one is a file on disk."""
    return BytesIO()
