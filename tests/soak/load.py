"""Load that compares each response, byte by byte, with the expected one."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import cycle

TIMEOUT = 30.0
"""Seconds after which a client gives up: the longest time that a stopping server may take."""


class RequestOutcome(Enum):
    """What became of a request."""

    RIGHT = auto()
    WRONG = auto()
    """A wrong response that is complete, or that the page would show as complete."""
    FAILED = auto()
    """No response, a visibly incomplete one, or an error: the page tries again."""
    REFUSED = auto()
    """No connection, so the request was never sent."""


@dataclass(frozen=True)
class CheckedRequest:
    """A request as bytes, and the bodies that are right for it."""

    raw: bytes
    expected: frozenset[bytes]


@dataclass
class LoadResult:
    """Outcomes of a run, seconds that right responses took, and reasons for the other outcomes."""

    outcomes: Counter[RequestOutcome] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "LoadResult") -> "LoadResult":
        return LoadResult(
            self.outcomes + other.outcomes,
            self.seconds + other.seconds,
            self.reasons + other.reasons,
        )

    @property
    def sent(self) -> int:
        """The number of requests that reached a connection."""
        return self.outcomes.total() - self.outcomes[RequestOutcome.REFUSED]

    @property
    def failed(self) -> int:
        """The number of requests without a right response."""
        return self.sent - self.outcomes[RequestOutcome.RIGHT]

    def quantile(self, share: float) -> float:
        """Return the seconds within which this share of the right responses came."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(share * len(self.seconds)))]


class IncompleteResponseError(ConnectionError):
    """The connection ended before the response did."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{len(body)} bytes of a {status}")
        self.status, self.body = status, body


def post(path: str, body: str) -> bytes:
    """Return a form post as bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    ).encode()


def get(path: str) -> bytes:
    """Return a request for a page as bytes."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def looks_complete(status: int, body: bytes, request: CheckedRequest) -> bool:
    """Tell whether static/app.js would show a response.

    It looks for the error element of each field.
    """
    marks = re.findall(rb'id="[\w-]+-error"', next(iter(request.expected)))
    return status in (200, 422) and all(mark in body for mark in marks)


async def read_response(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Read a response.

    Returns:
        Status, body, and whether the connection stays open.

    Raises:
        IncompleteResponseError: the connection ended before the announced length.
        ConnectionError: the connection ended before the headers did.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("no response") from error
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {key.lower(): value.strip() for key, _, value in (s.partition(":") for s in lines)}
    status = int(first.split()[1])
    try:
        body = await reader.readexactly(int(headers["content-length"]))
    except asyncio.IncompleteReadError as error:
        raise IncompleteResponseError(status, error.partial) from error
    return status, body, headers.get("connection") != "close"


class Client:
    """A client that sends its requests on one connection, or each on a new one."""

    def __init__(self, port: int, result: LoadResult, keep: bool, host: str) -> None:
        self._port, self._result, self._keep, self._host = port, result, keep, host
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None

    async def send(self, request: CheckedRequest) -> None:
        """Send one request, and record its outcome."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT):
                outcome, reason = await self._send(request)
        except TimeoutError:
            outcome, reason = RequestOutcome.FAILED, "no response in time"
            self._drop()
        if outcome is RequestOutcome.RIGHT:
            self._result.seconds.append(time.perf_counter() - started)
        self._result.outcomes[outcome] += 1
        if reason:
            self._result.reasons[reason] += 1

    async def _send(self, request: CheckedRequest) -> tuple[RequestOutcome, str]:
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        except OSError as error:
            await asyncio.sleep(0.02)
            return RequestOutcome.REFUSED, type(error).__name__
        assert self._reader is not None
        try:
            self._writer.write(request.raw)
            status, body, stays = await read_response(self._reader)
        except IncompleteResponseError as cut:
            self._drop()
            wrong = looks_complete(cut.status, cut.body, request)
            return (RequestOutcome.WRONG if wrong else RequestOutcome.FAILED), "cut short"
        except OSError as error:
            self._drop()
            return RequestOutcome.FAILED, type(error).__name__
        if not (self._keep and stays):
            self._drop()
        if status == 200 and body in request.expected:
            return RequestOutcome.RIGHT, ""
        wrong = looks_complete(status, body, request)
        return (RequestOutcome.WRONG if wrong else RequestOutcome.FAILED), f"status {status}"

    def _drop(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = self._reader = None

    async def close(self) -> None:
        """Close the connection, and wait until it is closed."""
        writer = self._writer
        self._drop()
        if writer is not None:
            with suppress(OSError):
                await writer.wait_closed()


async def send_load(
    port: int,
    requests: list[CheckedRequest],
    is_running: Callable[[], bool],
    *,
    clients: int = 8,
    pause: float = 0.0,
    keep: bool = False,
    host: str = "127.0.0.1",
) -> LoadResult:
    """Send requests with several clients at once while ``is_running()``.

    Args:
        port: the port of the server.
        requests: sent in turn.
        is_running: called before each request.
        clients: how many send at once; each waits for its response.
        pause: seconds that a client waits before its next request.
        keep: whether a client keeps its connection. Without, each fault costs every request under
            way; a browser would hide some of them by trying again.
        host: the address of this machine at which the server listens.
    """
    result, turn = LoadResult(), cycle(requests)

    async def visit() -> None:
        client = Client(port, result, keep, host)
        while is_running():
            await client.send(next(turn))
            await asyncio.sleep(pause)
        await client.close()

    await asyncio.gather(*(visit() for _ in range(clients)))
    return result


def make_timer(seconds: float) -> Callable[[], bool]:
    """Return a function that is true until some seconds have passed from now."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end
