"""How a worker accepts connections, and how it closes them without losing answers."""

import select
import socket
from contextlib import suppress
from dataclasses import dataclass
from errno import EPIPE
from typing import Any

import gevent
from gevent.server import StreamServer


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


class HeadTimeout(gevent.Timeout):  # type: ignore[misc]  # as above
    """The time for the next head on a connection, with a moment to read what came before its end.

    A process that stood still, or was busy, finds both that the time is over and that a request
    came in time; gevent sees the former first, and the request would be lost.
    """

    def _on_expiration(self, reader: gevent.Greenlet, error: BaseException) -> None:
        self.timer.close()
        self.timer: Any = gevent.get_hub().loop.timer(READ_SECONDS)
        self.timer.start(super()._on_expiration, reader, error)


SEND_TIMEOUT = 30.0
"""Seconds that a client may take for a piece of a body that is made while it is sent. One that
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
            if head:
                self._sock.sendall(head + data)
            else:  # a body of several pieces
                with gevent.Timeout(SEND_TIMEOUT, BrokenPipeError(EPIPE, "It stopped reading")):
                    self._sock.sendall(data)
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
    a part of its response was sent.
    """

    __slots__ = ("_sock", "begun", "first")

    def __init__(self, sock: Any) -> None:
        self._sock, self.first, self.begun = sock, b"", False

    def recv(self, size: int) -> bytes:
        """Receive bytes, and keep them if they are the first."""
        data: bytes = self._sock.recv(min(size, MAX_PIECE))
        self.first = self.first or data
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
