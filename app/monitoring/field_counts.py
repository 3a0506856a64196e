"""Counts which values are asked for, in bins of the training data; no row is kept.

A form counts once it has settled: the last answer before a pause of a minute, or a full post. Until
then its latest answer waits in memory, under a number that stands for the client and is made anew
in every process. Values that are half typed are thus not counted.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from app.feedback.outcomes import FieldBin
from model.contract.fields import Features
from model.contract.manifest import FieldBins
from model.monitoring.stability import count_fields, find_bin
from model.serving.served_model import ServedModel

PAUSE = 60.0
"""Seconds without another answer after which a form has settled."""

MOST_WAITING = 10_000
"""Forms that wait at most: those of further clients are not counted."""


def identify(environ: WSGIEnvironment) -> int:
    """Return a number for a client, which means nothing outside of this process."""
    return hash((environ.get("REMOTE_ADDR"), environ.get("HTTP_USER_AGENT")))


class FieldCounter:
    """Counts the forms of one model."""

    def __init__(self, model: ServedModel[Any, Any]) -> None:
        self.bins: Mapping[str, FieldBins] = find_field_bins(model)
        self.model = model
        self._waiting: dict[int, tuple[float, Features]] = {}
        self._settled: list[Features] = []

    def note(self, environ: WSGIEnvironment, row: Features, settled: bool = False) -> None:
        """Note an answer, in a microsecond.

        Args:
            environ: the request's.
            row: the facts.
            settled: whether it was a full post.
        """
        waiting, client = self._waiting, identify(environ)
        if settled:
            waiting.pop(client, None)
            if len(self._settled) < MOST_WAITING:
                self._settled.append(row)
        elif len(waiting) < MOST_WAITING or client in waiting:
            waiting[client] = time.monotonic(), row

    def take(self, now: float | None = None) -> Counter[FieldBin]:
        """Take the counts of all forms that have settled since the last time."""
        before = (time.monotonic() if now is None else now) - PAUSE
        settled, self._settled = self._settled, []
        for client, (when, row) in list(self._waiting.items()):  # a thread's own, while others note
            if when <= before and self._waiting.pop(client, None) is not None:
                settled.append(row)
        model, today = self.model, dt.date.today()
        counts: Counter[FieldBin] = Counter()
        for row in settled:
            for name, bins in self.bins.items():
                found = find_bin(bins, model.fields[name].encode(row.get(name)))
                counts[FieldBin(model.slug, model.version, today, name, found)] += 1
        return counts


def find_field_bins(model: ServedModel[Any, Any]) -> Mapping[str, FieldBins]:
    """Find the bins of each field but texts; none where nobody counted the training rows."""
    if model.field_bins or model.kept_rows is None:
        return model.field_bins
    return count_fields(list(model.fields.values()), model.kept_rows.rows)
