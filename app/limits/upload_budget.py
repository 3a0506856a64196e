"""How much memory uploads may take at once, and which of them may decode a large picture.

Sixty-four uploads of 10 MB would take all of the memory. So each worker holds a few megabytes of
bodies and leaves the rest with the clients; all workers together decode one large picture at a
time. An upload that waits too long gets 503 and a time to come again.
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
"""Bytes of bodies that one worker holds, and one whole upload more: the oldest may always go on,
so that uploads cannot all wait for each other."""

MAX_WAIT = 20.0
"""Seconds that an upload waits for memory and for its turn, in all; a router gives up after 30."""

GRACE = 20.0
"""Seconds after which an upload must keep ``MIN_RATE`` bytes a second, not counting its waits."""

MIN_RATE = 8 * 1024

RETRY_AFTER = 10
"""Seconds in the Retry-After header."""

_POLL = 0.02
"""Seconds between two tries for a lock that another process has."""


class UploadBudget:
    """The bytes of bodies that one worker holds, in all and by upload."""

    def __init__(self, limit: int = MAX_HELD) -> None:
        self.held = 0
        self._limit = limit
        self._slots: list[UploadSlot] = []
        self._changed = threading.Condition()

    @contextmanager
    def slot(self) -> Iterator["UploadSlot"]:
        """Open a slot for one upload, for as long as its bytes are needed."""
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
        """Take so many bytes for a slot, and wait until they are free.

        Returns:
            The seconds that it waited.

        Raises:
            ServiceUnavailable: if they are not free in time.
        """
        if self.held + amount <= self._limit:
            self._add(slot, amount)
            return 0.0
        with self._changed, slot.waiting() as until:
            started = time.monotonic()
            while self.held + amount > self._limit and self._slots[0] is not slot:
                left = until - time.monotonic()
                if left <= 0 or not self._changed.wait(left):
                    raise ServiceUnavailable(retry_after=RETRY_AFTER)
            self._add(slot, amount)
        return time.monotonic() - started

    def _add(self, slot: "UploadSlot", amount: int) -> None:
        self.held += amount
        slot.held += amount


class UploadSlot:
    """The bytes that one upload holds."""

    def __init__(self, budget: UploadBudget) -> None:
        self.held = 0
        self._budget = budget
        self._waited = 0.0

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Give the time until which it may wait; earlier waits count."""
        started = time.monotonic()
        yield started + MAX_WAIT - self._waited
        self._waited += time.monotonic() - started

    def reading(self, body: IO[bytes]) -> "BudgetedBody":
        """Wrap the body, so that it is read only as fast as memory is free."""
        return BudgetedBody(body, self)

    def take(self, amount: int) -> float:
        """Take bytes for this slot; see ``UploadBudget.take``.

        Raises:
            ServiceUnavailable: if they are not free in time.
        """
        return self._budget.take(self, amount)


class BudgetedBody:
    """A body that takes memory from the budget as it is read, and that must not come too slowly."""

    def __init__(self, body: IO[bytes], slot: UploadSlot) -> None:
        self._body, self._slot = body, slot
        self._started = time.monotonic()
        self._bytes = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes, as any stream does.

        Raises:
            ServiceUnavailable: if no memory is free in time.
            RequestTimeout: for a body that comes too slowly.
        """
        piece = self._body.read(size)
        self._bytes += len(piece)
        self._started += self._slot.take(len(piece))
        # A fast line always has more to read: without a switch no other greenlet would run.
        time.sleep(0)
        elapsed = time.monotonic() - self._started
        if elapsed > GRACE and self._bytes < MIN_RATE * elapsed:
            raise RequestTimeout
        return piece


@cache
def get_upload_budget() -> UploadBudget:
    """Return the worker's own budget, made at the first upload, when gevent has patched locks."""
    return UploadBudget()


@contextmanager
def decoding_turn(slot: UploadSlot) -> Iterator[None]:
    """Hold the right to decode one large picture, which all workers share.

    Raises:
        ServiceUnavailable: if it is not free in time.
    """
    with slot.waiting() as until:
        local = _local_turn()
        if not local.acquire(timeout=max(0.0, until - time.monotonic())):
            raise ServiceUnavailable(retry_after=RETRY_AFTER)
        while not _lock():
            if time.monotonic() > until:
                local.release()
                raise ServiceUnavailable(retry_after=RETRY_AFTER)
            time.sleep(_POLL)
    try:
        yield
    finally:
        _unlock()
        local.release()


@cache
def _local_turn() -> threading.Lock:
    return threading.Lock()


def _make_shared_file() -> int | None:
    """A file in memory, made before the fork so that all workers have it; the kernel drops the
    lock of a process that ends, however it ends."""
    with suppress(AttributeError, OSError):
        return os.memfd_create("formcast-turn")
    return None


_FILE = _make_shared_file()


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
