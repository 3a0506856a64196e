"""Two forms of one model, compared on rows; and which facts it answers without."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from model.contract.arrays import BoolArray, Float64Array
from model.making.columns import DataColumn

PredictCodes = Callable[[Float64Array], Float64Array]
"""Values, shape (rows,), or probabilities, shape (rows, classes), for codes (rows, fields)."""

TOLERANCE = 1e-4
"""The largest difference that counts as none: of a probability, or relative to a value."""

_MASKED = 4
_TRIED = 20


def find_optional(
    predict: PredictCodes, matrix: Float64Array, columns: Sequence[DataColumn]
) -> list[int]:
    """Find the columns that some rows lack and that the model answers without.

    Args:
        predict: the model.
        matrix: all rows, shape (rows, fields); NaN where unknown.
        columns: in the order of the matrix.
    """
    found = [
        index
        for index, column in enumerate(columns)
        if column.missing and not column.always_asked and _answers_without(predict, matrix, [index])
    ]
    return found if len(found) < 2 or _answers_without(predict, matrix, found) else []


def _answers_without(predict: PredictCodes, matrix: Float64Array, columns: list[int]) -> bool:
    rows = matrix[~np.isnan(np.delete(matrix, columns, axis=1)).any(axis=1)][:_TRIED].copy()
    if not len(rows):
        rows = matrix[:_TRIED].copy()
    rows[:, columns] = np.nan
    try:
        return bool(np.isfinite(predict(rows)).all())
    except Exception:  # an estimator may raise anything
        return False


def find_complete(matrix: Float64Array, optional: Sequence[int]) -> tuple[BoolArray, list[int]]:
    """Find the rows that lack nothing but optional facts.

    Args:
        matrix: all rows, shape (rows, fields); NaN where unknown.
        optional: the columns that may be unknown.

    Returns:
        True for each such row, shape (rows,), and the columns that may not be unknown.
    """
    needed = [index for index in range(matrix.shape[1]) if index not in optional]
    return np.asarray(~np.isnan(matrix[:, needed]).any(axis=1), dtype=bool), needed


def make_rows_to_compare(matrix: Float64Array, optional: Sequence[int]) -> Float64Array:
    """Return every row as it is, without optional facts, and without some of them.

    Args:
        matrix: the rows, shape (rows, fields); NaN where unknown.
        optional: the columns that may be unknown.

    Returns:
        The same rows several times, shape (copies * rows, fields).
    """
    rng = np.random.default_rng(0)
    copies = [matrix]
    for number in range(_MASKED if optional else 0):
        drop = np.ones((len(matrix), len(optional)), dtype=bool)
        if number:
            drop = rng.random(drop.shape) < number / _MASKED
        masked = matrix.copy()
        masked[:, list(optional)] = np.where(drop, np.nan, masked[:, list(optional)])
        copies.append(masked)
    return np.concatenate(copies)


def count_differing(answers: Float64Array, expected: Float64Array) -> int:
    """Count the rows that have another answer than expected.

    Args:
        answers: shape (rows,) or (rows, classes).
        expected: the same shape; a value may differ by ``TOLERANCE`` of its size or of the values'
            standard deviation, a probability by ``TOLERANCE``.
    """
    if answers.shape != expected.shape:
        return len(expected)
    allowed: Float64Array | float = TOLERANCE
    if expected.ndim == 1:
        allowed = TOLERANCE * np.maximum(np.abs(expected), float(np.std(expected)))
    differs = ~(np.abs(answers - expected) <= allowed)
    return int(differs.any(axis=1).sum() if differs.ndim > 1 else differs.sum())
