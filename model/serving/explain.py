"""Explains a prediction by the contributions of the given facts.

Needs only a card's fields and a predictor, so it works for any tabular model.

Contributions are baseline Shapley values (Sundararajan and Najmi, "The many Shapley values for
model explanation", ICML 2020): a fact that is not in a coalition takes its reference value. Unknown
facts stay unknown in every coalition, so the contributions lead from the prediction for the
reference row, with the same facts known, to the prediction for the row.

They are exact up to ten facts. Above that, each fact is first screened alone, and the contributions
are exact for the eight that matter most and for all others as one player.
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

LEADING = 8
"""Facts that have a contribution of their own where there are more than ``MAX_EXACT``."""

ValueFunction = Callable[[Float32Array], FloatArray]
"""The predictor's values, shape (rows,), for a matrix of shape (rows, fields)."""


class ShapleyValues(NamedTuple):
    """Where a prediction comes from.

    ``base`` + the sum of ``contributions`` + ``joint`` = the prediction, in its unit. ``columns``
    are the indices of given facts, one for each contribution. Above ``MAX_EXACT`` facts those of
    the less important ones are in ``others``; they count as one, whose contribution is ``joint``.
    """

    base: float
    columns: tuple[int, ...]
    contributions: tuple[float, ...]
    others: tuple[int, ...] = ()
    joint: float = 0.0


class Coalitions:
    """The rows whose predictions explain a row.

    They are the same for all rows in which the same facts are given and the same ones differ from
    the reference. A fact with its reference value contributes nothing and is left out, which halves
    the number of coalitions. The last coalition is the row itself.
    """

    def __init__(
        self, given: tuple[int, ...], changed: tuple[int, ...], leading: tuple[int, ...] = ()
    ) -> None:
        """Choose the coalitions.

        Args:
            given: columns of the facts that are known.
            changed: those of them whose value differs from the reference.
            leading: those of the changed ones that count by themselves, where all others count as
                one; none where all count by themselves.
        """
        alone = leading or changed
        joined = {*changed}.difference(alone)
        self.others = tuple(sorted(joined))
        self.columns = tuple(column for column in given if column not in joined)
        self._places = [self.columns.index(column) for column in alone]
        players = len(alone) + bool(self.others)
        self._count = 1 << players
        self._alone = alone
        self._weights = _compute_weights(players)
        self._plain_weights = self._weights.tolist() if len(self) <= _MAX_PLAIN else []

    def __len__(self) -> int:
        return self._count

    def fill(
        self, rows: Float32Array, row: Float32Array, reference: Float32Array, places: IndexArray
    ) -> None:
        """Write the reference's values where a coalition lacks a fact.

        Args:
            rows: as many of the row itself as there are coalitions, shape (coalitions, fields).
            row: shape (fields,), NaN where a fact is unknown.
            reference: shape (fields,), without NaN in the columns that ``row`` gives.
            places: the column that each fact has there, shape (fields,).
        """
        if self.others:
            others, without = places[list(self.others)], row.copy()
            without[others] = reference[others]
            rows[: len(rows) // 2] = without
        for player, column in enumerate(places[list(self._alone)].tolist()):
            # The player is absent from every second run of 2 ** player coalitions.
            runs = rows.reshape(-1, 2, 1 << player, len(row))
            runs[:, 0, :, column] = reference[column]

    def explain(self, values: FloatArray) -> ShapleyValues:
        """Share the difference between the row's and the reference's value among the given facts.

        Args:
            values: the predictor's values of the coalitions, shape (coalitions,).
        """
        if self._plain_weights:
            plain = values.tolist()
            shares = [sum(map(mul, weights, plain)) for weights in self._plain_weights]
        else:
            shares = self._weights.dot(values.astype(np.float64)).tolist()
        joint = shares.pop() if self.others else 0.0
        contributions = [0.0] * len(self.columns)
        for place, share in zip(self._places, shares, strict=True):
            contributions[place] = share
        return ShapleyValues(
            float(values[0]), self.columns, tuple(contributions), self.others, joint
        )


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


def screen(row: Float32Array, reference: Float32Array, changed: IndexArray) -> Float32Array:
    """Build the rows that show how much each fact does alone, shape (facts + 2, fields).

    First comes the reference, then each fact alone is added to it; the row itself is last.

    Args:
        row: shape (fields,), NaN where a fact is unknown.
        reference: shape (fields,), without NaN in the columns that ``row`` gives.
        changed: columns of the facts that differ from the reference, shape (facts,).
    """
    without = row.copy()
    without[changed] = reference[changed]
    rows = np.empty((len(changed) + 2, len(row)), dtype=np.float32)
    rows[:-1], rows[-1] = without, row
    rows[np.arange(1, len(changed) + 1), changed] = row[changed]
    return rows


def choose_leading(changed: Sequence[int], values: FloatArray) -> tuple[int, ...]:
    """Return the facts that do most alone, in the order of their columns.

    Args:
        changed: columns of the facts that differ from the reference.
        values: the predictor's values of the rows of ``screen``, shape (facts + 2,).
    """
    effects = np.abs(values[1:-1] - values[0])
    leading = np.argsort(-effects, kind="stable")[:LEADING]
    return tuple(sorted(changed[place] for place in leading.tolist()))


def explain(predict: ValueFunction, row: Float32Array, reference: Float32Array) -> ShapleyValues:
    """The contributions to the prediction of one row.

    Args:
        predict: the predictor's values.
        row: shape (1, fields), NaN where a fact is unknown.
        reference: shape (1, fields), without NaN in the columns that ``row`` gives.
    """
    own, typical = row[0], reference[0]
    given, changed = split_by_reference(own.tolist(), typical.tolist())
    leading: tuple[int, ...] = ()
    if len(changed) > MAX_EXACT:
        leading = choose_leading(changed, predict(screen(own, typical, np.array(changed))))
    coalitions = get_coalitions(given, changed, leading)
    rows = own[None].repeat(len(coalitions), axis=0)
    coalitions.fill(rows, own, typical, np.arange(len(own)))
    return coalitions.explain(predict(rows))


@cache
def list_coalitions(facts: int) -> BoolArray:
    """Return every coalition, shape (2**facts, facts); row n has the facts of the bits of n."""
    return (np.arange(2**facts)[:, None] >> np.arange(facts) & 1).astype(bool)


@cache
def _compute_weights(facts: int) -> Float64Array:
    """The matrix from the coalitions' values to Shapley values, shape (facts, 2**facts)."""
    chosen = list_coalitions(facts)
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
