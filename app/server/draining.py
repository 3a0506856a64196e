"""How a worker takes connections in, and how it lets go of them and of their answers."""

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gevent.server import StreamServer


@dataclass(frozen=True)
class Address:
    """What is left of a listener when it is closed: gunicorn asks for its name at each request."""

    name: Any

    def getsockname(self) -> Any:
        """The address that the listener was bound to."""
        return self.name


class DrainingServer(StreamServer):  # type: ignore[misc]  # gevent has no types
    """gevent's server, but connections that wait in the kernel's queue are answered, too.

    Their requests are on the way; when the last worker of a stopping server closes the listener,
    the kernel resets them.
    """

    def __init__(self, listener: Any, handle: "partial[None]", **options: Any) -> None:
        address = Address(listener.getsockname())
        super().__init__(listener, handle=partial(handle.func, address), **options)

    def close(self) -> None:
        """Take all that waits, then close in the same breath: what comes between is reset."""
        if not self.closed:
            self.stop_accepting()
            with suppress(OSError):
                while not self.full() and (waiting := self.do_read()):
                    self.do_handle(*waiting)
            self.socket.close()
        super().close()


class WholeAnswer:
    """A socket that sends the head of an answer together with its body.

    gunicorn sends them one after the other. A worker that dies between the two leaves an answer
    without its body, which no proxy can ask again elsewhere; and two sends cost more than one.
    """

    __slots__ = ("_begun", "_head", "_sock")

    def __init__(self, sock: Any) -> None:
        self._sock, self._head, self._begun = sock, b"", False

    def sendall(self, data: bytes) -> None:
        """Hold the first piece, which is the head, until the second comes."""
        if self._begun:
            head, self._head = self._head, b""
            self._sock.sendall(head + data if head else data)
        else:
            self._head, self._begun = data, True

    def flush(self) -> None:
        """Send a head that no body followed."""
        if self._head:
            self.sendall(b"")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)
