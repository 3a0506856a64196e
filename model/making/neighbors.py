"""The training rows that a served model looks among for similar ones, with their weights and the limits of support."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from model.contract.arrays import Float32Array, FloatArray
from model.serving.neighbors import NEAREST, Neighbors

_QUANTILE = 0.99
"""Share of the training rows that the threshold keeps in distribution."""

_MIN_SHARE = 0.05
"""Smallest share of a fact in the distance, so that none is ignored."""

_MIN_CHOICE_DISTANCE = 0.3
"""Added to the distance of two different choices, in standard deviations of the predictions."""

_ROWS_AT_ONCE = 256
"""Rows whose distances to all others are in memory together."""


def make(
    rows: Float32Array,
    answers: FloatArray,
    years: NDArray[np.int64] | None,
    choices: dict[int, int],
    importance: Sequence[float],
    answer: Callable[[Float32Array], NDArray[np.float64]],
) -> Neighbors:
    """Learn the distance and index the rows.

    Args:
        rows: facts of the training rows, shape (rows, fields), without NaN.
        answers: what was observed, shape (rows,).
        years: when it was observed, shape (rows,), or None.
        choices: how many choices each choice field has, by its column.
        importance: mean absolute contribution of each field.
        answer: the model's values for a matrix, shape (rows,) or (rows, classes), for the choices'
            effects.
    """
    share = np.maximum(np.asarray(importance) / max(float(np.sum(importance)), 1e-12), _MIN_SHARE)
    deviation = rows.astype(np.float64).std(axis=0)
    weights = (share / np.maximum(deviation, 1e-9) ** 2).astype(np.float32)
    spread = float(np.std(answers))
    tables = {}
    for column, count in choices.items():
        effects = []
        for code in range(count):
            asked = rows[:: max(1, len(rows) // 400)].copy()
            asked[:, column] = code
            effects.append(np.atleast_1d(answer(asked).mean(axis=0)))
        effect = np.array(effects)
        effect /= np.linalg.norm(np.std(effect[rows[:, column].astype(int)], axis=0)) or spread
        away = np.linalg.norm(effect[:, None] - effect[None, :], axis=2)
        apart = away + _MIN_CHOICE_DISTANCE * (1 - np.eye(count))
        tables[column] = (share[column] * apart**2).astype(np.float32)
    return Neighbors(rows, answers, years, weights, tables)


def limits(neighbors: Neighbors, groups: Sequence[Sequence[int]]) -> list[float]:
    """The distance that 99 % of the training rows stay below, for each group of known columns.

    Every row is held out of its own search.
    """
    count = len(neighbors.rows)
    columns = sorted({column for group in groups for column in group})
    distances: list[list[Float32Array]] = [[] for _ in groups]
    for start in range(0, count, _ROWS_AT_ONCE):
        asked = np.arange(start, min(start + _ROWS_AT_ONCE, count))
        parts = {
            column: np.stack(
                [
                    neighbors.compute_squared_differences(column, value)
                    for value in neighbors.rows[asked, column]
                ]
            )
            for column in columns
        }
        for place, group in enumerate(groups):
            squares = np.zeros((len(asked), count), dtype=np.float32)
            for column in group:
                squares += parts[column]
            squares[np.arange(len(asked)), asked] = np.inf
            nearest = np.partition(squares, NEAREST - 1, axis=1)[:, :NEAREST]
            distances[place].append(np.sqrt(nearest).mean(axis=1))
    return [float(np.quantile(np.concatenate(found), _QUANTILE)) for found in distances]
