"""The trees of a fitted model as arrays, whichever of scikit-learn's it is, or of what library."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float64Array, IntArray

_MOST = 100
"""Trees of a forest that tell enough of it."""


class Tree(NamedTuple):
    """A binary tree, each array of shape (nodes,).

    ``left`` is negative at a leaf, and where values of a category part. ``rows`` are those of the
    fit, not weighed (a few may weigh most), and NaN where they are not known. ``missing_left`` is
    whether rows without a value go to the left.
    """

    column: IntArray
    threshold: Float64Array
    left: IntArray
    right: IntArray
    rows: Float64Array
    missing_left: BoolArray


def list_trees(fitted: Any) -> Iterator[Tree]:
    """Yield the trees of a model; none of one whose trees do not ask for its own inputs."""
    if hasattr(fitted, "roots_"):  # of another library: all its trees as one
        unknown = np.full(len(fitted.left_), np.nan)
        left = np.where(fitted.set_ < 0, fitted.left_, -1)
        if len(left):  # a model of sums alone has none
            yield Tree(
                fitted.feature_, fitted.threshold_, left, fitted.right_, unknown, np.isnan(left)
            )  # fmt: skip
        return
    if getattr(fitted, "estimators_features_", None) is not None:
        return
    parts = np.ravel(np.asarray(getattr(fitted, "estimators_", [fitted]), dtype=object)).tolist()
    for tree in [getattr(part, "tree_", None) for part in parts[:_MOST]]:
        if tree is not None:
            yield Tree(
                tree.feature,
                tree.threshold,
                tree.children_left,
                tree.children_right,
                tree.n_node_samples.astype(float),
                tree.missing_go_to_left.astype(bool),
            )
    if getattr(fitted, "_preprocessor", None) is None:
        for nodes in (tree.nodes for stage in getattr(fitted, "_predictors", ()) for tree in stage):
            leaf = (nodes["is_leaf"] != 0) | (nodes["is_categorical"] != 0)
            yield Tree(
                nodes["feature_idx"].astype(np.intp),
                nodes["num_threshold"],
                np.where(leaf, -1, nodes["left"].astype(np.intp)),
                nodes["right"].astype(np.intp),
                nodes["count"].astype(float),
                nodes["missing_go_to_left"].astype(bool),
            )
