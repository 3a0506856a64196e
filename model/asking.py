"""One question to a model, answered with all that belongs to it in one call of its predictor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from model.explain import Coalitions, Explanation
from model.fields import AnyField, Features
from model.predictors import Column
from model.row_models import RowModel, Said
from model.similar import Neighbors
from model.sources import widen

POINTS = 19
"""Places at which a curve is asked; a model of the bundled kind is smooth between them."""


@dataclass(frozen=True)
class Curve:
    """What the model answers for other values of one fact, all else as it is.

    ``values`` (points,) are the fact's codes, ``answers``, ``low`` and ``high`` (points,) the
    predictions and the ends of their ranges, ``supported`` (points,) whether there are training
    rows like that. Without a calibration low and high are the answers themselves.
    """

    column: int
    values: NDArray[np.float32]
    answers: Column
    low: Column
    high: Column
    supported: NDArray[np.bool_]


@dataclass(frozen=True)
class Sold:
    """A training row near the one that was asked about: its facts, what was observed, and when.

    ``answer`` is the index of the class for classes; ``year`` is None where nobody noted it.
    """

    features: Features
    answer: float
    year: int | None


@dataclass(frozen=True)
class Answer(Generic[Said]):
    """A prediction with its reasons; ``outside`` where the model has seen nothing like the row.

    For classes, explanation and curve are about the probability of the predicted one.
    """

    prediction: Said
    explanation: Explanation
    curve: Curve
    similar: tuple[Sold, ...]
    outside: bool


class Asking(Generic[Said]):
    """Asks one model; what no question changes is prepared here, once."""

    def __init__(self, model: RowModel[Said]) -> None:
        self._model: RowModel[Said] = model
        self._card = model.card
        self._reference = model.card.encode(model.manifest.reference)
        self._grids = [self._grid(field) for field in model.card.fields]
        if model.card.what_if:
            self.default = model.card.what_if
        else:
            self.default = next(field.name for field in model.card.fields if field.required)
        self._alongs: dict[int, tuple[int, NDArray[np.float32]]] = {}

    def ask(self, features: Features, what_if: str) -> Answer[Said]:
        """Answer one row.

        Args:
            features: the row.
            what_if: the fact over which the curve goes.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        codes = self._card.codes(features)
        row = np.array([codes], dtype=np.float32)
        column = self._card.column[what_if]
        coalitions = Coalitions(row, self._reference)
        grid = self._grids[column]
        last = len(coalitions.rows)
        rows = np.empty((last + len(grid), len(self._grids)), dtype=np.float32)
        rows[:last] = coalitions.rows
        rows[last:] = row
        rows[last:, column] = grid
        known = self._model.known(features)
        prediction, values, spreads = self._model.ask(rows, last - 1, known)
        similar, outside, supported = self._near(codes, column, known)
        low = high = values[last:]
        if self._model.ranges is not None:
            group = self._model.ranges.group(known | self._optional(what_if))
            spread = 1.0 if spreads is None else spreads[last:]
            low, high = self._model.ranges.bounds(values[last:], spread, group)
        return Answer(
            prediction,
            coalitions.explain(values[:last]),
            Curve(column, grid, values[last:], low, high, supported),
            similar,
            outside,
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

    def _optional(self, name: str) -> frozenset[str]:
        return frozenset() if self._card.by_name[name].required else frozenset((name,))

    def _near(
        self, codes: Sequence[float], column: int, known: frozenset[str]
    ) -> tuple[tuple[Sold, ...], bool, NDArray[np.bool_]]:
        """The rows like this one, whether it is outside, and the support along ``column``."""
        neighbors = self._model.neighbors
        if neighbors is None:
            return (), False, np.ones(len(self._grids[column]), dtype=bool)
        given = [at for at, code in enumerate(codes) if code == code and at != column]  # not NaN
        squares = others = neighbors.squares(codes, given)
        if codes[column] == codes[column]:
            squares = others + neighbors.square(column, codes[column])
        found = neighbors.nearest(squares)
        limit = self._model.support(known)
        sold = tuple([self._sold[index] for index in found.rows])
        outside = limit is not None and found.distance > limit
        return sold, outside, self._supported(neighbors, others, column, known)

    def _supported(
        self, neighbors: Neighbors, others: NDArray[np.float32], column: int, known: frozenset[str]
    ) -> NDArray[np.bool_]:
        """Where on the column's grid there are rows like this, by its squares in ``others``."""
        count = len(self._grids[column])
        limit = self._model.support(known | self._optional(self._card.names[column]))
        if limit is None:
            return np.ones(count, dtype=bool)
        step, along = self._along(column)
        supported = neighbors.supported(others, along, limit)
        return supported if step == 1 else supported.repeat(step)[:count]

    def _along(self, column: int) -> tuple[int, NDArray[np.float32]]:
        """What a column adds to squared distances in the places where support is looked for.

        A choice is looked at in each place, a curve in every third; with the number of places
        between.
        """
        found = self._alongs.get(column)
        if found is None:
            neighbors = self._model.neighbors
            assert neighbors is not None  # noqa: S101 (only asked for where there are any)
            step = 1 if self._card.fields[column].kind in ("choice", "flag") else 3
            found = step, neighbors.along(column, self._grids[column][::step])
            self._alongs[column] = found
        return found

    @cached_property
    def _sold(self) -> list[Sold]:
        """Every training row as people read it."""
        neighbors = self._model.neighbors
        if neighbors is None:
            return []
        fields = self._card.fields
        rows = widen(neighbors.rows).tolist()
        answers = neighbors.answers.tolist()
        years = [None] * len(answers) if neighbors.years is None else neighbors.years.tolist()
        return [
            Sold(
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
