"""Chooses the similar rows of a model, and learns their distance."""

from collections.abc import Iterable, Sequence

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, FloatArray, IntArray
from model.contract.texts import BLANK, decode_text
from model.making.columns.drafting import DraftField
from model.making.kinds.output_kind import OutputKind
from model.making.rows.dataset import Dataset
from model.making.rows.prepared import PredictFloat64
from model.serving.explain import explain
from model.serving.neighbors import Neighbors

LEAST_ROWS = 100
"""Rows with every fact below which no similar rows are shown."""

MOST_ROWS = 2000
"""Rows that are kept, because each request measures its distance to all of them."""

MOST_COMPARED = 1000
"""Choices of a field, because each is compared with each."""

_LEAST_SHARE = 0.05
"""Of all importance, for each field: rows that differ only in an unimportant one are not equal."""

_LEAST_DISTANCE = 0.3
"""Added between two different choices, in standard deviations of the answers."""

_TEXT_SPREAD = 0.25
"""The cosine distance of texts that counts like a standard deviation of a number."""

_MOST_SAMPLED = 400
_LEAST_SAMPLED = 40
_MOST_PREDICTED = 20_000
"""Rows that are predicted to compare the choices of a field."""


def encode_reference(fields: Sequence[DraftField]) -> Float32Array:
    """Return the reference row as a predictor takes it, shape (1, fields)."""
    codes = [
        BLANK if item.field.is_text else item.field.encode(item.field.example) for item in fields
    ]
    return np.array([codes], dtype=np.float32)


def compute_importance(
    kind: OutputKind,
    predict: PredictFloat64,
    matrix: Float64Array,
    reference: Float32Array,
    explained: int = 40,
) -> list[float]:
    """Return the mean absolute contribution of each fact over some rows.

    Args:
        kind: how the model answers.
        predict: the model.
        matrix: the rows, shape (rows, fields); NaN where unknown.
        reference: the row that contributions are counted from, shape (1, fields).
        explained: about how many rows count.
    """
    total = np.zeros(matrix.shape[1])
    rows = matrix[:: max(1, len(matrix) // explained)].astype(np.float32)
    for row in rows[:, None]:
        explanation = explain(kind.make_value_function(predict, predict(row)), row, reference)
        total[list(explanation.columns)] += np.abs(explanation.contributions)
    mean: list[float] = (total / len(rows)).tolist()
    return mean


def index_rows(dataset: Dataset, importance: Sequence[float]) -> Neighbors | None:
    """Index the training rows that have every fact, or a sample.

    Returns:
        None where these are too few, or a list of choices is too long.
    """
    complete = np.flatnonzero(~dataset.held_out & ~np.isnan(dataset.matrix).any(axis=1))
    if len(complete) < LEAST_ROWS:
        return None
    if len(complete) > MOST_ROWS:
        complete = np.sort(np.random.default_rng(0).choice(complete, MOST_ROWS, replace=False))
    if max(dataset.choices.values(), default=0) > MOST_COMPARED:
        return None
    rows = dataset.matrix[complete].astype(np.float32)
    return build_neighbors(
        rows,
        dataset.truth[complete],
        None,
        dataset.choices,
        importance,
        dataset.answer,
        dataset.texts,
    )


def explain_missing_index(dataset: Dataset) -> str:
    """Say why rows are not indexed."""
    for item in dataset.fields:
        if len(item.field.categories) > MOST_COMPARED:
            return f"{item.name} has more than {MOST_COMPARED:,} choices"
    return f"fewer than {LEAST_ROWS} rows have every fact"


def build_neighbors(
    rows: Float32Array,
    answers: FloatArray,
    years: IntArray | None,
    choices: dict[int, int],
    importance: Sequence[float],
    predict: PredictFloat64,
    texts: Iterable[int] = (),
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
        texts: the columns of free text.
    """
    share = np.maximum(np.asarray(importance) / max(float(np.sum(importance)), 1e-12), _LEAST_SHARE)
    deviation = rows.astype(np.float64).std(axis=0)
    weights = (share / np.maximum(deviation, 1e-9) ** 2).astype(np.float32)
    answer_deviation = float(np.std(answers))
    tables = {}
    for column, count in choices.items():
        means = []
        sampled = min(_MOST_SAMPLED, max(_LEAST_SAMPLED, _MOST_PREDICTED // count))
        for code in range(count):
            sample = rows[:: max(1, len(rows) // sampled)].copy()
            sample[:, column] = code
            means.append(np.atleast_1d(predict(sample).mean(axis=0)))
        effect = np.array(means)
        observed = np.std(effect[rows[:, column].astype(int)], axis=0)
        effect /= np.linalg.norm(observed) or answer_deviation
        between = np.linalg.norm(effect[:, None] - effect[None, :], axis=2)
        distance = between + _LEAST_DISTANCE * (1 - np.eye(count))
        tables[column] = (share[column] * distance**2).astype(np.float32)
    known: dict[int, list[str]] = {}
    rows = rows.copy()
    for column in texts:
        known[column] = list(map(decode_text, rows[:, column].tolist()))
        rows[:, column] = np.arange(len(rows))
        weights[column] = share[column] / _TEXT_SPREAD**2
    return Neighbors(rows, answers, years, weights, tables, known)
