"""Classes that are steps of a scale: recognising them, and measuring how far off answers are."""

import math
import re
from collections.abc import Sequence

import numpy as np

from model.contract.arrays import Float64Array, IntArray
from model.contract.manifest import Metric, OrdinalCalibration, OrdinalGroup
from model.making.errors import AddError
from model.making.kinds.output_kind import FOLDS, find_fullest_group, make_metric, make_share
from model.making.options import AddOptions
from model.making.rows.dataset import Dataset
from model.making.rows.subsets import assign_folds, iterate_folds, iterate_groups
from model.serving.ordinal import compute_masses, find_ends

LEAST_STEPS = 3
"""Classes below which an order says nothing."""

_NO_ORDER = ("no",)

_SCALES = tuple(
    tuple(words.split())
    for words in (
        "very_low low medium high very_high",
        "very_low low mid high very_high",
        "very_low low moderate high very_high",
        "very_low low normal high very_high",
        "very_low low average high very_high",
        "xxs xs s m l xl xxl xxxl",
        "tiny small medium large huge",
        "small mid large",
        "very_poor poor fair good very_good excellent",
        "terrible bad average good excellent",
        "terrible bad ok good great",
        "poor average good excellent",
        "none mild moderate severe critical",
        "none minor moderate major severe",
        "minor major critical",
        "never rarely sometimes often always",
        "never seldom sometimes usually always",
        "strongly_disagree disagree neutral agree strongly_agree",
        "very_dissatisfied dissatisfied neutral satisfied very_satisfied",
        "very_negative negative neutral positive very_positive",
        "very_unlikely unlikely neutral likely very_likely",
        "novice beginner intermediate advanced expert",
        "bronze silver gold platinum diamond",
        "cold cool mild warm hot",
        "slow medium fast",
        "weak medium strong",
        "easy medium hard",
        "cheap moderate expensive",
        "young middle_aged old",
        "child teenager adult senior",
        "junior mid senior",
        "i ii iii iv v vi",
        "first second third fourth fifth",
    )
)
"""Words that are steps wherever they stand together, from the lowest."""

_NUMBERED = re.compile(r"(\D*?)(\d{1,3})(\D*)")
_HINTS = frozenset((
    "grade", "grades", "level", "levels", "quality", "rank", "rating", "ratings", "review",
    "satisfaction", "score", "scores", "severity", "stage", "star", "stars", "step", "steps",
    "tier",
))  # fmt: skip
"""Words in a target's name that say that numbers from 0 are steps, too."""

_LEAST_FOR_FOLDS = 20
_MILLION = 1_000_000


def choose_order(values: Sequence[str], options: AddOptions) -> tuple[str, ...]:
    """Choose the order of classes, from the lowest: as somebody said, or as they look.

    Returns:
        The order; empty where they are no steps.

    Raises:
        AddError: if somebody named other classes.
    """
    if options.order == _NO_ORDER:
        return ()
    if options.order:
        if sorted(options.order) != sorted(values):
            raise AddError(
                f"--order must name each class once, the lowest first: {', '.join(values)}."
            )
        return options.order
    order, is_sure = find_order(values, options.target)
    return order if is_sure else ()


def describe_order(order: Sequence[str], values: Sequence[str], target: str, is_risk: bool) -> str:
    """Say what was guessed of an order, and what to write where that is wrong; "" for nothing.

    Args:
        order: that was taken; empty for none.
        values: the classes.
        target: the name of the column.
        is_risk: whether the probability of one class is the answer.
    """
    seen, is_sure = find_order(values, target)
    if is_sure and seen == tuple(order):
        return (
            f"Its classes look like steps of a scale, from {seen[0]} to {seen[-1]}, and stand in "
            "that order. If they are none: --order no"
        )
    if seen and not (is_sure or order or is_risk):
        return (
            "Its classes are numbers in a row, and may stand for anything. If they are steps of a "
            f"scale: --order {','.join(seen)}"
        )
    return ""


