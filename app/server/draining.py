"""How a worker accepts connections, and how it closes them without losing answers."""

import select
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from errno import EPIPE
from typing import Any

import gevent
from gevent.server import StreamServer
from werkzeug.exceptions import RequestTimeout

from app.limits.upload_budget import MIN_RATE


@dataclass(frozen=True)
class ListenerName:
    """The name of a listener that may be closed: gunicorn asks for it at each request."""

    name: Any

    def getsockname(self) -> Any:
        """Return the address that the listener was bound to."""
        return self.name


class DrainingServer(StreamServer):  # type: ignore[misc]  # gevent has no types
    """gevent's server, which also answers connections that wait in the kernel's queue.

    When the last worker of a stopping server closes the listener, the kernel resets what waits
    there, although its requests are on the way.
    """

    def close(self) -> None:
        """Accept what waits, then close at once: the kernel resets what comes in between."""
        if not self.closed:
            self.stop_accepting()
            with suppress(OSError):
                while not self.full() and (waiting := self.do_read()):
                    self.do_handle(*waiting)
            self.socket.close()
        super().close()


READ_SECONDS = 0.01
"""Seconds in which a loop that goes on reads what has come to its sockets meanwhile."""


class ClientTimeout(gevent.Timeout):  # type: ignore[misc]  # as above
    """The time for what a client sends or takes, with a moment to see what came before its end.

    A process that stood still, or was busy, finds both that the time is over and that a request
    came in time; gevent sees the former first, and the request would be lost.
    """

    def _on_expiration(self, reader: gevent.Greenlet, error: BaseException) -> None:
        self.timer.close()
        self.timer: Any = gevent.get_hub().loop.timer(READ_SECONDS)
        self.timer.start(super()._on_expiration, reader, error)


SEND_TIMEOUT = 30.0
"""Seconds that a client may take for a piece of a response, beyond those of ``MIN_RATE``. One that
stops reading is cut off, and what makes the body stops."""

HEAD_TIMEOUT = 1.0
"""Seconds in which the rest of a head that is too long has to come."""

MAX_HEAD_BYTES = 64 * 1024
"""Bytes of it that are kept."""


MAX_PIECE = 128 * 1024
"""Bytes that are received at once. gunicorn asks for a megabyte, and copies all that is left of it
for each piece that the app reads: 9 ms for 3 MB in place of 4."""


class JoiningSocket:
    """A socket that sends the head of a response together with its body.

    gunicorn sends them one after the other. A worker that dies in between leaves a response without
    its body, for which no proxy can try another worker; and two sends cost more than one.
    """

    __slots__ = ("_begun", "_head", "_sock")

    def __init__(self, sock: Any) -> None:
        self._sock, self._head, self._begun = sock, b"", False

    def sendall(self, data: bytes) -> None:
        """Hold the first piece, which is the head, until the second comes."""
        if self._begun:
            self._sock.begun = True
            head, self._head = self._head, b""
            piece = head + data
            seconds = SEND_TIMEOUT + len(piece) / MIN_RATE
            with ClientTimeout(seconds, BrokenPipeError(EPIPE, "It stopped reading")):
                self._sock.sendall(piece)
        else:
            self._head, self._begun = data, True

    def flush(self) -> None:
        """Send a head that no body followed."""
        if self._head:
            self.sendall(b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class FirstBytesSocket:
    """A socket that keeps the first bytes of a request: gunicorn drops one that it cannot read.

    ``first`` is empty where the request came together with the end of another. ``begun`` is whether
    a part of its response was sent. ``patience`` are the seconds for which it still waits for more
    of a body; None while none is read.
    """

    __slots__ = ("_sock", "begun", "first", "patience")

    def __init__(self, sock: Any) -> None:
        self._sock, self.first, self.begun = sock, b"", False
        self.patience: float | None = None

    def recv(self, size: int) -> bytes:
        """Receive bytes, and keep them if they are the first.

        Raises:
            RequestTimeout: for a body that comes too slowly, or whose client has vanished.
        """
        size = min(size, MAX_PIECE)
        if self.patience is None:
            data: bytes = self._sock.recv(size)
            self.first = self.first or data
            return data
        began = time.monotonic()
        with ClientTimeout(max(self.patience, 0), RequestTimeout()):
            data = self._sock.recv(size)
        self.patience += len(data) / MIN_RATE - (time.monotonic() - began)
        return data

    def is_closed(self) -> bool:
        """Whether the client has closed the connection, or its side of it; nothing is taken."""
        try:
            readable, _, _ = select.select([self._sock], [], [], 0)
            return bool(readable) and not self._sock.recv(1, socket.MSG_PEEK)
        except ValueError:  # TLS shows nothing before it is taken
            return False
        except OSError:
            return True

    def read_head(self) -> None:
        """Read on until the headers end, where the server stopped before that.

        A proxy that says in a header which path it cut off may send that after an address that is
        too long, in a piece of its own.
        """
        with suppress(OSError), gevent.Timeout(HEAD_TIMEOUT, False):
            while b"\r\n\r\n" not in self.first and len(self.first) < MAX_HEAD_BYTES:
                piece: bytes = self._sock.recv(MAX_HEAD_BYTES)
                if not piece:
                    break
                self.first += piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
