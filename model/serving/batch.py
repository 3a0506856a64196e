"""Predicts lists of rows with few calls of the predictor, with or without contributions."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from model.contract.arrays import Float32Array
from model.contract.fields import Features
from model.serving.explain import Coalitions, Explanation, get_coalitions, split_by_reference
from model.serving.tabular_models import PredictionT, TabularModel

MAX_ROWS_PER_CALL = 8192
"""Rows of a matrix that the predictor gets in one call: half a megabyte at ten fields."""

_ExplainedRow = tuple[Coalitions, Float32Array]
"""The coalitions that explain a row, and their rows, shape (coalitions, fields)."""


@dataclass(frozen=True, slots=True)
class RowPrediction(Generic[PredictionT]):
    """The prediction for one row; ``explanation`` is None if it was not asked for."""

    prediction: PredictionT
    out_of_distribution: bool
    explanation: Explanation | None


class BatchPredictor(Generic[PredictionT]):
    """Predicts lists of rows with one model."""

    def __init__(self, model: TabularModel[PredictionT]) -> None:
        self._model: TabularModel[PredictionT] = model
        self._card = model.card
        self._reference = model.card.encode(model.manifest.reference)
        self._reference_codes: list[float] = self._reference[0].tolist()

    def predict(
        self, rows: Sequence[Features], contributions: bool, timeout: float = math.inf
    ) -> list[RowPrediction[PredictionT]]:
        """Predict each row, in the order of ``rows``.

        Args:
            rows: any number of them.
            contributions: whether to explain each prediction, with up to 1,024 coalitions a row.
            timeout: seconds after which explaining is given up, checked between two calls.

        Raises:
            ArithmeticError: if the model predicts a number that is not finite.
            TimeoutError: if explaining took longer than the timeout.
        """
        if not rows:
            return []
        matrix = np.concatenate([self._card.encode(row) for row in rows])
        known = [self._model.find_known(row) for row in rows]
        far = [self._is_far(matrix[i : i + 1], known[i]) for i in range(len(rows))]
        if contributions:
            return [
                RowPrediction(prediction, far[i], explanation)
                for i, (prediction, explanation) in enumerate(self._explain(matrix, known, timeout))
            ]
        parts = [(slice(i, i + 1), known[i]) for i in range(len(rows))]
        return [
            RowPrediction(prediction, far[i], None)
            for i, (prediction, _) in enumerate(self._model.predict_each(matrix, parts))
        ]

    def _explain(
        self, matrix: Float32Array, known: Sequence[frozenset[str]], timeout: float
    ) -> Iterator[tuple[PredictionT, Explanation]]:
        """Explain each row of a matrix (rows, fields), with as many rows in a call as fit."""
        deadline = time.monotonic() + timeout
        waiting: list[_ExplainedRow] = []
        first = size = 0
        for i in range(len(matrix)):
            planned = self._plan(matrix[i : i + 1])
            if waiting and size + len(planned[1]) > MAX_ROWS_PER_CALL:
                yield from self._explain_together(waiting, known[first:i])
                waiting, first, size = [], i, 0
                if time.monotonic() > deadline:
                    raise TimeoutError
            waiting.append(planned)
            size += len(planned[1])
        yield from self._explain_together(waiting, known[first:])

    def _plan(self, row: Float32Array) -> _ExplainedRow:
        reference = self._reference_codes
        given, changed = split_by_reference(row[0].tolist(), reference)
        coalitions = get_coalitions(given, changed, len(reference))
        return coalitions, coalitions.build_rows(row, self._reference)

    def _explain_together(
        self, waiting: Sequence[_ExplainedRow], known: Sequence[frozenset[str]]
    ) -> Iterator[tuple[PredictionT, Explanation]]:
        parts, start = [], 0
        for (_, rows), names in zip(waiting, known, strict=True):
            parts.append((slice(start, start + len(rows)), names))
            start += len(rows)
        found = self._model.predict_each(np.concatenate([rows for _, rows in waiting]), parts)
        for (coalitions, _), (prediction, values) in zip(waiting, found, strict=True):
            yield prediction, coalitions.explain(values)

    def _is_far(self, row: Float32Array, known: frozenset[str]) -> bool:
        """Whether a row, shape (1, fields), is out-of-distribution."""
        neighbors, threshold = self._model.neighbors, self._model.find_ood_threshold(known)
        if neighbors is None or threshold is None:
            return False
        given = np.flatnonzero(row[0] == row[0]).tolist()  # not NaN
        squares = neighbors.compute_squared_distances(row[0].tolist(), given)
        return neighbors.find_nearest(squares).distance > threshold
