"""Forests of scikit-learn, and additive models, to ONNX, a whole tree at a time.

skl2onnx visits each node in Python, and every step after it copies the trees: of millions of nodes
that takes most of a minute, and gigabytes. Here its graph gets a node that only names the forest,
and the trees are written into the finished graph.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)

from model.making.onnx.additive import (
    UNWRITTEN,
    NodeWriter,
    leave_trees,
    list_additive,
    make_additive_converter,
    round_down,
)
from model.making.onnx.graphs import is_text
from model.making.onnx.isolation import make_isolation_converter, weigh_leaves
from model.serving.libraries.additive import AdditiveClassifier, AdditiveRegressor

_DOMAIN = "ai.onnx.ml"

_LISTS: dict[str, tuple[int, str]] = {
    "f": (AttributeProto.FLOATS, "floats"),
    "i": (AttributeProto.INTS, "ints"),
    "S": (AttributeProto.STRINGS, "strings"),
}
"""Type and place of a list of values, by the kind of the array."""


def make_forest_converters(forests: list[Any]) -> dict[type, Callable[..., None]]:
    """Make the converters for skl2onnx that leave the trees to ``write_trees``.

    Args:
        forests: gets each forest that is converted.
    """

    def convert(scope: Any, operator: Any, container: Any) -> None:
        forest = operator.raw_operator
        kind = "Classifier" if hasattr(forest, "classes_") else "Regressor"
        container.add_node(
            f"TreeEnsemble{kind}",
            NodeWriter(scope, container).take(operator.inputs[0]),
            [output.full_name for output in operator.outputs],
            op_domain=_DOMAIN,
            **leave_trees(forest, forests),
            **_describe_answer(forest),
        )

    classes = (
        ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor,
    )  # fmt: skip
    both = AdditiveClassifier, AdditiveRegressor
    return {
        **dict.fromkeys(classes, convert),
        **dict.fromkeys(both, make_additive_converter(forests)),
        IsolationForest: make_isolation_converter(forests),
    }


def _describe_answer(forest: Any) -> dict[str, Any]:
    if not hasattr(forest, "classes_"):
        return {"n_targets": forest.n_outputs_}
    classes = forest.classes_.tolist()
    if is_text(classes):
        return {"classlabels_strings": classes}
    return {"classlabels_int64s": [int(item) for item in classes]}


def write_trees(graph: onnx.GraphProto, forests: Sequence[Any]) -> None:
    """Write the trees of forests into the nodes that the converters left without."""
    for node in graph.node:
        given = {attribute.name: attribute for attribute in node.attribute}
        if "nodes_modes" not in given or list(given["nodes_modes"].strings) != [UNWRITTEN]:
            continue
        forest = forests[given["nodes_treeids"].ints[0]]
        for name in ("nodes_modes", "nodes_treeids"):
            node.attribute.remove(given.pop(name))
        for part in _list_parts(forest):
            for name, values in part.items():
                kind, place = _LISTS[values.dtype.kind]
                if name not in given:
                    given[name] = node.attribute.add(name=name, type=kind)
                getattr(given[name], place).extend(values.tolist())


def _list_parts(forest: Any) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the attributes of a node, part after part; each makes a list longer."""
    if isinstance(forest, AdditiveClassifier | AdditiveRegressor):
        yield list_additive(forest)
        return
    for number, estimator in enumerate(forest.estimators_):
        yield _list_tree(estimator.tree_, number, forest)


def _list_tree(tree: Any, number: int, forest: Any) -> dict[str, NDArray[Any]]:
    """Return the attributes of one tree."""
    inner = tree.children_left >= 0
    # scikit-learn compares float32 values with float64 thresholds
    threshold = round_down(tree.threshold)
    leaves = np.flatnonzero(~inner)
    weights = tree.value[leaves, :, 0] * (1 / len(forest.estimators_))
    prefix, features = "target", tree.feature
    if isinstance(forest, IsolationForest):
        weights = weigh_leaves(tree, leaves, forest)[:, None]
        features = np.asarray(forest.estimators_features_[number])[features]
    if hasattr(forest, "classes_"):
        prefix, weights = "class", tree.value[leaves, 0] * (1 / len(forest.estimators_))
        if weights.shape[1] == 2:  # of two classes the operator takes the second, and subtracts
            weights = weights[:, 1:]
    width = weights.shape[1]
    return {
        "nodes_treeids": np.full(len(inner), number),
        "nodes_nodeids": np.arange(len(inner)),
        "nodes_featureids": np.where(inner, features, 0),
        "nodes_modes": np.where(inner, b"BRANCH_LEQ", b"LEAF"),
        "nodes_values": np.where(inner, threshold, 0),
        "nodes_truenodeids": np.where(inner, tree.children_left, 0),
        "nodes_falsenodeids": np.where(inner, tree.children_right, 0),
        "nodes_missing_value_tracks_true": np.where(inner, tree.missing_go_to_left, 0).astype(int),
        f"{prefix}_treeids": np.full(weights.size, number),
        f"{prefix}_nodeids": np.repeat(leaves, width),
        f"{prefix}_ids": np.tile(np.arange(width), len(leaves)),
        f"{prefix}_weights": weights.ravel(),
    }
