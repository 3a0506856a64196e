"""Long work in native threads, so that the greenlets of a worker need not wait for it."""

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from typing import ParamSpec, TypeVar, cast

import gevent
from flask import has_request_context, request
from gevent import monkey
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool
from werkzeug.exceptions import ClientDisconnected, ServiceUnavailable

P = ParamSpec("P")
T = TypeVar("T")

_log = logging.getLogger(__name__)

MAX_THREADS = 2

TIMEOUT = 20.0
"""Seconds from the start of work until it is given up; the largest picture takes two."""


MAX_WAIT = 10.0
"""Seconds that work waits for a thread."""

RETRY_AFTER = 5
"""Seconds in the Retry-After header of work that got none."""

MAX_INLINE = 0.02
"""Seconds from which on work is too long for the loop of a worker."""


class ThreadTimeoutError(Exception):
    """The work was given up. Its thread cannot be, so this worker ends after its requests."""


def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run ``work`` in a native thread under gevent, in the present one elsewhere.

    Where it has to wait for a thread, it is not begun for a client that has gone meanwhile, such as
    a page in which the next key was pressed.

    A large picture takes a second to decode. Pillow and ONNX Runtime release the interpreter lock
    meanwhile, which helps other greenlets only if the work has a thread of its own. Outside of
    gevent's worker each request has one already.

    Raises:
        ThreadTimeoutError: if it takes longer than ``TIMEOUT``. Another worker then replaces this
            one.
        ServiceUnavailable: if no thread is free within ``MAX_WAIT``.
        ClientDisconnected: if the client has gone before one was free.
    """
    if not monkey.is_module_patched("threading"):
        return work(*args, **kwargs)
    slots = _thread_slots()
    waits = not slots.acquire(blocking=False)
    if waits and not slots.acquire(timeout=MAX_WAIT):
        raise ServiceUnavailable(retry_after=RETRY_AFTER)
    try:
        if waits and _client_has_gone():
            raise ClientDisconnected
        pool = _pool()
        task = pool.spawn(_run, partial(work, *args, **kwargs))
        try:
            result, error = cast(tuple[T, BaseException | None], task.get(timeout=TIMEOUT))
        except gevent.Timeout:
            _abandoned.append(pool)
            if pool is _pool():
                _pool.cache_clear()  # requests that wait get threads that work
            os.kill(os.getpid(), signal.SIGTERM)
            name = getattr(work, "__qualname__", "work")  # its repr would write out a whole model
            _log.error("%s hangs. The threads are at:\n%s", name, _describe_threads())
            raise ThreadTimeoutError(f"{name} took longer than {TIMEOUT:g} s") from None
    finally:
        slots.release()
    if error is not None:
        raise error
    return result


def _run(work: Callable[[], T]) -> tuple[T | None, BaseException | None]:
    """Call ``work``; return what it returns, or raises.

    A thread of gevent's writes the traceback of what it raises to standard error, although whoever
    waits for it gets the error and may answer it in words.
    """
    try:
        return work(), None
    except BaseException as error:
        return None, error


def _describe_threads() -> str:
    """Say at which lines the other native threads are: nothing else tells later why one hung."""
    own = monkey.get_original("_thread", "get_ident")()
    stacks = [
        "".join(traceback.format_stack(frame))
        for ident, frame in sys._current_frames().items()
        if ident != own
    ]
    return "\n".join(stacks)


def _client_has_gone() -> bool:
    """Whether the client of the present request, if there is one, has closed its connection.

    Only the sockets of our own worker know (``app.server.draining``).
    """
    sock = request.environ.get("gunicorn.socket") if has_request_context() else None
    is_closed = getattr(sock, "is_closed", None)
    return is_closed is not None and is_closed()


class CallTimer:
    """Learns whether calls are too long for the loop of a worker, which all requests share."""

    def __init__(self) -> None:
        self.is_long = False
        self._late = False

    def learn(self, work: Callable[[], object]) -> None:
        """Learn from calls before the first visitor's: the first of them makes tables."""
        with suppress(ArithmeticError):  # a visitor is told in words
            for _ in range(3):
                self.run(work)

    def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``work`` in place, or in a thread once two calls in a row took ``MAX_INLINE``.

        One alone may have made tables that the next one finds. It counts the thread's own time, so
        that a busy machine does not matter.

        Raises:
            ThreadTimeoutError: see ``run_in_thread``.
            ServiceUnavailable: the same.
        """
        if self.is_long:
            return run_in_thread(work, *args, **kwargs)
        began = time.thread_time()
        result = work(*args, **kwargs)
        late = time.thread_time() - began > MAX_INLINE
        self.is_long = late and self._late
        self._late = late
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
