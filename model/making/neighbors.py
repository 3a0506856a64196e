"""The training rows of a model, indexed for similar ones, and their distances to each other."""

from collections.abc import Sequence

import numpy as np

from model.contract.arrays import Float32Array, FloatArray, IntArray
from model.making.predicting import PredictFloat64
from model.serving.neighbors import NEAREST, Neighbors

_THRESHOLD_QUANTILE = 0.99
_LEAST_SHARE = 0.05
"""Of all importance, for each field: rows that differ only in an unimportant one are not equal."""

_LEAST_DISTANCE = 0.3
"""Added between two different choices, in standard deviations of the answers."""

_BLOCK = 256
"""Rows whose distances to all others are in memory together."""

_MOST_SAMPLED = 400


def build_neighbors(
    rows: Float32Array,
    answers: FloatArray,
    years: IntArray | None,
    choices: dict[int, int],
    importance: Sequence[float],
    predict: PredictFloat64,
) -> Neighbors:
    """Learn the distance and index the rows.

    Args:
        rows: the training rows, shape (rows, fields), without NaN.
        answers: their observed values, shape (rows,).
        years: when these were observed, shape (rows,), or None.
        choices: how many choices each choice field has, by its column.
        importance: mean absolute contribution of each field.
        predict: the model's values for a matrix, shape (rows,) or (rows, classes), for the choices'
            effects.
    """
    share = np.maximum(np.asarray(importance) / max(float(np.sum(importance)), 1e-12), _LEAST_SHARE)
    deviation = rows.astype(np.float64).std(axis=0)
    weights = (share / np.maximum(deviation, 1e-9) ** 2).astype(np.float32)
    answer_deviation = float(np.std(answers))
    tables = {}
    for column, count in choices.items():
        means = []
        for code in range(count):
            sample = rows[:: max(1, len(rows) // _MOST_SAMPLED)].copy()
            sample[:, column] = code
            means.append(np.atleast_1d(predict(sample).mean(axis=0)))
        effect = np.array(means)
        observed = np.std(effect[rows[:, column].astype(int)], axis=0)
        effect /= np.linalg.norm(observed) or answer_deviation
        between = np.linalg.norm(effect[:, None] - effect[None, :], axis=2)
        distance = between + _LEAST_DISTANCE * (1 - np.eye(count))
        tables[column] = (share[column] * distance**2).astype(np.float32)
    return Neighbors(rows, answers, years, weights, tables)


def compute_ood_thresholds(neighbors: Neighbors, groups: Sequence[Sequence[int]]) -> list[float]:
    """Return the distance that 99 % of the training rows stay below, for each group.

    Every row is left out of its own search.

    Args:
        neighbors: the training rows.
        groups: the known columns of each group.
    """
    count = len(neighbors.rows)
    columns = sorted({column for group in groups for column in group})
    distances: list[list[Float32Array]] = [[] for _ in groups]
    for start in range(0, count, _BLOCK):
        block = np.arange(start, min(start + _BLOCK, count))
        squares_by_column = {
            column: np.stack(
                [
                    neighbors.compute_squared_differences(column, value)
                    for value in neighbors.rows[block, column]
                ]
            )
            for column in columns
        }
        for number, group in enumerate(groups):
            squares = np.zeros((len(block), count), dtype=np.float32)
            for column in group:
                squares += squares_by_column[column]
            squares[np.arange(len(block)), block] = np.inf
            nearest = np.partition(squares, NEAREST - 1, axis=1)[:, :NEAREST]
            distances[number].append(np.sqrt(nearest).mean(axis=1))
    return [float(np.quantile(np.concatenate(blocks), _THRESHOLD_QUANTILE)) for blocks in distances]
