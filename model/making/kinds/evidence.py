"""How well answers fit the truth of some rows, and what counts as better.

The thresholds were tuned and then confirmed on other data sets: ``python -m tests.studies.gate``.
"""

from collections.abc import Callable
from dataclasses import dataclass

from model.contract.arrays import Float64Array


@dataclass(frozen=True)
class Fit:
    """How well answers fit the truth of some rows.

    ``rank`` orders hypotheses. ``skill`` is R², or the share by which the log loss is below that of
    the classes' frequencies. ``unbiased`` is the R² once the mean error is taken off,
    ``rescaled`` that of the best line through the answers. ``loss`` is the mean absolute error, or
    the log loss; ``constant_loss`` is that of the best constant. ``balanced`` is the balanced
    accuracy of a model of classes, ``reweighed`` the skill where each class is made as frequent as
    in the rows, because a fit may have weighed them.
    """

    rank: float
    skill: float
    unbiased: float
    loss: float
    constant_loss: float
    text: str
    balanced: float = 0.0
    rescaled: float = 0.0
    reweighed: float = 0.0

    @property
    def beats_constant(self) -> bool:
        """Whether the answers are clearly better than the same answer for every row."""
        is_less = self.skill >= _LEAST_SKILL and self.loss <= _CONSTANT * self.constant_loss
        return is_less or self.reweighed >= _LEAST_SKILL


WORST = -1e12
"""The rank of answers that are none, and the lowest figure that is written out."""


def report_no_answer(constant_loss: float) -> Fit:
    """Return the fit of answers of which one is no number."""
    return Fit(WORST, WORST, WORST, float("inf"), constant_loss, "no answer")


@dataclass(frozen=True)
class Reading:
    """Something else that the answers may mean; ``as_if`` is "" for the answers as they are.

    ``apply`` turns answers into answers of the same shape. ``rarity`` is taken off the rank.
    ``advice`` says what to write to have it so. ``recentres`` is True where the reading alone takes
    off the mean error, ``is_plain`` where the answers can mean nothing else.
    """

    as_if: str
    advice: str
    apply: Callable[[Float64Array], Float64Array]
    rarity: float = 0.0
    recentres: bool = False
    is_plain: bool = False


AS_GIVEN = Reading("", "", lambda answers: answers)

_LEAST_ROWS = 8
_SIGNIFICANT = 4.0
_LEAST_SKILL = 0.05
_CONSTANT = 0.98


def are_surely_less(one: Float64Array, other: Float64Array) -> bool:
    """Whether losses, shape (rows,), are less than others of the same rows (paired t-test)."""
    gains = other - one
    certainty = float(gains.mean()) / (float(gains.std()) + 1e-300) * len(gains) ** 0.5
    return len(gains) >= _LEAST_ROWS and certainty >= _SIGNIFICANT
