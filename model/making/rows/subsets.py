"""Training with missing facts: which ones are known, and folds for cross-validation.

Nothing here knows a particular model or library: features are a float matrix [N, K], NaN where
unknown, and some of its columns are optional. A subset of known optional facts has a number, its
group: bit j is set where the j-th optional fact is known, so three optional facts have the groups 0
(none known) to 7 (all known).
"""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from model.contract.arrays import BoolArray, Float32Array, Float64Array, IntArray

EVERY_SUBSET = 6
"""Optional facts up to which each set of known ones is measured on its own."""

_LEAST_ROWS = 39
"""Rows with every fact of a set below which others stand for them, too."""


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


def iterate_groups(
    features: Float64Array, optional: Sequence[tuple[int, str]]
) -> Iterator[tuple[tuple[str, ...], int | None, IntArray, Float32Array]]:
    """Iterate over the sets of known facts; where these are too many, over numbers of unknown ones.

    Args:
        features: [N, K].
        optional: column and name of each optional fact.

    Yields:
        The known facts, or the number of unknown ones; the rows [M] that stand for such a case; and
        their features [M, K], NaN for what is unknown there.
    """
    columns = [column for column, _ in optional]
    has = ~np.isnan(features[:, columns])
    for known, unknown, kept in _list_groups(has, [name for _, name in optional]):
        # Rows that lack one of these facts take part only where there are too few others.
        rows = np.flatnonzero((has | ~kept).all(axis=1))
        if len(rows) < max(_LEAST_ROWS, len(features) // 10):
            rows = np.arange(len(features))
        masked = mask_features(features[rows], kept[rows], columns).astype(np.float32)
        yield known, unknown, rows, masked


def _list_groups(
    has: BoolArray, names: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], int | None, BoolArray]]:
    """Every set of known facts; where these are too many, every number of unknown ones.

    Args:
        has: which of the optional facts each row has, shape (rows, optional).
        names: of these facts.

    Yields:
        The known facts, or the number of unknown ones; and the facts to keep, shaped as ``has``.
    """
    if len(names) <= EVERY_SUBSET:
        for size in range(len(names) + 1):
            for known in itertools.combinations(names, size):
                keep = np.array([name in known for name in names], dtype=bool)
                yield known, None, np.tile(keep, (len(has), 1))
        return
    for unknown in range(len(names) + 1):
        order = np.random.default_rng(unknown).random(has.shape)
        order[~has] = -1  # the facts that are unknown anyway are left out first
        yield (), unknown, np.argsort(np.argsort(order, axis=1), axis=1) >= unknown
