"""Explains a prediction by the contributions of the given facts.

Needs only a card's fields and a predictor, so it works for any tabular model.

Contributions are baseline Shapley values (Sundararajan and Najmi, "The many Shapley values for
model explanation", ICML 2020): a fact that is not in a coalition takes its reference value. Unknown
facts stay unknown in every coalition, so the contributions lead from the prediction for the
reference row, with the same facts known, to the prediction for the row.
"""

from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import factorial
from operator import mul
from typing import NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float32Array, Float64Array, FloatArray, IndexArray

MAX_EXACT = 10
"""Facts up to which every coalition is predicted: 1,024 rows in one call of the predictor."""

_MAX_PLAIN = 8
"""Coalitions up to which plain Python sums are faster than NumPy."""

PERMUTATIONS = 64
"""Orders in which more facts than ``MAX_EXACT`` are added; half are the reverse of the others."""

ValueFunction = Callable[[Float32Array], FloatArray]
"""The predictor's values, shape (rows,), for a matrix of shape (rows, fields)."""


class ShapleyValues(NamedTuple):
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
    """The rows whose predictions explain a row.

    They are the same for all rows in which the same facts are given and the same ones differ from
    the reference. A fact with its reference value contributes nothing and is left out, which halves
    the number of coalitions. ``own`` (coalitions, fields) is True where a coalition has the row's
    own value; the last coalition is the row itself.
    """

    def __init__(
        self, given: tuple[int, ...], changed: tuple[int, ...], fields: int, seed: int = 0
    ) -> None:
        """Choose the coalitions.

        Args:
            given: columns of the facts that are known.
            changed: those of them whose value differs from the reference.
            fields: number of columns.
            seed: of the orders that are sampled where there are too many facts for all coalitions.
        """
        self.given = given
        self._orders: IndexArray | None = None
        if len(changed) <= MAX_EXACT:
            chosen = _list_coalitions(len(changed))
        else:
            # An order and its reverse make one sample, because their errors tend to cancel (Castro,
            # Gómez and Tejada, 2009; Mitchell, Cooper, Frank and Holmes, "Sampling permutations for
            # Shapley value estimation", JMLR 23, 2022).
            rng = np.random.default_rng(seed)
            drawn = rng.permuted(np.tile(np.arange(len(changed)), (PERMUTATIONS // 2, 1)), axis=1)
            self._orders = np.concatenate([drawn[:, ::-1], drawn])
            ranks = np.argsort(self._orders, axis=1)
            steps = np.arange(len(changed) + 1)
            chosen = (ranks[:, None, :] < steps[None, :, None]).reshape(-1, len(changed))
        # An unchanged column has one value in both rows, or is unknown, as in the row.
        self.own = np.ones((len(chosen), fields), dtype=bool)
        self.own[:, changed] = chosen
        self._weights = np.zeros((len(given), len(changed)))
        self._weights[[given.index(column) for column in changed], range(len(changed))] = 1
        if self._orders is None:
            self._weights = self._weights @ _compute_weights(len(changed))
        self._plain_weights = self._weights.tolist() if len(self.own) <= _MAX_PLAIN else []

    def build_rows(self, row: Float32Array, reference: Float32Array) -> Float32Array:
        """The rows to predict for one row, shape (coalitions, fields).

        Args:
            row: shape (1, fields), NaN where a fact is unknown.
            reference: shape (1, fields), without NaN in the columns that ``row`` gives.
        """
        return np.where(self.own, row, reference)

    def explain(self, values: FloatArray) -> ShapleyValues:
        """Share the difference between the row's and the reference's value among the given facts.

        Args:
            values: the predictor's values of the coalitions, shape (coalitions,).

        Returns:
            The explanation: exact up to ten facts that differ from the reference, else estimated.
        """
        if self._plain_weights:
            plain = values.tolist()
            shares = [sum(map(mul, weights, plain)) for weights in self._plain_weights]
            return ShapleyValues(plain[0], self.given, tuple(shares))
        values = values.astype(np.float64)
        if self._orders is None:
            return ShapleyValues(
                float(values[0]), self.given, tuple(self._weights.dot(values).tolist())
            )
        facts = self._orders.shape[1]
        gains = np.diff(values.reshape(-1, facts + 1), axis=1)
        gains = np.take_along_axis(gains, np.argsort(self._orders, axis=1), axis=1)
        pairs = gains.reshape(2, -1, facts).mean(axis=0)
        contributions = self._weights @ pairs.mean(axis=0)
        error = float((pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))).max())
        return ShapleyValues(float(values[0]), self.given, tuple(contributions.tolist()), error)


get_coalitions = lru_cache(maxsize=64)(Coalitions)
"""``Coalitions``, cached: one form leads to few different sets of facts."""


def split_by_reference(
    codes: Sequence[float], reference: Sequence[float]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The columns that are given in a row, and those of them that differ from the reference."""
    given, changed = [], []
    for column, code in enumerate(codes):
        if code == code:  # not NaN
            given.append(column)
            if code != reference[column]:
                changed.append(column)
    return tuple(given), tuple(changed)


def explain(
    predict: ValueFunction, row: Float32Array, reference: Float32Array, seed: int = 0
) -> ShapleyValues:
    """The contributions to the prediction of one row.

    Args:
        predict: the predictor's values.
        row: shape (1, fields), NaN where a fact is unknown.
        reference: shape (1, fields), without NaN in the columns that ``row`` gives.
        seed: see ``Coalitions``.
    """
    given, changed = split_by_reference(row[0].tolist(), reference[0].tolist())
    coalitions = get_coalitions(given, changed, row.shape[1], seed)
    return coalitions.explain(predict(coalitions.build_rows(row, reference)))


@cache
def _list_coalitions(facts: int) -> BoolArray:
    """Every coalition, shape (2**facts, facts); the first is empty, the last has every fact."""
    return (np.arange(2**facts)[:, None] >> np.arange(facts) & 1).astype(bool)


@cache
def _compute_weights(facts: int) -> Float64Array:
    """The matrix from the coalitions' values to Shapley values, shape (facts, 2**facts)."""
    chosen = _list_coalitions(facts)
    size = chosen.sum(axis=1)
    gain = [
        factorial(s - 1) * factorial(facts - s) / factorial(facts) if s else 0.0
        for s in range(facts + 1)
    ]
    loss = [
        factorial(s) * factorial(facts - s - 1) / factorial(facts) if s < facts else 0.0
        for s in range(facts + 1)
    ]
    weights: Float64Array = np.where(chosen.T, np.array(gain)[size], -np.array(loss)[size])
    return weights
