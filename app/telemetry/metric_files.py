"""The files in which the workers of one server count for Prometheus.

It runs in gunicorn's master, before the app is loaded and between forks. A file has the name of a
worker's slot and not of its process: the worker that replaces another goes on with its counts, so
that no count is lost and files do not pile up.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from itertools import count
from typing import Any

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable with the folder; prometheus_client reads it when it is imported."""

SLOT = "GUNICORN_WORKER_SLOT"
"""The variable with a worker's slot."""

UNCOUNTED = "none"
"""The slot of a worker for whose counts there is no room."""

ENTRY_BYTES = 256
"""Bytes of a file for one count; the longest name of a route takes half of them."""

LEAST_BYTES = 256 * 1024

_made: list[str] = []


def make_folder(folders: Iterable[str]) -> str:
    """Make a folder for the counts, where /metrics is on and no variable names one.

    It is made in the first of ``folders`` that has room.

    Returns:
        What to tell who runs the server: "" where all is well.
    """
    if os.environ.get("FORMCAST_METRICS", "").strip() != "on" or os.environ.get(FOLDER):
        return ""
    problem = ""
    for folder in folders:
        try:
            made = tempfile.mkdtemp(prefix="formcast-", dir=folder)
        except OSError as error:
            problem = problem or str(error)
            continue
        try:
            _reserve(os.path.join(made, "trial"), 8 * LEAST_BYTES)
        except OSError as error:
            problem = problem or str(error)
            shutil.rmtree(made, ignore_errors=True)
            continue
        os.unlink(os.path.join(made, "trial"))
        os.environ[FOLDER] = made
        _made.append(made)
        return ""
    return (
        "No folder has room for the counts of all workers, so that /metrics speaks for one of them "
        f"at a time ({problem}). Name a folder in {FOLDER}."
    )


def _reserve(path: str, size: int) -> None:
    """Let a file have so many bytes at least, for which there is room.

    A file that is mapped into memory and has no room on its disk or in /dev/shm ends the process
    that counts in it (SIGBUS).

    Raises:
        OSError: if there is no room.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(descriptor).st_size < size:
            os.posix_fallocate(descriptor, 0, size)
    except OSError:
        os.ftruncate(descriptor, 0)
        os.unlink(path)
        raise
    finally:
        os.close(descriptor)


def assign_slot(server: Any, worker: Any, entries: int) -> None:
    """Give a worker the lowest slot that no other worker of the server has, before the fork.

    ``entries`` is how many counts its files must have room for.
    """
    taken = {getattr(other, "slot", -1) for other in server.WORKERS.values()}
    worker.slot = next(slot for slot in count() if slot not in taken)
    if not _made:
        return
    try:
        for kind in ("counter", "histogram"):
            path = os.path.join(_made[0], f"{kind}_{worker.slot}.db")
            _reserve(path, max(LEAST_BYTES, entries * ENTRY_BYTES))
    except OSError as error:
        worker.slot = UNCOUNTED
        server.log.warning("A worker counts nothing for /metrics: %s", error)


def export_slot(worker: Any) -> None:
    """Put the slot of a worker into its environment, after the fork."""
    os.environ[SLOT] = str(worker.slot)


def remove_folder() -> None:
    """Remove the folder when the server ends, if it was made here."""
    for folder in _made:
        shutil.rmtree(folder, ignore_errors=True)