def find_order(values: Sequence[str], target: str) -> tuple[tuple[str, ...], bool]:
    """Find the order of classes that look like steps of a scale, from the lowest.

    Args:
        values: the classes.
        target: the name of the column.

    Returns:
        The order, empty where the classes do not look like steps; and whether that is sure enough
        to show it. Numbers from 0 may be codes of anything, unless the target's name tells.
    """
    if len(values) < LEAST_STEPS:
        return (), False
    folded = {_fold(value): value for value in values}
    for scale in _SCALES:
        if set(folded) <= set(scale) and len(folded) == len(values):
            return tuple(folded[word] for word in scale if word in folded), True
    matches = [_NUMBERED.fullmatch(_fold(value)) for value in values]
    numbers = {int(found[2]): value for found, value in zip(matches, values, strict=True) if found}
    affixes = {(found[1], found[3].removesuffix("s")) for found in matches if found}
    if None in matches or len(affixes) != 1:
        return (), False
    first, last = min(numbers), max(numbers)
    if last - first + 1 != len(values) or len(numbers) != len(values):
        return (), False
    named = _HINTS.intersection(re.split(r"[^a-z]+", f"{target} {values[0]}".casefold()))
    return tuple(numbers[number] for number in sorted(numbers)), first > 0 or bool(named)


def _fold(value: str) -> str:
    """A value as the scales spell it; a whole number that was read as a float without its 0."""
    text = re.sub(r"[\s_-]+", "_", value.strip().casefold())
    return text.removesuffix(".0") if re.fullmatch(r"\d+\.0", text) else text


def measure_steps(probabilities: Float64Array, truth: IntArray) -> tuple[Metric, ...]:
    """Measure how many steps the likeliest class is off.

    Args:
        probabilities: in the order of the scale, shape (rows, classes).
        truth: the steps of the true classes, shape (rows,).
    """
    steps = np.abs(probabilities.argmax(axis=1) - truth)
    return (
        make_share("close", "Right, or one step off", float(np.mean(steps <= 1))),
        make_metric("steps", "Steps off, on average", float(np.mean(steps))),
    )


def measure_ranges(calibration: OrdinalCalibration) -> tuple[Metric, ...]:
    """Measure how often the ranges hold where most facts are known; nothing for too few rows."""
    fullest = find_fullest_group(calibration.groups)
    if fullest.inside is None:
        return ()
    label = f"Rows inside their range of likely classes ({calibration.coverage:.0%} is the aim)"
    return (make_share("coverage", label, fullest.inside),)


def calibrate_ranges(
    dataset: Dataset, order: Sequence[str], values: Sequence[str], coverage: float
) -> OrdinalCalibration:
    """Calibrate the range of likely classes on held-out rows, and measure how often it holds.

    Args:
        dataset: has held-out rows.
        order: the classes from the lowest step.
        values: the same in the order of the model.
        coverage: of the ranges, like 0.9.
    """
    places = [values.index(value) for value in order]
    steps = np.argsort(places)
    rows, truth = dataset.matrix[dataset.held_out], dataset.truth[dataset.held_out]
    groups = []
    for known, unknown, chosen, masked in iterate_groups(rows, dataset.optional):
        probabilities = dataset.answer(masked)[:, places]
        right = steps[truth[chosen].astype(np.int64)]
        masses = compute_masses(probabilities)
        close = np.abs(probabilities.argmax(axis=1) - right) <= 1
        groups.append(
            OrdinalGroup(
                known=known,
                unknown=unknown,
                rows=len(chosen),
                close=round(float(close.mean()), 4),
                threshold=_find_threshold(masses, right, coverage),
                inside=_measure_inside(masses, right, coverage),
            )
        )
    return OrdinalCalibration(order=tuple(order), coverage=coverage, groups=tuple(groups))


def _find_threshold(masses: Float64Array, truth: IntArray, coverage: float) -> float | None:
    """The quantile of the scores of true classes; None where there are too few rows."""
    rank = math.ceil((len(truth) + 1) * coverage)
    if rank > len(truth):
        return None
    scores = np.sort(masses[np.arange(len(truth)), truth])
    return math.ceil(min(float(scores[rank - 1]), 1.0) * _MILLION) / _MILLION


def _measure_inside(masses: Float64Array, truth: IntArray, coverage: float) -> float | None:
    """The share of rows inside a range that others set, by cross-validation."""
    if len(truth) < _LEAST_FOR_FOLDS:
        return None
    inside = np.zeros(len(truth), dtype=bool)
    for others, own in iterate_folds(assign_folds(len(truth), FOLDS, np.random.default_rng(0))):
        threshold = _find_threshold(masses[others], truth[others], coverage)
        if threshold is None:
            return None
        low, high = find_ends(masses[own], np.full(len(own), threshold))
        inside[own] = (low <= truth[own]) & (truth[own] <= high)
    return round(float(inside.mean()), 4)
