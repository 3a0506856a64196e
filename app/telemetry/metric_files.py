"""The files in which the workers of one server count for Prometheus.

It runs in gunicorn's master, before the app is loaded and between forks. A file has the name of a
worker's slot and not of its process: the worker that replaces another goes on with its counts, so
that no count is lost and files do not pile up.
"""

import os
import shutil
import tempfile
from itertools import count
from typing import Any

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder; prometheus_client reads it when it is imported."""

SLOT = "GUNICORN_WORKER_SLOT"
"""The variable with a worker's slot."""

_made: list[str] = []


def make_folder(folder: str | None) -> None:
    """Make a folder for the counts in ``folder``, where /metrics is on and no variable names one.

    Raises:
        SystemExit: if it cannot be made.
    """
    if os.environ.get("FORMCAST_METRICS", "").strip() != "on" or os.environ.get(FOLDER):
        return
    try:
        os.environ[FOLDER] = tempfile.mkdtemp(prefix="formcast-", dir=folder)
    except OSError as error:
        raise SystemExit(
            "Formcast cannot start. FORMCAST_METRICS=on needs a folder that can be written: "
            f"{error}. Name one in {FOLDER}, or write FORMCAST_METRICS=off."
        ) from None
    _made.append(os.environ[FOLDER])


def assign_slot(server: Any, worker: Any) -> None:
    """Give a worker the lowest slot that no other worker of the server has, before the fork."""
    taken = {getattr(other, "slot", -1) for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in count() if slot not in taken)


def export_slot(worker: Any) -> None:
    """Put the slot of a worker into its environment, after the fork."""
    os.environ[SLOT] = str(worker.slot)


def remove_folder() -> None:
    """Remove the folder when the server ends, if it was made here."""
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)
