"""Why a prediction is what it is: contributions of the given facts, and what-if curves.

Knows only a card's fields and a predictor, so it works for any tabular model.

Contributions are baseline Shapley values (Sundararajan and Najmi, "The many Shapley values for
model explanation", ICML 2020): a fact that is not in a coalition takes its reference value. Unknown
facts stay unknown in every coalition and take no part, so that the contributions lead from the
answer to the reference row with the same facts known to the answer itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from model.predictors import Column, Matrix

EXACT = 10
"""Facts up to which every coalition is asked: 1,024 rows in one call of the predictor."""

PERMUTATIONS = 64
"""Orders in which more facts than that are added, half of them the reverse of the other half."""

Answer = Callable[[Matrix], Column]
"""The predictor's values, shape (rows,), for a matrix of shape (rows, fields)."""


@dataclass(frozen=True)
class Explanation:
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
    """The questions whose answers explain one row: rows of a matrix, the row itself the last.

    ``rows`` go to the predictor, in one call with whatever else is to be asked; ``explain`` turns
    the values into contributions. A fact that has its reference value contributes nothing and is
    not asked about, which halves the number of coalitions.
    """

    def __init__(self, row: Matrix, reference: Matrix, seed: int = 0) -> None:
        """Plan the questions.

        Args:
            row: shape (1, fields), NaN where a fact is unknown.
            reference: shape (1, fields), without NaN in the columns that ``row`` gives.
            seed: of the orders that are drawn where there are too many facts for all coalitions.
        """
        codes, usual = row[0].tolist(), reference[0].tolist()
        self._given = [at for at, code in enumerate(codes) if code == code]  # NaN is not
        self._moved = moved = [at for at in self._given if codes[at] != usual[at]]
        self._orders: NDArray[np.intp] | None = None
        if len(moved) <= EXACT:
            own = _own(tuple(moved), len(codes))
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
            own = np.ones((len(chosen), len(codes)), dtype=bool)
            own[:, moved] = chosen
        self.rows = np.where(own, row, reference)

    def explain(self, values: Column) -> Explanation:
        """Share the difference between the row's answer and the reference's among the given facts.

        Args:
            values: the predictor's answers to ``rows``, shape (rows,).

        Returns:
            The explanation: exact up to ten facts that differ from the reference, else estimated.
        """
        facts = len(self._moved)
        shares: dict[int, float] = dict.fromkeys(self._given, 0.0)
        error = 0.0
        if self._orders is None:
            found = _weights(facts) @ values
        else:
            gains = np.diff(values.reshape(-1, facts + 1), axis=1)
            gains = np.take_along_axis(gains, np.argsort(self._orders, axis=1), axis=1)
            pairs = gains.reshape(2, -1, facts).mean(axis=0)
            found = pairs.mean(axis=0)
            error = float((pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))).max())
        shares.update(zip(self._moved, found.tolist(), strict=True))
        return Explanation(float(values[0]), tuple(shares), tuple(shares.values()), error)


def explain(answer: Answer, row: Matrix, reference: Matrix, seed: int = 0) -> Explanation:
    """The contributions to one row's answer; see ``Coalitions``."""
    coalitions = Coalitions(row, reference, seed)
    return coalitions.explain(answer(coalitions.rows))


@cache
def _coalitions(facts: int) -> NDArray[np.bool_]:
    """Every coalition, shape (2**facts, facts); the first is empty, the last is everybody."""
    return (np.arange(2**facts)[:, None] >> np.arange(facts) & 1).astype(bool)


@lru_cache(maxsize=128)
def _own(moved: tuple[int, ...], fields: int) -> NDArray[np.bool_]:
    """Where each coalition's row takes the row's own values, shape (2**moved, fields).

    A fact that is not ``moved`` is the same in both rows, or unknown, which is the row's own.
    """
    own = np.ones((2 ** len(moved), fields), dtype=bool)
    own[:, moved] = _coalitions(len(moved))
    return own


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


def vary(row: Matrix, column: int, values: NDArray[np.float32]) -> Matrix:
    """The row with one fact at each of ``values``, shape (values, fields): a what-if curve."""
    rows = np.repeat(row, len(values), axis=0)
    rows[:, column] = values
    return rows
