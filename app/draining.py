"""A worker's listener that takes in who already stands in line before it closes."""

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
