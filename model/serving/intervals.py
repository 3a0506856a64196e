"""Conformal prediction intervals, with the quantiles of the known optional facts."""

from collections.abc import Iterable, Sequence

import numpy as np

from model.contract.arrays import Float64Array, FloatArray
from model.contract.manifest import Calibration, CalibrationGroup


def compute_bounds(
    values: Float64Array,
    scales: FloatArray | float,
    below: Float64Array,
    above: Float64Array,
    relative: bool,
) -> tuple[Float64Array, Float64Array]:
    """The bounds from ``below`` scales below each value to ``above`` scales above it.

    Args:
        values: the predicted numbers, shape (..., rows).
        scales: the scales of their errors, of the same shape.
        below: conformal quantiles of the errors below, in scales, 0 or more; of a shape that
            broadcasts to that of the values.
        above: the same of the errors above, of the same shape as ``below``.
        relative: whether the errors are those of the logarithm.
    """
    low, high = -below * scales, above * scales
    if relative:
        return values * np.exp(low), values * np.exp(high)
    return values + low, values + high


class ConformalIntervals:
    """The calibration of one model, looked up by the set of known optional facts.

    Each set has its own conformal quantiles (Mondrian conformal prediction: Vovk, Gammerman and
    Shafer, Algorithmic Learning in a Random World, 2005, section 4.5), so that the coverage holds
    for each set of facts and not only on average. ``relative`` says whether widths and errors are
    shares of the prediction; else they are in its unit.
    """

    def __init__(self, calibration: Calibration, optional: tuple[str, ...]) -> None:
        self.coverage = calibration.coverage
        self.relative = calibration.scale == "log"
        self._optional = optional
        self._groups = {frozenset(group.known): group for group in calibration.groups}
        self._by_count = {
            group.unknown: group for group in calibration.groups if group.unknown is not None
        }

    def find_group(self, known: Iterable[str]) -> CalibrationGroup:
        """The calibration of a set of known optional facts, or of their number.

        Raises:
            KeyError: if the manifest has no such group.
        """
        facts = frozenset(known)
        if self._by_count:
            return self._by_count[len(self._optional) - len(facts)]
        return self._groups[facts]

    def count_missing_groups(self) -> int:
        """How many groups of the optional facts have no calibration; 0 in a sound manifest."""
        if self._by_count:
            return len(set(range(len(self._optional) + 1)) - set(self._by_count))
        return int(2 ** len(self._optional)) - len(self._groups)

    def compute_bounds(
        self, values: Float64Array, scales: FloatArray | None, groups: Sequence[CalibrationGroup]
    ) -> tuple[Float64Array, Float64Array]:
        """The lower and upper bounds of some rows, each shape (rows,), in the unit of ``values``.

        Args:
            values: the predicted numbers, shape (rows,).
            scales: the scales of their intervals, shape (rows,); None counts as 1.
            groups: the calibration of each row, or one for all.
        """
        below = np.array([group.low for group in groups])
        above = np.array([group.high for group in groups])
        return compute_bounds(
            values, 1.0 if scales is None else scales, below, above, self.relative
        )

    def find_narrowing(self, known: frozenset[str]) -> tuple[str, float] | None:
        """The unknown fact that narrows the interval most, and its share of the median width.

        Uses the widths that the training command measured, not this one row. None if no fact
        narrows it, or if the widths were measured by the number of facts alone.
        """
        if self._by_count:
            return None
        now = self._groups[known].width
        widths = {
            name: self._groups[known | {name}].width for name in self._optional if name not in known
        }
        if not widths:
            return None
        best = min(widths, key=widths.__getitem__)
        share = 1 - widths[best] / now
        return (best, share) if share > 0 else None
