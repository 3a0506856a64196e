"""Many requests in a row: what the workers keep of them."""

from tests.soak.figures import Figure, share
from tests.soak.load import Ask, Seen, load
from tests.soak.serving import asks_of, houses, memory, serving

WARM = 0.1
"""The share of the requests after which a worker has made all that it keeps."""

MOST = 0.05


async def endurance(requests: int) -> list[Figure]:
    """So many requests on kept connections, with the memory of the workers early and at the end."""
    with serving() as server:
        asks = asks_of(server.root, houses(500), pages=True)
        workers = set(server.workers)
        at_start = memory(server)
        total = await _ask(server.port, asks, int(requests * WARM))
        warm = memory(server)
        total += await _ask(server.port, asks, requests - int(requests * WARM))
        end = memory(server)
        same = workers == set(server.workers)
    growth = end / warm - 1
    return [
        share(f"{requests:,} requests: failed", total.failed, total.sent, 0),
        Figure(
            f"{requests:,} requests: memory of both workers at the end",
            f"{end:.0f} MB, {growth:+.1%} ({at_start:.0f} MB at the start)",
            f"within {MOST:.0%} of that after {requests * WARM:,.0f}",
            same and abs(growth) <= MOST,
        ),
    ]


async def _ask(port: int, asks: list[Ask], number: int) -> Seen:
    left = iter(range(number))
    return await load(port, asks, lambda: next(left, None) is not None, keep=True)
