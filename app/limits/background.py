"""Long work in native threads, so that the greenlets of a worker need not wait for it."""

import os
import signal
from collections.abc import Callable, Iterator
from functools import cache
from typing import ParamSpec, TypeVar, cast

import gevent
from gevent import monkey
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")

MAX_THREADS = 2

TIMEOUT = 20.0
"""Seconds from the start of work until it is given up; the largest picture takes two."""


class ThreadTimeoutError(Exception):
    """The work was given up. Its thread cannot be, so this worker ends after its requests."""


def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``work`` in a native thread under gevent, in the present one elsewhere.

    A large picture takes a second to decode. Pillow and ONNX Runtime release the interpreter lock
    meanwhile, which helps other greenlets only if the work has a thread of its own. Outside of
    gevent's worker each request has one already.

    Raises:
        ThreadTimeoutError: if it takes longer than ``TIMEOUT``. Another worker then replaces this
            one.
    """
    if not monkey.is_module_patched("threading"):
        return work(*args, **kwargs)
    with _thread_slots():
        pool = _pool()
        task = pool.spawn(work, *args, **kwargs)
        try:
            result: T = task.get(timeout=TIMEOUT)
        except gevent.Timeout:
            _abandoned.append(pool)
            if pool is _pool():
                _pool.cache_clear()  # requests that wait get threads that work
            os.kill(os.getpid(), signal.SIGTERM)
            name = getattr(work, "__qualname__", "work")  # its repr would write out a whole model
            raise ThreadTimeoutError(f"{name} took longer than {TIMEOUT:g} s") from None
    return result


def run_in_slices(steps: Iterator[T]) -> Iterator[T]:
    """Take the steps of long work one by one, each in a native thread.

    A worker takes one such step at a time, in turn with those of other requests. Each step should
    be short: it shares the interpreter lock with everything else in the worker.

    Raises:
        ThreadTimeoutError: see ``run_in_thread``.
    """
    nothing = object()
    while True:
        with _slice_turn():
            found = run_in_thread(next, steps, nothing)
        if found is nothing:
            return
        yield cast(T, found)


@cache
def _slice_turn() -> BoundedSemaphore:
    return BoundedSemaphore(1)


_abandoned: list[ThreadPool] = []
"""Pools with a thread that hangs: deleting one would wait for it."""


@cache
def _thread_slots() -> BoundedSemaphore:
    """Made at the first use: after the fork, in the worker that needs it."""
    return BoundedSemaphore(MAX_THREADS)


@cache
def _pool() -> ThreadPool:
    """Made at the first use, and again after a thread hangs."""
    return ThreadPool(MAX_THREADS)
