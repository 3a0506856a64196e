"""How much of the memory uploads may have at once, and whose turn it is to need much.

Sixty-four uploads of 10 MB would take all memory there is. So each worker holds a few megabytes of
bodies and leaves the rest where it is, with the clients; and one large picture at a time is
decoded, in all workers together. Who waits too long is told to come again.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO

from werkzeug.exceptions import RequestTimeout, ServiceUnavailable

MAX_HELD = 12 * 1024 * 1024
"""Bytes of bodies that one worker holds, and as many more as one upload may have: the one that
began first may always go on, so that not all can wait for each other."""

PATIENCE = 20.0
"""Seconds that an upload waits for room and for its turn, in all; a router gives up after 30."""

STEADY = 20.0
"""Seconds after which an upload must have come at ``SLOWEST`` bytes a second, waiting left out."""

SLOWEST = 8 * 1024

LATER = 10
"""Seconds after which to come again."""

_GLANCE = 0.02
"""Seconds between two looks at a lock that another process has."""


class UploadBudget:
    """The bytes of bodies that one worker holds."""

    def __init__(self, most: int = MAX_HELD) -> None:
        self.held = 0
        self._most = most
        self._slots: list[UploadSlot] = []
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator["UploadSlot"]:
        """A place for one upload, for as long as its bytes are needed."""
        slot = UploadSlot(self)
        with self._changed:
            self._slots.append(slot)
        try:
            yield slot
        finally:
            with self._changed:
                self._slots.remove(slot)
                self.held -= slot.held
                self._changed.notify_all()

    def take(self, slot: "UploadSlot", amount: int) -> float:
        """Room for so many bytes more, once there is some; the seconds that it took.

        Raises:
            ServiceUnavailable: if there is none in time.
        """
        if self.held + amount <= self._most:
            self._give(slot, amount)
            return 0.0
        with self._changed, slot.waiting() as until:
            started = time.monotonic()
            while self.held + amount > self._most and self._slots[0] is not slot:
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise ServiceUnavailable(retry_after=LATER)
            self._give(slot, amount)
        return time.monotonic() - started

    def _give(self, slot: "UploadSlot", amount: int) -> None:
        self.held += amount
        slot.held += amount


class UploadSlot:
    """The part of one upload."""

    def __init__(self, room: UploadBudget) -> None:
        self.held = 0
        self._room = room
        self._waited = 0.0

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Until when it may wait, what it waited before counted in."""
        started = time.monotonic()
        yield started + PATIENCE - self._waited
        self._waited += time.monotonic() - started

    def reading(self, body: IO[bytes]) -> "BudgetedBody":
        """The body, read only as fast as there is room for it."""
        return BudgetedBody(body, self)

    def take(self, amount: int) -> float:
        """See ``UploadBudget.take``."""
        return self._room.take(self, amount)


class BudgetedBody:
    """A body that takes its room as it comes, and must come steadily."""

    def __init__(self, body: IO[bytes], slot: UploadSlot) -> None:
        self._body, self._slot = body, slot
        self._started = time.monotonic()
        self._bytes = 0

    def read(self, size: int = -1) -> bytes:
        """As any stream does.

        Raises:
            ServiceUnavailable: if there is no room in time.
            RequestTimeout: for a body that hardly comes.
        """
        piece = self._body.read(size)
        self._bytes += len(piece)
        self._started += self._slot.take(len(piece))
        # On a fast line there is always more to read, and nobody else's turn would come.
        time.sleep(0)
        spent = time.monotonic() - self._started
        if spent > STEADY and self._bytes < SLOWEST * spent:
            raise RequestTimeout
        return piece


@cache
def get_upload_budget() -> UploadBudget:
    """The worker's own; made at the first upload, when gevent has patched what waits."""
    return UploadBudget()


@contextmanager
def decoding_turn(slot: UploadSlot) -> Iterator[None]:
    """The right to decode one large picture, in this worker and in all others.

    Raises:
        ServiceUnavailable: if it is not had in time.
    """
    with slot.waiting() as until:
        mine = _turn_here()
        if not mine.acquire(timeout=max(0.0, until - time.monotonic())):
            raise ServiceUnavailable(retry_after=LATER)
        while not _lock():
            if time.monotonic() > until:
                mine.release()
                raise ServiceUnavailable(retry_after=LATER)
            time.sleep(_GLANCE)
    try:
        yield
    finally:
        _unlock()
        mine.release()


@cache
def _turn_here() -> threading.Lock:
    return threading.Lock()


def _shared() -> int | None:
    """A file in memory that all workers have from before the fork; a lock on it ends with its
    process, however that ends."""
    with suppress(AttributeError, OSError):
        return os.memfd_create("formcast-turn")
    return None


_FILE = _shared()


def _lock() -> bool:
    if _FILE is None:
        return True
    try:
        fcntl.lockf(_FILE, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock() -> None:
    if _FILE is not None:
        fcntl.lockf(_FILE, fcntl.LOCK_UN)
