"""Raw bytes to the server and back, which no client library would send."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

TIMEOUT = 30.0
"""Seconds after which a missing response counts as a hang, on a busy machine, too."""


@dataclass
class RawResponse:
    """A response as bytes, with the seconds that it took; ``rest`` is what followed it."""

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


class NoResponseError(Exception):
    """No response, or no complete one, came back."""


def send_request(port: int, sent: bytes, timeout: float = TIMEOUT) -> RawResponse:
    """Send bytes and read the first response.

    Args:
        port: the port of the server, on this machine.
        sent: the bytes, sent at once.
        timeout: seconds after which a missing response counts as a hang.

    Raises:
        NoResponseError: the connection closes, or stays silent, before a complete response.
    """
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        # The server may respond, and close, before it has read everything.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
        head = sent.lstrip().startswith(b"HEAD")
        return read_response(connection, started, head=head, timeout=timeout)


def read_response(
    connection: socket.socket, started: float, *, head: bool = False, timeout: float = TIMEOUT
) -> RawResponse:
    """Read the next response; with ``head`` it has no body, whatever its length says.

    Raises:
        NoResponseError: see ``send_request``.
        ValueError: for a body in chunks, which would look empty.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection, started + timeout, data)
        while data.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            data = data.partition(b"\r\n\r\n")[2]
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    if headers.get("transfer-encoding") == "chunked" and not head:
        raise ValueError("a body in chunks: send_requests and http.client read it")
    length = 0 if head else int(headers.get("content-length", 0))
    while len(body) < length:
        body += _receive(connection, started + timeout, data)
    if head and headers.get("connection") == "close":
        # Everything that still arrives belongs to a body that must not exist.
        try:
            while chunk := connection.recv(65536):
                body += chunk
        except TimeoutError:
            pass
        length = len(body)
    seconds = time.monotonic() - started
    status = int(first.split()[1])
    return RawResponse(status, headers, body[:length], seconds, body[length:], data)


def send_requests(
    port: int, sent: bytes, *, head: bool = False, host: str = "127.0.0.1"
) -> list[RawResponse]:
    """Send bytes, shut down the sending side, and read every response until the server closes.

    Raises:
        NoResponseError: the server does not close in time, or a response is incomplete.
    """
    started = time.monotonic()
    data = b""
    with socket.create_connection((host, port), TIMEOUT) as connection:
        connection.settimeout(TIMEOUT)
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        try:
            while chunk := connection.recv(65536):
                data += chunk
        except TimeoutError as error:
            raise NoResponseError(f"not closed in {TIMEOUT} s; so far {data[:80]!r}") from error
        except ConnectionResetError as error:
            if not data:
                raise NoResponseError("reset without a response") from error
    return list(_split(data, time.monotonic() - started, head))


def _split(data: bytes, seconds: float, head: bool) -> Iterator[RawResponse]:
    while data:
        if data.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"):
            data = data[25:]
            continue
        top, _, body = data.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        if not first.startswith("HTTP/1."):
            raise NoResponseError(f"no response but {data[:80]!r}")
        headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in lines}
        if headers.get("transfer-encoding") == "chunked" and not head:
            whole, data = _join_chunks(body)
            yield RawResponse(int(first.split()[1]), headers, whole, seconds)
            continue
        length = 0 if head else int(headers.get("content-length", 0))
        if len(body) < length:
            raise NoResponseError(f"cut short: {len(body)} of {length} bytes")
        if head and not body.startswith(b"HTTP/1."):
            length = len(body)  # a body that must not exist
        yield RawResponse(int(first.split()[1]), headers, body[:length], seconds)
        data = body[length:]


def _join_chunks(data: bytes) -> tuple[bytes, bytes]:
    """Join the chunks of a body, and return what follows it."""
    chunks: list[bytes] = []
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16) if size else 0
        if not size or len(data) < length + 2:
            raise NoResponseError(f"cut short after {len(chunks)} chunks")
        chunks.append(data[:length])
        data = data[length + 2 :]
        if not length:
            return b"".join(chunks), data


def _receive(connection: socket.socket, deadline: float, so_far: bytes) -> bytes:
    left = deadline - time.monotonic()
    if left <= 0:
        raise NoResponseError(f"no complete response in time; so far {so_far[:80]!r}")
    connection.settimeout(left)
    try:
        chunk = connection.recv(65536)
    except (TimeoutError, ConnectionResetError) as error:
        raise NoResponseError(f"{type(error).__name__}; so far {so_far[:80]!r}") from error
    if not chunk:
        raise NoResponseError(f"closed; so far {so_far[:80]!r}")
    return chunk
