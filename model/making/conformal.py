"""Learning with facts missing, and ranges that hold whichever facts are known.

Nothing here knows a particular model or library: facts are a float matrix [N, K] in which NaN is
"unknown", of whose columns some are optional. A subset of known optional facts has a number, its
group: bit j is set where the j-th optional fact is known, so that three optional facts have the
groups 0 (none known) to 7 (all known).

The ranges are locally weighted split conformal ones (Lei, G'Sell, Rinaldo, Tibshirani and
Wasserman, "Distribution-Free Predictive Inference for Regression", JASA 113, 2018, section 5.2):
a score is a signed error in units of the predicted spread, and the quantiles of the scores of rows
that fitted neither model bound the errors to come. They are taken in each group on its own
(Mondrian conformal prediction, Vovk, Gammerman and Shafer 2005) from scores made by
cross-validation (Vovk, "Cross-conformal predictors", 2015).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model.contract.arrays import BoolArray, Float64Array, IntArray


def every_subset(optional: int) -> BoolArray:
    """Return which facts each group knows, [2**optional, optional]; row g is group g."""
    return (np.arange(2**optional)[:, None] >> np.arange(optional) & 1).astype(bool)


def group_of(features: Float64Array, optional: Sequence[int]) -> IntArray:
    """Return the group [N] of each row of features [N, K], by its known `optional` columns."""
    known = ~np.isnan(features[:, list(optional)])
    group: IntArray = known @ (1 << np.arange(len(optional), dtype=np.int64))
    return group


def sample_known(
    rng: np.random.Generator,
    rows: int,
    copies: int,
    optional: int,
    *,
    none: float = 0.15,
    every: float = 0.45,
) -> BoolArray:
    """Draw which optional facts are known, [copies, rows, optional].

    A share `none` of the draws knows no optional fact and a share `every` knows all, for these are
    what people type; in the others the number of known facts is as likely 0 as any other.
    """
    known = rng.random((copies, rows, optional)) < rng.random((copies, rows, 1))
    extreme = rng.random((copies, rows, 1))
    return np.where(extreme < none, False, np.where(extreme > 1 - every, True, known))


def mask(features: Float64Array, known: BoolArray, optional: Sequence[int]) -> Float64Array:
    """Return a copy of features [N, K] with NaN where known [N, len(optional)] is false."""
    masked = features.copy()
    columns = list(optional)
    masked[:, columns] = np.where(known, masked[:, columns], np.nan)
    return masked


def folds(rows: int, count: int, rng: np.random.Generator) -> IntArray:
    """Return the fold [rows] of each row: a random partition into `count` even parts."""
    fold = np.empty(rows, dtype=np.int64)
    fold[rng.permutation(rows)] = np.arange(rows) % count
    return fold


def splits(fold: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield (rows to learn from, rows held out) for each fold of `folds`."""
    for number in range(int(fold.max()) + 1):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


@dataclass(frozen=True)
class Bounds:
    """The range of every group: from value * exp(low * spread) to value * exp(high * spread).

    `low` <= 0 <= `high`, both [groups], without unit.
    """

    low: Float64Array
    high: Float64Array

    def interval(
        self, value: Float64Array, spread: Float64Array, group: IntArray
    ) -> tuple[Float64Array, Float64Array]:
        """Return both ends of the range for value, spread and group, each [N]; ends as value."""
        low = value * np.exp(self.low[group] * spread)
        high = value * np.exp(self.high[group] * spread)
        return low, high


def calibrate(scores: Float64Array, coverage: float) -> Bounds:
    """Return bounds that hold for a share `coverage` of rows like those of scores [groups, N].

    A score is (log truth - log value) / spread of a row that neither model was fitted to. Each end
    may miss half of what the range may miss, with the correction for a finite sample: the k-th of
    N scores, k = ceil((N + 1) q). The range always holds the prediction itself.

    Raises:
        ValueError: N is too small for the coverage asked.
    """
    rows = scores.shape[1]
    miss = (1 - coverage) / 2
    # The rounding keeps 0.95 * 20 from becoming 19.000000000000004 and its ceiling 20.
    rank = int(np.ceil(np.round((rows + 1) * (1 - miss), 9)))
    if rank > rows:
        needed = int(np.ceil(np.round((1 - miss) / miss, 9)))
        raise ValueError(f"{rows} rows can't give {coverage:.0%} coverage: at least {needed} do")
    ordered = np.sort(scores, axis=1)
    return Bounds(
        low=np.minimum(ordered[:, rows - rank], 0.0), high=np.maximum(ordered[:, rank - 1], 0.0)
    )


def percentage_error(value: Float64Array, truth: Float64Array) -> Float64Array:
    """Return the absolute error of value as a share of truth, elementwise."""
    return np.abs(value / truth - 1)


def share_inside(low: Float64Array, high: Float64Array, truth: Float64Array) -> float:
    """Return the share, 0 to 1, of truths within their range (its ends included)."""
    return float(np.mean((low <= truth) & (truth <= high)))


def median_width(low: Float64Array, high: Float64Array, value: Float64Array) -> float:
    """Return the median over rows of the width of the range relative to the value."""
    return float(np.median((high - low) / value))
