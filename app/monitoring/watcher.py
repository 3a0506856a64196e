"""Watches the promises of all models beside the requests, once a minute in each process.

It writes the counts of what was asked, reads what files have brought, and holds one against the
other. No answer waits for it: pages, /metrics and the log show what it found last.
"""

import datetime as dt
import logging
import math
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from app.feedback.outcomes import FieldBin, ReportedOutcome
from app.feedback.store import Store, StoreError
from app.monitoring.field_counts import FieldCounter
from app.monitoring.known_cases import read_known_cases
from app.telemetry.request_records import RequestRecord
from model.monitoring.stability import LEAST_ASKED, compute_psi, drop_empty, find_limit, list_bins
from model.monitoring.track_record import (
    TrackRecord,
    describe_too_sure,
    describe_verdict,
    summarize_cases,
)
from model.serving.served_model import ServedModel

PERIOD = 60.0
"""Seconds between two looks."""

LEAST_AGE = 5.0
"""Seconds after a look before which a page asks for no other."""

DAYS = 30
"""Days of which the counts are compared."""

MOST_REPORTS = 50
"""Reports of visitors that are shown."""

_log = logging.getLogger(__name__)


class AskedField(NamedTuple):
    """How often values of a field were asked for: ``counts`` by bin, as the training rows have.

    ``psi`` is the population stability index of the values that were given, and ``limit`` what one
    of a hundred samples of the training data exceeds.
    """

    name: str
    counts: tuple[int, ...]
    psi: float
    limit: float

    @property
    def forms(self) -> int:
        """How many forms were counted."""
        return sum(self.counts)

    @property
    def differs(self) -> bool:
        """Whether what was asked differs from the training data by more than chance."""
        return self.given >= LEAST_ASKED and self.psi > self.limit

    @property
    def given(self) -> int:
        """How many of the forms had a value."""
        return sum(drop_empty(self.counts))


class Reports(NamedTuple):
    """What visitors reported: all of them, those with a truth, and those that were furthest off."""

    total: int
    known: int
    furthest: tuple[ReportedOutcome, ...]


NO_REPORTS = Reports(0, 0, ())


@dataclass
class ModelWatch:
    """What is known of one model.

    ``looked`` is when somebody looked last; ``visitors`` and ``files`` count the outcomes that were
    there then.
    """

    model: ServedModel[Any, Any]
    counter: FieldCounter
    record: TrackRecord | None = None
    reports: Reports = NO_REPORTS
    asked: tuple[AskedField, ...] = ()
    looked: float = -math.inf
    visitors: int = 0
    files: int = 0

    @property
    def verdict(self) -> str:
        """Whether the promise holds, in words; "" where no truth is known."""
        return "" if self.record is None else describe_verdict(self.model, self.record)

    @property
    def is_broken(self) -> bool:
        """Whether a promise turned out to be broken."""
        return self.record is not None and self.record.is_broken

    def count_alarms(self) -> int:
        """Count the promises that turned out to be broken."""
        return bool(self.find_broken()) + bool(self.find_too_sure())

    def find_broken(self) -> str:
        """Say how many of the last cases held, where too few did, else ""."""
        return "" if self.record is None or self.record.alarm is None else self.record.recent_text

    def find_too_sure(self) -> str:
        """Say how often it was right where it was sure, where that is too rarely, else ""."""
        return "" if self.record is None else describe_too_sure(self.model, self.record)


