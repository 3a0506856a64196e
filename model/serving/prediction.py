"""What a model answers: plain, frozen, without a framework.

Named tuples, because a frozen dataclass takes four times as long to make.
"""

from typing import NamedTuple


class Interval(NamedTuple):
    """A range that holds the truth with probability ``coverage`` over new rows.

    ``low`` and ``high`` are in the unit of the prediction.
    """

    low: float
    high: float
    coverage: float


class Prediction(NamedTuple):
    """The answer for one row, in the unit that the card's output names."""

    value: float
    interval: Interval | None = None


class Classification(NamedTuple):
    """The most probable class for one row.

    ``label`` is its value in the card, ``probability`` how probable the model calls it, and
    ``probabilities`` are those of all classes in the card's order; both are None where the model
    says nothing but the class.
    """

    label: str
    probability: float | None = None
    probabilities: tuple[float, ...] | None = None
