"""Why a prediction is what it is: contributions of the given facts.

Knows only a card's fields and a predictor, so it works for any tabular model.

Contributions are baseline Shapley values (Sundararajan and Najmi, "The many Shapley values for
model explanation", ICML 2020): a fact that is not in a coalition takes its reference value. Unknown
facts stay unknown in every coalition and take no part, so that the contributions lead from the
answer to the reference row with the same facts known to the answer itself.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import factorial
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.serving.predictors import Column, Matrix

EXACT = 10
"""Facts up to which every coalition is asked: 1,024 rows in one call of the predictor."""

FEW = 8
"""Coalitions up to which their values are weighed one by one."""

PERMUTATIONS = 64
"""Orders in which more facts than that are added, half of them the reverse of the other half."""

PredictFunction = Callable[[Matrix], Column]
"""The predictor's values, shape (rows,), for a matrix of shape (rows, fields)."""


class Explanation(NamedTuple):
    """Where a prediction comes from.

    ``base`` + the sum of ``contributions`` = the prediction, in its unit. ``columns`` are the
    indices of the given facts, one for each contribution. ``error`` is the largest standard error
    of a contribution: 0 where they are exact.
    """

    base: float
    columns: tuple[int, ...]
    contributions: tuple[float, ...]
    error: float = 0.0


class Coalitions:
    """The questions whose answers explain a row: which of its facts each of them takes over.

    The same for all rows in which the same facts are given, and the same ones of them differ from
    the reference: a fact that has its reference value contributes nothing and is not asked about,
    which halves the number of coalitions. ``own`` (rows, fields) is True where a question has the
    row's own value, and the last question is the row itself.
    """

    def __init__(
        self, given: tuple[int, ...], moved: tuple[int, ...], fields: int, seed: int = 0
    ) -> None:
        """Plan the questions.

        Args:
            given: columns of the facts that are known.
            moved: those of them with another value than the reference.
            fields: how many columns there are.
            seed: of the orders that are drawn where there are too many facts for all coalitions.
        """
        self.given = given
        self._orders: NDArray[np.intp] | None = None
        # What is not moved is the same in both rows, or unknown, which is the row's own.
        if len(moved) <= EXACT:
            chosen = _coalitions(len(moved))
        else:
            # Castro, Gómez and Tejada, 2009; an order and its reverse make one sample (Mitchell,
            # Cooper, Frank and Holmes, "Sampling permutations for Shapley value estimation", JMLR
            # 23, 2022): their errors tend to cancel.
            rng = np.random.default_rng(seed)
            drawn = rng.permuted(np.tile(np.arange(len(moved)), (PERMUTATIONS // 2, 1)), axis=1)
            self._orders = np.concatenate([drawn[:, ::-1], drawn])
            places = np.argsort(self._orders, axis=1)
            steps = np.arange(len(moved) + 1)
            chosen = (places[:, None, :] < steps[None, :, None]).reshape(-1, len(moved))
        self.own = np.ones((len(chosen), fields), dtype=bool)
        self.own[:, moved] = chosen
        self._weights = np.zeros((len(given), len(moved)))
        self._weights[[given.index(column) for column in moved], range(len(moved))] = 1
        if self._orders is None:
            self._weights = self._weights @ _weights(len(moved))
        self._rows = self._weights.tolist() if len(self.own) <= FEW else []

    def rows(self, row: Matrix, reference: Matrix) -> Matrix:
        """The questions for one row, shape (rows, fields).

        Args:
            row: shape (1, fields), NaN where a fact is unknown.
            reference: shape (1, fields), without NaN in the columns that ``row`` gives.
        """
        return np.where(self.own, row, reference)

    def explain(self, values: Column) -> Explanation:
        """Share the difference between the row's answer and the reference's among the given facts.

        Args:
            values: the predictor's answers to the questions, shape (rows,).

        Returns:
            The explanation: exact up to ten facts that differ from the reference, else estimated.
        """
        if self._rows:  # so few that NumPy would take longer to begin
            known = values.tolist()
            shares = [sum(map(mul, row, known)) for row in self._rows]
            return Explanation(known[0], self.given, tuple(shares))
        values = values.astype(np.float64)
        if self._orders is None:
            return Explanation(
                float(values[0]), self.given, tuple(self._weights.dot(values).tolist())
            )
        facts = self._orders.shape[1]
        gains = np.diff(values.reshape(-1, facts + 1), axis=1)
        gains = np.take_along_axis(gains, np.argsort(self._orders, axis=1), axis=1)
        pairs = gains.reshape(2, -1, facts).mean(axis=0)
        found = self._weights @ pairs.mean(axis=0)
        error = float((pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))).max())
        return Explanation(float(values[0]), self.given, tuple(found.tolist()), error)


coalitions = lru_cache(maxsize=64)(Coalitions)
"""The coalitions of a set of facts, kept: visitors who fill one form give few different sets."""


def split_by_reference(
    codes: Sequence[float], usual: Sequence[float]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The columns that are given in a row, and those of them that differ from the reference."""
    given, moved = [], []
    for at, code in enumerate(codes):
        if code == code:  # NaN is not
            given.append(at)
            if code != usual[at]:
                moved.append(at)
    return tuple(given), tuple(moved)


def explain(answer: PredictFunction, row: Matrix, reference: Matrix, seed: int = 0) -> Explanation:
    """The contributions to one row's answer; see ``Coalitions``."""
    given, moved = split_by_reference(row[0].tolist(), reference[0].tolist())
    questions = coalitions(given, moved, row.shape[1], seed)
    return questions.explain(answer(questions.rows(row, reference)))


@cache
def _coalitions(facts: int) -> NDArray[np.bool_]:
    """Every coalition, shape (2**facts, facts); the first is empty, the last is everybody."""
    return (np.arange(2**facts)[:, None] >> np.arange(facts) & 1).astype(bool)


@cache
def _weights(facts: int) -> NDArray[np.float64]:
    """What turns the coalitions' values into Shapley values, shape (facts, 2**facts)."""
    chosen = _coalitions(facts)
    size = chosen.sum(axis=1)
    gain = [
        factorial(s - 1) * factorial(facts - s) / factorial(facts) if s else 0.0
        for s in range(facts + 1)
    ]
    loss = [
        factorial(s) * factorial(facts - s - 1) / factorial(facts) if s < facts else 0.0
        for s in range(facts + 1)
    ]
    weights: NDArray[np.float64] = np.where(chosen.T, np.array(gain)[size], -np.array(loss)[size])
    return weights
