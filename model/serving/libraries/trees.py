"""The trees of a booster as arrays, brought into an order in which every branch leads forward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.pickles import PickleError, Record

AnyArray = Any
MOST_TREES = 100_000
MOST_NODES = 50_000_000
_DEEPEST = 1000
"""Branches from a root to a leaf: ONNX Runtime walks a tree by recursion."""
_MOST_MEMBERS = 2**26
"""Cells of the table of sets and categories."""


@dataclass
class TreeArrays:
    """One tree; every array has shape (nodes,), and the first node is the root.

    A leaf has -1 for its left child. ``sets`` are the categories that go left, by node.
    """

    feature: AnyArray
    threshold: AnyArray
    left: AnyArray
    right: AnyArray
    missing_left: AnyArray
    value: AnyArray
    sets: Mapping[int, AnyArray]


def make_state(
    trees: Sequence[TreeArrays], outputs: Sequence[int], base: Sequence[float], features: int
) -> dict[str, Any]:
    """Make the attributes of an ``AdditiveModel`` with these trees.

    Args:
        trees: of a booster.
        outputs: what each tree adds to.
        base: what is added to each output.
        features: how many columns the booster takes.

    Raises:
        PickleError: if a tree is none, or the booster is far larger than any.
    """
    counts = np.array([len(tree.left) for tree in trees], dtype=np.int64)
    if len(trees) > MOST_TREES or counts.sum() > MOST_NODES:
        raise PickleError("It has far more trees than a booster has.")
    if not 0 < features <= 1_000_000:
        raise PickleError("It takes no columns, or far too many.")
    starts = np.cumsum(counts) - counts
    branches = [_place_branches(*pair) for pair in zip(trees, starts.tolist(), strict=True)]
    left, right = (_join([pair[side] for pair in branches], np.int64) for side in (0, 1))
    order = _walk(left, right, starts)
    place = np.full(len(left), -1)
    place[order] = np.arange(len(order))
    sets = {
        int(place[start + node]): members
        for tree, start in zip(trees, starts.tolist(), strict=True)
        for node, members in tree.sets.items()
        if place[start + node] >= 0
    }
    feature = _join([tree.feature for tree in trees], np.int64)[order]
    inner = left[order] >= 0
    if len(feature) and not ((feature[inner] >= 0) & (feature[inner] < features)).all():
        raise PickleError("It has a tree that compares a column that is not there.")
    numbers: list[Float64Array] = []
    for values, kind in (("threshold", inner), ("value", ~inner)):
        joined = _join([getattr(tree, values) for tree in trees], np.float64)[order]
        joined = np.where(kind, joined, 0.0)
        numbers.append(joined)
    set_of, set_starts, set_values = _join_sets(sets, len(order))
    compared = inner & (set_of < 0)
    if np.isnan(numbers[0][compared]).any() or not np.isfinite(numbers[1]).all():
        raise PickleError("It has a tree with a value that is not a number.")
    return {
        "base_": np.asarray(base, dtype=float),
        "roots_": place[starts],
        "output_": np.asarray(outputs, dtype=np.int64),
        "feature_": np.where(inner, feature, 0),
        "threshold_": np.where(compared, numbers[0], 0.0),
        "left_": np.where(inner, place[left[order]], -1),
        "right_": np.where(inner, place[right[order]], -1),
        "missing_left_": _join([tree.missing_left for tree in trees], np.bool_)[order] & inner,
        "value_": numbers[1],
        "set_": set_of,
        "set_starts_": set_starts,
        "set_values_": set_values,
        "n_features_in_": features,
    }


def _join(parts: Sequence[AnyArray], dtype: Any) -> AnyArray:
    return np.concatenate([np.zeros(0, dtype), *(np.asarray(part, dtype) for part in parts)])


def _place_branches(tree: TreeArrays, start: int) -> tuple[AnyArray, AnyArray]:
    """The children of each node of a tree that begins at a place, -1 for those of leaves."""
    count = len(tree.left)
    left, right = (np.asarray(side, dtype=np.int64) for side in (tree.left, tree.right))
    inner = left >= 0
    both = np.concatenate([left[inner], right[inner]])
    shapes = {np.shape(each) for each in vars(tree).values() if not isinstance(each, Mapping)}
    if shapes != {(count,)} or not count or not ((both >= 0) & (both < count)).all():
        raise PickleError("It has a tree whose branches lead out of it.")
    return np.where(inner, left + start, -1), np.where(inner, right + start, -1)


def _walk(left: AnyArray, right: AnyArray, roots: AnyArray) -> AnyArray:
    """The nodes that are reached, from the roots down.

    Raises:
        PickleError: if branches meet, lead back or lead deeper than any booster's.
    """
    seen = np.zeros(len(left), dtype=bool)
    levels: list[AnyArray] = []
    level = roots
    while len(level):
        if len(levels) > _DEEPEST:
            raise PickleError("It has a tree that is far deeper than a booster's.")
        if seen[level].any() or len(np.unique(level)) != len(level):
            raise PickleError("It has a tree whose branches meet.")
        seen[level] = True
        levels.append(level)
        inner = level[left[level] >= 0]
        level = np.concatenate([left[inner], right[inner]])
    return _join(levels, np.int64)


def _join_sets(sets: Mapping[int, AnyArray], nodes: int) -> tuple[AnyArray, AnyArray, AnyArray]:
    """The number of each node's set, where each set begins, and the members of all."""
    known: dict[bytes, int] = {}
    members: list[AnyArray] = []
    set_of = np.full(nodes, -1)
    for node, values in sorted(sets.items()):
        values = np.unique(np.asarray(values, dtype=np.int64))
        key = values.tobytes()
        if key not in known:
            known[key] = len(members)
            members.append(values)
        set_of[node] = known[key]
    counts = np.array([len(values) for values in members], dtype=np.int64)
    joined = _join(members, np.int64)
    widest = int(joined.max(initial=-1)) + 1
    if joined.min(initial=0) < 0 or widest * len(members) > _MOST_MEMBERS:
        raise PickleError("It has far more categories than a booster has.")
    return set_of, np.cumsum(counts) - counts, joined


def make_record(state: dict[str, Any], classifies: bool, classes: Any = None) -> Record:
    """Make the record of an ``AdditiveRegressor`` or ``AdditiveClassifier``.

    Args:
        state: its attributes, to which the classes are added.
        classifies: which of the two it is.
        classes: their names; None for the numbers from 0.

    Raises:
        PickleError: if it has more classes or fewer.
    """
    if not classifies:
        return Record("model.serving.libraries.additive.AdditiveRegressor", (), state)
    count = max(len(state["base_"]), 2)
    state["classes_"] = np.arange(count) if classes is None else classes
    if len(state["classes_"]) != count:
        raise PickleError(f"It has {count} classes, and names for {len(state['classes_'])}.")
    return Record("model.serving.libraries.additive.AdditiveClassifier", (), state)
