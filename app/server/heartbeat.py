"""How gunicorn's master learns that a worker lives."""

import time

from gunicorn.workers.workertmp import WorkerTmp

MAX_PAUSE = 5.0
"""Seconds between two looks of the master, which looks each second, from which on it stood still
itself."""


class Heartbeat(WorkerTmp):  # type: ignore[misc]  # gunicorn ships no types
    """A worker's sign of life, not counting the time for which the whole machine stood still.

    A container that is paused, or has no processor between two requests, would else kill all of its
    workers when it goes on: none gave a sign meanwhile.
    """

    _beat = _looked = _stood = 0.0

    def last_update(self) -> float:
        """Return when the worker last gave a sign, by a clock that stood still with the machine."""
        now, beat = time.monotonic(), float(super().last_update())
        if beat != self._beat:
            self._beat, self._stood = beat, 0.0
        if now - self._looked > MAX_PAUSE:
            self._stood += now - max(self._looked, beat)
        self._looked = now
        return beat + self._stood
