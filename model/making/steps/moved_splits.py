"""Whether the rows of the data part as those of the fit did: at a tree's splits, at medians."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float64Array
from model.making.steps.trees import Tree, list_trees

_DEEPEST = 6
_MOST_TREES = 50
_LEAST_ROWS = 50
_EVEN = 0.2
"""The share of a node's rows that the smaller side of a split had in the fit, at least."""
_ONE_SIDED = 0.01
"""The share of the data's rows there on the smaller side, at most. Of 50 rows by chance none is on
a side of a fifth once in 70,000 times."""
_ROUNDED, _NOISE = 1e-6, 1e-12
_MOST = 0.6
"""Of the splits on an input, so many must be such ones."""
_RESAMPLED = 0.1
"""How far the shares of the classes may be from those in the data: rows that were sampled anew by
their class part otherwise."""


class MovedSplit(NamedTuple):
    """A split of an input, and the shares of rows up to its threshold: of the fit, and here."""

    column: int
    threshold: float
    fitted_share: float
    share: float


def find_moved_split(
    fitted: Any, matrix: Float64Array, class_shares: Sequence[float]
) -> MovedSplit | None:
    """Find a split that parted the rows of the fit, and leaves those of the data together.

    A tree tells how many rows of its fit went to either side, and a model of neighbours keeps them
    all, so what code did to an input before the fit shows, also where the answers are hardly better
    than a constant.

    Args:
        fitted: the model.
        matrix: the data as it takes them, shape (rows, inputs).
        class_shares: how frequent each class is in the data; none where the answer is a number.
    """
    if hasattr(fitted, "classes_") and not has_shares(fitted, class_shares):
        return None
    tested: Counter[int] = Counter()
    moved: dict[int, list[MovedSplit]] = {}
    every = np.ones(len(matrix), dtype=bool)
    # The others of boosted trees weigh rows by the errors of those before them.
    most = 1 if hasattr(fitted, "estimator_weights_") else _MOST_TREES
    trees = islice(list_trees(fitted), most)
    of_trees = (_follow(tree, matrix, every, 0, 0) for tree in trees)
    for split in chain(*of_trees, _list_medians(fitted, matrix)):
        tested[split.column] += 1
        if min(split.share, 1 - split.share) <= _ONE_SIDED:
            moved.setdefault(split.column, []).append(split)
    for column, splits in moved.items():
        if len(splits) >= _MOST * tested[column]:
            return splits[0]
    return None


def _follow(
    tree: Tree, matrix: Float64Array, rows: BoolArray, node: int, depth: int
) -> Iterator[MovedSplit]:
    """The splits below a node at which enough rows of the fit and of the data part."""
    left, right, column = tree.left[node], tree.right[node], int(tree.column[node])
    if left < 0 or depth == _DEEPEST or rows.sum() < _LEAST_ROWS:
        return
    rows = rows & np.isfinite(matrix[:, column])
    goes_left = rows & (matrix[:, column] <= tree.threshold[node])
    whole = tree.rows[node]
    if rows.sum() >= _LEAST_ROWS <= whole:
        fitted_share = float(tree.rows[left] / whole)
        if _EVEN <= fitted_share <= 1 - _EVEN:
            split = MovedSplit(column, float(tree.threshold[node]), fitted_share, np.nan)
            yield _share_out(split, matrix[rows])
    yield from _follow(tree, matrix, goes_left, int(left), depth + 1)
    yield from _follow(tree, matrix, rows & ~goes_left, int(right), depth + 1)


def _list_medians(fitted: Any, matrix: Float64Array) -> Iterator[MovedSplit]:
    """The split at the median of each input of a model that keeps its rows."""
    kept = getattr(fitted, "_fit_X", None)
    if not isinstance(kept, np.ndarray) or kept.shape[1:] != matrix.shape[1:]:
        return
    for column, (values, cells) in enumerate(zip(kept.T, matrix.T, strict=True)):
        middle = float(np.median(values))
        fitted_share = float(np.mean(values <= middle))
        if fitted_share <= 1 - _EVEN and not np.isnan(cells).any():
            yield _share_out(MovedSplit(column, middle, fitted_share, np.nan), matrix)


def _share_out(split: MovedSplit, matrix: Float64Array) -> MovedSplit:
    """The same with the share of rows here; those next to the threshold go where they went before.

    The last digit of what steps made is not always the same, and a column may have no other one.
    """
    cells = matrix[:, split.column]
    room = _ROUNDED * float(np.abs(cells).max()) + _NOISE * float(np.nanmax(np.abs(matrix)))
    low, high = (float(np.mean(cells <= split.threshold + side)) for side in (-room, room))
    return split._replace(share=min(max(split.fitted_share, low), high))


def has_shares(fitted: Any, class_shares: Sequence[float]) -> bool:
    """Whether the classes were as frequent in the fit as in the data; False where nothing tells."""
    trees: Any = [fitted] if hasattr(fitted, "tree_") else getattr(fitted, "estimators_", ())
    if hasattr(fitted, "init_"):
        seen = getattr(fitted.init_, "class_prior_", None)
    elif hasattr(fitted, "_baseline_prediction"):
        odds = np.exp(np.ravel(fitted._baseline_prediction))
        odds = odds if len(odds) > 1 else np.append(odds, 1.0)  # of two classes
        seen = odds / odds.sum()
    elif any(hasattr(tree, "tree_") for tree in trees):
        roots = np.stack([tree.tree_.value[0, 0] for tree in trees if hasattr(tree, "tree_")])
        seen = (roots / roots.sum(axis=1, keepdims=True)).mean(axis=0)
    elif hasattr(fitted, "_fit_X"):
        seen = np.bincount(np.ravel(fitted._y)) / len(fitted._fit_X)
    else:
        seen = None
    if seen is None or len(seen) != len(class_shares):
        return False
    return float(np.abs(np.sort(seen) - np.sort(class_shares)).sum()) / 2 <= _RESAMPLED
