"""Similar rows of an added model, and how far from them a row may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.contract.arrays import Float32Array, Float64Array
from model.making.drafting import DraftCard
from model.making.measuring import PredictFunction
from model.making.neighbors import limits, make
from model.serving.explain import explain
from model.serving.neighbors import Neighbors

LEAST = 100
"""Rows with every fact below which none are shown."""

MOST = 2000
"""Rows that are kept: a request looks at all of them."""

_EXPLAINED = 40
_SUBSETS = 6
_SEED = 0


@dataclass(frozen=True)
class Index:
    """The rows, and the columns of required and optional facts."""

    neighbors: Neighbors
    required: tuple[int, ...]
    optional: tuple[int, ...]

    def limit(self, known: Sequence[Sequence[int]]) -> list[float]:
        """The distance that is still like the data, for each set of known optional columns."""
        groups = [[*self.required, *columns] for columns in known]
        return [round(found, 6) for found in limits(self.neighbors, groups)]

    def limits_by_count(self) -> tuple[float, ...]:
        """The same by the number of unknown facts, over some sets of as many."""
        rng = np.random.default_rng(_SEED)
        found = []
        for unknown in range(len(self.optional) + 1):
            count = 1 if unknown in (0, len(self.optional)) else _SUBSETS
            drawn = [
                rng.permutation(self.optional)[unknown:].astype(int).tolist() for _ in range(count)
            ]
            found.append(round(float(np.mean(self.limit(drawn))), 6))
        return tuple(found)


def reference_row(drafted: Sequence[DraftCard]) -> Float32Array:
    """The reference row as a predictor sees it, shape (1, fields)."""
    return np.array([[encode(item, item.reference) for item in drafted]], dtype=np.float32)


def encode(item: DraftCard, value: object) -> float:
    """The code of a field's value."""
    if item.column.kind != "choice":
        return float(value)  # type: ignore[arg-type]
    values = item.column.source.values
    texts = [
        value if isinstance(value, str) else label
        for value, label in zip(values, item.column.labels, strict=True)
    ]
    return float(texts.index(str(value)))


def importance_of(
    answer: PredictFunction, matrix: Float64Array, drafted: Sequence[DraftCard]
) -> list[float]:
    """The mean absolute contribution of each fact, over some rows; for classes to the named one."""
    reference = reference_row(drafted)
    total = np.zeros(len(drafted))
    rows = matrix[:: max(1, len(matrix) // _EXPLAINED)].astype(np.float32)
    for row in rows:
        said = answer(row[None, :])
        place = int(said[0].argmax()) if said.ndim > 1 else None

        def scalar(asked: Float32Array, place: int | None = place) -> Float64Array:
            values = answer(asked)
            return values if place is None else values[:, place]

        explanation = explain(scalar, row[None, :], reference)
        total[list(explanation.columns)] += np.abs(explanation.contributions)
    mean: list[float] = (total / len(rows)).tolist()
    return mean


def index_rows(
    answer: PredictFunction,
    matrix: Float64Array,
    truth: Float64Array,
    drafted: Sequence[DraftCard],
    importance: Sequence[float],
) -> Index | None:
    """Index the rows that have every fact, or some of them; None where these are too few."""
    whole = np.flatnonzero(~np.isnan(matrix).any(axis=1))
    if len(whole) < LEAST:
        return None
    if len(whole) > MOST:
        whole = np.sort(np.random.default_rng(_SEED).choice(whole, MOST, replace=False))
    choices = {
        place: len(item.column.labels)
        for place, item in enumerate(drafted)
        if item.column.kind == "choice"
    }
    rows = matrix[whole].astype(np.float32)
    neighbors = make(rows, truth[whole], None, choices, importance, answer)
    required = tuple(place for place, item in enumerate(drafted) if item.required)
    optional = tuple(place for place, item in enumerate(drafted) if not item.required)
    return Index(neighbors, required, optional)
