"""Load that reads its answers: each is compared byte by byte with the one that is right."""

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
"""Seconds after which a client gives up; the longest that a stopping server may take."""


class Outcome(Enum):
    """What became of a request."""

    RIGHT = auto()
    WRONG = auto()
    """A whole answer, or one that the page takes for whole, that is not the right one."""
    FAILED = auto()
    """No answer, a cut one that shows as cut, or an error: the page tries again."""
    REFUSED = auto()
    """No connection: the request was never sent."""


@dataclass(frozen=True)
class Ask:
    """A request as bytes, and the bodies that are right for it."""

    request: bytes
    right: frozenset[bytes]


@dataclass
class Seen:
    """What a run of load saw: outcomes, seconds that right answers took, words for the others."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    words: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(
            self.outcomes + other.outcomes, self.seconds + other.seconds, self.words + other.words
        )

    @property
    def sent(self) -> int:
        """Requests that reached a connection."""
        return self.outcomes.total() - self.outcomes[Outcome.REFUSED]

    @property
    def failed(self) -> int:
        """Requests that got no answer, or not a right one."""
        return self.sent - self.outcomes[Outcome.RIGHT]

    def quantile(self, part: float) -> float:
        """The time within which this part of the right answers came, in seconds."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, int(part * len(self.seconds)))]


class CutError(ConnectionError):
    """The connection ended before the answer did."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(f"{len(body)} bytes of a {status}")
        self.status, self.body = status, body


def post(path: str, body: str) -> bytes:
    """A form post as it goes over the wire."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
    ).encode()


def get(path: str) -> bytes:
    """A page's request as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def taken_for_whole(status: int, body: bytes, ask: Ask) -> bool:
    """Whether static/app.js would show what came: it looks for the error element of each field."""
    marks = re.findall(rb'id="[\w-]+-error"', next(iter(ask.right)))
    return status in (200, 422) and all(mark in body for mark in marks)


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection stays.

    Raises:
        CutError: if the connection ends before the announced length.
        ConnectionError: if it ends before that.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        raise ConnectionResetError("no answer") from error
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {key.lower(): value.strip() for key, _, value in (s.partition(":") for s in lines)}
    status = int(first.split()[1])
    try:
        body = await reader.readexactly(int(headers["content-length"]))
    except asyncio.IncompleteReadError as error:
        raise CutError(status, error.partial) from error
    return status, body, headers.get("connection") != "close"


class Client:
    """One visitor after the other on one connection, or each on a new one."""

    def __init__(self, port: int, seen: Seen, keep: bool) -> None:
        self._port, self._seen, self._keep = port, seen, keep
        self._writer: asyncio.StreamWriter | None = None
        self._reader: asyncio.StreamReader | None = None

    async def ask(self, ask: Ask) -> None:
        """Send one request and note what became of it."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT):
                outcome, words = await self._outcome(ask)
        except TimeoutError:
            outcome, words = Outcome.FAILED, "no answer in time"
            self._close()
        if outcome is Outcome.RIGHT:
            self._seen.seconds.append(time.perf_counter() - started)
        self._seen.outcomes[outcome] += 1
        if words:
            self._seen.words[words] += 1

    async def _outcome(self, ask: Ask) -> tuple[Outcome, str]:
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as error:
            await asyncio.sleep(0.02)
            return Outcome.REFUSED, type(error).__name__
        assert self._reader is not None
        try:
            self._writer.write(ask.request)
            status, body, stays = await read_answer(self._reader)
        except CutError as cut:
            self._close()
            wrong = taken_for_whole(cut.status, cut.body, ask)
            return (Outcome.WRONG if wrong else Outcome.FAILED), "cut short"
        except OSError as error:
            self._close()
            return Outcome.FAILED, type(error).__name__
        if not (self._keep and stays):
            self._close()
        if status == 200 and body in ask.right:
            return Outcome.RIGHT, ""
        wrong = taken_for_whole(status, body, ask)
        return (Outcome.WRONG if wrong else Outcome.FAILED), f"status {status}"

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._writer = self._reader = None

    async def last(self) -> None:
        """Let go of the connection."""
        writer = self._writer
        self._close()
        if writer is not None:
            with suppress(OSError):
                await writer.wait_closed()


async def load(
    port: int,
    asks: list[Ask],
    going: Callable[[], bool],
    *,
    clients: int = 8,
    pause: float = 0.0,
    keep: bool = False,
) -> Seen:
    """Ask with so many clients at once for as long as ``going()``.

    Args:
        port: where the server is.
        asks: asked in turn.
        going: asked before each request.
        clients: how many at once; each asks again when it has its answer.
        pause: seconds that a client waits before its next request.
        keep: whether a client keeps its connection. Without, each fault costs every request
            that is under way: a browser would hide some by trying again by itself.
    """
    seen, turn = Seen(), cycle(asks)

    async def visitor() -> None:
        client = Client(port, seen, keep)
        while going():
            await client.ask(next(turn))
            await asyncio.sleep(pause)
        await client.last()

    await asyncio.gather(*(visitor() for _ in range(clients)))
    return seen


def for_seconds(seconds: float) -> Callable[[], bool]:
    """True until so many seconds have passed from now."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() < end
