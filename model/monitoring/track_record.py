"""Sums up cases whose truth is known: how often ranges held or classes were right, how far off.

Only complete files are summed up here. What visitors report is no sample: people report what is
wrong.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from model.contract import formatting
from model.contract.arrays import BoolArray, Float64Array
from model.contract.manifest import ReliabilityBin
from model.monitoring.coverage import Alarm, Promise, find_alarm
from model.monitoring.sureness import (
    SureCases,
    describe_sureness,
    find_sure_promise,
    judge_sureness,
)
from model.serving.served_model import ServedModel

RECENT = 100
"""The last cases, of which a sentence speaks."""

FEW = 30
"""Cases below which nothing is said but their number."""

_FIFTHS = 5
_MOST_BINS = 10
_LEAST_IN_BIN = 20


class KnownCase(NamedTuple):
    """One case; see ``model.monitoring.cases.Case``."""

    day: dt.date
    facts: Mapping[str, str]
    value: float | str
    truth: float | str
    low: float | None
    high: float | None
    probability: float | None


class Period(NamedTuple):
    """The cases of one month, by its first day.

    ``held`` is how many were inside their range, or of the class that was named; ``error`` is the
    median of how far off the answers were, in the output's unit, or the share of wrong classes.
    ``expected`` is how often the probabilities let one expect that the class is right, None for
    numbers.
    """

    first: dt.date
    cases: int
    held: int
    error: float
    expected: float | None


class TrackRecord(NamedTuple):
    """What became of the answers of one version of a model.

    ``held`` and ``error`` are as in ``Period``, None and 0 where there is no range. ``below`` and
    ``above`` count the truths on each side of the range. ``fifths`` are the shares that held, from
    the lowest fifth of the answers to the highest, and ``reliability`` how often the class that was
    named was right. ``recent`` is how many of the last ``RECENT`` held. ``since`` is the day of the
    case with which the alarm came. ``sure`` are the cases of which it was sure and ``sure_since``
    is the day of their alarm, both None where it does not say how sure it is, or nobody measured
    what that means.
    """

    cases: int
    held: int | None
    error: float
    below: int
    above: int
    fifths: tuple[float, ...]
    reliability: tuple[ReliabilityBin, ...]
    periods: tuple[Period, ...]
    recent: int
    promise: Promise | None
    alarm: Alarm | None
    since: dt.date | None
    sure: SureCases | None = None
    sure_since: dt.date | None = None

    @property
    def is_too_sure(self) -> bool:
        """Whether the probabilities turned out to be too high."""
        return self.sure is not None and self.sure.alarm is not None

    @property
    def is_broken(self) -> bool:
        """Whether a promise turned out to be broken."""
        return self.alarm is not None or self.is_too_sure

    @property
    def recent_text(self) -> str:
        """How many of the last cases held, as a sentence says it."""
        return f"{self.recent} of the last {min(self.cases, RECENT)}"


def summarize_cases(model: ServedModel[Any, Any], cases: Sequence[KnownCase]) -> TrackRecord | None:
    """Sum up cases in the order in which they came true; None where there are none.

    Of a model with several answers it is the first.
    """
    if not cases:
        return None
    is_number = not isinstance(cases[0].value, str)
    if is_number:
        off = np.array([abs(float(case.truth) - float(case.value)) for case in cases])
        ranged = all(case.low is not None and case.high is not None for case in cases)
    else:
        off = np.array([case.truth != case.value for case in cases], dtype=np.float64)
        ranged = False
    truths = np.array([case.truth for case in cases]) if ranged else off
    below = truths < np.array([case.low for case in cases]) if ranged else off < 0
    above = truths > np.array([case.high for case in cases]) if ranged else off > 0
    held: BoolArray = ~(below | above)
    judged = ranged or model.names_classes
    promise = find_promise(model, cases) if judged else None
    sure_promise, sure = find_sure_promise(model.reliability), None
    tests = (promise is not None) + (sure_promise is not None)
    alarm = None if promise is None else find_alarm(held, promise, tests=tests)
    if sure_promise is not None:
        given = np.array([case.probability for case in cases], dtype=np.float64)  # None is NaN
        sure = judge_sureness(given, held, sure_promise, RECENT, tests)
    return TrackRecord(
        len(cases),
        int(held.sum()) if judged else None,
        _measure_error(off, is_number),
        int(below.sum()) if ranged else 0,
        int(above.sum()) if ranged else 0,
        _find_fifths(cases, held) if ranged else (),
        _find_reliability(cases, held),
        tuple(_list_periods(cases, held, off, is_number)),
        int(held[-RECENT:].sum()),
        promise,
        alarm,
        None if alarm is None else cases[alarm.cases - 1].day,
        sure,
        None if sure is None or sure.place is None else cases[sure.place].day,
    )


def find_promise(model: ServedModel[Any, Any], cases: Sequence[KnownCase]) -> Promise | None:
    """Find what held-out rows promise for cases with these facts; None where nothing was measured.

    For ranges it is what they were calibrated for, or less where less was measured; for classes how
    often they were right.
    """
    optional = {name for name, field in model.fields.items() if not field.required}
    counts: dict[frozenset[str], int] = {}
    for case in cases:
        known = frozenset(optional.intersection(case.facts))
        counts[known] = counts.get(known, 0) + 1
    measured: list[tuple[float, int, int]] = []
    for known, count in counts.items():
        promised = model.find_promise(known)
        if promised is None:
            return None
        measured.append((*promised, count))
    share = sum(share * count for share, _, count in measured) / len(cases)
    return Promise(share, min(rows for _, rows, _ in measured))


def describe_verdict(model: ServedModel[Any, Any], record: TrackRecord) -> str:
    """Say whether the promises hold."""
    verdict = _describe_promise(model, record)
    if record.sure is None or record.sure.alarm is None:
        return verdict
    locale = model.card.locale
    said = formatting.format_percent(record.sure.said, locale)
    after = formatting.format_number(record.sure.alarm.cases, locale)
    when = "" if record.sure_since is None else formatting.format_date(record.sure_since, locale)
    return (
        f"{verdict} Its probabilities are too sure. {describe_too_sure(model, record)} It said "
        f"{said} on average. That was clear after {after} such cases, {when}; by chance alone it "
        "happens to at most 5 of 100 sound models. Held-out rows of now would calibrate them anew."
    )


def describe_too_sure(model: ServedModel[Any, Any], record: TrackRecord) -> str:
    """Say how often a model was right where it was sure; "" where that was as promised."""
    if record.sure is None or not record.is_too_sure:
        return ""
    return describe_sureness(record.sure, model.rows_noun, model.card.locale)


def _describe_promise(model: ServedModel[Any, Any], record: TrackRecord) -> str:
    """Say whether ranges held, or classes were right, as often as promised."""
    locale, noun = model.card.locale, model.rows_noun
    cases = formatting.format_number(record.cases, locale)
    if record.held is None:
        return (
            f"{cases} {noun} are known. The model promises nothing about them that could be tested."
        )
    held = formatting.format_number(record.held, locale)
    share = formatting.format_percent(record.held / record.cases, locale, digits=1)
    found = f"{model.held_text} {held} of {cases} {noun}, {share}."
    if record.promise is None:
        return f"{found} What to expect was not measured on rows that the model had not seen."
    rows = formatting.format_number(record.promise.rows, locale)
    promised = formatting.format_percent(record.promise.share, locale, digits=1)
    expected = f"{promised} were expected, as measured on {rows} rows that it had not seen"
    if record.alarm is None:
        if record.cases < FEW:
            return f"{found} {expected}: too few to tell, nothing speaks against it so far."
        return f"{found} {expected}: that still holds."
    after = formatting.format_number(record.alarm.cases, locale)
    when = "" if record.since is None else f", {formatting.format_date(record.since, locale)}"
    since = "has become untrue" if record.alarm.kind == "change" else "is no longer true"
    if record.held / record.cases >= record.promise.share:
        since = "was untrue for a time"
    sides = ""
    if record.above + record.below:
        side, count = max(("above", record.above), ("below", record.below), key=lambda one: one[1])
        number = formatting.format_number(count, locale)
        sides = f" In {number} of the others the truth was {side} the range."
    return (
        f"{found} {expected}: this {since}. It was clear after {after} {noun}{when}; by chance "
        f"alone that happens to at most 5 of 100 sound models.{sides} Check that the columns mean "
        "what the form asks; if they do, train it again with data of now."
    )


def _measure_error(off: Float64Array, is_number: bool) -> float:
    return float(np.median(off) if is_number else off.mean())


def _find_fifths(cases: Sequence[KnownCase], held: BoolArray) -> tuple[float, ...]:
    if len(cases) < _FIFTHS * _LEAST_IN_BIN:
        return ()
    order = np.argsort([float(case.value) for case in cases], kind="stable")
    return tuple(float(part.mean()) for part in np.array_split(held[order], _FIFTHS))


def _find_reliability(cases: Sequence[KnownCase], right: BoolArray) -> tuple[ReliabilityBin, ...]:
    given = np.array([case.probability is not None for case in cases])
    if not given.any():
        return ()
    shares = np.array([case.probability for case in cases], dtype=np.float64)[given]
    order, bins = np.argsort(shares, kind="stable"), int(given.sum()) // _LEAST_IN_BIN
    if not bins:
        return ()
    return tuple(
        ReliabilityBin(
            probability=float(shares[part].mean()),
            right=float(right[given][part].mean()),
            rows=len(part),
        )
        for part in np.array_split(order, min(bins, _MOST_BINS))
    )


def _list_periods(
    cases: Sequence[KnownCase], held: BoolArray, off: Float64Array, is_number: bool
) -> list[Period]:
    """The months with cases, the first one first."""
    places = sorted(range(len(cases)), key=lambda place: cases[place].day)
    periods = []
    for first, group in groupby(places, key=lambda place: cases[place].day.replace(day=1)):
        own = list(group)
        sure = [share for place in own if (share := cases[place].probability) is not None]
        expected = sum(sure) / len(sure) if sure else None
        error = _measure_error(off[own], is_number)
        periods.append(Period(first, len(own), int(held[own].sum()), error, expected))
    return periods
