"""``make bench``: CPU of the workers per request, against a bare Flask route in the same run.

Requests per second swing with whatever else the machine does; CPU per request swings less. Short
slices of requests to each server take turns, and their median counts. All of it runs on one core:
with two, waking the other one takes the bare route 150 µs or 220, as it happens.

``--against DIR`` measures another checkout of the repository beside this one; it needs the same
environment. Every server starts anew in each turn, under the gunicorn.conf.py of its checkout; the
bare route has that of this one.
"""

import argparse
import datetime as dt
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tests.benchmarks.cases import BARE, Case, make_cases
from tests.benchmarks.cpu import SLICE, measure_cpu
from tests.benchmarks.servers import WORKERS, GunicornServer
from tests.tools import ROOT

FLOOR, HERE, THERE = "bare route", "Formcast", "other checkout"
WARM_UP = 8
"""Slices of each case first in each turn, so that both workers have answered."""

Turns = list[list[float]]
"""CPU seconds of a request: a list of slices for each turn."""


@dataclass
class Measurements:
    """What was measured, by the name of the server."""

    cpu: dict[tuple[str, str], Turns] = field(default_factory=lambda: defaultdict(list))
    """By case and server; the bare route has slices of its own for each case."""
    cold_start: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """Seconds, one a turn."""
    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """MB of each worker in each turn."""


def main() -> None:
    """Measure and print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=8, help="starts of every server, at least 2")
    parser.add_argument("--slices", type=int, default=12, help="of each case in each turn")
    parser.add_argument("--against", type=Path, metavar="DIR", help="another checkout")
    chosen = parser.parse_args()
    if chosen.turns < 2:
        parser.error("--turns is at least 2")
    apps = {FLOOR: ("tests.benchmarks.bare:app", ROOT), HERE: ("wsgi:app", ROOT)}
    if chosen.against:
        apps[THERE] = ("wsgi:app", chosen.against)
    priority = raise_priority()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    cases = make_cases()
    measured = Measurements()
    for turn in range(chosen.turns):
        run_turn(measured, apps, cases, chosen.slices)
        print(f"turn {turn + 1} of {chosen.turns}", file=sys.stderr)
    print(
        f"{dt.date.today()}, one core of {os.cpu_count()}, {priority} priority; gunicorn's gevent,"
    )
    print(
        f"{WORKERS} workers; {chosen.turns} turns of {chosen.slices} slices, {SLICE} requests each."
    )
    print()
    print_cpu(measured, list(apps))
    print_starts(measured, list(apps))


def raise_priority() -> str:
    """Go before everything else on the machine, as only root may; say which priority it is.

    A worker that waits for a core finds its caches full of another's data, and Formcast has more to
    fetch again than the bare route.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    except PermissionError:
        return "normal"
    return "highest"


def run_turn(
    measured: Measurements, apps: dict[str, tuple[str, Path]], cases: Iterable[Case], slices: int
) -> None:
    """Start every app, measure every case on each of them, and stop them."""
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(GunicornServer(app, root))
            for name, (app, root) in apps.items()
        }
        for case in cases:
            for name in servers:
                measured.cpu[case.name, name].append([])
        for number in range(-WARM_UP, slices):
            # In either order, so that a drift of the machine favours none.
            names = list(servers)[:: -1 if number % 2 else 1]
            for case in cases:
                for name in names:
                    requests = (BARE,) if name == FLOOR else case.requests
                    seconds = measure_cpu(servers[name], requests, number)
                    if number >= 0:
                        measured.cpu[case.name, name][-1].append(seconds)
        for name, server in servers.items():
            measured.cold_start[name].append(server.cold_start)
            measured.memory[name].extend(server.memory())


def print_cpu(measured: Measurements, names: list[str]) -> None:
    """Print for each case the CPU per request, the ratios, and how well these repeat."""
    pairs = [(name, FLOOR) for name in names if name != FLOOR]
    if THERE in names:
        pairs.append((HERE, THERE))
    heads = [*(f"{name}, µs" for name in names), *(f"{above} / {below}" for above, below in pairs)]
    print("| CPU of the workers per request | " + " | ".join(heads) + " |")
    print("|---|" + "---|" * len(heads))
    for case in dict.fromkeys(case for case, _ in measured.cpu):
        turns = {name: measured.cpu[case, name] for name in names}
        cells = [f"{typical(turns[name]) * 1e6:.0f}" for name in names]
        for above, below in pairs:
            ratio = typical(turns[above]) / typical(turns[below])
            odd, even = (typical(turns[above][i::2]) / typical(turns[below][i::2]) for i in (0, 1))
            cells.append(f"{ratio:.2f} ({abs(odd - even) / ratio:.1%})")
        print(f"| {case} | " + " | ".join(cells) + " |")
    print("\nIn brackets: how far the ratios of the odd and of the even turns are apart.")


def typical(turns: Turns) -> float:
    """CPU seconds of a request: the median of all slices."""
    return statistics.median(chain(*turns))


def print_starts(measured: Measurements, names: list[str]) -> None:
    """Print the medians of cold start and memory."""
    print("\n| | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for what, figures, digits, unit in (
        ("cold start to the first 200", measured.cold_start, 2, "s"),
        ("memory of a worker, shared pages by share", measured.memory, 0, "MB"),
    ):
        cells = [f"{statistics.median(figures[name]):.{digits}f} {unit}" for name in names]
        print(f"| {what} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
