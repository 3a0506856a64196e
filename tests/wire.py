"""Bytes to the server and back: requests as no client library would send them."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

PATIENCE = 30.0
"""Seconds after which no answer is a hang, on a busy machine, too."""


@dataclass
class Answer:
    """One answer as it came over the wire; ``rest`` is what followed it."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float
    rest: bytes = b""
    raw: bytes = field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")


class NoAnswerError(Exception):
    """Nothing, or nothing whole, came back."""


def converse(port: int, sent: bytes, patience: float = PATIENCE) -> Answer:
    """Send bytes and read the first answer.

    Args:
        port: that of the server, on this machine.
        sent: what goes over the wire, all at once.
        patience: seconds after which no answer is a hang.

    Raises:
        NoAnswerError: for a connection closed or silent before a whole answer.
    """
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), patience) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has read
            connection.sendall(sent)
        head = sent.lstrip().startswith(b"HEAD")
        return read_answer(connection, started, head=head, patience=patience)


def read_answer(
    connection: socket.socket, started: float, *, head: bool = False, patience: float = PATIENCE
) -> Answer:
    """The next answer on a connection; one to ``head`` has no body, whatever its length says."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _piece(connection, started + patience, data)
        while data.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            data = data.partition(b"\r\n\r\n")[2]
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    length = 0 if head else int(headers.get("content-length", 0))
    while len(body) < length:
        body += _piece(connection, started + patience, data)
    if head and headers.get("connection") == "close":
        # Whatever still comes is a body that must not be.
        try:
            while piece := connection.recv(65536):
                body += piece
        except TimeoutError:
            pass
        length = len(body)
    seconds = time.monotonic() - started
    status = int(first.split()[1])
    return Answer(status, headers, body[:length], seconds, body[length:], data)


def exchange(port: int, sent: bytes, *, head: bool = False) -> list[Answer]:
    """Send bytes, say that nothing follows, and read every answer until the server closes.

    Raises:
        NoAnswerError: where it does not close in time, or an answer is cut short.
    """
    started = time.monotonic()
    data = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.settimeout(PATIENCE)
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        try:
            while piece := connection.recv(65536):
                data += piece
        except TimeoutError as error:
            raise NoAnswerError(f"not closed in {PATIENCE} s; so far {data[:80]!r}") from error
        except ConnectionResetError as error:
            if not data:
                raise NoAnswerError("reset without an answer") from error
    return list(_split(data, time.monotonic() - started, head))


def _split(data: bytes, seconds: float, head: bool) -> Iterator[Answer]:
    while data:
        if data.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            data = data[25:]
            continue
        top, _, body = data.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        if not first.startswith("HTTP/1."):
            raise NoAnswerError(f"no answer but {data[:80]!r}")
        headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
        length = 0 if head else int(headers.get("content-length", 0))
        if len(body) < length:
            raise NoAnswerError(f"cut short: {len(body)} of {length} bytes")
        if head and not body.startswith(b"HTTP/1."):
            length = len(body)  # a body that must not be
        yield Answer(int(first.split()[1]), headers, body[:length], seconds)
        data = body[length:]


def _piece(connection: socket.socket, until: float, so_far: bytes) -> bytes:
    left = until - time.monotonic()
    if left <= 0:
        raise NoAnswerError(f"nothing whole in time; so far {so_far[:80]!r}")
    connection.settimeout(left)
    try:
        piece = connection.recv(65536)
    except (TimeoutError, ConnectionResetError) as error:
        raise NoAnswerError(f"{type(error).__name__}; so far {so_far[:80]!r}") from error
    if not piece:
        raise NoAnswerError(f"closed; so far {so_far[:80]!r}")
    return piece
