"""Work that takes long, done beside the greenlets of a worker instead of in their way."""

from collections.abc import Callable
from functools import cache
from typing import ParamSpec, TypeVar

from gevent import monkey
from gevent.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")

AT_ONCE = 2


def aside(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of ``work``, from a native thread where greenlets would wait for it.

    A large picture takes a second to decode. Pillow and ONNX Runtime leave the interpreter to
    others meanwhile, which helps only from a thread of their own. Outside gevent's worker every
    request has one already.
    """
    if not monkey.is_module_patched("threading"):
        return work(*args, **kwargs)
    result: T = _pool().apply(work, args, kwargs)
    return result


@cache
def _pool() -> ThreadPool:
    """Made at the first picture: after the fork, in the worker that needs it."""
    return ThreadPool(AT_ONCE)
