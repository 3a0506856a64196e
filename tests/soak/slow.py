"""Slow clients: connections that occupy a server for as long as it lets them."""

import asyncio
import re
import socket
import urllib.request
from collections.abc import Callable

from tests.soak.figures import Figure, make_share
from tests.soak.load import CheckedRequest, LoadResult, get, make_timer, send_load
from tests.soak.serving import make_forms, make_requests, serve_copy

CLIENTS = 64
MAX_SLOWDOWN = 4.0
"""How many times longer the slowest of 100 good requests may take beside slow clients."""

STEP_SECONDS = 0.5
"""Seconds between two bytes of a slow client."""

HOST = "127.0.0.1"


def make_slow_requests(url: str, under: str = "") -> dict[str, tuple[bytes, bytes]]:
    """Return, for each kind of slow client, what it sends first and with each step."""
    with urllib.request.urlopen(f"{url}{under}/", timeout=30) as page:
        asset = re.search(rf"{under}/static/htmx[^\"]+", page.read().decode())
    assert asset is not None
    start = f"POST {under}/predict-fragment HTTP/1.1\r\nHost: localhost\r\n".encode()
    return {
        "idle connections": (b"", b""),
        "slow headers": (start + b"X-Slow: ", b"a"),
        "slow bodies": (start + b"Content-Length: 9000\r\n\r\n", b"a"),
        "slow readers": (get(asset[0]) * 10, b""),  # 370 KB, more than the buffers between take
    }


async def send_slowly(
    port: int, first: bytes, then: bytes, is_running: Callable[[], bool], host: str = HOST
) -> None:
    """Act as one slow client: read one byte a step, and reconnect when the server closes."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while is_running():
        with socket.socket(family) as sock:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # keeps its buffer small
            try:
                await loop.sock_connect(sock, (host, port))
                await loop.sock_sendall(sock, first)
                while is_running():
                    await asyncio.sleep(STEP_SECONDS)
                    sock.send(then)
                    if _is_closed(sock):
                        break
            except OSError:
                await asyncio.sleep(STEP_SECONDS)


def _is_closed(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False


async def run_slow_clients(seconds: float, clients: int = CLIENTS) -> list[Figure]:
    """Send good requests beside slow clients, one kind of them after the other."""
    figures = []
    with serve_copy() as server:
        requests = make_requests(server.root, make_forms(50), pages=True)
        await _send_good(server.port, requests, 1)
        calm = (await _send_good(server.port, requests, max(2, seconds / 3))).quantile(0.99)
        for name, kind in make_slow_requests(server.url).items():
            seen = await send_good_beside(server.port, requests, [kind] * clients, seconds)
            worst = seen.quantile(0.99)
            figures += [
                make_share(
                    f"{clients} {name}: good requests failed",
                    seen.failed,
                    seen.sent,
                    0,
                    seen.reasons,
                ),
                Figure(
                    f"{clients} {name}: p99 of good requests",
                    f"{worst * 1000:.0f} ms, {worst / calm:.1f} times that of calm",
                    f"at most {MAX_SLOWDOWN:g} times",
                    worst <= MAX_SLOWDOWN * calm,
                ),
            ]
    return figures


async def run_slow_clients_together(seconds: float, clients: int = CLIENTS) -> list[Figure]:
    """Send good requests beside slow clients of every kind together."""
    with serve_copy() as server:
        requests = make_requests(server.root, make_forms(50), pages=True)
        slow = list(make_slow_requests(server.url).values()) * clients
        seen = await send_good_beside(server.port, requests, slow, seconds)
    return [
        make_share(
            f"{len(slow)} slow clients: good requests failed",
            seen.failed,
            seen.sent,
            0,
            seen.reasons,
        )
    ]


async def _send_good(
    port: int, requests: list[CheckedRequest], seconds: float, host: str = HOST
) -> LoadResult:
    running = make_timer(seconds)
    return await send_load(port, requests, running, clients=4, pause=0.02, host=host)


async def send_good_beside(
    port: int,
    requests: list[CheckedRequest],
    slow: list[tuple[bytes, bytes]],
    seconds: float,
    host: str = HOST,
) -> LoadResult:
    """Send good requests beside slow clients that connected a second before.

    Args:
        port: the port of the server, or of a proxy before it.
        requests: the good ones, sent in turn for ``seconds``.
        slow: what each slow client sends first and with each step.
        seconds: for how long.
        host: the address of this machine at which it listens.
    """
    is_running = make_timer(seconds + 1)
    present = [asyncio.create_task(send_slowly(port, *kind, is_running, host)) for kind in slow]
    await asyncio.sleep(1)
    seen = await _send_good(port, requests, seconds, host)
    await asyncio.gather(*present)
    return seen
