"""Bodies without a length (chunked), as .NET and streaming clients send them, and whole ones."""

from typing import IO
from wsgiref.types import WSGIEnvironment

from werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    HTTPException,
    LengthRequired,
    RequestEntityTooLarge,
)


def read_whole(body: IO[bytes], length: int) -> bytes:
    """Read a body of known length.

    Raises:
        ClientDisconnected: where it ends before that: half of a number is another number.
    """
    whole = body.read(length)
    if len(whole) < length:
        raise ClientDisconnected
    return whole


def is_chunked(environ: WSGIEnvironment) -> bool:
    """Whether the request says no length, but how it transfers its body.

    Raises:
        LengthRequired: where the server does not find the end of such a body: then a read would
            wait for ever.
    """
    if "HTTP_TRANSFER_ENCODING" not in environ:
        return False
    if not environ.get("wsgi.input_terminated"):
        raise LengthRequired
    return True


class ChunkedBody:
    """A body of unknown length, which is read up to a limit."""

    def __init__(self, body: IO[bytes], limit: int) -> None:
        self._body, self._left = body, limit

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, or all of them.

        Raises:
            RequestEntityTooLarge: for a body over the limit.
            BadRequest: where the chunks are broken off or malformed.
        """
        most = self._left + 1
        try:
            piece = self._body.read(most if size < 0 else min(size, most))
        except HTTPException:
            raise
        except Exception as error:  # each server has errors of its own for what is malformed
            raise BadRequest from error
        self._left -= len(piece)
        if self._left < 0:
            raise RequestEntityTooLarge
        return piece
