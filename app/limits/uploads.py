"""From an upload to its bytes: read in memory alone, never written to disk or logged."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from types import MappingProxyType
from typing import IO, NamedTuple, cast

from flask import request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

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
        LengthRequired: for a body without Content-Length.
        RequestEntityTooLarge: for one over ``most`` bytes, or with too many parts.
        RequestTimeout: for one that comes too slowly.
        ServiceUnavailable: if no memory is free for it in time.
    """
    length = _check_length(most)
    if request.mimetype != "multipart/form-data":
        return Upload([])
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=MAX_FIELD_BYTES,
        max_content_length=most,
        max_form_parts=MAX_PARTS,
    )
    body = cast(IO[bytes], slot.reading(request.stream))
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
        LengthRequired: for a body without Content-Length.
        RequestEntityTooLarge: for one over ``most`` bytes.
        RequestTimeout: for one that comes too slowly.
        ServiceUnavailable: if no memory is free for it in time.
    """
    left, body, content = (
        _check_length(most),
        slot.reading(request.environ["wsgi.input"]),
        BytesIO(),
    )
    while left > 0 and (piece := body.read(min(left, FORM_BYTES))):
        content.write(piece)
        left -= len(piece)
    return content.getvalue()


def _check_length(most: int) -> int:
    if "HTTP_TRANSFER_ENCODING" in request.environ:
        raise LengthRequired
    length = request.content_length or 0
    if length > most:
        _discard(request.environ["wsgi.input"], min(length, MAX_DISCARDED))
        raise RequestEntityTooLarge
    return length


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
