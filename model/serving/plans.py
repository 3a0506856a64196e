"""What all rows share in which the same facts are given: their curve, and what is unusual in them.

It is worked out once for each set of facts, because visitors give the same few sets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float32Array, Float64Array
from model.contract.card import Card
from model.contract.fields import BaseField
from model.serving.copula import GaussianCopula, KnownFacts
from model.serving.neighbors import Neighbors


class Grid(NamedTuple):
    """The points of one fact's curve; ``scores`` (points,) if it has a place in the copula."""

    points: Float32Array
    values: tuple[float, ...]
    scores: Float64Array | None


class VaryingFact(NamedTuple):
    """The facts of a curve's points; the one at ``place`` has ``scores`` (points,)."""

    facts: KnownFacts
    place: int
    scores: Float64Array


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What all rows share in which the same facts are given.

    ``given`` are their columns, ``column`` is the curve's. ``known`` and ``known_on_curve`` are the
    names of the optional facts that are given in the row and in the points of its curve. ``facts``
    are those by which the row is out-of-distribution, and ``varying`` says how its points differ,
    None where all of them are as the row. ``threshold`` is the distance to its nearest rows above
    which the row is, in a model of before. The curve has so many ``points``.
    """

    given: tuple[int, ...]
    column: int | None
    grid: Grid | None
    known: frozenset[str]
    known_on_curve: frozenset[str]
    facts: KnownFacts | None
    varying: VaryingFact | None
    threshold: float | None
    points: int

    def find_outliers(self, rows: Sequence[list[float]]) -> BoolArray:
        """Whether each row, and each point of its curve, is out-of-distribution.

        Args:
            rows: one code a field.

        Returns:
            Shape (rows, 1 + points).
        """
        outliers = np.zeros((len(rows), 1 + self.points), dtype=np.bool_)
        own = outliers
        if self.varying is not None:
            facts, place, points = self.varying
            scores = facts.compute_scores(rows)
            if facts is not self.facts:
                scores[:, place] = 0.0  # the rows do not give this fact
            for number, row in enumerate(scores):
                outliers[number] = facts.find_outliers_along(row, place, points)
            if facts is self.facts:
                return outliers
            own = outliers[:, :1]
        own[:] = False
        if self.facts is not None:
            own[:] = self.facts.find_outliers(self.facts.compute_scores(rows))[:, None]
        return outliers


class Planner:
    """Makes the plans of one model; ``get_plan`` keeps them."""

    def __init__(
        self,
        card: Card,
        neighbors: Neighbors | None,
        copula: GaussianCopula | None,
        find_threshold: Callable[[frozenset[str]], float | None],
    ) -> None:
        """Make the grid of every field.

        Args:
            card: of the model.
            neighbors: the training rows, which say where curves end.
            copula: their joint distribution.
            find_threshold: finds the ``threshold`` of a plan for the optional facts that are given.
        """
        self._card, self._copula, self._find_threshold = card, copula, find_threshold
        self._grids = [
            self._make_grid(column, field, None if neighbors is None else neighbors.rows[:, column])
            for column, field in enumerate(card.fields)
        ]
        self.get_plan = lru_cache(maxsize=64)(self._make_plan)

    def _make_grid(self, column: int, field: BaseField, known: Float32Array | None) -> Grid:
        points = field.make_grid(None if field.is_text else known)
        scores = None
        if self._copula is not None and column in self._copula.columns:
            scores = self._copula.compute_column_scores(column, points)
        return Grid(points, tuple(points.tolist()), scores)

    def _make_plan(self, given: tuple[int, ...], column: int | None) -> Plan:
        """Make the plan for the columns of the given facts and of the curve."""
        names, optional, copula = self._card.names, frozenset(self._card.optional), self._copula
        known = optional.intersection(names[index] for index in given)
        known_on_curve = known
        grid = varying = None
        if column is not None:
            grid = self._grids[column]
            known_on_curve |= optional.intersection((names[column],))
            if copula is not None and grid.scores is not None:
                facts = copula.select(tuple(sorted({*given, column})))
                if facts is not None:
                    varying = VaryingFact(facts, facts.columns.index(column), grid.scores)
        return Plan(
            given,
            column,
            grid,
            known,
            known_on_curve,
            None if copula is None else copula.select(given),
            varying,
            self._find_threshold(known) if copula is None else None,
            0 if grid is None else len(grid.points),
        )
