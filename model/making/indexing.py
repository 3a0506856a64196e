"""Similar rows of an added model, and how far from them a row may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.contract.arrays import Float32Array, Float64Array
from model.making.drafting import DraftField
from model.making.neighbors import build_neighbors, compute_ood_thresholds
from model.making.predicting import PredictFloat64
from model.serving.explain import explain
from model.serving.neighbors import Neighbors

LEAST_ROWS = 100
"""Rows with every fact below which no similar rows are shown."""

MOST_ROWS = 2000
"""Rows that are kept, because each request measures its distance to all of them."""

_EXPLAINED = 40
_SUBSETS = 6
_SEED = 0


@dataclass(frozen=True)
class NeighborIndex:
    """The rows, and the columns of required and optional facts."""

    neighbors: Neighbors
    required: tuple[int, ...]
    optional: tuple[int, ...]

    def ood_thresholds(self, known: Sequence[Sequence[int]]) -> list[float]:
        """Return the distance within which a row is like the data.

        Args:
            known: the known optional columns of each group.
        """
        groups = [[*self.required, *columns] for columns in known]
        return [round(found, 6) for found in compute_ood_thresholds(self.neighbors, groups)]

    def ood_thresholds_by_count(self) -> tuple[float, ...]:
        """Return the threshold for each number of unknown facts, the mean of some random sets."""
        rng = np.random.default_rng(_SEED)
        thresholds = []
        for unknown in range(len(self.optional) + 1):
            count = 1 if unknown in (0, len(self.optional)) else _SUBSETS
            drawn = [
                rng.permutation(self.optional)[unknown:].astype(int).tolist() for _ in range(count)
            ]
            thresholds.append(round(float(np.mean(self.ood_thresholds(drawn))), 6))
        return tuple(thresholds)


def encode_reference(fields: Sequence[DraftField]) -> Float32Array:
    """Return the reference row as a predictor takes it, shape (1, fields)."""
    return np.array([[_encode_reference_value(item) for item in fields]], dtype=np.float32)


def _encode_reference_value(item: DraftField) -> float:
    if item.column.kind != "choice":
        return float(item.reference)
    values = [
        value if isinstance(value, str) else label
        for value, label in zip(item.column.source.values, item.column.labels, strict=True)
    ]
    return float(values.index(str(item.reference)))


def compute_importance(
    predict: PredictFloat64, matrix: Float64Array, fields: Sequence[DraftField]
) -> list[float]:
    """Return the mean absolute contribution of each fact over some rows.

    Args:
        predict: the model; of classes, the contributions are those to the predicted one.
        matrix: the rows, shape (rows, fields); NaN where unknown.
        fields: in the order of the columns.
    """
    reference = encode_reference(fields)
    total = np.zeros(len(fields))
    rows = matrix[:: max(1, len(matrix) // _EXPLAINED)].astype(np.float32)
    for row in rows:
        answers = predict(row[None, :])
        predicted = int(answers[0].argmax()) if answers.ndim > 1 else None

        def predict_one(coalitions: Float32Array, column: int | None = predicted) -> Float64Array:
            values = predict(coalitions)
            return values if column is None else values[:, column]

        explanation = explain(predict_one, row[None, :], reference)
        total[list(explanation.columns)] += np.abs(explanation.contributions)
    mean: list[float] = (total / len(rows)).tolist()
    return mean


def index_rows(
    predict: PredictFloat64,
    matrix: Float64Array,
    truth: Float64Array,
    fields: Sequence[DraftField],
    importance: Sequence[float],
) -> NeighborIndex | None:
    """Index the rows that have every fact, or a sample of them; None where these are too few.

    Args:
        predict: the model.
        matrix: the training rows, shape (rows, fields); NaN where unknown.
        truth: their true values, or indices of classes, shape (rows,).
        fields: in the order of the columns.
        importance: of each field.
    """
    complete = np.flatnonzero(~np.isnan(matrix).any(axis=1))
    if len(complete) < LEAST_ROWS:
        return None
    if len(complete) > MOST_ROWS:
        rng = np.random.default_rng(_SEED)
        complete = np.sort(rng.choice(complete, MOST_ROWS, replace=False))
    choices = {
        column: len(item.column.labels)
        for column, item in enumerate(fields)
        if item.column.kind == "choice"
    }
    rows = matrix[complete].astype(np.float32)
    neighbors = build_neighbors(rows, truth[complete], None, choices, importance, predict)
    required = tuple(column for column, item in enumerate(fields) if item.required)
    optional = tuple(column for column, item in enumerate(fields) if not item.required)
    return NeighborIndex(neighbors, required, optional)
