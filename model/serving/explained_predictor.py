"""One question to a model, answered with all that belongs to it in one call of its predictor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.contract.arrays import Float32Array
from model.contract.card import Group
from model.contract.fields import AnyField, Features
from model.contract.sources import widen
from model.serving.explain import Coalitions, Explanation, coalitions, split_by_reference
from model.serving.neighbors import GridDistances
from model.serving.tabular_models import PredictionT, TabularModel

POINTS = 19
"""Places at which a curve is asked; a model of the bundled kind is smooth between them."""


class WhatIf(NamedTuple):
    """What the model answers for other values of one fact, all else as it is.

    For each point ``values`` has the fact's code, ``answers``, ``low`` and ``high`` the prediction
    and the ends of its range, ``supported`` whether there are training rows like that. Without a
    calibration low and high are the answers themselves.
    """

    column: int
    values: Sequence[float]
    answers: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    supported: Sequence[bool]


class Neighbor(NamedTuple):
    """A training row near the one that was asked about: its facts, what was observed, and when.

    ``answer`` is the index of the class for classes; ``year`` is None where nobody noted it.
    """

    features: Features
    answer: float
    year: int | None


class ExplainedPrediction(NamedTuple, Generic[PredictionT]):
    """A prediction with its reasons; ``outside`` where the model has seen nothing like the row.

    For classes, explanation and curve are about the probability of the predicted one. ``known`` are
    the names of the optional facts that were given.
    """

    prediction: PredictionT
    explanation: Explanation
    curve: WhatIf
    similar: tuple[Neighbor, ...]
    outside: bool
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class _CurveGrid:
    """One fact's curve: its points, and what is known beforehand of the rows near them.

    ``steps`` is what the fact adds to squared distances in the places where support is looked for:
    a choice is looked at in each point, a curve in every third (``step``).
    """

    points: NDArray[np.float32]
    values: tuple[float, ...]
    step: int
    steps: GridDistances | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all questions share in which the same facts are given.

    The rows that are asked are first the coalitions, of which the last is the question itself, then
    the points of the curve. ``places`` (rows, fields) says where each of their values stands in a
    list of the question's own values and then the ``others``. ``beside`` are the columns that are
    given beside the curve's. ``limit`` and ``limit_along`` are the distances up to which the row,
    and a point of the curve, are like what the model has seen; ``group_along`` is the calibration
    of the points' ranges.
    """

    coalitions: Coalitions
    places: NDArray[np.intp]
    others: list[float]
    known: frozenset[str]
    beside: tuple[int, ...]
    limit: float | None
    limit_along: float | None
    group_along: Group | None


