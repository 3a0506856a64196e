"""What a tabular model predicts.

Named tuples, because a frozen dataclass takes four times as long to create.
"""

from typing import NamedTuple


class Interval(NamedTuple):
    """A prediction interval that contains the truth with probability ``coverage``.

    ``low`` and ``high`` are in the unit of the prediction.
    """

    low: float
    high: float
    coverage: float


class Prediction(NamedTuple):
    """The predicted number for one row, in the unit of the card's output."""

    value: float
    interval: Interval | None = None


class Classification(NamedTuple):
    """The most probable class for one row.

    ``label`` is its value in the card, ``probability`` is its probability, and ``probabilities``
    are those of all classes in the card's order. Both are None for a model that predicts a class
    without a probability.
    """

    label: str
    probability: float | None = None
    probabilities: tuple[float, ...] | None = None
