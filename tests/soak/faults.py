"""Workers that are killed or hang, and servers that stop or reload their models under load."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Server
from tests.soak.figures import Figure, make_share
from tests.soak.load import CheckedRequest, LoadResult, RequestOutcome, make_timer, post, send_load
from tests.soak.models import (
    HANGS_AT,
    HangingEstimator,
    break_artifact,
    change_artifact,
    write_model,
)
from tests.soak.serving import make_forms, make_requests, serve_copy
from tests.waiting import wait_until


def read_master_pid(server: Server) -> int:
    """Return the process id of gunicorn's master."""
    assert server.process is not None
    return server.process.pid


async def kill_workers(seconds: float) -> list[Figure]:
    """Kill a worker (-9) each second, under load."""
    with serve_copy() as server:
        requests = make_requests(server.root, make_forms(50), pages=True)
        killed = 0

        async def kill() -> None:
            nonlocal killed
            is_running = make_timer(seconds)
            while is_running():
                await asyncio.sleep(1)
                workers = server.workers
                os.kill(workers[killed % len(workers)], signal.SIGKILL)
                killed += 1

        seen, _ = await asyncio.gather(
            send_load(server.port, requests, make_timer(seconds + 1)), kill()
        )
    wrong, refused = seen.outcomes[RequestOutcome.WRONG], seen.outcomes[RequestOutcome.REFUSED]
    lost = seen.failed + refused
    under = f"kill -9 of a worker, {killed} times"
    return [
        make_share(f"{under}: wrong or incomplete responses shown as a price", wrong, seen.sent, 0),
        make_share(f"{under}: requests failed", lost, seen.sent + refused, 0.01, seen.reasons),
    ]


async def stop_servers(rounds: int) -> list[Figure]:
    """Send SIGTERM under load: every request that has reached a connection gets its response."""
    total, longest, codes = LoadResult(), 0.0, set()
    for _ in range(rounds):
        with serve_copy() as server:
            requests = make_requests(server.root, make_forms(50), pages=True)
            process = server.process
            assert process is not None
            running = asyncio.create_task(
                send_load(server.port, requests, _make_alive_check(process), clients=16)
            )
            await asyncio.sleep(1)
            started = time.monotonic()
            process.send_signal(signal.SIGTERM)
            codes.add(await asyncio.to_thread(process.wait, 40))
            longest = max(longest, time.monotonic() - started)
            total += await running
    times = f"SIGTERM, {rounds} times"
    # The kernel resets what arrives between the last accept and the close of the listener.
    return [
        make_share(f"{times}: requests failed", total.failed, total.sent, 0.005, total.reasons),
        Figure(f"{times}: longest stop", f"{longest:.1f} s", "within 8 s", longest <= 8),
        Figure(f"{times}: exit code", ", ".join(map(str, codes)), "0", codes == {0}),
    ]


def _make_alive_check(process: subprocess.Popen[bytes]) -> Callable[[], bool]:
    return lambda: process.poll() is None


async def reload_models(seconds: float, pause: float = 0.0) -> list[Figure]:
    """Send SIGHUP under load, with a changed model and then with a broken one.

    Args:
        seconds: for how long each model is asked after it was read.
        pause: seconds that a client waits before its next request; without, they take all cores.
    """
    with serve_copy() as server:
        folder = server.root / "model" / "house_price"
        forms = make_forms(50)
        old = make_requests(server.root, forms, pages=True)
        change_artifact(folder)
        new = make_requests(server.root, forms, pages=True)
        either = [
            CheckedRequest(one.raw, one.expected | two.expected)
            for one, two in zip(old, new, strict=True)
        ]
        changing = await _reload_under_load(server, either, pause)
        changed = await send_load(server.port, new, make_timer(seconds), pause=pause)
        break_artifact(folder)
        breaking = await _reload_under_load(server, new, pause)
        broken = await send_load(server.port, new, make_timer(seconds), pause=pause)
        log = server.log.read_text()
    named = "model.onnx" in log.partition("Reload refused")[2]
    during = changing + breaking
    return [
        make_share(
            "SIGHUP, twice: requests failed meanwhile",
            during.failed,
            during.sent,
            0,
            during.reasons,
        ),
        make_share(
            "SIGHUP, changed model: responses not from the new model",
            changed.failed,
            changed.sent,
            0,
        ),
        make_share(
            "SIGHUP, broken model: responses not from the old model", broken.failed, broken.sent, 0
        ),
        Figure("SIGHUP, broken model: named in the log", "yes" if named else "no", "yes", named),
    ]


async def _reload_under_load(
    server: Server, requests: list[CheckedRequest], pause: float
) -> LoadResult:
    """Send SIGHUP, and load until no old worker is left."""
    is_running = True
    running = asyncio.create_task(send_load(server.port, requests, lambda: is_running, pause=pause))
    await asyncio.sleep(0.5)
    before = set(server.workers)
    os.kill(read_master_pid(server), signal.SIGHUP)
    may_wait = make_timer(40)
    while before & set(server.workers) and may_wait():
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    is_running = False
    return await running


async def hang_worker(timeout: int, pause: float = 0.0) -> list[Figure]:
    """Hang a worker in a prediction: it is replaced, and the others keep serving.

    Args:
        timeout: seconds after which gunicorn ends it.
        pause: seconds that a client waits before its next request; without, they take all cores.
    """
    with serve_copy("--timeout", str(timeout), model="hanging", prepare=_add_hanging) as server:
        requests = make_requests(
            server.root, [{"size": str(size)} for size in range(1, 50)], "hanging"
        )
        stuck = CheckedRequest(post("/predict-fragment", f"size={HANGS_AT:g}"), frozenset([b""]))
        await asyncio.to_thread(wait_until, lambda: len(server.workers) == 2)
        before, may_wait = set(server.workers), make_timer(2 * timeout + 60)
        running = asyncio.create_task(
            send_load(
                server.port,
                requests,
                lambda: may_wait() and before <= set(server.workers),
                pause=pause,
            )
        )
        await asyncio.sleep(0.5)
        await send_load(server.port, [stuck], make_timer(0.1), clients=1)
        meanwhile = await running
        replaced = len(before - set(server.workers))
        after = await send_load(server.port, requests, make_timer(2), pause=pause)
    name = "a prediction that hangs"
    return [
        Figure(f"{name}: workers replaced", f"{replaced} of 2", "1", replaced == 1),
        make_share(
            f"{name}: other requests failed meanwhile", meanwhile.failed, meanwhile.sent, 0.01
        ),
        make_share(f"{name}: requests failed afterwards", after.failed, after.sent, 0),
    ]


def _add_hanging(root: Path) -> None:
    write_model(root / "model" / "hanging", HangingEstimator())
