"""Predicts one row together with its explanation, what-if curve and neighbors.

All of them come from one call of the predictor.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, NamedTuple

import numpy as np

from model.contract.arrays import Float32Array, IndexArray
from model.contract.fields import AnyField, Features
from model.contract.manifest import CalibrationGroup
from model.contract.sources import widen
from model.serving.explain import Coalitions, Explanation, get_coalitions, split_by_reference
from model.serving.neighbors import GridDistances
from model.serving.tabular_models import PredictionT, TabularModel

POINTS = 19
"""Points of a number's curve; the bundled model is smooth between them."""


class WhatIf(NamedTuple):
    """The predictions for other values of one fact, everything else unchanged.

    For each point, ``values`` has the fact's code, ``predictions``, ``low`` and ``high`` the
    prediction and its bounds, and ``in_distribution`` whether there are training rows like it.
    Without a calibration the bounds are the predictions themselves.
    """

    column: int
    values: Sequence[float]
    predictions: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    in_distribution: Sequence[bool]


class Neighbor(NamedTuple):
    """A training row: its features, its observed number or class index, and the year, if known."""

    features: Features
    target: float
    year: int | None


class ExplainedPrediction(NamedTuple, Generic[PredictionT]):
    """A prediction with its explanation, what-if curve and nearest training rows.

    For classes, ``explanation`` and ``what_if`` are about the probability of the predicted class.
    ``known`` are the names of the optional facts that were given.
    """

    prediction: PredictionT
    explanation: Explanation
    what_if: WhatIf
    neighbors: tuple[Neighbor, ...]
    out_of_distribution: bool
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class _CurveGrid:
    """The points of one fact's curve, shape (points,), and what is known of the rows near them.

    ``distances`` are known at every ``step``-th point: at each choice, and at every third point of
    a number.
    """

    points: Float32Array
    values: tuple[float, ...]
    step: int
    distances: GridDistances | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What all requests share in which the same facts are given, and the same ones changed.

    The rows to predict are first the coalitions, of which the last is the request's own row, then
    the points of the curve. ``sources`` (rows, fields) is where each of their values stands in the
    list of the request's own values followed by ``constants``. ``other_columns`` are the given
    columns without the curve's. ``threshold`` is the out-of-distribution threshold of the row;
    ``curve_threshold`` and ``curve_group`` are the threshold and the calibration of the points.
    """

    coalitions: Coalitions
    sources: IndexArray
    constants: list[float]
    known: frozenset[str]
    other_columns: tuple[int, ...]
    threshold: float | None
    curve_threshold: float | None
    curve_group: CalibrationGroup | None


class ExplainedPredictor(Generic[PredictionT]):
    """Explains the predictions of one model; prepares once what all requests share."""

    def __init__(self, model: TabularModel[PredictionT]) -> None:
        self._model: TabularModel[PredictionT] = model
        self._card = model.card
        self._reference = model.card.encode_row(model.manifest.reference)
        self._grids = [self._make_grid(field) for field in model.card.fields]
        self._neighbors = self._read_neighbors()
        if model.card.what_if:
            self.default_what_if = model.card.what_if
        else:
            self.default_what_if = next(field.name for field in model.card.fields if field.required)
        self._plan = lru_cache(maxsize=64)(self._make_plan)

    def explain_row(self, features: Features, what_if: str) -> ExplainedPrediction[PredictionT]:
        """Predict one row, and explain the prediction.

        Args:
            features: the row.
            what_if: name of the fact that the curve varies.

        Raises:
            ArithmeticError: if the model predicts a number that is not finite.
        """
        codes = self._card.encode_row(features)
        column = self._card.column_indices[what_if]
        plan = self._plan(*split_by_reference(codes, self._reference), column)
        grid = self._grids[column]
        first = len(plan.sources) - len(grid.points)
        rows = np.array(codes + plan.constants, dtype=np.float32)[plan.sources]
        prediction, values, scales = self._model.predict_matrix(rows, first - 1, plan.known)
        neighbors, out_of_distribution, in_distribution = self._search(codes, column, plan, grid)
        predictions = low = high = values[first:].tolist()
        if plan.curve_group is not None and self._model.intervals is not None:
            scale = [1.0] * len(predictions) if scales is None else scales[first:].tolist()
            low, high = self._model.intervals.compute_bounds(predictions, scale, plan.curve_group)
        return ExplainedPrediction(
            prediction,
            plan.coalitions.explain(values[:first]),
            WhatIf(column, grid.values, predictions, low, high, in_distribution),
            neighbors,
            out_of_distribution,
            plan.known,
        )

    def _make_plan(self, given: tuple[int, ...], changed: tuple[int, ...], column: int) -> _Plan:
        """Plan the rows to predict, for the given and the changed columns and the curve's."""
        width = len(self._reference)
        coalitions = get_coalitions(given, changed, width)
        points = self._grids[column].points
        fields = np.arange(width)
        curve = np.tile(fields, (len(points), 1))
        curve[:, column] = 2 * width + np.arange(len(points))
        names, optional = self._card.names, frozenset(self._card.optional)
        known = optional.intersection(names[index] for index in given)
        known_on_curve = known | optional.intersection((names[column],))
        intervals = self._model.intervals
        return _Plan(
            coalitions,
            np.concatenate([np.where(coalitions.own, fields, width + fields), curve]),
            self._reference + points.tolist(),
            known,
            tuple(index for index in given if index != column),
            self._model.find_ood_threshold(known),
            self._model.find_ood_threshold(known_on_curve),
            None if intervals is None else intervals.find_group(known_on_curve),
        )

    def _make_points(self, field: AnyField) -> Float32Array:
        """The points of a fact's curve: every choice, or the range of most training rows."""
        if field.kind == "choice":
            return np.arange(len(field.choices), dtype=np.float32)
        if field.kind == "flag":
            return np.array([0, 1], dtype=np.float32)
        low, high = float(field.min), float(field.max)
        if self._model.neighbors is not None:
            rows = self._model.neighbors.rows[:, self._card.column_indices[field.name]]
            low, high = _round_range(*np.quantile(rows, (0.005, 0.995)).tolist())
        points = np.linspace(low, high, POINTS)
        return np.unique(np.round(points) if field.kind == "integer" else points).astype(np.float32)

    def _search(
        self, codes: Sequence[float], column: int, plan: _Plan, grid: _CurveGrid
    ) -> tuple[tuple[Neighbor, ...], bool, Sequence[bool]]:
        """The nearest rows, whether the row is out-of-distribution, and which points are not."""
        neighbors = self._model.neighbors
        if neighbors is None:
            return (), False, [True] * len(grid.points)
        squares = neighbors.compute_squared_distances(codes, plan.other_columns)
        in_distribution = self._find_in_distribution(squares, plan, grid)
        if codes[column] == codes[column]:  # not NaN
            squares += neighbors.compute_squared_differences(column, codes[column])
        nearest = neighbors.find_nearest(squares)
        rows = self._neighbors
        found = tuple([rows[index] for index in nearest.rows])
        far = plan.threshold is not None and nearest.distance > plan.threshold
        return found, far, in_distribution

    def _find_in_distribution(
        self, others: Float32Array, plan: _Plan, grid: _CurveGrid
    ) -> Sequence[bool]:
        """Which points have training rows like them, by the squares of the other columns."""
        neighbors = self._model.neighbors
        if neighbors is None or plan.curve_threshold is None:
            return [True] * len(grid.points)
        if grid.distances is None:
            return [False] * len(grid.points)
        found = neighbors.find_in_distribution(others, grid.distances, plan.curve_threshold)
        if grid.step == 1:
            return found
        return [near for near in found for _ in range(grid.step)][: len(grid.points)]

    def _make_grid(self, field: AnyField) -> _CurveGrid:
        points = self._make_points(field)
        step = 1 if field.kind in ("choice", "flag") else 3
        neighbors, column = self._model.neighbors, self._card.column_indices[field.name]
        distances = (
            None if neighbors is None else neighbors.compute_grid_distances(column, points[::step])
        )
        return _CurveGrid(points, tuple(points.tolist()), step, distances)

    def _read_neighbors(self) -> list[Neighbor]:
        """Every training row with its features as Python values."""
        neighbors = self._model.neighbors
        if neighbors is None:
            return []
        fields = self._card.fields
        rows = widen(neighbors.rows).tolist()
        targets = neighbors.targets.tolist()
        years = [None] * len(targets) if neighbors.years is None else neighbors.years.tolist()
        return [
            Neighbor(
                {f.name: f.decode(code) for f, code in zip(fields, row, strict=True)},
                target,
                year,
            )
            for row, target, year in zip(rows, targets, years, strict=True)
        ]


def _round_range(low: float, high: float) -> tuple[float, float]:
    """Both bounds to a hundredth of the power of ten of their distance: 12.8, not 12.756."""
    if not low < high:
        return low, high
    digits = 2 - math.floor(math.log10(high - low))
    return round(low, digits), round(high, digits)
