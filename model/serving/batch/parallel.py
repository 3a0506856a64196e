"""Answers the blocks of a table in several processes, in their order."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from itertools import islice
from multiprocessing import get_context, parent_process, resource_tracker
from threading import Thread
from typing import Any, TypeVar

BlockT = TypeVar("BlockT")
ResultT = TypeVar("ResultT")

_AHEAD = 2
"""Blocks that wait for each process, so that none is idle and memory stays small."""

_STOPS = (signal.SIGINT, signal.SIGTERM)

_work: Callable[[Any], Any] | None = None


class EndedWorkerError(RuntimeError):
    """The system ended a process that answers blocks."""


def answer_in_processes(
    blocks: Iterable[BlockT],
    make_worker: Callable[[], Callable[[BlockT], ResultT]],
    workers: int,
) -> Iterator[ResultT]:
    """Answer blocks in several processes; the results come in the order of the blocks.

    Args:
        blocks: what is sent to the processes.
        make_worker: makes, once in each process, the function that answers a block; both it and
            what it holds can be pickled.
        workers: the number of processes.

    Raises:
        EndedWorkerError: if one of them was ended from outside; it says what to try.
    """
    blocks = iter(blocks)
    resource_tracker.ensure_running()  # its start would unblock the signals of ``_submit``
    # A fork would inherit threads and sessions of ONNX Runtime.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), partial(_begin, make_worker))
    with pool:
        try:
            first = islice(blocks, workers * _AHEAD)
            waiting = deque(_submit(pool, block) for block in first)
            while waiting:
                result: ResultT = waiting.popleft().result()
                for block in islice(blocks, 1):
                    waiting.append(_submit(pool, block))
                yield result
        except BrokenProcessPool:
            raise EndedWorkerError(
                "The system ended a process that answered rows, perhaps because memory ran out. "
                f"Give fewer --workers than {workers}."
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, block: Any) -> Future[Any]:
    """Hand a block to the processes, of which it may start one."""
    with _hold_stops():
        return pool.submit(_answer, block)


@contextmanager
def _hold_stops() -> Iterator[None]:
    """Let Ctrl+C and SIGTERM wait.

    A process that gets half of what it starts with, or Ctrl+C while it imports, would end in a
    traceback, and one that nobody has noted would stay. It begins with the signals blocked.

    Raises:
        KeyboardInterrupt: at the end, if one came.
    """
    held: list[int] = []
    # Another thread may take a signal that this one blocks, so the handlers wait, too.
    before = {sign: signal.signal(sign, lambda number, _: held.append(number)) for sign in _STOPS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for sign, handler in before.items():
            signal.signal(sign, handler)
    if held:
        raise KeyboardInterrupt


def _begin(make_worker: Callable[[], Callable[[Any], Any]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches all; the first process stops them
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
    Thread(target=_end_with_parent, daemon=True).start()
    global _work
    _work = make_worker()


def _end_with_parent() -> None:
    """End with the first process, also where the system ended that one and nobody says so."""
    parent = parent_process()
    assert parent is not None  # noqa: S101 (a pool started this process)
    parent.join()
    os._exit(1)


def _answer(block: Any) -> Any:
    assert _work is not None  # noqa: S101 (the process began with it)
    return _work(block)
