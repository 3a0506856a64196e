"""A row to explain as the rows of a matrix that the predictor gets, and what it answers to them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from model.contract.arrays import Float32Array, FloatArray
from model.serving.explain import Coalitions
from model.serving.plans import Plan
from model.serving.predictors import InputLayout


class Part(NamedTuple):
    """The rows of a matrix that belong to one row to predict.

    ``rows`` are the row's coalitions, of which the last, at index ``own``, is the row itself, and
    then the points of its curve. ``known`` and ``known_on_curve`` are the names of the optional
    facts that are given in the row and in the points.
    """

    rows: slice
    own: int
    known: frozenset[str]
    known_on_curve: frozenset[str]


class Answer(NamedTuple):
    """A predictor's answer to a part.

    ``values`` (rows of the part,) are numbers, or the probabilities of the predicted class. Those
    of the curve's points are ``points``, and ``low`` and ``high`` their bounds.
    """

    prediction: Any
    values: FloatArray
    points: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


class Instance(NamedTuple):
    """A row to explain: one code a field, what it shares with others, and its coalitions.

    Among the ``size`` rows to predict the row itself is at the index ``own``.
    """

    codes: list[float]
    plan: Plan
    coalitions: Coalitions | None
    own: int
    size: int

    def fill(self, rows: Float32Array, reference: Float32Array, layout: InputLayout) -> None:
        """Write the rows to predict: the coalitions, of which the last is the row, and the curve.

        Args:
            rows: where to write them, arranged, shape (size, fields).
            reference: the typical row, arranged, shape (fields,).
            layout: of the artifact.
        """
        row, plan = layout.arrange(self.codes), self.plan
        rows[:] = row
        if self.coalitions is not None:
            self.coalitions.fill(rows[: self.own + 1], row, reference, layout.places)
        if plan.grid is not None:
            rows[self.own + 1 :, layout.places[plan.column]] = plan.grid.points
