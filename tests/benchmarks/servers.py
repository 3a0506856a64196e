"""Apps under gunicorn, each with the gunicorn.conf.py of its checkout."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.conftest import free_port
from tests.tools import list_children

WORKERS = 2


class GunicornServer:
    """An app in a checkout, by its import name; as a context manager it stops at the end."""

    def __init__(self, app: str, root: Path) -> None:
        """Start it and wait for its first answer and all of its workers.

        Raises:
            RuntimeError: if it ends before it answers.
        """
        self.port = free_port()
        started = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", app],
            cwd=root,
            env={
                **os.environ,
                "PORT": str(self.port),
                "WEB_CONCURRENCY": str(WORKERS),
                "FORMCAST_RATELIMIT": "off",
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while not self._answers():
            if self._process.poll() is not None:
                raise RuntimeError(f"gunicorn {app} does not start in {root}")
            time.sleep(0.01)
        self.cold_start = time.perf_counter() - started
        """Seconds to the first 200."""
        while len(self.workers()) < WORKERS:
            time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.wait(40)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        return list_children(self._process.pid)

    def memory(self) -> list[float]:
        """Proportional memory of each worker, in MB: shared pages count by their share."""
        sizes = []
        for pid in self.workers():
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
            sizes.append(int(found[1]) / 1000 if found else 0.0)
        return sizes

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError):
            return False
