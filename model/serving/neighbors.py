"""Finds the training rows nearest to a row.

The distance is standardised and weighted by the model. A number counts in its standard deviations,
a choice by the distance between the model's mean predictions for the two choices, a text by the
cosine distance of its words. The square of
each fact is weighted by its mean absolute contribution, with a lower limit, so that two houses of
one price but different bedrooms are not similar.

In a model of before, a row is out-of-distribution if its mean distance to its nearest rows is
larger than that of 99 % of the training rows to theirs, for the facts that are known
(k-nearest-neighbour novelty detection: Ramaswamy, Rastogi and Shim, SIGMOD 2000).
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from model.contract.arrays import Float32Array, FloatArray, IntArray
from model.contract.texts import decode_text
from model.serving.texts.analyzer import Analyzer
from model.serving.texts.similarity import TextIndex

NEAREST = 3
"""Rows that are shown."""

NO_TEXTS: Mapping[int, Sequence[str]] = MappingProxyType({})


class Neighbors:
    """The training rows by distance.

    ``rows`` (rows, fields) are their features as a predictor's matrix, ``targets`` (rows,) the
    observed numbers or the indices of the observed classes, and ``years`` (rows,) when they were
    observed, None if unknown. ``weights`` (fields,) multiply a squared difference of numbers, and
    the square of a cosine distance of texts; ``tables`` hold the weighted squared distances
    (choices, choices) of each choice field. ``texts`` are those that each column of texts has
    numbers for.
    """

    def __init__(
        self,
        rows: Float32Array,
        targets: FloatArray,
        years: IntArray | None,
        weights: Float32Array,
        tables: dict[int, Float32Array],
        texts: Mapping[int, Sequence[str]] = NO_TEXTS,
    ) -> None:
        self.rows, self.targets, self.years = rows, targets, years
        self.weights, self.tables, self.texts = weights, tables, texts
        self._indices = {
            column: TextIndex([known[int(code)] for code in rows[:, column]], Analyzer())
            for column, known in texts.items()
        }
        roots = np.sqrt(weights)
        self._roots: list[float] = roots.tolist()
        self._scaled = list(np.ascontiguousarray((rows * roots).T))
        self._choices = {column: rows[:, column].astype(np.intp) for column in tables}
        self._find_squares = lru_cache(maxsize=256)(self.compute_squared_differences)

    def compute_squared_distances(
        self, codes: Sequence[float], columns: Iterable[int]
    ) -> Float32Array:
        """Squared distances of every training row to a row over some columns, shape (rows,).

        Args:
            codes: the row, one code a field.
            columns: the facts that count; none of them may be unknown in ``codes``.
        """
        total = np.zeros(len(self.rows), dtype=np.float32)
        for column in columns:
            if column in self._indices:  # a text's code holds for one call, so nothing is kept
                distances = self._indices[column].compute_distances(decode_text(codes[column]))
                total += self.weights[column] * distances**2
            else:
                total += self._find_squares(column, codes[column])
        return total

    def compute_squared_differences(self, column: int, code: float) -> Float32Array:
        """One fact's part of the squared distances, shape (rows,)."""
        if column in self.tables:
            chosen: Float32Array = self.tables[column][int(code)].take(self._choices[column])
            return chosen
        differences: Float32Array = self._scaled[column] - code * self._roots[column]
        differences *= differences
        return differences

    def find_nearest(
        self, codes: Sequence[float], columns: Iterable[int]
    ) -> tuple[list[int], float]:
        """The rows nearest to a row over some columns; among equally near ones the first.

        Args:
            codes: the row, one code a field.
            columns: the facts that count; none of them may be unknown in ``codes``.

        Returns:
            The indices of the nearest rows, nearest first, and their mean distance.
        """
        squares = self.compute_squared_distances(codes, columns)
        found, total = [], 0.0
        for _ in range(NEAREST):  # argmin takes a microsecond for 2,000 rows, a partition ten
            index = int(squares.argmin())
            total += math.sqrt(squares[index])
            squares[index] = math.inf
            found.append(index)
        return found, total / NEAREST

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
        arrays |= {
            f"texts_{column}": np.frombuffer(json.dumps(list(known)).encode(), np.uint8)
            for column, known in self.texts.items()
        }
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Neighbors":
        """Read the file that ``save`` wrote; nothing in it can run."""
        with np.load(path, allow_pickle=False) as arrays:
            tables = {
                int(name.removeprefix("table_")): arrays[name]
                for name in arrays.files
                if name.startswith("table_")
            }
            texts = {
                int(name.removeprefix("texts_")): json.loads(arrays[name].tobytes())
                for name in arrays.files
                if name.startswith("texts_")
            }
            years = arrays["years"] if "years" in arrays.files else None
            return cls(arrays["rows"], arrays["answers"], years, arrays["weights"], tables, texts)
