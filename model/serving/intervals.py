"""From a value and its spread to an honest range: conformal quantiles by which facts are known."""

import math
from collections.abc import Iterable, Sequence

from model.contract.card import Calibration, Group


class ConformalIntervals:
    """The calibration of one model, looked up by the set of known optional facts.

    Each set has its own conformal quantiles (Mondrian conformal prediction: Vovk, Gammerman and
    Shafer, Algorithmic Learning in a Random World, 2005, section 4.5), so that the coverage holds
    whatever is given and not only on average over what people give.
    """

    def __init__(self, calibration: Calibration, optional: tuple[str, ...]) -> None:
        self.coverage = calibration.coverage
        self._log = calibration.scale == "log"
        self._optional = optional
        self._groups = {frozenset(group.known): group for group in calibration.groups}
        self._by_count = {
            group.unknown: group for group in calibration.groups if group.unknown is not None
        }

    @property
    def relative(self) -> bool:
        """Whether widths and errors are shares of the prediction, or else in its unit."""
        return self._log

    def group(self, known: Iterable[str]) -> Group:
        """The calibration for exactly these known optional facts, or for as many unknown ones.

        Raises:
            KeyError: if the manifest has no such group.
        """
        facts = frozenset(known)
        if self._by_count:
            return self._by_count[len(self._optional) - len(facts)]
        return self._groups[facts]

    def missing_groups(self) -> int:
        """How many groups of the optional facts have no calibration; 0 in a sound manifest."""
        if self._by_count:
            return len(set(range(len(self._optional) + 1)) - set(self._by_count))
        return int(2 ** len(self._optional)) - len(self._groups)

    def ends(self, value: float, spread: float, group: Group) -> tuple[float, float]:
        """Low and high end for one row, in the unit of ``value``."""
        if self._log:
            return value * math.exp(-group.low * spread), value * math.exp(group.high * spread)
        return value - group.low * spread, value + group.high * spread

    def bounds(
        self, values: Sequence[float], spreads: Sequence[float], group: Group
    ) -> tuple[list[float], list[float]]:
        """Low and high ends for a few rows of one group, as ``ends`` gives them for each.

        Without NumPy, which would take longer to begin, and without a call a row.
        """
        lows, highs, exp = [], [], math.exp
        below, above = -group.low, group.high
        for value, spread in zip(values, spreads, strict=True):
            if self._log:
                lows.append(value * exp(below * spread))
                highs.append(value * exp(above * spread))
            else:
                lows.append(value + below * spread)
                highs.append(value + above * spread)
        return lows, highs

    def narrowing(self, known: frozenset[str]) -> tuple[str, float] | None:
        """The unknown fact that narrows the range most, and by which share of the median width.

        Read from the widths that the training command measured, not from this one row; None where
        they were measured by the number of facts alone.
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
