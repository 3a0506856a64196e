"""How gunicorn's master learns that a worker lives."""

import time

from gunicorn.workers.workertmp import WorkerTmp

MAX_PAUSE = 5.0
"""Seconds between two looks of the master, which looks each second, from which on it stood still
itself."""


class Heartbeat(WorkerTmp):  # type: ignore[misc]  # gunicorn ships no types
    """A worker's sign of life, which excuses it where the whole machine stood still.

    A container that is paused, or has no processor between two requests, would else kill all of its
    workers when it goes on: none gave a sign meanwhile.
    """

    _looked = _excused = 0.0

    def last_update(self) -> float:
        """Return when the worker last gave a sign or was excused, by the monotonic clock."""
        now = time.monotonic()
        if now - self._looked > MAX_PAUSE:
            self._excused = now
        self._looked = now
        return max(float(super().last_update()), self._excused)
