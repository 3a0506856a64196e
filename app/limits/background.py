"""Work that takes long, done beside the greenlets of a worker instead of in their way."""

import os
import signal
from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

import gevent
from gevent import monkey
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 2

LONGEST = 20.0
"""Seconds after which work hangs, counted from its start; the largest picture takes two."""


class ThreadTimeoutError(Exception):
    """The work was given up; its thread can't be, so this worker ends when its requests have."""


def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of ``work``, from a native thread where greenlets would wait for it.

    A large picture takes a second to decode. Pillow and ONNX Runtime leave the interpreter to
    others meanwhile, which helps only from a thread of their own. Outside gevent's worker every
    request has one already.

    Raises:
        HangingError: if it takes longer than ``LONGEST``. Another worker takes this one's place.
    """
    if not monkey.is_module_patched("threading"):
        return work(*args, **kwargs)
    with _places():
        pool = _pool()
        task = pool.spawn(work, *args, **kwargs)
        try:
            result: T = task.get(timeout=LONGEST)
        except gevent.Timeout:
            _lost.append(pool)
            if pool is _pool():
                _pool.cache_clear()  # those who wait get threads that work
            os.kill(os.getpid(), signal.SIGTERM)
            raise ThreadTimeoutError(f"{work} took longer than {LONGEST:g} s") from None
    return result


_lost: list[ThreadPool] = []
"""Pools with a thread that hangs: to let go of one would be to wait for it."""


@cache
def _places() -> BoundedSemaphore:
    """Made at the first picture: after the fork, in the worker that needs it."""
    return BoundedSemaphore(AT_ONCE)


@cache
def _pool() -> ThreadPool:
    """The same; it is given up with a thread that hangs."""
    return ThreadPool(AT_ONCE)
