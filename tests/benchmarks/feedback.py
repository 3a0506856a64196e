"""Whether storing slows answers down: `python -m tests.benchmarks.feedback`.

One visitor asks for prices all the time, while reports come at a steady rate. In turn the reports
are stored, and refused because their receipts were altered: so the requests are as many, and only
the storing differs. What a report costs the workers in CPU is measured apart, without answers:
unlike the times it hardly depends on what else the machine does.
"""

import argparse
import os
import re
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

from tests.attack.requests import GOOD, post
from tests.conftest import Server, free_port
from tests.wire import send_request

RATE = 50
"""Reports a second."""


def find_percentile(seconds: Sequence[float], share: float) -> float:
    """The time in milliseconds within which a share of the answers came."""
    return 1000 * sorted(seconds)[min(len(seconds) - 1, int(share * len(seconds)))]


def fetch_reports(port: int, count: int, stored: bool) -> list[bytes]:
    """Ask for answers, and make a report on each; one that is refused where it is not stored."""

    def make(_: int) -> bytes:
        text = send_request(port, post("/predict-fragment", GOOD)).text
        (receipt,) = re.findall(r'name="receipt" value="([^"]*)"', text)
        fields = {"receipt": unescape(receipt) + ("" if stored else "x"), "known-truth": "230000"}
        return post("/feedback-fragment", urlencode(fields).encode())

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(make, range(count)))


def send_steadily(port: int, reports: Sequence[bytes], statuses: list[int]) -> None:
    """Send ``RATE`` reports a second, whether or not those before are answered."""
    with ThreadPoolExecutor(16) as pool:
        began = time.monotonic()
        sent = []
        for number, report in enumerate(reports):
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            sent.append(pool.submit(send_request, port, report))
        statuses += [found.result().status for found in sent]


def measure(port: int, seconds: int, stored: bool) -> tuple[list[float], list[int]]:
    """Return the seconds of each answer while reports come, and the statuses of the reports."""
    reports, statuses = fetch_reports(port, RATE * seconds, stored), list[int]()
    sender = threading.Thread(target=send_steadily, args=(port, reports, statuses))
    sender.start()
    times = []
    while sender.is_alive():
        began = time.perf_counter()
        send_request(port, post("/predict-fragment", GOOD))
        times.append(time.perf_counter() - began)
        time.sleep(0.005)
    sender.join()
    return times, statuses


def measure_cost(server: Server, seconds: int, stored: bool) -> float:
    """Return the milliseconds of CPU that a report takes of the workers."""
    reports, statuses = fetch_reports(server.port, RATE * seconds, stored), list[int]()
    before = read_cpu(server)
    send_steadily(server.port, reports, statuses)
    time.sleep(2)  # what is written behind the answers
    return (read_cpu(server) - before) / len(reports)


def read_cpu(server: Server) -> float:
    """The milliseconds of CPU that the workers have taken so far."""
    fields = [
        Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
        for worker in server.workers
    ]
    ticks = sum(int(found[11]) + int(found[12]) for found in fields)
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def serve() -> Iterator[Server]:
    """Serve with a file of SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "FORMCAST_FEEDBACK": "on",
            "FORMCAST_DATA": str(Path(folder) / "kept.sqlite3"),
            "FORMCAST_RATELIMIT": "off",
        }
        server = Server(free_port(), settings=settings)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def main() -> None:
    """Measure in turn with and without, and print the percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=8, help="of each slice")
    arguments = parser.parse_args()
    times: dict[bool, list[float]] = {True: [], False: []}
    with serve() as server:
        for stored in (False, True):
            cost = measure_cost(server, arguments.seconds, stored)
            told = "stored" if stored else "refused"
            print(f"A report that is {told} takes {cost:.2f} ms of CPU")
        for turn in range(arguments.turns):
            for stored in (True, False) if turn % 2 else (False, True):
                found, statuses = measure(server.port, arguments.seconds, stored)
                times[stored] += found
                assert set(statuses) == {200 if stored else 422}, set(statuses)
    for share in (0.5, 0.9, 0.99):
        with_, without = (find_percentile(times[stored], share) for stored in (True, False))
        print(
            f"{share:.0%} of the answers within {with_:.2f} ms while {RATE} reports a second are "
            f"stored, {without:.2f} ms while they are refused ({with_ / without - 1:+.1%})"
        )


if __name__ == "__main__":
    main()
