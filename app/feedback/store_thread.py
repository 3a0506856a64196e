"""The store in a thread of its own, so that no answer waits for a database."""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import gevent
from gevent import monkey
from gevent.event import AsyncResult, Event
from gevent.threadpool import ThreadPool

from app.feedback.outcomes import ReportedOutcome
from app.feedback.store import Store, StoreError

MAX_WAITING = 200
"""Jobs that wait at most; a further one fails at once."""

GATHER = 0.1
"""Seconds for which an outcome waits for others: one transaction costs as much as a few answers."""

HOLD = 1.0
"""Seconds for which a file stays open at most: then what is in its log is in the file, too."""

TIMEOUT = 6.0
"""Seconds after which a job that waits is given up: longer than the store waits for one step."""

T = TypeVar("T")


class _Job(NamedTuple):
    """Work for the store; ``outcome`` is one to insert, for which ``work`` is None."""

    outcome: ReportedOutcome | None
    work: Callable[[Store], Any] | None
    result: Any


class StoreThread:
    """Does the work of one process with the store, in its order.

    Under gevent the work goes into a native thread, and only the greenlet that asks for it waits.
    Outcomes that come meanwhile are written together, with one flush of the disk. Elsewhere each
    request has a thread already. The methods raise ``StoreError`` where the work was not done, or
    nobody knows whether it was.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []
        self._pool: ThreadPool | None = None
        self._worker: gevent.Greenlet | None = None
        self._came = Event()

    def insert(self, outcome: ReportedOutcome) -> bool:
        """Keep an outcome; when it returns, that is on the disk.

        Returns:
            Whether it is new.
        """
        return bool(self._submit(outcome, None))

    def run(self, work: Callable[[Store], T]) -> T:
        """Do other work with the store."""
        done: T = self._submit(None, work)
        return done

    def _submit(self, outcome: ReportedOutcome | None, work: Callable[[Store], Any] | None) -> Any:
        if not monkey.is_module_patched("threading"):
            return self._do_here(outcome, work)
        if len(self._waiting) >= MAX_WAITING:
            raise StoreError(f"{MAX_WAITING} others wait for {self._store.database.name}")
        job = _Job(outcome, work, AsyncResult())
        self._waiting.append(job)
        self._came.set()
        if not self._worker:  # also one of before a fork
            self._worker = gevent.spawn(self._do_all)
        try:
            return job.result.get(timeout=TIMEOUT)
        except gevent.Timeout:
            if job in self._waiting:  # nobody has begun it
                self._waiting.remove(job)
            raise StoreError(
                f"{self._store.database.name} did not answer in {TIMEOUT:g} s"
            ) from None

    def _do_here(self, outcome: ReportedOutcome | None, work: Callable[[Store], Any] | None) -> Any:
        if not self._lock.acquire(timeout=TIMEOUT):
            raise StoreError(f"{self._store.database.name} did not answer in {TIMEOUT:g} s")
        try:
            if work is not None:
                return work(self._store)
            assert outcome is not None  # noqa: S101 (one of both)
            return self._store.insert([outcome])[0]
        finally:
            self._lock.release()

    def _do_all(self) -> None:
        """Do what waits until nothing comes: all outcomes together, other work one by one."""
        self._pool = self._pool or ThreadPool(1)
        self._store.keeps_open = True
        began = time.monotonic()
        while self._waiting:
            self._came.clear()
            if all(job.outcome is not None for job in self._waiting):
                gevent.sleep(GATHER)
            jobs, self._waiting = self._waiting, []
            inserts = [job for job in jobs if job.outcome is not None]
            if inserts:
                self._do(inserts, self._store.insert, [job.outcome for job in inserts])
            for job in jobs:
                if job.work is not None:
                    self._do([job], self._run_alone, job.work)
            left = began + HOLD - time.monotonic()
            if left > 0 and not self._waiting:
                self._came.wait(left)
            if left <= 0 or not self._waiting:
                self._pool.apply(self._store.rest)
                began = time.monotonic()

    def _run_alone(self, work: Callable[[Store], Any]) -> list[Any]:
        return [work(self._store)]

    def _do(self, jobs: list[_Job], work: Callable[[Any], list[Any]], argument: object) -> None:
        assert self._pool is not None  # noqa: S101 (see above)
        done = self._pool.apply(_catch, (work, argument))
        if isinstance(done, Exception):
            for job in jobs:
                job.result.set_exception(done)
            return
        for job, result in zip(jobs, done, strict=True):
            job.result.set(result)
            gevent.sleep(0)  # what others asked for meanwhile is answered between two of them


def _catch(work: Callable[[Any], list[Any]], argument: object) -> list[Any] | Exception:
    """Return an error instead of raising it: gevent would print a traceback for each."""
    try:
        return work(argument)
    except Exception as error:
        return error