class Watcher(Collector):
    """Watches all models; a listener of requests, because a fork ends the thread that looks."""

    def __init__(
        self,
        models: Mapping[str, ServedModel[Any, Any]],
        run: Callable[[Callable[[Store], Any]], Any],
        retention_days: int,
    ) -> None:
        """Make a watcher that has not looked yet.

        Args:
            models: by their slugs.
            run: does some work with the store; it raises ``StoreError`` where it was not done.
            retention_days: days after which a visitor's report is shown to nobody.
        """
        self.watches = {
            slug: ModelWatch(model, FieldCounter(model)) for slug, model in models.items()
        }
        self._run, self._retention_days = run, retention_days
        self._unwritten: Counter[FieldBin] = Counter()
        self._lock = threading.Lock()
        self._running = False
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """Forget the thread of before a fork, which may have held the lock."""
        self._running, self._lock = False, threading.Lock()

    def __call__(self, record: RequestRecord) -> None:
        """See that something looks in this process."""
        if not self._running:
            self._running = True
            threading.Thread(target=self._look_on, name="watcher", daemon=True).start()

    def _look_on(self) -> None:
        while True:
            for slug in self.watches:
                self.look(slug)
            time.sleep(PERIOD)

    def look(self, slug: str, least_age: float = 0.0) -> None:
        """Write and read what concerns one model, unless somebody just did or does.

        Where the store does not answer, all stays as it was: whoever runs the store says so, once.
        """
        watch = self.watches[slug]
        if time.monotonic() - watch.looked < least_age or not self._lock.acquire(blocking=False):
            return
        try:
            before = watch.count_alarms()
            # Jobs of the store's thread, where they do not hold up the requests.
            self._run(self._write_counts)
            self._run(lambda store: look_up(store, watch, self._retention_days))
            if watch.count_alarms() > before:
                _log.warning("The promise of %s is broken. %s", slug, watch.verdict)
        except StoreError:
            pass
        finally:
            watch.looked = time.monotonic()
            self._lock.release()

    def _write_counts(self, store: Store) -> None:
        """Write what was counted and is not written yet."""
        for watch in self.watches.values():
            self._unwritten.update(watch.counter.take())
        if self._unwritten:
            store.add_counts(self._unwritten)
            self._unwritten.clear()

    def collect(self) -> Iterable[Metric]:
        """Give /metrics what every process reads from the one store."""
        known = GaugeMetricFamily("formcast_known_cases", "Cases with a truth.", labels=["model"])
        held = GaugeMetricFamily(
            "formcast_promise_held_ratio", "The share of them that held.", labels=["model"]
        )
        broken = GaugeMetricFamily(
            "formcast_promise_broken", "Whether the promise is broken.", labels=["model"]
        )
        psi = GaugeMetricFamily(
            "formcast_asked_psi",
            "Population stability index of what is asked.",
            labels=["model", "field"],
        )
        limit = GaugeMetricFamily(
            "formcast_asked_psi_limit",
            "What one of a hundred samples of the training data exceeds.",
            labels=["model", "field"],
        )
        for slug, watch in self.watches.items():
            record = watch.record
            if record is not None:
                known.add_metric([slug], record.cases)
                broken.add_metric([slug], float(record.is_broken))
                if record.held is not None:
                    held.add_metric([slug], record.held / record.cases)
            for field in watch.asked:
                psi.add_metric([slug, field.name], field.psi)
                limit.add_metric([slug, field.name], field.limit)
        return [known, held, broken, psi, limit]


def look_up(store: Store, watch: ModelWatch, retention_days: int) -> None:
    """Read what is new of one model.

    Raises:
        StoreError: if the database does not do it.
    """
    model, today = watch.model, dt.date.today()
    asked = store.read_counts(model.slug, today - dt.timedelta(DAYS))
    watch.asked = tuple(compare_fields(watch.counter, asked))
    visitors, files = store.count_outcomes(model.slug)
    if visitors != watch.visitors:
        watch.reports = sum_up_reports(
            found
            for found in store.iterate(model.slug, "visitor", today - dt.timedelta(retention_days))
            if found.version == model.version
        )
        watch.visitors = visitors
    if files != watch.files:
        watch.record = summarize_cases(model, read_known_cases(store, model))
        watch.files = files


def compare_fields(counter: FieldCounter, counts: Mapping[FieldBin, int]) -> list[AskedField]:
    """Compare what was asked with the training rows, field by field; none before the first form."""
    model = counter.model
    summed: dict[str, Counter[str]] = {name: Counter() for name in counter.bins}
    for found, count in counts.items():
        if found.version == model.version and found.field in summed:
            summed[found.field][found.bin] += count
    compared = []
    for name, bins in counter.bins.items():
        asked = tuple(summed[name][one] for one in list_bins(bins))
        if sum(asked):
            given, trained = drop_empty(asked), drop_empty(bins.counts)
            index, limit = compute_psi(given, trained), find_limit(trained, sum(given))
            compared.append(AskedField(name, asked, index, limit))
    return compared


def sum_up_reports(reports: Iterable[ReportedOutcome]) -> Reports:
    """Count what visitors reported, and find the truths that were furthest off."""
    found = list(reports)
    known = [one for one in found if one.truth is not None]
    furthest = sorted(known, key=measure_distance, reverse=True)[:MOST_REPORTS]
    return Reports(len(found), len(known), tuple(furthest))


def measure_distance(found: ReportedOutcome) -> float:
    """Measure how far a truth is outside: in widths of its range, else as far as can be told.

    For a class that was wrong it is the probability of the answer, 0 for one that was right.
    """
    if isinstance(found.truth, str) or isinstance(found.value, str) or found.truth is None:
        wrong = found.truth != found.value
        return (1.0 if found.probability is None else found.probability) if wrong else 0.0
    if found.low is None or found.high is None:
        return abs(found.truth - found.value) / (abs(found.value) or 1.0)
    outside = max(found.low - found.truth, found.truth - found.high)
    return outside / ((found.high - found.low) or 1.0)
