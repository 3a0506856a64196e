"""From an upload to its bytes: read in memory alone, never written to disk or logged."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import IO, NamedTuple, cast

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import LimitedStream

from app.http.bodies import ChunkedBody, is_chunked
from app.http.forms import FORM_BYTES
from app.limits.upload_budget import UploadSlot
from model.contract.pictures import MAX_BYTES

UPLOAD_BYTES = MAX_BYTES + FORM_BYTES
"""The largest body that is read: the largest picture and the rest of its form."""

MAX_PARTS = 20

MAX_FIELD_BYTES = 200_000
"""Bytes of fields that are not files. Werkzeug counts its read buffer of 64 KB, too: below that it
refuses ordinary uploads."""

MAX_DISCARDED = 64 * 1024 * 1024
"""Bytes of a body over the limit that are read and dropped: a browser shows a refusal only once it
has sent the body, and a broken connection before that."""


class Upload(NamedTuple):
    """What a form with files sent: the files under one name, and the first text of each field.

    ``names`` are what the files are called where they come from, which may be anything.
    """

    files: list[bytes]
    fields: Mapping[str, str] = MappingProxyType({})
    names: Sequence[str] = ()


def read_uploads(name: str, slot: UploadSlot, most: int = UPLOAD_BYTES) -> Upload:
    """Read the files that were sent under ``name``, none where no file was chosen, and the fields.

    Raises:
        LengthRequired: for a body without a length that the server does not end.
        BadRequest: for one whose chunks are malformed, or that ends before its length.
        RequestEntityTooLarge: for one over ``most`` bytes, or with too many parts.
        RequestTimeout: for one that comes too slowly.
        ServiceUnavailable: if no memory is free for it in time.
    """
    length, source = _open_body(most)
    if request.mimetype != "multipart/form-data":
        return Upload([])
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=MAX_FIELD_BYTES,
        max_content_length=most,
        max_form_parts=MAX_PARTS,
    )
    body = cast(IO[bytes], slot.reading(source))
    _, fields, files = parser.parse(body, request.mimetype, length, request.mimetype_params)
    contents = [(file.filename, read_part(file.stream)) for file in files.getlist(name)]
    # A browser sends a nameless empty file where none was chosen.
    chosen = [(name or "", content) for name, content in contents if name or content]
    return Upload([content for _, content in chosen], fields, [name for name, _ in chosen])


def read_part(stream: IO[bytes]) -> bytes:
    """Read a file part, without the copy that ``read`` would make."""
    return stream.getvalue() if isinstance(stream, BytesIO) else stream.read()


def read_body(slot: UploadSlot, most: int = UPLOAD_BYTES) -> bytes:
    """Read the body of a request that is the file itself.

    Raises:
        LengthRequired: for a body without a length that the server does not end.
        BadRequest: for one whose chunks are malformed, or that ends before its length.
        RequestEntityTooLarge: for one over ``most`` bytes.
        RequestTimeout: for one that comes too slowly.
        ServiceUnavailable: if no memory is free for it in time.
    """
    body, content = slot.reading(_open_body(most)[1]), BytesIO()
    while piece := body.read(FORM_BYTES):
        content.write(piece)
    return content.getvalue()


def _open_body(most: int) -> tuple[int | None, IO[bytes]]:
    """Return the length of the body, None where it is chunked, and the stream that ends with it."""
    source = request.environ["wsgi.input"]
    if is_chunked(request.environ):
        return None, cast(IO[bytes], ChunkedBody(source, most))
    length = request.content_length or 0
    if length > most:
        _discard(source, min(length, MAX_DISCARDED))
        raise RequestEntityTooLarge
    # request.stream says nothing of a body that ends before its length.
    return length, cast(IO[bytes], LimitedStream(source, length))


def _discard(body: IO[bytes], length: int) -> None:
    while length > 0 and (piece := body.read(min(length, FORM_BYTES))):
        length -= len(piece)


def _in_memory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """Make the stream for a file part; werkzeug would write a large one to disk."""
    return BytesIO()
