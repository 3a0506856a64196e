"""Many requests in a row, and the memory that workers keep of them."""

from tests.soak.figures import Figure, make_share
from tests.soak.load import CheckedRequest, LoadResult, send_load
from tests.soak.serving import make_forms, make_requests, measure_memory, serve_copy

WARM = 0.1
"""The share of requests after which a worker has filled its caches."""

MAX_GROWTH = 0.05
"""The share by which memory may grow or shrink after that."""


async def measure_endurance(count: int) -> list[Figure]:
    """Send many requests on kept connections, and compare the workers' memory early and late."""
    with serve_copy() as server:
        requests = make_requests(server.root, make_forms(500), pages=True)
        workers = set(server.workers)
        at_start = measure_memory(server)
        total = await _send(server.port, requests, int(count * WARM))
        warm = measure_memory(server)
        total += await _send(server.port, requests, count - int(count * WARM))
        end = measure_memory(server)
        same_workers = workers == set(server.workers)
    growth = end / warm - 1
    return [
        make_share(f"{count:,} requests: failed", total.failed, total.sent, 0),
        Figure(
            f"{count:,} requests: memory of both workers at the end",
            f"{end:.0f} MB, {growth:+.1%} ({at_start:.0f} MB at the start)",
            f"within {MAX_GROWTH:.0%} of that after {count * WARM:,.0f}",
            same_workers and abs(growth) <= MAX_GROWTH,
        ),
    ]


async def _send(port: int, requests: list[CheckedRequest], number: int) -> LoadResult:
    left = iter(range(number))
    return await send_load(port, requests, lambda: next(left, None) is not None, keep=True)
