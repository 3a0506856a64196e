"""Workers that are killed or hang, servers that are stopped and told to read their models anew."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Server
from tests.soak.figures import Figure, share
from tests.soak.load import Ask, Outcome, Seen, for_seconds, load, post
from tests.soak.models import HANGS_AT, Hanging, break_artifact, change_artifact, write_model
from tests.soak.serving import asks_of, houses, serving


def process_id(server: Server) -> int:
    """The process id of gunicorn's master."""
    assert server.process is not None
    return server.process.pid


async def killed_workers(seconds: float) -> list[Figure]:
    """kill -9 of a worker each second, under load."""
    with serving() as server:
        asks = asks_of(server.root, houses(50), pages=True)
        killed = 0

        async def kill() -> None:
            nonlocal killed
            going = for_seconds(seconds)
            while going():
                await asyncio.sleep(1)
                workers = server.workers
                os.kill(workers[killed % len(workers)], signal.SIGKILL)
                killed += 1

        seen, _ = await asyncio.gather(load(server.port, asks, for_seconds(seconds + 1)), kill())
    wrong, refused = seen.outcomes[Outcome.WRONG], seen.outcomes[Outcome.REFUSED]
    lost = seen.failed + refused
    under = f"kill -9 of a worker, {killed} times"
    return [
        share(f"{under}: answers wrong or cut, but taken for a price", wrong, seen.sent, 0),
        share(f"{under}: requests failed", lost, seen.sent + refused, 0.01, seen.words),
    ]


async def stopped(rounds: int) -> list[Figure]:
    """SIGTERM under load: whatever has reached a connection is answered."""
    total, longest, codes = Seen(), 0.0, set()
    for _ in range(rounds):
        with serving() as server:
            asks = asks_of(server.root, houses(50), pages=True)
            process = server.process
            assert process is not None
            running = asyncio.create_task(load(server.port, asks, _lives(process), clients=16))
            await asyncio.sleep(1)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            codes.add(await asyncio.to_thread(process.wait, 40))
            longest = max(longest, time.monotonic() - started)
            total += await running
    times = f"SIGTERM, {rounds} times"
    return [
        share(f"{times}: requests failed", total.failed, total.sent, 0, total.words),
        Figure(f"{times}: longest stop", f"{longest:.1f} s", "within 30 s", longest <= 30),
        Figure(f"{times}: exit code", ", ".join(map(str, codes)), "0", codes == {0}),
    ]


def _lives(process: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: process.poll() is None


async def reloaded(seconds: float) -> list[Figure]:
    """SIGHUP under load: with a changed model, then with a broken one."""
    with serving() as server:
        folder = server.root / "model" / "house_price"
        forms = houses(50)
        old = asks_of(server.root, forms, pages=True)
        change_artifact(folder)
        new = asks_of(server.root, forms, pages=True)
        either = [
            Ask(one.request, one.right | two.right) for one, two in zip(old, new, strict=True)
        ]
        changing = await _reload_under_load(server, either)
        changed = await load(server.port, new, for_seconds(seconds))
        break_artifact(folder)
        breaking = await _reload_under_load(server, new)
        broken = await load(server.port, new, for_seconds(seconds))
        log = server.log.read_text()
    said = "model.onnx" in log.partition("Reload refused")[2]
    during = changing + breaking
    return [
        share(
            "SIGHUP, twice: requests failed meanwhile", during.failed, during.sent, 0, during.words
        ),
        share("SIGHUP, changed model: answers not the new one's", changed.failed, changed.sent, 0),
        share("SIGHUP, broken model: answers not the old one's", broken.failed, broken.sent, 0),
        Figure("SIGHUP, broken model: named in the log", "yes" if said else "no", "yes", said),
    ]


async def _reload_under_load(server: Server, asks: list[Ask]) -> Seen:
    """SIGHUP, and load until no worker of before is left."""
    going = True
    running = asyncio.create_task(load(server.port, asks, lambda: going))
    await asyncio.sleep(0.5)
    before = set(server.workers)
    os.kill(process_id(server), signal.SIGHUP)
    give_up = for_seconds(40)
    while before & set(server.workers) and give_up():
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    going = False
    return await running


async def hanging(timeout: int) -> list[Figure]:
    """A prediction that never ends: its worker is replaced, and the others serve on."""
    with serving("--timeout", str(timeout), model="hanging", prepare=_add_hanging) as server:
        asks = asks_of(server.root, [{"size": str(size)} for size in range(1, 50)], "hanging")
        stuck = Ask(post("/predict-fragment", f"size={HANGS_AT:g}"), frozenset([b""]))
        before, give_up = set(server.workers), for_seconds(2 * timeout + 10)
        running = asyncio.create_task(
            load(server.port, asks, lambda: give_up() and before <= set(server.workers))
        )
        await asyncio.sleep(0.5)
        await load(server.port, [stuck], for_seconds(0.1), clients=1)
        meanwhile = await running
        replaced = len(before - set(server.workers))
        after = await load(server.port, asks, for_seconds(2))
    name = "a prediction that hangs"
    return [
        Figure(f"{name}: workers replaced", f"{replaced} of 2", "1", replaced == 1),
        share(f"{name}: other requests failed meanwhile", meanwhile.failed, meanwhile.sent, 0.01),
        share(f"{name}: requests failed afterwards", after.failed, after.sent, 0),
    ]


def _add_hanging(root: Path) -> None:
    write_model(root / "model" / "hanging", Hanging())
