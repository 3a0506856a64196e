"""Slow clients: connections that hold a server's attention for as long as it lets them."""

import asyncio
import re
import socket
import urllib.request
from collections.abc import Callable

from tests.soak.figures import Figure, share
from tests.soak.load import Ask, Seen, for_seconds, get, load
from tests.soak.serving import asks_of, houses, serving

CLIENTS = 64
TIMES = 4.0
"""How much longer the slowest of 100 good requests may take while there are slow clients."""

STEP = 0.5
"""Seconds between two bytes of a slow client."""

START = b"POST /predict-fragment HTTP/1.1\r\nHost: localhost\r\n"


def kinds(url: str) -> dict[str, tuple[bytes, bytes]]:
    """What each kind of slow client sends at once, and what with each step."""
    with urllib.request.urlopen(url, timeout=30) as page:
        asset = re.search(r"/static/htmx[^\"]+", page.read().decode())
    assert asset is not None
    return {
        "idle connections": (b"", b""),
        "slow headers": (START + b"X-Slow: ", b"a"),
        "slow bodies": (START + b"Content-Length: 9000\r\n\r\n", b"a"),
        "slow readers": (get(asset[0]) * 10, b""),  # 370 KB, more than the buffers between take
    }


async def dawdle(port: int, first: bytes, then: bytes, going: Callable[[], bool]) -> None:
    """One slow client: it reads a byte a step, and comes again as soon as it is sent away."""
    loop = asyncio.get_running_loop()
    while going():
        with socket.socket() as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # keeps its buffer small
            try:
                await loop.sock_connect(sock, ("127.0.0.1", port))
                await loop.sock_sendall(sock, first)
                while going():
                    await asyncio.sleep(STEP)
                    sock.send(then)
                    if _sent_away(sock):
                        break
            except OSError:
                await asyncio.sleep(STEP)


def _sent_away(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


async def slow_clients(seconds: float, clients: int = CLIENTS) -> list[Figure]:
    """Good requests beside so many slow clients of each kind, one kind after the other."""
    figures = []
    with serving() as server:
        asks = asks_of(server.root, houses(50), pages=True)
        await _good(server.port, asks, 1)
        calm = (await _good(server.port, asks, max(2, seconds / 3))).quantile(0.99)
        for name, kind in kinds(server.url).items():
            seen = await _beside(server.port, asks, [kind] * clients, seconds)
            worst = seen.quantile(0.99)
            figures += [
                share(
                    f"{clients} {name}: good requests failed", seen.failed, seen.sent, 0, seen.words
                ),
                Figure(
                    f"{clients} {name}: p99 of good requests",
                    f"{worst * 1000:.0f} ms, {worst / calm:.1f} times that of calm",
                    f"at most {TIMES:g} times",
                    worst <= TIMES * calm,
                ),
            ]
    return figures


async def all_at_once(seconds: float, clients: int = CLIENTS) -> list[Figure]:
    """Good requests beside so many slow clients of every kind together."""
    with serving() as server:
        asks = asks_of(server.root, houses(50), pages=True)
        slow = list(kinds(server.url).values()) * clients
        seen = await _beside(server.port, asks, slow, seconds)
    return [
        share(
            f"{len(slow)} slow clients: good requests failed", seen.failed, seen.sent, 0, seen.words
        )
    ]


async def _good(port: int, asks: list[Ask], seconds: float) -> Seen:
    return await load(port, asks, for_seconds(seconds), clients=4, pause=0.02)


async def _beside(
    port: int, asks: list[Ask], slow: list[tuple[bytes, bytes]], seconds: float
) -> Seen:
    """What good requests see while these clients, who have come a second before, are there."""
    going = for_seconds(seconds + 1)
    present = [asyncio.create_task(dawdle(port, *kind, going)) for kind in slow]
    await asyncio.sleep(1)
    seen = await _good(port, asks, seconds)
    await asyncio.gather(*present)
    return seen
