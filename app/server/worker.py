"""gunicorn's worker with our words for what never becomes a request.

What gunicorn's parser refuses (a broken request line, headers too large) does not reach the app, so
that neither our headers nor our pages would be on it. Nor is the input given back, to the client or
into the log.
"""

import socket
import traceback
from contextlib import suppress
from http import HTTPStatus
from ssl import SSLError
from typing import Any

import gevent
from gevent import events
from gunicorn.http.errors import (
    ConfigurationProblem,
    ExpectationFailed,
    ForbiddenProxyRequest,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.http.message import Request
from gunicorn.workers import ggevent
from gunicorn.workers.ggevent import GeventWorker

from app.http.headers import HEADERS
from app.http.request_id import new_request_id
from app.http.responses import HTML, ErrorRenderer
from app.server.draining import DrainingServer, WholeAnswer

OURS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
STATUS = {
    LimitRequestLine: 414,
    LimitRequestHeaders: 431,
    ExpectationFailed: 417,
    ForbiddenProxyRequest: 403,
    SSLError: 403,
}
"""All others are 400, a transfer coding that nobody knows included: it is no fault of ours."""

PATIENCE = 2.0
"""Seconds for which a client whose request cannot be read may go on sending."""

DROPPED = 1024 * 1024
"""Bytes that it may go on sending. One that is cut at once would not see the answer."""

BODY_PATIENCE = 15.0
"""Seconds for which the rest of a body that nobody wanted is read and dropped."""

PIECE = 64 * 1024
"""Bytes that are read at a time."""

BODY_DROPPED = 64 * 1024 * 1024
"""Bytes of it: a refusal in the middle of an upload shows up in a browser only when it has sent."""


ACCEPTED = 16
"""New connections that a worker takes in one turn of its loop, at most. gunicorn says 1, so that
all workers get some: then, in a rush, new visitors stand in line for seconds while the first are
served. But whoever still stands in line loses nothing when a worker dies, so that one with little
to do takes few."""


class AcceptingServer(DrainingServer):
    """gevent's server, which takes up to ``ACCEPTED`` connections whatever gunicorn says."""

    @property
    def max_accept(self) -> int:
        """How many are taken in a turn: a quarter of those that are being served."""
        return min(ACCEPTED, 1 + len(self.pool) // 4)

    @max_accept.setter
    def max_accept(self, _: int) -> None:
        pass


ggevent.StreamServer = AcceptingServer

# While it patches the standard library, gevent looks 25 times through all that is installed for
# plug-ins to tell, of which there are none: nine tenths of the time that a new worker took.
events.notify_and_call_entry_points = events.notify


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """``worker_class = "app.server.worker.Worker"``."""

    def run(self) -> None:
        """Serve, with an eye on whether the worker keeps up."""
        monitor = getattr(self.wsgi, "extensions", {}).get("load_monitor")
        if monitor is not None:
            gevent.spawn(monitor.watch, gevent.sleep)
        super().run()

    def handle_request(self, listener_name: Any, req: Any, sock: socket.socket, addr: Any) -> None:
        """Answer, and read what the app left of the body, so that the answer is seen."""
        chunked = any(name == "TRANSFER-ENCODING" for name, _ in req.headers)
        if chunked:
            req.force_close()  # its length is anybody's guess, and so is where the next one starts
        closing: StopIteration | None = None
        whole = WholeAnswer(sock)
        try:
            super().handle_request(listener_name, req, whole, addr)
        except StopIteration as stop:
            closing = stop
        with suppress(OSError):
            whole.flush()
        if (chunked or left_of(req)) and not dropped_rest(req, sock, chunked):
            req.force_close()
        if closing is not None:
            raise closing
        # A client that asks again at once never makes its greenlet wait, so that nobody else's turn
        # would come: with 64 of them the unlucky ones waited for seconds.
        gevent.sleep(0)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """Refuse in words, with the headers of every other answer, and close."""
        status = status_of(exc)
        identity = new_request_id()
        extra = {"request_id": identity}
        if status < 500:
            self.log.warning(
                "Refused what cannot be read from %s: %s",
                (addr or ("",))[0],
                type(exc).__name__,
                extra=extra,
            )
        else:
            self.log.error("A request failed", exc_info=exc, extra=extra)
        render_error = getattr(self.wsgi, "extensions", {}).get("render_error")
        with suppress(OSError), gevent.Timeout(PATIENCE, False):
            client.sendall(
                build_response(status, render_error, method_of(req, exc) == "HEAD", identity)
            )
            client.shutdown(socket.SHUT_WR)
            drop(client, DROPPED)


def left_of(req: Any) -> int:
    """The bytes of a body of known length that were not read."""
    return int(getattr(req.body.reader, "length", 0))


def dropped_rest(req: Any, sock: socket.socket, chunked: bool) -> bool:
    """Whether the rest of a body could be read to its end."""
    with suppress(OSError), gevent.Timeout(BODY_PATIENCE, False):
        if chunked:
            sock.shutdown(socket.SHUT_WR)
            drop(sock, BODY_DROPPED)
            return False
        for _ in range(BODY_DROPPED // PIECE):
            if not left_of(req) or not req.body.read(PIECE):
                break
    return not left_of(req)


def drop(sock: socket.socket, most: int) -> None:
    """Read up to ``most`` bytes, or to the end, for nothing."""
    while most > 0 and (piece := sock.recv(PIECE)):
        most -= len(piece)


def status_of(exc: BaseException) -> int:
    """The status for what the parser, or the app, raised."""
    if isinstance(exc, OURS) or not isinstance(exc, (ParseException, SSLError)):
        return 500
    return next((status for kind, status in STATUS.items() if isinstance(exc, kind)), 400)


def method_of(req: Any, exc: BaseException) -> str:
    """The method of what was refused, "" where it did not even say one.

    gunicorn drops its half-read request; what it knew by then still stands in the frames.
    """
    if req is not None:
        return str(req.method)
    for frame, _ in traceback.walk_tb(exc.__traceback__):
        reader = frame.f_locals.get("self")
        if isinstance(reader, Request) and reader.method:
            return str(reader.method)
        for name in ("line_bytes", "data"):
            line = frame.f_locals.get(name)
            if isinstance(line, bytes) and line.startswith(b"HEAD "):
                return "HEAD"
    return ""


def build_response(
    status: int, render_error: ErrorRenderer | None, head: bool, identity: str
) -> bytes:
    """Build the bytes of an error response; ``render_error`` is None for an app of others."""
    body = (
        render_error(status, False, identity) if render_error else "This request could not be read."
    ).encode()
    lines = [
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        f"Content-Type: {HTML}",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        *(f"{name}: {value}" for name, value in HEADERS),
        f"X-Request-ID: {identity}",
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if head else body)
