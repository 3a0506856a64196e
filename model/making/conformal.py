"""Training with missing facts, and conformal intervals that hold whichever facts are known.

Nothing here knows a particular model or library: features are a float matrix [N, K], NaN where
unknown, and some of its columns are optional. A subset of known optional facts has a number, its
group: bit j is set where the j-th optional fact is known, so three optional facts have the groups 0
(none known) to 7 (all known).

The intervals are locally weighted split conformal ones (Lei, G'Sell, Rinaldo, Tibshirani and
Wasserman, "Distribution-Free Predictive Inference for Regression", JASA 113, 2018, section 5.2): a
score is a signed error in units of the predicted scale, and the quantiles of the scores of rows
that fitted neither model bound the errors to come. Each group has its own (Mondrian conformal
prediction, Vovk, Gammerman and Shafer 2005), from scores made by cross-validation (Vovk,
"Cross-conformal predictors", 2015).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float64Array, IntArray


def list_subsets(optional: int) -> BoolArray:
    """Return the facts that each group knows, [2**optional, optional]; row g is group g."""
    return (np.arange(2**optional)[:, None] >> np.arange(optional) & 1).astype(bool)


def find_groups(features: Float64Array, optional: Sequence[int]) -> IntArray:
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

    A share `none` of the draws knows no optional fact and a share `every` knows all, because that
    is what people type. In the others each number of known facts is equally likely.
    """
    known = rng.random((copies, rows, optional)) < rng.random((copies, rows, 1))
    extreme = rng.random((copies, rows, 1))
    return np.where(extreme < none, False, np.where(extreme > 1 - every, True, known))


def mask_features(
    features: Float64Array, known: BoolArray, optional: Sequence[int]
) -> Float64Array:
    """Return a copy of features [N, K] with NaN where known [N, len(optional)] is false."""
    masked = features.copy()
    columns = list(optional)
    masked[:, columns] = np.where(known, masked[:, columns], np.nan)
    return masked


def assign_folds(rows: int, count: int, rng: np.random.Generator) -> IntArray:
    """Return the fold [rows] of each row: a random partition into `count` even parts."""
    fold = np.empty(rows, dtype=np.int64)
    fold[rng.permutation(rows)] = np.arange(rows) % count
    return fold


def iterate_folds(fold: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield (rows to learn from, rows held out), both indices, for each fold of fold [rows]."""
    for number in range(int(fold.max()) + 1):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


class ConformalBounds(NamedTuple):
    """The bounds of signed scores, `low` <= 0 <= `high`, both [groups] or [groups, N]."""

    low: Float64Array
    high: Float64Array


def calibrate(scores: Float64Array, coverage: float) -> ConformalBounds:
    """Return bounds that hold for a share `coverage` of rows like those of scores [groups, N].

    A score is the signed error of a row that no model was fitted to, in units of its scale. Each
    bound may miss half of what the interval may miss, with the correction for a finite sample: the
    k-th of N scores, k = ceil((N + 1) q). The interval always contains the prediction itself.

    Raises:
        ValueError: N is too small for the coverage.
    """
    rows = scores.shape[1]
    if rows < (needed := count_needed_rows(coverage)):
        raise ValueError(f"{rows} rows can't give {coverage:.0%} coverage: at least {needed} do")
    rank = _round_up((rows + 1) * (1 + coverage) / 2)
    ordered = np.sort(scores, axis=1)
    return ConformalBounds(
        low=np.minimum(ordered[:, rows - rank], 0.0), high=np.maximum(ordered[:, rank - 1], 0.0)
    )


def calibrate_out_of_fold(scores: Float64Array, fold: IntArray, coverage: float) -> ConformalBounds:
    """Return bounds [groups, N] of each row, calibrated on the scores of the other folds.

    Args:
        scores: see `calibrate`, [groups, N].
        fold: of each row, [N].
        coverage: the share of rows that shall lie within their bounds.

    Raises:
        ValueError: the other folds are too small for the coverage.
    """
    low, high = np.empty_like(scores), np.empty_like(scores)
    for learn, hold in iterate_folds(fold):
        bounds = calibrate(scores[:, learn], coverage)
        low[:, hold], high[:, hold] = bounds.low[:, None], bounds.high[:, None]
    return ConformalBounds(low, high)


def count_needed_rows(coverage: float) -> int:
    """Return the smallest number of rows that can calibrate intervals of this coverage."""
    return _round_up((1 + coverage) / (1 - coverage))


def _round_up(number: float) -> int:
    # 0.95 * 20 is 19.000000000000004 in binary, whose ceiling is 20.
    return int(np.ceil(np.round(number, 9)))


def coverage_score(low: Float64Array, high: Float64Array, truth: Float64Array) -> float:
    """Return the share, 0 to 1, of truths within their interval, bounds included; of one shape."""
    return float(np.mean((low <= truth) & (truth <= high)))
