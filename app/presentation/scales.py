"""How the values of an output are said: rounded, with their unit, and as amounts between two."""

import math
from collections.abc import Callable
from typing import Protocol

from model import Card
from model.contract import formatting
from model.contract.fields import Counted
from model.contract.outputs import ClassOutput

MINUS = "\u2212"

POINT = Counted(one="point", other="points")
"""A hundredth of a probability: what a difference between two percentages is counted in."""

SUREST = 0.99
"""No model is ever surer than this in words, nor less sure than the rest of it."""


class Scale(Protocol):
    """What reasons and charts need to know of an output to speak of its values.

    ``step`` is what values are rounded to, ``fine`` what contributions are.
    """

    step: float
    fine: float

    def round(self, value: float, rounding: Callable[[float], int] = round) -> float:
        """A value as people round it."""

    def format(self, value: float) -> str:
        """A rounded value as people read it."""

    def apart(self, amount: float) -> str:
        """A rounded distance between two values, at least 0."""

    def observed(self, answer: float) -> str:
        """What was observed in a row of the data."""


def signed(scale: Scale, amount: float) -> str:
    """An amount with its sign, "+ $21,400" or "− 3 points"."""
    text = scale.apart(abs(amount))
    return text if amount == 0 else f"{'+' if amount > 0 else MINUS}\u00a0{text}"


class NumberScale:
    """Numbers in the unit and format of the card."""

    def __init__(self, card: Card) -> None:
        output = card.number
        self.step = output.round_to
        self.fine = self.step / 5 if self.step >= 5 else self.step
        if output.format == "currency":
            self.format = formatting.currency_spelling(output.unit, card.locale)
        else:
            # A number's usual spelling ends after three decimals.
            spell = formatting.precise if self.step < 0.001 else formatting.number
            unit = f"\u00a0{output.unit}" if output.unit else ""
            self.format = lambda value: spell(value, card.locale) + unit
        self.apart = self.observed = self.format

    def round(self, value: float, rounding: Callable[[float], int] = round) -> float:
        return rounding(value / self.step) * self.step


class ShareScale:
    """Probabilities in whole percent, distances between them in points."""

    step = fine = 0.01

    def __init__(self, output: ClassOutput, locale: str) -> None:
        self._classes, self._locale = output.classes, locale

    def round(self, value: float, rounding: Callable[[float], int] = round) -> float:
        """A probability in whole percent; within the ends that ``format`` can name."""
        return min(max(rounding(value * 100) / 100, 1 - SUREST), SUREST)

    def format(self, value: float) -> str:
        """A probability, rounded or not; no model is ever sure."""
        if value > SUREST:
            return f"over {formatting.percent(SUREST, self._locale)}"
        if value < 1 - SUREST:
            return f"under {formatting.percent(1 - SUREST, self._locale)}"
        return formatting.percent(round(value, 2), self._locale)

    def apart(self, amount: float) -> str:
        points = round(amount * 100)
        form = formatting.plural_form(points, self._locale)
        noun = getattr(POINT, form) or POINT.other
        return f"{formatting.number(points, self._locale)}\u00a0{noun}"

    def observed(self, answer: float) -> str:
        return self._classes[int(answer)].label


def ceiling(scale: Scale, amount: float) -> float:
    """The next multiple of the fine step, for an error that must not be said too small."""
    return math.ceil(amount / scale.fine) * scale.fine
