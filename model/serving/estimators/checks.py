"""Checks that several families of estimators share."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import numpy as np

from model.contract.pickles import PickleError, Record
from model.serving.estimators.attributes import State

_DEEPEST_TREE = 2000
"""ONNX Runtime walks down a tree by recursion, and ends the process in one of 50,000."""


def require(condition: bool, state: State, reason: str) -> None:
    """Refuse the estimator for the reason, unless the condition holds.

    Raises:
        PickleError: if it does not.
    """
    if not condition:
        raise state.refusal(reason)


def decode_template(value: Any, state: State) -> Any:
    """Decode the unfitted estimator that a fitted one was made of; None where it is not known.

    Prediction does not need it, so it is no reason to refuse the model.
    """
    if isinstance(value, Record):
        with suppress(PickleError):
            return state.reviver.revive(value, state.release, fitted=False)
    return None


def require_same_scores(estimator: Any, state: State) -> None:
    """Refuse what was fitted to scores of an estimator that gives others today.

    Raises:
        PickleError: if it was.
    """
    reason = state.reviver.changed.get(id(estimator), "")
    require(not reason, state, f"was fitted to scores of {reason}: it would answer otherwise")


def check_parts(parts: Iterable[Any], state: State) -> None:
    """Check that parts know as many classes as the estimator around them.

    Raises:
        PickleError: if one does not.
    """
    for part in parts:
        known = getattr(part, "classes_", None)
        if isinstance(known, np.ndarray) and "classes" in state.sizes:
            check_same_sizes(len(known), state.sizes["classes"], state, "classes and parts")


def rename_base(state: State) -> None:
    """Give the estimator around which another one is the name that it has since 1.2.

    In chains it has it since 1.7.
    """
    if state.raw.get("base_estimator") == "deprecated":
        del state.raw["base_estimator"]
    state.rename(base_estimator="estimator", base_estimator_="estimator_")


def convert_nodes(nodes: Any, dtype: np.dtype[Any], optional: frozenset[str], state: State) -> Any:
    """Convert the nodes of a tree, shape (nodes,), to today's fields.

    Args:
        nodes: a structured array.
        dtype: today's fields.
        optional: the fields that the release that saved it did not have; they become 0.
        state: the estimator that has the tree.
    """
    known = type(nodes) is np.ndarray and nodes.ndim == 1 and nodes.dtype.names is not None
    require(known and 0 < len(nodes) < 2**31, state, "has a tree without nodes")
    state.reviver.uses.take(nodes, nodes.nbytes)
    names = set(dtype.names or ())
    found = {
        name
        for name in nodes.dtype.names
        if name in names
        and (nodes.dtype[name].kind == "f") == (dtype[name].kind == "f")
        and nodes.dtype[name].kind in "iuf"
    }
    require(names - found <= optional, state, "has a tree whose nodes lack a field")
    if nodes.dtype == dtype:
        return nodes
    converted = np.zeros(len(nodes), dtype=dtype)
    for name in found:
        converted[name] = nodes[name]
    return converted


def check_branches(left: Any, right: Any, leaf: Any, state: State) -> None:
    """Check that every branch leads forward, not too deep, to a node that no other leads to.

    Args:
        left: the place of each node's left child, shape (nodes,).
        right: the place of its right child, shape (nodes,).
        leaf: whether it is a leaf, shape (nodes,); the children of leaves are not looked at.
        state: the estimator that has the tree.
    """
    places = np.arange(len(left))[~leaf]
    children = np.concatenate([left[~leaf], right[~leaf]]).astype(np.int64)
    forward = (children > np.concatenate([places, places])).all()
    inside = (children < len(left)).all()
    require(bool(forward and inside), state, "has a tree whose branches lead out of it")
    require(
        len(children) == 0 or int(np.bincount(children, minlength=1).max()) == 1,
        state,
        "has a tree whose branches meet",
    )
    is_root = np.ones(len(left), dtype=bool)
    is_root[children] = False
    level = np.flatnonzero(is_root & ~leaf)
    for _ in range(_DEEPEST_TREE):
        level = np.concatenate([left[level], right[level]]).astype(np.int64)
        level = level[~leaf[level]]
        if not len(level):
            return
    raise state.refusal("has a tree that is far deeper than any that is fitted")


def check_same_sizes(left: int, right: int, state: State, what: str) -> None:
    """Check that two counts are the same.

    Raises:
        PickleError: if they are not.
    """
    require(left == right, state, f"has {what} that do not fit each other: {left} and {right}")
