"""gunicorn's worker, which answers requests that cannot be read with the app's own error pages.

What gunicorn's parser refuses (a broken request line, headers too large) does not reach the app, so
that its headers and pages would be missing. Neither the answer nor the log repeats the input.
"""

import os
import signal
import socket
import sys
from contextlib import suppress
from functools import partial
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
from gunicorn.workers.ggevent import GeventWorker
from werkzeug.exceptions import ServiceUnavailable

from app.http.headers import HEADERS
from app.http.request_id import new_request_id
from app.http.responses import HTML, ErrorRenderer
from app.limits.upload_budget import GRACE
from app.server.draining import (
    ClientTimeout,
    DrainingServer,
    FirstBytesSocket,
    JoiningSocket,
    ListenerName,
)
from app.server.heartbeat import Heartbeat

SERVER_ERRORS = (ConfigurationProblem, InvalidResponseHeader, InvalidResponseHeaderName)
STATUS = {
    LimitRequestLine: 414,
    LimitRequestHeaders: 431,
    ExpectationFailed: 417,
    ForbiddenProxyRequest: 403,
    SSLError: 403,
}
"""All others are 400, also an unknown transfer coding, which gunicorn would answer with 501."""

ERROR_TIMEOUT = 2.0
"""Seconds for which a client whose request cannot be read may go on sending."""

MAX_ERROR_BYTES = 1024 * 1024
"""Bytes that it may go on sending. A client that is cut off at once does not see the answer."""

BODY_TIMEOUT = 15.0
"""Seconds for which the rest of a body that no view read is read and dropped."""

PIECE = 64 * 1024
"""Bytes that are read at a time."""

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Bytes of it: a browser shows a refusal only once it has sent the whole upload."""

SWITCH_INTERVAL = 0.0005
"""Seconds after which a thread that answers a file of many rows lets the others go on.

With Python's 5 ms a visitor beside it waits some 7 ms longer in the slowest of a hundred requests
(`python -m tests.benchmarks.beside`).
"""

STOP_RETRY_AFTER = 2
"""Seconds in the Retry-After header of what a stopping worker refuses."""

LOOK_INTERVAL = 1.0
"""Seconds between two looks of gunicorn's stopping worker at whether all requests have ended."""

RECYCLE_TIMEOUT = 25
"""Seconds that requests get to end in a worker that is replaced after many of them: nobody waits
for it."""

IDLE_TIMEOUT = 5.0
"""Seconds for which a worker that ends keeps connections without a request: a proxy would keep them
for a minute, and another worker takes its place only after them."""

MAX_ACCEPT = 16
"""New connections that a worker takes in one turn of its loop, at most. gunicorn takes 1, so that
all workers get some; then new visitors wait for seconds in a rush while the first are served. But a
connection that waits in the kernel loses nothing when a worker dies, so that an idle worker takes
few."""


_MAPPED = "::ffff:"
"""Stands before an IPv4 address where one socket takes both versions of IP."""


