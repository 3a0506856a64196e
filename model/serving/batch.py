"""Many rows at once: few calls of the predictor, however many rows and contributions are asked for.

Like ``model.serving.explained_predictor``, without what only a page shows.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from model.contract.fields import Features
from model.serving.explain import Coalitions, Explanation, coalitions, split_by_reference
from model.serving.predictors import Matrix
from model.serving.tabular_models import PredictionT, TabularModel

MOST_AT_ONCE = 8192
"""Rows of a matrix that the predictor gets in one call: half a megabyte at ten fields."""

Questions = tuple[Coalitions, Matrix]
"""What is asked to explain one row, and how that is read."""


@dataclass(frozen=True, slots=True)
class RowAnswer(Generic[PredictionT]):
    """One row's answer; ``explanation`` None where it was not asked for.

    ``outside`` where the model has seen nothing like the row.
    """

    prediction: PredictionT
    outside: bool
    explanation: Explanation | None


class BatchPredictor(Generic[PredictionT]):
    """Asks one model about lists of rows."""

    def __init__(self, model: TabularModel[PredictionT]) -> None:
        self._model: TabularModel[PredictionT] = model
        self._card = model.card
        self._reference = model.card.encode(model.manifest.reference)
        self._usual: list[float] = self._reference[0].tolist()

    def predict(
        self, rows: Sequence[Features], contributions: bool, patience: float = math.inf
    ) -> list[RowAnswer[PredictionT]]:
        """Answer each row, in the order of ``rows``.

        Args:
            rows: any number of them.
            contributions: whether each answer is explained, at up to 1,024 questions a row.
            patience: seconds after which explaining is given up, looked at between two calls.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
            TimeoutError: if patience was at its end.
        """
        if not rows:
            return []
        matrix = np.concatenate([self._card.encode(row) for row in rows])
        known = [self._model.known(row) for row in rows]
        outside = [self._outside(matrix[i : i + 1], known[i]) for i in range(len(rows))]
        if contributions:
            return [
                RowAnswer(said, outside[i], explanation)
                for i, (said, explanation) in enumerate(self._explained(matrix, known, patience))
            ]
        parts = [(slice(i, i + 1), known[i]) for i in range(len(rows))]
        return [
            RowAnswer(said, outside[i], None)
            for i, (said, _) in enumerate(self._model.predict_each(matrix, parts))
        ]

    def _explained(
        self, matrix: Matrix, known: Sequence[frozenset[str]], patience: float
    ) -> Iterator[tuple[PredictionT, Explanation]]:
        """Each row's answer with its contributions; as many rows a call as fit."""
        latest = time.monotonic() + patience
        waiting: list[Questions] = []
        first = size = 0
        for i in range(len(matrix)):
            asked = self._questions(matrix[i : i + 1])
            if waiting and size + len(asked[1]) > MOST_AT_ONCE:
                yield from self._ask_together(waiting, known[first:i])
                waiting, first, size = [], i, 0
                if time.monotonic() > latest:
                    raise TimeoutError
            waiting.append(asked)
            size += len(asked[1])
        yield from self._ask_together(waiting, known[first:])

    def _questions(self, row: Matrix) -> Questions:
        plan = coalitions(*split_by_reference(row[0].tolist(), self._usual), len(self._usual))
        return plan, plan.rows(row, self._reference)

    def _ask_together(
        self, waiting: Sequence[Questions], known: Sequence[frozenset[str]]
    ) -> Iterator[tuple[PredictionT, Explanation]]:
        parts, start = [], 0
        for (_, rows), names in zip(waiting, known, strict=True):
            parts.append((slice(start, start + len(rows)), names))
            start += len(rows)
        answers = self._model.predict_each(np.concatenate([rows for _, rows in waiting]), parts)
        for (plan, _), (said, values) in zip(waiting, answers, strict=True):
            yield said, plan.explain(values)

    def _outside(self, row: Matrix, known: frozenset[str]) -> bool:
        neighbors, limit = self._model.neighbors, self._model.support(known)
        if neighbors is None or limit is None:
            return False
        given = np.flatnonzero(row[0] == row[0]).tolist()  # NaN is not
        return neighbors.nearest(neighbors.squares(row[0].tolist(), given)).distance > limit
