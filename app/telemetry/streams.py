"""Responses that are made while they are sent: nothing is made before what was made last is gone.

So a client that stops reading stops the work, and the worker cuts it off after a while.
"""

from collections.abc import Callable, Iterator, Mapping
from errno import EPIPE
from logging import Logger
from time import monotonic
from wsgiref.types import WSGIEnvironment

from flask import Response, current_app, request

from app.http.request_id import request_id
from app.telemetry.request_records import record_at_end

GRACE = 60.0
"""Seconds of waiting for a client after which it must have read ``MIN_RATE`` bytes a second."""

MIN_RATE = 32 * 1024

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""What every such response has: no proxy shall keep it, and nginx shall pass it on at once."""


def stream(
    pieces: Iterator[bytes], headers: Mapping[str, str], close: Callable[[], object], fault: bytes
) -> Response:
    """Make the response of pieces.

    Args:
        pieces: of the body; they are made outside of the request's context.
        headers: with the content type.
        close: called at the end, also if nobody reads a single piece.
        fault: the last piece after a fault, which no status can say any more; where it is b"", the
            connection breaks, so that nobody takes a part of a file for the whole.
    """
    environ: WSGIEnvironment = request.environ
    record_at_end(environ)
    body = _say_faults(pieces, fault, current_app.logger, request_id())
    response = Response(body, 200, {**HEADERS, **headers})
    response.call_on_close(close)
    return response


def _keep_pace(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Stop where the client reads too slowly: what it is sent from holds memory of the worker."""
    waited, length = 0.0, 0
    for piece in pieces:
        began = monotonic()
        yield piece
        waited += monotonic() - began
        length += len(piece)
        if waited > GRACE and length < MIN_RATE * waited:
            raise BrokenPipeError(EPIPE, "It reads too slowly")


def _say_faults(
    pieces: Iterator[bytes], fault: bytes, log: Logger, identity: str
) -> Iterator[bytes]:
    try:
        yield from _keep_pace(pieces)
    except BrokenPipeError:
        raise
    except Exception:
        log.exception("A response stopped while it was sent", extra={"request_id": identity})
        if not fault:
            raise
        yield fault
