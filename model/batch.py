"""Many rows at once: few calls of the predictor, however many rows and contributions are asked for.

Like ``model.asking``, without what only a page shows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.explain import Coalitions, Explanation
from model.fields import Features
from model.loading import Model
from model.prediction import Prediction
from model.predictors import Matrix

MOST_AT_ONCE = 8192
"""Rows of a matrix that the predictor gets in one call: half a megabyte at ten fields."""


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """One row's answer; ``explanation`` None where it was not asked for.

    ``outside`` where the model has seen nothing like the row.
    """

    prediction: Prediction
    outside: bool
    explanation: Explanation | None = None


class Batch:
    """Asks one model about lists of rows."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._card = model.card
        self._reference = model.card.encode(model.manifest.reference)

    def ask(self, rows: Sequence[Features], contributions: bool = False) -> list[RowAnswer]:
        """Answer each row, in the order of ``rows``.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        if not rows:
            return []
        matrix = np.concatenate([self._card.encode(row) for row in rows])
        values, spreads = self._model.predictor.predict(matrix)
        known = [self._model.known(row) for row in rows]
        explanations: Iterator[Explanation | None] = (
            self._explain(matrix) if contributions else iter([None] * len(rows))
        )
        return [
            RowAnswer(
                self._model.predicted(
                    float(values[i]), None if spreads is None else float(spreads[i]), known[i]
                ),
                self._outside(matrix[i : i + 1], known[i]),
                explanation,
            )
            for i, explanation in enumerate(explanations)
        ]

    def _explain(self, matrix: Matrix) -> Iterator[Explanation]:
        """The contributions to each row's answer; as many rows a call as fit."""
        waiting: list[Coalitions] = []
        size = 0
        for i in range(len(matrix)):
            coalitions = Coalitions(matrix[i : i + 1], self._reference)
            if waiting and size + len(coalitions.rows) > MOST_AT_ONCE:
                yield from self._explained(waiting)
                waiting, size = [], 0
            waiting.append(coalitions)
            size += len(coalitions.rows)
        yield from self._explained(waiting)

    def _explained(self, waiting: Sequence[Coalitions]) -> Iterator[Explanation]:
        values, _ = self._model.predictor.predict(
            np.concatenate([coalitions.rows for coalitions in waiting])
        )
        start = 0
        for coalitions in waiting:
            end = start + len(coalitions.rows)
            yield coalitions.explain(values[start:end])
            start = end

    def _outside(self, row: Matrix, known: frozenset[str]) -> bool:
        neighbors, limit = self._model.neighbors, self._model.support(known)
        if neighbors is None or limit is None:
            return False
        given = np.flatnonzero(row[0] == row[0]).tolist()  # NaN is not
        return neighbors.nearest(neighbors.squares(row, given)).distance > limit
