"""The parts of a card, drafted from the data: good enough to serve, to be improved by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.fields import Value
from model.making.bounds import widen_bounds
from model.making.columns import DataColumn
from model.making.missing_values import MissingInTraining
from model.making.naming import Naming

LOCALE = "en_US"
_TYPICAL = (0.05, 0.95)

REASONS_OPTIONAL: dict[MissingInTraining, str] = {
    "filled": "A step of the model fills in what is missing.",
    "seen": "The model was fitted on rows that lack it.",
    "never": "The model answers without it, but every row that it was fitted on had it: nobody "
    "knows what such an answer is worth.",
    "unknown": "The model answers without it. Its file does not tell whether it was fitted on such "
    "rows; if it was not, nobody knows what such an answer is worth.",
}
"""Why a fact may be left empty, by what the model saw when it was fitted."""


@dataclass(frozen=True)
class DraftField:
    """One field: its column, whether it may be left empty, and its numbers.

    ``low`` and ``high`` admit every row and more; most rows lie within ``typical``. ``reference``
    is the median, or the most frequent value; ``missing_in_training`` says what the model saw of
    rows that lack it.
    """

    column: DataColumn
    required: bool
    low: float
    high: float
    typical: tuple[float, float]
    reference: float | str
    missing_in_training: MissingInTraining = "unknown"

    @property
    def name(self) -> str:
        """The field's name."""
        return self.column.naming.name

    @property
    def accepted(self) -> str:
        """What the field accepts, in a few words."""
        if self.column.kind == "choice":
            return ", ".join(self.column.labels)
        if self.column.kind == "flag":
            return "yes or no"
        return self.format_range(self.low, self.high)

    @property
    def is_year(self) -> bool:
        """Whether it is the number of a year, which gets no thousands separator."""
        whole = self.column.kind == "integer" and self.low >= 1000 and self.high <= 2999
        return whole and "year" in self.name

    def format_range(self, low: float, high: float) -> str:
        """Write two numbers as the form shows them, with its unit."""
        ends = [formatting.format_short(end, LOCALE, not self.is_year) for end in (low, high)]
        unit = f"\u00a0{self.column.naming.unit}" if self.column.naming.unit else ""
        return f"{ends[0]}{unit}" if low == high else f"{ends[0]} to {ends[1]}{unit}"


@dataclass(frozen=True)
class DraftOutput:
    """What the model answers. ``classes`` (value, label) are empty for a number."""

    naming: Naming
    classes: tuple[tuple[str, str], ...] = ()
    probabilities: bool = True
    round_to: float = 1
    coverage: float = 0.9


@dataclass(frozen=True)
class CardText:
    """The sentences of a card, and its examples by title."""

    title: str
    summary: str
    data_text: str
    limits: tuple[str, ...]
    not_for: tuple[str, ...]
    examples: tuple[tuple[str, Mapping[str, Value]], ...] = field(default=())


def draft_field(
    column: DataColumn,
    required: bool,
    codes: Float64Array,
    missing_in_training: MissingInTraining = "unknown",
) -> DraftField:
    """Draft a field.

    Args:
        column: what its column is.
        required: False where it may be left empty.
        codes: the column as a predictor sees it, shape (rows,); NaN where unknown.
        missing_in_training: what the model saw of rows that lack it.
    """
    known = codes[~np.isnan(codes)]
    if column.kind == "choice":
        most_frequent = int(np.bincount(known.astype(int)).argmax())
        reference: float | str = format_choice_value(column, most_frequent)
        last = len(column.labels) - 1
        return DraftField(column, required, 0, last, (0, 0), reference, missing_in_training)
    if column.kind == "flag":
        reference = bool(known.mean() > 0.5)
        return DraftField(column, required, 0, 1, (0, 1), reference, missing_in_training)
    low, high = widen_bounds(known, column.kind == "integer", column.naming.unit)
    typical = np.quantile(known, _TYPICAL, method="nearest")
    # "nearest" takes a value of the data: the mean of two of them may be a value that nobody has.
    median = float(np.quantile(known, 0.5, method="nearest"))
    reference = int(median) if column.kind == "integer" else formatting.round_short(median)
    return DraftField(
        column, required, low, high, (float(typical[0]), float(typical[1])), reference,
        missing_in_training,
    )  # fmt: skip


def format_choice_value(column: DataColumn, code: int) -> str:
    """Write the value of a choice's option as the card does."""
    value = column.source.values[code]
    return column.labels[code] if not isinstance(value, str) else value


def choose_rounding_step(deviation: float) -> float:
    """Choose the step to which answers are rounded, in the answer's unit.

    Args:
        deviation: the standard deviation of the answers, in their unit.

    Returns:
        A power of ten, about a fiftieth of the deviation.
    """
    return float(10.0 ** math.floor(math.log10(max(deviation, 1e-9) / 50)))
