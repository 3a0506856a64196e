"""Standard output and standard error as streams that nobody has to wait for.

A log that nobody reads, or reads slowly, must not stop an answer: a full pipe or socket, a terminal
that is stopped, a full disk. What cannot be written at once is dropped and counted.
"""

import fcntl
import io
import logging
import os
import socket
import stat
import sys
from contextlib import suppress

ONE_PIECE = 4096
"""Bytes that Linux writes to a pipe in one piece, whoever else writes to it."""


class LogStream:
    """Writes lines to a descriptor without waiting; ``lost`` counts those that were dropped.

    A line of which a part was written is completed first, so that no line is cut. Where the
    descriptor was closed at the start, another file has its number by now and must get no line.
    """

    def __init__(self, descriptor: int) -> None:
        self.lost = 0
        self._rest = b""
        self._socket: socket.socket | None = None
        closed = {1: sys.__stdout__, 2: sys.__stderr__}.get(descriptor, True) is None
        self.descriptor = descriptor = os.open(os.devnull, os.O_WRONLY) if closed else descriptor
        with suppress(OSError):
            mode = os.fstat(descriptor).st_mode
            if stat.S_ISSOCK(mode):
                self._socket = socket.socket(fileno=os.dup(descriptor))
            elif stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
                self.descriptor = _open_again(descriptor, shared=stat.S_ISFIFO(mode))

    def write(self, data: bytes) -> bool:
        """Write whole lines; return whether they were taken."""
        if self._rest:
            self._rest = self._rest[self._send(self._rest) :]
        sent = 0 if self._rest else self._send(data)
        if not sent:
            self.lost += 1
            return False
        self._rest = data[sent:]
        return True

    def _send(self, data: bytes) -> int:
        """Send what can be sent at once; return how many bytes that is."""
        try:
            if self._socket is not None:
                return self._socket.send(data, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            return os.write(self.descriptor, data)
        except OSError:  # full, or nobody reads it any more, but visitors still want answers
            return 0


def _open_again(descriptor: int, shared: bool) -> int:
    """Open what is behind a descriptor anew, as one that never waits.

    The flag belongs to the new descriptor, so that other processes with the same pipe or terminal
    do not get it. Who started as another user may not open it (gosu); then a pipe gets the flag
    itself, if it may be ``shared``.
    """
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
    try:
        return os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:
        if shared:
            flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
            fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | os.O_NONBLOCK)
        return descriptor


class TextStream(io.TextIOBase):
    """A ``LogStream`` for what writes text, such as ``logging`` and tracebacks."""

    def __init__(self, stream: LogStream) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write text; what cannot be written at once is dropped."""
        self.stream.write(text.encode(errors="backslashreplace"))
        return len(text)

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self.stream.descriptor

    def isatty(self) -> bool:
        """Return whether a person may be reading."""
        return os.isatty(self.stream.descriptor)


class MessageHandler(logging.StreamHandler[TextStream]):
    """Hands messages to a ``TextStream``; after a loss the next one says how many there were."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message."""
        lost, self.stream.stream.lost = self.stream.stream.lost, 0
        record.lost = lost
        super().emit(record)
        if self.stream.stream.lost:
            self.stream.stream.lost += lost

    def format(self, record: logging.LogRecord) -> str:
        """Format a message; a formatter that has a field for losses writes it itself."""
        text = super().format(record)
        lost = getattr(record, "lost", 0)
        if lost and not text.startswith("{"):
            text += f" ({lost} messages before this one could not be written)"
        return text


def replace_standard_error() -> TextStream:
    """Let all that is written to standard error go through one stream that never waits."""
    if not isinstance(sys.stderr, TextStream):
        sys.stderr = TextStream(LogStream(2))
    return sys.stderr
