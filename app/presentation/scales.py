"""How an output's values are written: rounded, with their unit, and as differences."""

import math
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Protocol

from model import NumberCard
from model.contract import formatting
from model.contract.amounts import MINUS, format_points, make_difference_writer, make_writer
from model.contract.manifest import ProbabilityCalibration
from model.contract.outputs import ClassOutput

format_exact: Callable[[float], str] = "{:.10g}".format
"""Formats a number for programs, with ten significant digits."""

MAX_CERTAINTY = 0.99
"""No text gives a probability above this, nor one below its complement."""

_NEAR_CAP = 0.005
"""A probability this close below the largest one that the rows allow counts as that."""

ENOUGH_FOR_EXTREMES = 100
"""Held-out rows from which a text says that a probability is over or under a bound."""


class Scale(Hashable, Protocol):
    """Rounds and formats the values of one output.

    Values are rounded to ``step``, contributions to ``fine_step``. ``least_span`` is what an axis
    spans at least, so that a difference that nobody would notice does not look large; beyond
    ``limits`` it goes for no span. Ticks are round multiples of the largest of ``tick_bases`` that
    fits, or of 1.
    """

    step: float
    fine_step: float
    least_span: float
    limits: tuple[float, float]
    tick_bases: tuple[float, ...]

    def round(self, value: float, rounding: Callable[[float], int] = round) -> float:
        """Round a value to ``step``."""

    def format(self, value: float) -> str:
        """Format a rounded value."""

    def format_tick(self, value: float) -> str:
        """Format a value on an axis, as short as it can be read."""

    def format_difference(self, amount: float) -> str:
        """Format a rounded difference between two values, at least 0."""

    def format_observed(self, value: float) -> str:
        """Format what was observed in a row of the data."""


def format_signed(scale: Scale, amount: float) -> str:
    """Format an amount with its sign, "+ $21,400" or "− 3 points"."""
    text = scale.format_difference(abs(amount))
    return text if amount == 0 else f"{'+' if amount > 0 else MINUS}\u00a0{text}"


class NumberScale:
    """Numbers in the unit and format of the card."""

    def __init__(self, card: NumberCard) -> None:
        output = card.output
        self.step = output.round_to
        self.fine_step = self.step / 5 if self.step >= 5 else self.step
        self.least_span = 4 * self.step
        self.limits = (
            -math.inf if output.min is None else output.min,
            math.inf if output.max is None else output.max,
        )
        self.tick_bases: tuple[float, ...] = ()
        self.format = self.format_observed = make_writer(output, card.locale)
        self.format_difference = make_difference_writer(output, card.locale)
        # The unit of a plain number stands above the axis, and an axis has little room.
        currency = output.unit if output.format == "currency" else ""
        self.format_tick: Callable[[float], str] = partial(
            formatting.format_compact, locale=card.locale, currency=currency
        )
        if output.format == "percent":
            self.format_tick = lambda value: format_tick_percent(value / output.whole, card.locale)
        if output.format == "duration":
            self.format_tick = self.format
            self.tick_bases = tuple(base / output.seconds for base in (60.0, 3600.0, 86_400.0))

    def round(self, value: float, rounding: Callable[[float], int] = round) -> float:
        # What lies on a step but for the rounding of floats stays on it: 0.3 is 3 steps of 0.1.
        return rounding(round(value / self.step, 4)) * self.step


class PercentScale:
    """Shares in whole percent, differences between them in points.

    What was observed in a row is one of ``labels``, by its index.
    """

    step = fine_step = 0.01
    least_span = 0.1
    tick_bases: tuple[float, ...] = ()

    def __init__(
        self, locale: str, labels: Sequence[str] = (), bounds: tuple[float, float] = (-1.0, 1.0)
    ) -> None:
        self._locale, self._labels = locale, labels
        self._low, self._high = self.limits = bounds

    def round(self, value: float, rounding: Callable[[float], int] = round) -> float:
        """Round a share to whole percent, within the bounds."""
        return min(max(rounding(value * 100) / 100, self._low), self._high)

    def format(self, value: float) -> str:
        """Format a share, rounded or not."""
        return formatting.format_percent(self.round(value), self._locale)

    def format_tick(self, value: float) -> str:
        return formatting.format_percent(value, self._locale)

    def format_difference(self, amount: float) -> str:
        return format_points(amount, self._locale)

    def format_observed(self, value: float) -> str:
        return self._labels[int(value)]


class ShareScale(PercentScale):
    """Probabilities in whole percent, within the bounds that ``format`` can name.

    A text says "over 99%" only where the probabilities were calibrated on enough held-out rows.
    """

    def __init__(
        self, output: ClassOutput, locale: str, calibration: ProbabilityCalibration | None
    ) -> None:
        labels = [item.label for item in output.classes]
        super().__init__(locale, labels, (1 - MAX_CERTAINTY, MAX_CERTAINTY))
        self.limits = (0.0, 1.0)
        self._rows = (calibration and calibration.rows) or 0
        self._most = MAX_CERTAINTY
        if calibration is not None:
            self._most = min(MAX_CERTAINTY, calibration.most - _NEAR_CAP)
        self.names_extremes = self._rows >= ENOUGH_FOR_EXTREMES

    def describe_sureness(self, share: float, case: str) -> str:
        """How sure the model is; where the held-out cases allow no more, that it is as sure.

        ``case`` is what a held-out case is, "row" or "picture".
        """
        if self._rows and not self.names_extremes and share >= self._most:
            allow = f"{case} allows" if self._rows == 1 else f"{case}s allow"
            return f"as sure as {self._rows} {allow}"
        return f"{self.format(share)} sure"

    def format(self, value: float) -> str:
        """Format a probability, rounded or not; none is shown as certain."""
        if self.names_extremes and value > MAX_CERTAINTY:
            return f"over {formatting.format_percent(MAX_CERTAINTY, self._locale)}"
        if self.names_extremes and value < 1 - MAX_CERTAINTY:
            return f"under {formatting.format_percent(1 - MAX_CERTAINTY, self._locale)}"
        return super().format(value)


def format_tick_percent(share: float, locale: str) -> str:
    """Format a share with as many decimals of a percentage as it has, three at most."""
    digits = next((count for count in range(3) if math.isclose(share, round(share, count + 2))), 3)
    return formatting.format_percent(share, locale, digits)


def round_up(scale: Scale, amount: float) -> float:
    """Round up to the fine step, so that no error is stated too small."""
    return math.ceil(amount / scale.fine_step) * scale.fine_step


def write_held(share: float, rows: int | None) -> str:
    """Write how often something held: "9 of 10", or "57 of 63" where there were so few rows."""
    count = 100 if rows is None else min(rows, 100)
    held = round(share * count)
    return f"{held // 10} of 10" if count == 100 and held % 10 == 0 else f"{held} of {count}"
