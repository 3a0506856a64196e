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
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


def every_subset(optional: int) -> Booleans:
    """Return which facts each group knows, [2**optional, optional]; row g is group g."""
    return (np.arange(2**optional)[:, None] >> np.arange(optional) & 1).astype(bool)


def group_of(features: Floats, optional: Sequence[int]) -> Integers:
    """Return the group [N] of each row of features [N, K], by its known `optional` columns."""
    known = ~np.isnan(features[:, list(optional)])
    group: Integers = known @ (1 << np.arange(len(optional), dtype=np.int64))
    return group


def sample_known(
    rng: np.random.Generator,
    rows: int,
    copies: int,
    optional: int,
    *,
    none: float = 0.15,
    every: float = 0.45,
) -> Booleans:
    """Draw which optional facts are known, [copies, rows, optional].

    A share `none` of the draws knows no optional fact and a share `every` knows all, for these are
    what people type; in the others the number of known facts is as likely 0 as any other.
    """
    known = rng.random((copies, rows, optional)) < rng.random((copies, rows, 1))
    extreme = rng.random((copies, rows, 1))
    return np.where(extreme < none, False, np.where(extreme > 1 - every, True, known))


def mask(features: Floats, known: Booleans, optional: Sequence[int]) -> Floats:
    """Return a copy of features [N, K] with NaN where known [N, len(optional)] is false."""
    masked = features.copy()
    columns = list(optional)
    masked[:, columns] = np.where(known, masked[:, columns], np.nan)
    return masked


def folds(rows: int, count: int, rng: np.random.Generator) -> Integers:
    """Return the fold [rows] of each row: a random partition into `count` even parts."""
    fold = np.empty(rows, dtype=np.int64)
    fold[rng.permutation(rows)] = np.arange(rows) % count
    return fold


def splits(fold: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Yield (rows to learn from, rows held out) for each fold of `folds`."""
    for number in range(int(fold.max()) + 1):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


@dataclass(frozen=True)
class Bounds:
    """The range of every group: from value * exp(low * spread) to value * exp(high * spread).

    `low` <= 0 <= `high`, both [groups], without unit.
    """

    low: Floats
    high: Floats

    def interval(self, value: Floats, spread: Floats, group: Integers) -> tuple[Floats, Floats]:
        """Return both ends of the range for value, spread and group, each [N]; ends as value."""
        low = value * np.exp(self.low[group] * spread)
        high = value * np.exp(self.high[group] * spread)
        return low, high


def calibrate(scores: Floats, coverage: float) -> Bounds:
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


def percentage_error(value: Floats, truth: Floats) -> Floats:
    """Return the absolute error of value as a share of truth, elementwise."""
    return np.abs(value / truth - 1)


def share_inside(low: Floats, high: Floats, truth: Floats) -> float:
    """Return the share, 0 to 1, of truths within their range (its ends included)."""
    return float(np.mean((low <= truth) & (truth <= high)))


def median_width(low: Floats, high: Floats, value: Floats) -> float:
    """Return the median over rows of the width of the range relative to the value."""
    return float(np.median((high - low) / value))
