"""``make soak``: what the server keeps under slow clients and faults, each figure with its goal.

Exits with 1 if a goal is missed. Everything is bounded: a run takes about ten minutes.
"""

import asyncio
import datetime as dt
import os
import sys
import time
from collections.abc import Coroutine
from typing import Any

from tests.soak.endurance import endurance
from tests.soak.faults import hanging, killed_workers, reloaded, stopped
from tests.soak.figures import Figure, table
from tests.soak.fuzzing import fuzzed
from tests.soak.proxy import two_processes
from tests.soak.readonly import mounted_read_only
from tests.soak.slow import slow_clients


def scenarios() -> dict[str, Coroutine[Any, Any, list[Figure]]]:
    """Every scenario by name, at full length."""
    return {
        "slow": slow_clients(30),
        "kill": killed_workers(30),
        "stop": stopped(5),
        "reload": reloaded(5),
        "hang": hanging(20),
        "nginx": two_processes(3),
        "endurance": endurance(50_000),
        "read-only": mounted_read_only(),
        "fuzzing": fuzzed(500),
    }


def main() -> int:
    """Run the scenarios named, or all, and print a Markdown table."""
    figures: list[Figure] = []
    started = time.monotonic()
    for name, scenario in scenarios().items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            scenario.close()
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        found = asyncio.run(scenario)
        print(table(found), file=sys.stderr, flush=True)
        figures += found
    minutes = (time.monotonic() - started) / 60
    print(f"{dt.date.today()}, {os.cpu_count()} cores shared with the load, 2 workers, ", end="")
    print(f"{minutes:.0f} minutes.\n")
    print(table(figures))
    return 0 if all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
