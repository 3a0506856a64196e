"""``make bench``: requests per second against a bare Flask route, in the same run.

Both apps run under the same gunicorn.conf.py. Each case is measured right after the bare route, so
that whatever else the machine does falls on both, and again in each turn; each figure is the median
over the turns. Load comes from wrk on the same machine, with a different house in every request.
"""

import argparse
import csv
import datetime as dt
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from tests.conftest import free_port
from tests.tools import ROOT

HERE = Path(__file__).parent
THREE = ("beds", "baths", "sqft")
CONNECTIONS = (1, 8, 64)
JSON = "application/json"


@dataclass(frozen=True)
class Case:
    """One kind of request."""

    name: str
    app: str
    path: str
    bodies: Path | None
    kind: str = "application/x-www-form-urlencoded"


class Running:
    """An app under gunicorn, started by its import name."""

    def __init__(self, app: str) -> None:
        self.port = free_port()
        started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", app],
            cwd=ROOT,
            env={
                **os.environ,
                "PORT": str(self.port),
                "WEB_CONCURRENCY": "2",
                **({} if "bare" in app else {"FORMCAST_RATELIMIT": "off"}),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5):
                    break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.01)
        self.cold_start = time.perf_counter() - started

    def memory(self) -> list[float]:
        """Proportional memory of each worker, in MB: shared pages count by their share."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        sizes = []
        for pid in children.split():
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
            sizes.append(int(found[1]) / 1000 if found else 0.0)
        return sizes

    def stop(self) -> None:
        """Stop it and wait."""
        self.process.terminate()
        self.process.wait(40)


def load(port: int, case: Case, connections: int, seconds: float) -> tuple[float, int]:
    """Requests per second, and how many were not answered with 2xx."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "-s", HERE / "requests.lua"]
    command += [f"http://127.0.0.1:{port}{case.path}"]
    if case.bodies is not None:
        command += ["--", case.bodies, case.kind]
    out = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True
    ).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
    assert rate is not None, out
    return float(rate[1]), int(bad[1]) if bad else 0


def write_bodies(folder: Path) -> dict[str, Path]:
    """Houses that were sold: forms with three facts and with all, and rows in JSON."""
    with (ROOT / "model" / "house_price" / "sales.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    random.Random(0).shuffle(rows)  # noqa: S311 (no secret)
    fields = [name for name in rows[0] if name not in ("price", "year_sold", "month_sold")]
    paths = {}
    for name, kept in (("three", THREE), ("ten", fields)):
        paths[name] = folder / f"{name}.txt"
        lines = [urlencode({key: row[key] for key in kept}) for row in rows[:1000]]
        paths[name].write_text("\n".join(lines))
    paths["json"] = folder / "json.txt"
    objects = [{key: json.loads(row[key]) for key in THREE} for row in rows[:1000]]
    paths["json"].write_text("\n".join(map(json.dumps, objects)))
    return paths


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(write_bodies(Path(folder)), chosen.turns, chosen.seconds)


def measure(bodies: dict[str, Path], turns: int, seconds: float) -> None:
    """Run every case at every number of connections, in turns, and print what came out."""
    bare = Case("bare Flask route", "tests.benchmarks.bare:app", "/", None)
    cases = [
        Case("`/predict-fragment`, three facts", "wsgi:app", "/predict-fragment", bodies["three"]),
        Case("`/predict-fragment`, ten facts", "wsgi:app", "/predict-fragment", bodies["ten"]),
        Case("`/api/predict`, one row", "wsgi:app", "/api/predict", bodies["json"], JSON),
        Case("the whole page", "wsgi:app", "/?beds=3&baths=2&sqft=1850", None),
    ]
    cold: dict[str, list[float]] = {}
    memory: dict[str, list[float]] = {}
    rates: dict[tuple[str, int], list[float]] = {}
    ratios: dict[tuple[str, int], list[float]] = {}
    failed = 0
    for turn in range(turns):
        running = {app: Running(app) for app in (bare.app, "wsgi:app")}
        for app, server in running.items():
            cold.setdefault(app, []).append(server.cold_start)
        for connections in CONNECTIONS:
            for case in cases:
                floor, _ = load(running[bare.app].port, bare, connections, seconds)
                rate, bad = load(running[case.app].port, case, connections, seconds)
                rates.setdefault((bare.name, connections), []).append(floor)
                rates.setdefault((case.name, connections), []).append(rate)
                ratios.setdefault((case.name, connections), []).append(rate / floor)
                failed += bad
        for app, server in running.items():
            memory.setdefault(app, []).extend(server.memory())
            server.stop()
        print(f"turn {turn + 1} of {turns}", file=sys.stderr)
    print(f"{dt.date.today()}, {os.cpu_count()} cores shared with the load, gunicorn's gevent, ")
    print(f"2 workers; median of {turns} turns of {seconds:g} s; {failed} requests failed.\n")
    print("| requests/s at connections | " + " | ".join(map(str, CONNECTIONS)) + " |")
    print("|---|" + "---|" * len(CONNECTIONS))
    for case in (bare, *cases):
        cells = []
        for connections in CONNECTIONS:
            cell = f"{statistics.median(rates[case.name, connections]):,.0f}"
            if case is not bare:
                cell += f" ({statistics.median(ratios[case.name, connections]):.2f})"
            cells.append(cell)
        print(f"| {case.name} | " + " | ".join(cells) + " |")
    print("\nIn brackets: the share of the bare route's requests/s right before.\n")
    print("| | bare Flask route | Formcast |\n|---|---|---|")
    for name, figures, unit in (
        ("cold start to the first 200", cold, "s"),
        ("memory of a worker, shared pages by share", memory, "MB"),
    ):
        floor, own = (statistics.median(figures[app]) for app in (bare.app, "wsgi:app"))
        digits = 2 if unit == "s" else 0
        print(f"| {name} | {floor:.{digits}f} {unit} | {own:.{digits}f} {unit} |")


if __name__ == "__main__":
    main()
