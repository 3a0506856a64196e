"""``make soak``: how the server holds under slow clients and faults, each figure with its goal.

Exits with 1 if a goal is missed. Everything is bounded: a run takes about ten minutes.
"""

import asyncio
import datetime as dt
import os
import sys
import time
from collections.abc import Coroutine
from typing import Any

from tests.soak.endurance import measure_endurance
from tests.soak.faults import hang_worker, kill_workers, reload_models, stop_servers
from tests.soak.figures import Figure, format_table
from tests.soak.fuzzing import run_schemathesis
from tests.soak.proxy import kill_behind_nginx
from tests.soak.readonly import start_read_only
from tests.soak.slow import run_slow_clients


def make_scenarios() -> dict[str, Coroutine[Any, Any, list[Figure]]]:
    """Return every scenario by name, at full length."""
    return {
        "slow": run_slow_clients(30),
        "kill": kill_workers(30),
        "stop": stop_servers(5),
        "reload": reload_models(5),
        "hang": hang_worker(20),
        "nginx": kill_behind_nginx(3),
        "endurance": measure_endurance(50_000),
        "read-only": start_read_only(),
        "fuzzing": run_schemathesis(500),
    }


def main() -> int:
    """Run the scenarios named, or all, and print a Markdown table."""
    figures: list[Figure] = []
    started = time.monotonic()
    for name, scenario in make_scenarios().items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            scenario.close()
            continue
        print(f"{name} …", file=sys.stderr, flush=True)
        found = asyncio.run(scenario)
        print(format_table(found), file=sys.stderr, flush=True)
        figures += found
    minutes = (time.monotonic() - started) / 60
    print(f"{dt.date.today()}, {os.cpu_count()} cores shared with the load, 2 workers, ", end="")
    print(f"{minutes:.0f} minutes.\n")
    print(format_table(figures))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
