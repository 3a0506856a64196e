"""Rows like this one: the nearest of the training rows, and whether any is near enough.

The distance is standardised and weighted by what the model makes of each fact: a number counts in
its standard deviations, a choice by how far apart the model's mean answers for the two choices are,
and each fact's square is weighted by its mean absolute contribution to the training rows' answers,
with a floor, so that two houses alike in price but not in bedrooms are not called alike. (Leaves
that rows fall into together, the other usual choice, exist only in trees.)

The same distance measures joint support: a row is outside when its mean distance to its nearest
rows is larger than that of 99 % of the training rows to theirs, each row left out of its own
search, for the facts that are known (k-nearest-neighbour novelty detection: Ramaswamy, Rastogi and
Shim, SIGMOD 2000).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.contract.arrays import Float32Array
from model.serving.predictors import Column, Matrix

NEAREST = 3
SUPPORTED = 0.99
FLOOR = 0.05
_APART = 0.3
"""What two different choices are apart in any case, in standard deviations of the answers."""

FEW = 32
"""Different values of a number up to which the distances of all rows to each of them are kept."""

SEGMENTS = 96
"""Parts into which rows are cut along a fact: some 25 rows each of the house sales."""

_AT_ONCE = 256
"""Rows whose distances to all others are in memory together."""


class NearestRows(NamedTuple):
    """The nearest rows, nearest first, and their mean distance."""

    rows: tuple[int, ...]
    distance: float


class GridDistances(NamedTuple):
    """What one fact adds to squared distances at each value of a grid, by segments of the rows.

    A segment holds rows of about the same value. ``order`` (rows,) lists them segment by segment,
    ``starts`` where each begins; in the order of ``order`` the segments come in three ``groups``,
    so that neighbours are in different ones. ``added`` has for each value what the fact adds to
    every row, (rows,); ``ends`` (twice the values, segments) is for each value the largest part
    that it adds in a segment, and below that for each the smallest.
    """

    added: list[Float32Array]
    order: NDArray[np.intp]
    starts: NDArray[np.intp]
    groups: NDArray[np.intp]
    ends: Float32Array


class Neighbors:
    """Training rows by distance; arrays as ``make`` wrote them.

    ``rows`` (rows, fields) are the facts as a predictor's matrix, ``answers`` (rows,) what was
    observed (for classes their index), ``years`` (rows,) when, None where nobody noted it,
    ``weights`` (fields,) multiply a squared difference of numbers; ``tables`` holds for each choice
    field the weighted squared distances of its choices.
    """

    def __init__(
        self,
        rows: Matrix,
        answers: Column,
        years: NDArray[np.int64] | None,
        weights: Float32Array,
        tables: dict[int, Float32Array],
    ) -> None:
        self.rows, self.answers, self.years = rows, answers, years
        self.weights, self.tables = weights, tables
        roots = np.sqrt(weights)
        self._roots: list[float] = roots.tolist()
        self._scaled = list(np.ascontiguousarray((rows * roots).T))
        self._squares: dict[int, dict[float, Float32Array]] = {}
        for column in range(rows.shape[1]):
            if column in tables:
                apart = tables[column][:, rows[:, column].astype(np.intp)]
                self._squares[column] = {float(code): row for code, row in enumerate(apart)}
            else:
                codes = np.unique(rows[:, column]).tolist()
                few = codes if len(codes) <= FEW else []
                self._squares[column] = {code: self._away(column, code) for code in few}

    def squares(self, codes: Sequence[float], columns: Iterable[int]) -> Float32Array:
        """Squared distances of every training row to a row, shape (rows,), over given columns.

        Args:
            codes: the row, one code a field.
            columns: the facts that count; none of them may be unknown in ``codes``.
        """
        parts = [self.square(column, codes[column]) for column in columns]
        if not parts:
            return np.zeros(len(self.rows), dtype=np.float32)
        total = parts[0].copy() if len(parts) == 1 else parts[0] + parts[1]
        for part in parts[2:]:
            total += part
        return total

    def square(self, column: int, code: float) -> Float32Array:
        """The part of one fact in the squared distances, shape (rows,); not to be written to."""
        found = self._squares[column].get(code)
        return self._away(column, code) if found is None else found

    def _away(self, column: int, code: float) -> Float32Array:
        away: Float32Array = self._scaled[column] - code * self._roots[column]
        away *= away
        return away

    def along(self, column: int, grid: Float32Array) -> GridDistances | None:
        """What one fact adds to squared distances at each value of a grid; None for so few rows."""
        if len(self.rows) < NEAREST:
            return None
        parts = [self.square(column, code) for code in grid.tolist()]
        order = np.argsort(self.rows[:, column], kind="stable")
        found = np.array_split(order, min(SEGMENTS, len(order)))
        segments = [segment for first in range(NEAREST) for segment in found[first::NEAREST]]
        groups = [len(found[first::NEAREST]) for first in range(NEAREST)]
        order = np.concatenate(segments)
        starts = np.cumsum([0, *map(len, segments[:-1])])
        added = np.stack([part[order] for part in parts])
        ends = [bound.reduceat(added, starts, axis=1) for bound in (np.maximum, np.minimum)]
        return GridDistances(
            parts, order, starts, np.cumsum([0, *groups[:-1]]), np.concatenate(ends)
        )

    def nearest(self, squares: Float32Array) -> NearestRows:
        """The nearest rows by squared distances as ``squares`` gives them; of equals the first.

        Theirs are overwritten.
        """
        rows, total = [], 0.0
        for _ in range(NEAREST):  # the least of 2,000 takes NumPy a microsecond, a partition ten
            row = int(squares.argmin())
            rows.append(row)
            total += math.sqrt(squares.item(row))
            squares[row] = math.inf
        return NearestRows(tuple(rows), total / NEAREST)

    def supported(self, others: Float32Array, along: GridDistances, limit: float) -> list[bool]:
        """Whether the mean distance to the nearest rows is within ``limit``, along one fact.

        Args:
            others: squared distances over the other facts, shape (rows,).
            along: what that one fact adds at each of its values.
            limit: as ``limits`` found it.

        Returns:
            One answer for each value.
        """
        most, together = limit * limit, NEAREST * limit
        nearest = np.minimum.reduceat(others.take(along.order), along.starts)
        # One row of each segment is no farther than this, and those of different groups are
        # different rows: their mean is never below that of the nearest. Within the limit, it
        # decides; so does a segment's least distance that is beyond it in every segment.
        bounds = np.minimum.reduceat(nearest + along.ends, along.groups, axis=1).tolist()
        answers, count = [], len(along.added)
        for added, upper, lower in zip(along.added, bounds[:count], bounds[count:], strict=True):
            near = max(upper) <= most or sum(map(math.sqrt, upper)) <= together
            if not near and min(lower) <= most:
                near = self.nearest(others + added).distance <= limit
            answers.append(near)
        return answers

    def save(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file."""
        arrays: dict[str, Any] = {
            "rows": self.rows,
            "answers": self.answers,
            "weights": self.weights,
        }
        if self.years is not None:
            arrays["years"] = self.years
        arrays |= {f"table_{column}": table for column, table in self.tables.items()}
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> Neighbors:
        """Read what ``save`` wrote; nothing in the file can run."""
        with np.load(path, allow_pickle=False) as arrays:
            tables = {
                int(name.removeprefix("table_")): arrays[name]
                for name in arrays.files
                if name.startswith("table_")
            }
            years = arrays["years"] if "years" in arrays.files else None
            return cls(arrays["rows"], arrays["answers"], years, arrays["weights"], tables)
