"""Tests whether a model is right as often as it was, where it is sure.

A model of classes can name the right class as often as before, and be surer of it than it should.
The surer half of the held-out rows shows how often it is right there, and every later case of which
it is as sure is held against that (see ``model.monitoring.coverage``).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from model.contract import formatting
from model.contract.arrays import BoolArray, Float64Array
from model.contract.manifest import ReliabilityBin
from model.monitoring.coverage import Alarm, Promise, find_alarm


class SurePromise(NamedTuple):
    """What held-out rows promise where a model is sure: with a probability from ``threshold`` on.

    ``probability`` is the mean of theirs, and ``promise`` how often the class that was named was
    right.
    """

    threshold: float
    probability: float
    promise: Promise


class SureCases(NamedTuple):
    """The last ``cases`` of which a model was sure, with a probability from ``threshold`` on.

    ``said`` is the mean of these, and ``right`` says how often the class that was named was right.
    ``alarm`` counts the cases of which it was sure; ``place`` is the case in which it came among
    all, from 0.
    """

    threshold: float
    cases: int
    said: float
    right: int
    alarm: Alarm | None
    place: int | None


def find_sure_promise(bins: Sequence[ReliabilityBin]) -> SurePromise | None:
    """Find what the surer half of the held-out rows promises; None for too few bins of them."""
    half = len(bins) // 2
    if not half:
        return None
    sure = bins[half:]
    rows = sum(one.rows for one in sure)
    probability = sum(one.probability * one.rows for one in sure) / rows
    right = sum(one.right * one.rows for one in sure) / rows
    threshold = (bins[half - 1].probability + sure[0].probability) / 2
    return SurePromise(threshold, probability, Promise(right, rows))


def judge_sureness(
    probabilities: Float64Array, right: BoolArray, sure: SurePromise, recent: int, tests: int
) -> SureCases | None:
    """Test whether a model is right as often as promised, where it is sure; None where it never is.

    Args:
        probabilities: of the class that was named, in the order in which the cases came true, shape
            (cases,); NaN where there is none.
        right: whether it was right, shape (cases,).
        sure: what was promised.
        recent: how many of the last cases are counted.
        tests: how many promises of the model are tested.
    """
    places = np.flatnonzero(probabilities >= sure.threshold)
    if not len(places):
        return None
    given, was_right = probabilities[places], right[places]
    alarm = find_alarm(was_right, sure.promise, given - sure.probability, tests)
    return SureCases(
        sure.threshold,
        len(given[-recent:]),
        float(given[-recent:].mean()),
        int(was_right[-recent:].sum()),
        alarm,
        None if alarm is None else int(places[alarm.cases - 1]),
    )


def describe_sureness(sure: SureCases, noun: str, locale: str) -> str:
    """Say how often a model was right where it was sure."""
    least = formatting.format_percent(math.floor(100 * sure.threshold) / 100, locale)
    cases, right = (formatting.format_number(count, locale) for count in (sure.cases, sure.right))
    return (
        f"Where it was at least {least} sure, it was right for {right} of the last {cases} {noun}."
    )
