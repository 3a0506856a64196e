"""Finds the training rows nearest to a row, and detects out-of-distribution rows.

The distance is standardised and weighted by the model. A number counts in its standard deviations,
a choice by the distance between the model's mean predictions for the two choices. The square of
each fact is weighted by its mean absolute contribution, with a lower limit, so that two houses of
one price but different bedrooms are not similar.

A row is out-of-distribution if its mean distance to its nearest rows is larger than that of 99 % of
the training rows to theirs, each row held out of its own search, for the facts that are known
(k-nearest-neighbour novelty detection: Ramaswamy, Rastogi and Shim, SIGMOD 2000).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model.contract.arrays import Float32Array, FloatArray, IndexArray, IntArray

NEAREST = 3
"""Rows that are shown, and whose mean distance is compared with the threshold."""

_MAX_CACHED = 32
"""Different values of a number up to which the distances of all rows to each value are cached."""

_SEGMENTS = 96
"""Segments of the rows along a fact; each has some 25 rows of the house sales."""


class NearestRows(NamedTuple):
    """The indices of the nearest rows, nearest first, and their mean distance."""

    rows: tuple[int, ...]
    distance: float


class GridDistances(NamedTuple):
    """What one fact adds to squared distances at each value of a grid, by segments of the rows.

    A segment holds rows of similar values. ``order`` (rows,) lists the rows segment by segment, and
    ``starts`` (segments,) is where each segment begins. In that order the segments form
    ``NEAREST`` groups, which begin at ``groups`` (groups,); adjacent segments are in different
    groups. ``added`` has for each value what the fact adds to every row, (rows,). ``bounds``
    (2 * values, segments) has for each value the largest addition in a segment, and below that for
    each value the smallest.
    """

    added: list[Float32Array]
    order: IndexArray
    starts: IndexArray
    groups: IndexArray
    bounds: Float32Array


class Neighbors:
    """The training rows by distance.

    ``rows`` (rows, fields) are their features as a predictor's matrix, ``targets`` (rows,) the
    observed numbers or the indices of the observed classes, and ``years`` (rows,) when they were
    observed, None if unknown. ``weights`` (fields,) multiply a squared difference of numbers;
    ``tables`` hold the weighted squared distances (choices, choices) of each choice field.
    """

    def __init__(
        self,
        rows: Float32Array,
        targets: FloatArray,
        years: IntArray | None,
        weights: Float32Array,
        tables: dict[int, Float32Array],
    ) -> None:
        self.rows, self.targets, self.years = rows, targets, years
        self.weights, self.tables = weights, tables
        roots = np.sqrt(weights)
        self._roots: list[float] = roots.tolist()
        self._scaled = list(np.ascontiguousarray((rows * roots).T))
        self._cached: dict[int, dict[float, Float32Array]] = {}
        for column in range(rows.shape[1]):
            if column in tables:
                differences = tables[column][:, rows[:, column].astype(np.intp)]
                self._cached[column] = {float(code): row for code, row in enumerate(differences)}
            else:
                codes = np.unique(rows[:, column]).tolist()
                few = codes if len(codes) <= _MAX_CACHED else []
                self._cached[column] = {code: self._subtract(column, code) for code in few}

    def compute_squared_distances(
        self, codes: Sequence[float], columns: Iterable[int]
    ) -> Float32Array:
        """Squared distances of every training row to a row over some columns, shape (rows,).

        Args:
            codes: the row, one code a field.
            columns: the facts that count; none of them may be unknown in ``codes``.
        """
        parts = [self.compute_squared_differences(column, codes[column]) for column in columns]
        if not parts:
            return np.zeros(len(self.rows), dtype=np.float32)
        total = parts[0].copy() if len(parts) == 1 else parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        return total

    def compute_squared_differences(self, column: int, code: float) -> Float32Array:
        """One fact's part of the squared distances, shape (rows,); callers must not change it."""
        found = self._cached[column].get(code)
        return self._subtract(column, code) if found is None else found

    def _subtract(self, column: int, code: float) -> Float32Array:
        differences: Float32Array = self._scaled[column] - code * self._roots[column]
        differences *= differences
        return differences

    def compute_grid_distances(self, column: int, grid: Float32Array) -> GridDistances | None:
        """What one fact adds to squared distances at each value of a grid.

        Args:
            column: the fact.
            grid: its values, shape (values,).

        Returns:
            The distances; None if there are fewer rows than ``NEAREST``.
        """
        if len(self.rows) < NEAREST:
            return None
        parts = [self.compute_squared_differences(column, code) for code in grid.tolist()]
        order = np.argsort(self.rows[:, column], kind="stable")
        adjacent = np.array_split(order, min(_SEGMENTS, len(order)))
        segments = [segment for first in range(NEAREST) for segment in adjacent[first::NEAREST]]
        sizes = [len(adjacent[first::NEAREST]) for first in range(NEAREST)]
        order = np.concatenate(segments)
        starts = np.cumsum([0, *map(len, segments[:-1])])
        added = np.stack([part[order] for part in parts])
        bounds = [bound.reduceat(added, starts, axis=1) for bound in (np.maximum, np.minimum)]
        return GridDistances(
            parts, order, starts, np.cumsum([0, *sizes[:-1]]), np.concatenate(bounds)
        )

    def find_nearest(self, squares: Float32Array) -> NearestRows:
        """The nearest rows; among equally near ones the first.

        Args:
            squares: squared distances, shape (rows,); those of the nearest rows are overwritten.
        """
        rows, total = [], 0.0
        for _ in range(NEAREST):  # argmin takes a microsecond for 2,000 rows, a partition ten
            row = int(squares.argmin())
            rows.append(row)
            total += math.sqrt(squares.item(row))
            squares[row] = math.inf
        return NearestRows(tuple(rows), total / NEAREST)

    def find_in_distribution(
        self, others: Float32Array, grid: GridDistances, threshold: float
    ) -> list[bool]:
        """Which values of one fact keep the row in distribution.

        Args:
            others: squared distances over the other facts, shape (rows,).
            grid: what that fact adds at each of its values.
            threshold: the largest mean distance to the nearest rows.

        Returns:
            For each value whether the mean distance is within the threshold.
        """
        largest_square, largest_sum = threshold * threshold, NEAREST * threshold
        nearest = np.minimum.reduceat(others.take(grid.order), grid.starts)
        # The nearest row of a segment is at most the upper bound away, and each group has another
        # such row, so the mean over the groups is never below the true one. If it is within the
        # threshold, or if every lower bound is above it, the exact search is not needed.
        bounds = np.minimum.reduceat(nearest + grid.bounds, grid.groups, axis=1).tolist()
        found, count = [], len(grid.added)
        for added, upper, lower in zip(grid.added, bounds[:count], bounds[count:], strict=True):
            near = max(upper) <= largest_square or sum(map(math.sqrt, upper)) <= largest_sum
            if not near and min(lower) <= largest_square:
                near = self.find_nearest(others + added).distance <= threshold
            found.append(near)
        return found

    def save(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file."""
        arrays: dict[str, Any] = {
            "rows": self.rows,
            "answers": self.targets,
            "weights": self.weights,
        }
        if self.years is not None:
            arrays["years"] = self.years
        arrays |= {f"table_{column}": table for column, table in self.tables.items()}
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Neighbors:
        """Read the file that ``save`` wrote; nothing in it can run."""
        with np.load(path, allow_pickle=False) as arrays:
            tables = {
                int(name.removeprefix("table_")): arrays[name]
                for name in arrays.files
                if name.startswith("table_")
            }
            years = arrays["years"] if "years" in arrays.files else None
            return cls(arrays["rows"], arrays["answers"], years, arrays["weights"], tables)
