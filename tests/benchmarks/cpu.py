"""CPU of the workers per request."""

import socket
import time
from collections.abc import Sequence

from tests.benchmarks.servers import GunicornServer
from tests.wire import read_response

SLICE = 50
"""Requests in one measurement: so few that what else the machine does is the same in the next."""

UNMEASURED = 5
"""Requests first on each connection."""

TIMEOUT = 30.0
"""Seconds after which no answer is a hang, on a busy machine, too."""


def measure_cpu(server: GunicornServer, requests: Sequence[bytes], number: int) -> float:
    """Send a slice of the requests, one after the other on one connection.

    With several connections it depends on the load of the machine how many requests wait for a
    worker at once, and each that waits spares a wake-up. With one there is always one wake-up.

    Args:
        server: what answers; all of its workers count, its master does not.
        requests: whole, as sent over the wire; after the last one the first comes again.
        number: which slice of them, so that each has other requests.

    Returns:
        CPU seconds per request, user and kernel mode together.

    Raises:
        RuntimeError: for an answer that is not 200, or a worker that was replaced meanwhile.
    """
    first = number * (SLICE + UNMEASURED)
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT) as connection:
        for at in range(first, first + UNMEASURED):
            _request(connection, requests[at % len(requests)])
        workers = server.workers()
        before = _cpu_time(workers)
        for at in range(first + UNMEASURED, first + UNMEASURED + SLICE):
            _request(connection, requests[at % len(requests)])
        spent = _cpu_time(workers) - before
    if server.workers() != workers:
        raise RuntimeError("a worker was replaced during a measurement")
    return spent / SLICE


def _request(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    answer = read_response(connection, time.monotonic(), timeout=TIMEOUT)
    if answer.status != 200:
        raise RuntimeError(f"{answer.status} for {request!r}")


def _cpu_time(pids: Sequence[int]) -> float:
    # The id of Linux's CPU clock of a process, as clock_getcpuclockid makes it. It has nanoseconds
    # and counts every thread; utime and stime in /proc have hundredths of a second.
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)
