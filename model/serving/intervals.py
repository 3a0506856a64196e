"""Conformal prediction intervals, with the quantiles of the known optional facts."""

import math
from collections.abc import Iterable, Sequence

from model.contract.manifest import Calibration, CalibrationGroup


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
        self, values: Sequence[float], scales: Sequence[float], group: CalibrationGroup
    ) -> tuple[list[float], list[float]]:
        """The lower and upper bounds of a few rows of one group, in the unit of ``values``.

        A plain loop, because NumPy takes longer than that to start.
        """
        lows, highs, exp = [], [], math.exp
        below, above = -group.low, group.high
        for value, scale in zip(values, scales, strict=True):
            if self.relative:
                lows.append(value * exp(below * scale))
                highs.append(value * exp(above * scale))
            else:
                lows.append(value + below * scale)
                highs.append(value + above * scale)
        return lows, highs

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