class ExplainedPredictor(Generic[PredictionT]):
    """Asks one model; what no question changes is prepared here, once."""

    def __init__(self, model: TabularModel[PredictionT]) -> None:
        self._model: TabularModel[PredictionT] = model
        self._card = model.card
        self._usual: list[float] = model.card.encode(model.manifest.reference)[0].tolist()
        self._alongs = [self._along(field) for field in model.card.fields]
        self._neighbors = self._read_neighbors()
        if model.card.what_if:
            self.default = model.card.what_if
        else:
            self.default = next(field.name for field in model.card.fields if field.required)
        self._plan = lru_cache(maxsize=64)(self._make_plan)

    def explain_row(self, features: Features, what_if: str) -> ExplainedPrediction[PredictionT]:
        """Answer one row.

        Args:
            features: the row.
            what_if: the fact over which the curve goes.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        codes = self._card.codes(features)
        column = self._card.column[what_if]
        plan = self._plan(*split_by_reference(codes, self._usual), column)
        along = self._alongs[column]
        first = len(plan.places) - len(along.points)
        rows = np.array(codes + plan.others, dtype=np.float32)[plan.places]
        prediction, values, spreads = self._model.predict_matrix(rows, first - 1, plan.known)
        similar, outside, supported = self._near(codes, column, plan, along)
        answers = low = high = values[first:].tolist()
        if plan.group_along is not None and self._model.ranges is not None:
            spread = [1.0] * len(answers) if spreads is None else spreads[first:].tolist()
            low, high = self._model.ranges.bounds(answers, spread, plan.group_along)
        return ExplainedPrediction(
            prediction,
            plan.coalitions.explain(values[:first]),
            WhatIf(column, along.values, answers, low, high, supported),
            similar,
            outside,
            plan.known,
        )

    def _make_plan(self, given: tuple[int, ...], moved: tuple[int, ...], column: int) -> _Plan:
        """Plan the questions for rows with these columns given, ``moved`` from the reference."""
        asked = coalitions(given, moved, len(self._usual))
        points = self._alongs[column].points
        fields = np.arange(len(self._usual))
        along = np.tile(fields, (len(points), 1))
        along[:, column] = 2 * len(fields) + np.arange(len(points))
        names, optional = self._card.names, frozenset(self._card.optional)
        known = optional.intersection(names[at] for at in given)
        known_along = known | optional.intersection((names[column],))
        ranges = self._model.ranges
        return _Plan(
            asked,
            np.concatenate([np.where(asked.own, fields, len(fields) + fields), along]),
            self._usual + points.tolist(),
            known,
            tuple(at for at in given if at != column),
            self._model.support(known),
            self._model.support(known_along),
            None if ranges is None else ranges.group(known_along),
        )

    def _grid(self, field: AnyField) -> NDArray[np.float32]:
        """The values along a fact's curve: every choice, or what most training rows span."""
        if field.kind == "choice":
            return np.arange(len(field.choices), dtype=np.float32)
        if field.kind == "flag":
            return np.array([0, 1], dtype=np.float32)
        low, high = float(field.min), float(field.max)
        if self._model.neighbors is not None:
            rows = self._model.neighbors.rows[:, self._card.column[field.name]]
            low, high = _rounded(*np.quantile(rows, (0.005, 0.995)).tolist())
        grid = np.linspace(low, high, POINTS)
        return np.unique(np.round(grid) if field.kind == "integer" else grid).astype(np.float32)

    def _near(
        self, codes: Sequence[float], column: int, plan: _Plan, along: _CurveGrid
    ) -> tuple[tuple[Neighbor, ...], bool, Sequence[bool]]:
        """The rows like this one, whether it is outside, and the support along ``column``."""
        neighbors = self._model.neighbors
        if neighbors is None:
            return (), False, [True] * len(along.points)
        squares = neighbors.squares(codes, plan.beside)
        supported = self._supported(squares, plan, along)
        if codes[column] == codes[column]:  # NaN is not
            squares += neighbors.square(column, codes[column])
        found = neighbors.nearest(squares)
        sold = self._neighbors
        similar = tuple([sold[index] for index in found.rows])
        return similar, plan.limit is not None and found.distance > plan.limit, supported

    def _supported(self, others: Float32Array, plan: _Plan, along: _CurveGrid) -> Sequence[bool]:
        """Where on the curve there are rows like this, by the squares of the facts beside it."""
        neighbors = self._model.neighbors
        if neighbors is None or plan.limit_along is None:
            return [True] * len(along.points)
        if along.steps is None:
            return [False] * len(along.points)
        supported = neighbors.supported(others, along.steps, plan.limit_along)
        if along.step == 1:
            return supported
        return [place for place in supported for _ in range(along.step)][: len(along.points)]

    def _along(self, field: AnyField) -> _CurveGrid:
        points = self._grid(field)
        step = 1 if field.kind in ("choice", "flag") else 3
        neighbors, column = self._model.neighbors, self._card.column[field.name]
        steps = None if neighbors is None else neighbors.along(column, points[::step])
        return _CurveGrid(points, tuple(points.tolist()), step, steps)

    def _read_neighbors(self) -> list[Neighbor]:
        """Every training row as people read it."""
        neighbors = self._model.neighbors
        if neighbors is None:
            return []
        fields = self._card.fields
        rows = widen(neighbors.rows).tolist()
        answers = neighbors.answers.tolist()
        years = [None] * len(answers) if neighbors.years is None else neighbors.years.tolist()
        return [
            Neighbor(
                {f.name: f.decode(code) for f, code in zip(fields, row, strict=True)},
                answer,
                year,
            )
            for row, answer, year in zip(rows, answers, years, strict=True)
        ]


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Both ends to a hundredth of their distance's power of ten: 12.8 and 45.9, not 12.756."""
    if not low < high:
        return low, high
    digits = 2 - math.floor(math.log10(high - low))
    return round(low, digits), round(high, digits)
