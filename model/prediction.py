"""What a model answers: plain, frozen, without a framework."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Interval:
    """A range that holds the truth with probability ``coverage`` over new rows.

    ``low`` and ``high`` are in the unit of the prediction.
    """

    low: float
    high: float
    coverage: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one row, in the unit that the card's output names."""

    value: float
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    """The most probable class for one row.

    ``label`` is its value in the card, ``probability`` how probable the model calls it, and
    ``probabilities`` are those of all classes in the card's order; both are None where the model
    says nothing but the class.
    """

    label: str
    probability: float | None = None
    probabilities: tuple[float, ...] | None = None
