"""Conformal prediction intervals, with the quantiles of the known optional facts."""

from collections.abc import Sequence

import numpy as np

from model.contract import formatting
from model.contract.arrays import Float64Array, FloatArray
from model.contract.manifest import Calibration, CalibrationGroup, ResidualScale
from model.serving.fact_groups import FactGroups


def apply_scale(values: FloatArray, scale: ResidualScale) -> Float64Array:
    """The values on a scale, in the same shape: their roots, their logarithms, or as they are.

    Roots are those of 0 for values below.
    """
    if scale == "sqrt":
        return np.sqrt(np.maximum(values, 0.0), dtype=np.float64)
    if scale == "log":
        return np.log(values, dtype=np.float64)
    return np.asarray(values, dtype=np.float64)


def compute_bounds(
    values: Float64Array,
    spreads: FloatArray | None,
    knots: Float64Array,
    lows: Float64Array,
    highs: Float64Array,
    scale: ResidualScale,
) -> tuple[Float64Array, Float64Array]:
    """The lower and upper bounds of some predictions, both shape (rows,), in their unit.

    Args:
        values: the predicted numbers, shape (rows,).
        spreads: the scales of their errors, shape (rows,); None counts as 1.
        knots: ascending predictions, shape (knots,); between two of them the ends are interpolated.
        lows: the lower ends there, from the prediction, in spreads, 0 or less, shape (knots,).
        highs: the upper ends there, 0 or more, shape (knots,).
        scale: on which the ends count. One of roots keeps the bounds from going below 0.
    """
    low, high = np.interp(values, knots, lows), np.interp(values, knots, highs)
    if spreads is not None:
        low, high = low * spreads, high * spreads
    if scale == "log":
        return values * np.exp(low), values * np.exp(high)
    if scale == "sqrt":
        roots = apply_scale(values, scale)
        return np.maximum(roots + low, 0.0) ** 2, (roots + high) ** 2
    return values + low, values + high


ENOUGH_ROWS = 500
"""Held-out rows from which each fifth of the predictions holds what is said, in 97 of 100 holdouts
(`python -m tests.studies.honesty`)."""

FEW_ROWS = 100
"""Held-out rows below which nothing is said of a part of the predictions."""


def describe_evidence(group: CalibrationGroup, locale: str) -> str:
    """What held-out rows showed of the intervals of a group, and what they cannot promise."""
    if group.rows is None:
        return ""
    rows = formatting.format_number(group.rows, locale)
    if group.inside is None:
        return (
            f"The range was set on {rows} cases it had not seen, too few to measure how often "
            "it holds."
        )
    measured = f"Measured on {rows} cases it had not seen"
    if group.rows < FEW_ROWS:
        return f"{measured}, too few to say how it is for low or for high answers."
    *most, last = (str(round(share * 100)) for share in group.fifths)
    if group.rows < ENOUGH_ROWS:
        return (
            f"{measured}, for low and high answers only roughly: {', '.join(most)} and {last} of "
            "100 ranges held, from the lowest fifth of the answers to the highest."
        )
    least = round(min(group.fifths) * 100)
    return f"{measured}: among low and high answers, too, at least {least} of 100 ranges held."


class ConformalIntervals:
    """The calibration of one model, looked up by the set of known optional facts.

    Each set has its own intervals (Mondrian conformal prediction: Vovk, Gammerman and
    Shafer, Algorithmic Learning in a Random World, 2005, section 4.5), so that the coverage holds
    for each set of facts and not only on average. ``relative`` says whether widths and errors are
    shares of the prediction; else they are in its unit.
    """

    def __init__(self, calibration: Calibration, optional: tuple[str, ...]) -> None:
        self.relative = calibration.scale == "log"
        self._scale, self._coverage = calibration.scale, calibration.coverage
        self._optional = optional
        self._groups = FactGroups(calibration.groups, optional)
        self.find_group = self._groups.find
        # By identity, because the hash of a group is that of a hundred numbers.
        self._ends: dict[int, tuple[Float64Array, Float64Array, Float64Array]] = {
            id(group): (np.array(group.knots), np.array(group.lows), np.array(group.highs))
            for group in calibration.groups
        }

    def compute_bounds(
        self, values: Float64Array, spreads: FloatArray | None, groups: Sequence[CalibrationGroup]
    ) -> tuple[Float64Array, Float64Array]:
        """The lower and upper bounds of some rows, each shape (rows,), in the unit of ``values``.

        Args:
            values: the predicted numbers, shape (rows,).
            spreads: the scales of their errors, shape (rows,); None counts as 1.
            groups: of the calibration, one for each row, or one for all.
        """
        first = groups[0]
        if all(group is first for group in groups):
            return compute_bounds(values, spreads, *self._ends[id(first)], self._scale)
        low, high = np.empty_like(values), np.empty_like(values)
        places = np.array([id(group) for group in groups])
        for key in set(places.tolist()):
            rows = places == key
            own = None if spreads is None else spreads[rows]
            low[rows], high[rows] = compute_bounds(values[rows], own, *self._ends[key], self._scale)
        return low, high

    def find_share(self, group: CalibrationGroup) -> float:
        """The share of intervals of a group that held, as measured; of an earlier model the aim."""
        return self._coverage if group.inside is None else group.inside

    def measure_gains(self, known: frozenset[str]) -> dict[str, float]:
        """By what share of the median width each unknown fact narrows the interval.

        Uses the widths that the training command measured, not this one row. Empty if they were
        measured by the number of facts alone.
        """
        if not self._groups.by_set:
            return {}
        now = self.find_group(known).width
        return {
            name: 1 - self.find_group(known | {name}).width / now
            for name in self._optional
            if name not in known
        }