class AcceptingServer(DrainingServer):
    """gevent's server, which takes up to ``MAX_ACCEPT`` connections in a turn."""

    @property
    def max_accept(self) -> int:
        """Return how many to take in a turn: a quarter of those that are being served."""
        return min(MAX_ACCEPT, 1 + len(self.pool) // 4)


# While it patches the standard library, gevent searches all installed packages for plug-ins 25
# times. There are none, and the search took nine tenths of the start of a worker.
events.notify_and_call_entry_points = events.notify


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn ships no types
    """gevent's worker with error pages, for gunicorn's ``worker_class``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tmp.close()
        self.tmp: Heartbeat = Heartbeat(self.cfg)
        self._answering: dict[gevent.Greenlet, FirstBytesSocket] = {}
        self._servers: list[AcceptingServer] = []
        self._stop_timeout = self.cfg.graceful_timeout
        self._ending = False

    def timeout_ctx(self) -> ClientTimeout:
        """Return the time in which the next head must have come."""
        return ClientTimeout(self.cfg.keepalive, False)

    def server_class(
        self,
        listener: Any,
        *,
        spawn: Any,
        application: object,
        log: object,
        handler_class: object,
        environ: object,
        **ssl: Any,
    ) -> AcceptingServer:
        """Make the server of a listener; the arguments between are for servers that parse HTTP."""
        name = ListenerName(listener.getsockname())
        server = AcceptingServer(listener, partial(self.handle, name), spawn=spawn, **ssl)
        self._servers.append(server)
        return server

    def run(self) -> None:
        """Serve, and measure whether the worker keeps up."""
        monitor = getattr(self.wsgi, "extensions", {}).get("load_monitor")
        if monitor is not None:
            gevent.spawn(monitor.watch, gevent.sleep)
        sys.setswitchinterval(SWITCH_INTERVAL)
        self.cfg.set("graceful_timeout", RECYCLE_TIMEOUT)  # in this process; the master has its own
        super().run()

    def notify(self) -> None:
        """Give a sign of life, and end after the present requests where the master has gone."""
        super(GeventWorker, self).notify()  # gevent's own ends at once, and they would be lost
        if self.alive and self.ppid != os.getppid():
            self.log.warning("The master has gone: this worker ends after its requests")
            self.handle_exit(signal.SIGTERM, None)
        if not self.alive and not self._ending:
            self._ending = True
            gevent.spawn_later(IDLE_TIMEOUT, self._close_idle)

    def handle_exit(self, sig: int, frame: object) -> None:
        """End after the present requests: the master has said so, and kills in the end."""
        super().handle_exit(sig, frame)
        # Before the master kills, gunicorn must look once more.
        left = max(self._stop_timeout * 0.9 - LOOK_INTERVAL, self._stop_timeout / 2)
        gevent.spawn_later(left * 0.75, self._refuse_rest)
        gevent.spawn_later(left, self._close_rest)

    def _refuse_rest(self) -> None:
        """Answer requests that still wait, for their body or their turn, with 503."""
        for greenlet, sock in list(self._answering.items()):
            if not sock.begun:
                greenlet.kill(ServiceUnavailable(retry_after=STOP_RETRY_AFTER), block=False)

    def _close_idle(self) -> None:
        """Close connections without a request."""
        for server in self._servers:
            for greenlet in set(server.pool) - self._answering.keys():
                greenlet.kill(block=False)

    def _close_rest(self) -> None:
        """Close connections without a request, and those whose clients read too slowly."""
        for server in self._servers:
            server.pool.kill(block=False)

    def handle(self, listener: Any, client: socket.socket, addr: Any) -> None:
        """Read the requests of a connection."""
        if isinstance(addr, tuple) and addr[0].startswith(_MAPPED):
            addr = (addr[0].removeprefix(_MAPPED), addr[1])  # as a socket of IPv4 alone says it
        super().handle(listener, FirstBytesSocket(client), addr)

    def handle_request(
        self, listener_name: Any, req: Any, sock: FirstBytesSocket, addr: Any
    ) -> None:
        """Answer, and read what the app left of the body, so that the client sees the answer."""
        chunked = any(name == "TRANSFER-ENCODING" for name, _ in req.headers)
        if chunked:
            req.force_close()  # where the body ends, and the next request begins, is not certain
        closing: StopIteration | None = None
        joining = JoiningSocket(sock)
        greenlet = gevent.getcurrent()
        self._answering[greenlet] = sock
        sock.patience = GRACE
        try:
            # gevent's own goes on with the connection after a kill, as if the answer were complete.
            super(GeventWorker, self).handle_request(listener_name, req, joining, addr)
        except StopIteration as stop:
            closing = stop
        finally:
            del self._answering[greenlet]
            sock.patience = None
        with suppress(OSError):
            joining.flush()
        if (chunked or count_unread(req)) and not discard_body(req, sock, chunked):
            req.force_close()
        if closing is not None:
            raise closing
        sock.first, sock.begun = b"", False
        # The greenlet of a client that sends its next request at once never waits, so that no other
        # would run: with 64 such clients some waited for seconds.
        gevent.sleep(0)

    def handle_error(
        self, req: Any, client: FirstBytesSocket, addr: Any, exc: BaseException
    ) -> None:
        """Answer with an error page and the headers of every answer, then close.

        Nothing is sent where the server ends and nobody waits for an answer, or a part of it was
        sent: it would stand in that answer, or be taken for the next one.
        """
        if client.begun or (req is None and isinstance(exc, gevent.GreenletExit)):
            return
        status = choose_status(exc)
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
        render_error = getattr(self.wsgi, "extensions", {}).get("render_refusal")
        if isinstance(exc, (LimitRequestLine, LimitRequestHeaders)):
            client.read_head()
        if render_error is not None:
            render_error = partial(render_error, client.first)
        head = client.first.startswith(b"HEAD ")
        with suppress(OSError), gevent.Timeout(ERROR_TIMEOUT, False):
            client.sendall(build_response(status, render_error, head, identity))
            client.shutdown(socket.SHUT_WR)
            discard(client, MAX_ERROR_BYTES)


def count_unread(req: Any) -> int:
    """Count the bytes of a body of known length that were not read."""
    return int(getattr(req.body.reader, "length", 0))


def discard_body(req: Any, sock: FirstBytesSocket, chunked: bool) -> bool:
    """Read the rest of a body; return whether that reached its end."""
    with suppress(OSError), gevent.Timeout(BODY_TIMEOUT, False):
        if chunked:
            sock.shutdown(socket.SHUT_WR)
            discard(sock, MAX_BODY_BYTES)
            return False
        for _ in range(MAX_BODY_BYTES // PIECE):
            if not count_unread(req) or not req.body.read(PIECE):
                break
    return not count_unread(req)


def discard(sock: FirstBytesSocket, most: int) -> None:
    """Read up to ``most`` bytes, or to the end, and drop them."""
    while most > 0 and (piece := sock.recv(PIECE)):
        most -= len(piece)


def choose_status(exc: BaseException) -> int:
    """Choose the status for what the parser or the app raised, or for the end of the server."""
    if isinstance(exc, (gevent.GreenletExit, ServiceUnavailable)):
        return 503
    if isinstance(exc, SERVER_ERRORS) or not isinstance(exc, (ParseException, SSLError)):
        return 500
    return next((status for kind, status in STATUS.items() if isinstance(exc, kind)), 400)


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
