"""Where the workers of one server count for Prometheus, and which file is whose.

Runs in gunicorn's own process, before the app is there and between its forks. Files are named after
a worker's slot and not after its process: one that is replaced hands its counts on, so that nothing
is lost and nothing piles up.
"""

import os
import shutil
import tempfile
from itertools import count
from typing import Any

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder of the counts, under the name that the library reads when it is imported."""

SLOT = "GUNICORN_WORKER_SLOT"
"""Tells a worker which slot is its own."""

_made: list[str] = []


def prepare(folder: str | None) -> None:
    """Make a folder to count in below ``folder``, where /metrics is on and no folder is named.

    Raises:
        SystemExit: if nothing can be written there.
    """
    if os.environ.get("FORMCAST_METRICS") != "on" or FOLDER in os.environ:
        return
    try:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="formcast-", dir=folder)
    except OSError as error:
        raise SystemExit(
            "Formcast cannot start. FORMCAST_METRICS=on needs a folder that can be written: "
            f"{error}. Name one in {FOLDER}, or write FORMCAST_METRICS=off."
        ) from None
    _made.append(os.environ[FOLDER])


def take(server: Any, worker: Any) -> None:
    """Before the fork: the lowest slot that no living worker of gunicorn's ``server`` has."""
    taken = {getattr(other, "slot", -1) for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in count() if slot not in taken)


def enter(worker: Any) -> None:
    """After the fork, in the worker."""
    os.environ[SLOT] = str(worker.slot)


def clear() -> None:
    """When the server ends: remove the folder, if it is ours."""
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)
