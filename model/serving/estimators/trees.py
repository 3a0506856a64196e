"""Decision trees."""

from typing import Any

import numpy as np
from sklearn.tree._tree import NODE_DTYPE, Tree

from model.serving.estimators.attributes import EstimatorSchema, State, decode
from model.serving.estimators.checks import check_branches, check_same_sizes, convert_nodes, require
from model.serving.estimators.errors import MismatchError
from model.serving.estimators.kinds import read_parts

_CLASSES = 1_000_000
_OLD_FIELDS = frozenset({"missing_go_to_left"})


def _decode_tree(value: Any, state: State) -> Tree:
    """Build a tree anew, after every place that its C code follows is checked."""
    parts = read_parts(value, "Tree")
    if len(value.args) != 3:
        raise MismatchError
    features, outputs = (decode("int", value.args[place], state) for place in (0, 2))
    state.fit_sizes(("features",), (features,))
    classes = decode("int[outputs]", value.args[1], state).astype(np.intp)
    state.fit_sizes(("outputs",), (outputs,))
    if outputs < 1 or not (classes.min() >= 1 and classes.max() <= _CLASSES):
        raise MismatchError
    optional = _OLD_FIELDS if state.release < (1, 3) else frozenset()
    nodes = convert_nodes(parts.get("nodes"), NODE_DTYPE, optional, state)
    left, right = nodes["left_child"], nodes["right_child"]
    leaf = left == -1
    require(bool((leaf == (right == -1)).all()), state, "has a tree with a leaf that has a child")
    check_branches(left, right, leaf, state)
    inner = nodes["feature"][~leaf]
    require(
        bool(((inner >= 0) & (inner < features)).all()),
        state,
        "has a tree that asks for a column that it does not take",
    )
    values = decode(
        f"finite[{len(nodes)}, {outputs}, {int(classes.max())}]", parts["values"], state
    )
    if "missing_go_to_left" not in (parts["nodes"].dtype.names or ()):
        # 1.3 learned to take what is missing; where a fit saw none, it goes to the larger side
        counts = nodes["n_node_samples"]
        nodes["missing_go_to_left"][~leaf] = counts[left[~leaf]] > counts[right[~leaf]]
    if "Classifier" in state.name:
        require(bool((values >= 0).all()), state, "has a tree with a share below 0")
        # 1.4 turned the counts of each class into shares: answers no longer divide by the sum
        total = values.sum(axis=2, keepdims=True)
        values = np.divide(values, total, out=np.zeros_like(values), where=total != 0)
    tree = Tree(features, classes, outputs)
    tree.__setstate__(
        {
            "max_depth": 0,
            "node_count": len(nodes),
            "nodes": nodes,
            "values": values.astype(np.float64, copy=False),
        }
    )
    tree.max_depth = int(tree.compute_node_depths().max()) - 1
    return tree


def _describe_outputs(state: State) -> None:
    """Compute the numbers of outputs and classes, and hold the classes against the tree."""
    tree = state.values["tree_"]
    state.values["n_outputs_"] = tree.n_outputs
    state.values["max_features_"] = tree.n_features
    if "Classifier" not in state.name:
        return
    classes = state.values["classes_"]
    for known, size in zip(
        classes if isinstance(classes, list) else [classes], tree.n_classes, strict=True
    ):
        check_same_sizes(len(known), int(size), state, "classes")
    state.values["n_classes_"] = (
        np.array(tree.n_classes) if isinstance(classes, list) else tree.n_classes[0]
    )


_REGRESSOR = EstimatorSchema("tree", {"tree_": _decode_tree}, complete=(_describe_outputs,))
_CLASSIFIER = EstimatorSchema(
    "tree",
    {"tree_": _decode_tree, "classes_": "label[*] | list[outputs] of label[*]"},
    complete=(_describe_outputs,),
)

SCHEMAS = {
    "DecisionTreeClassifier": _CLASSIFIER,
    "DecisionTreeRegressor": _REGRESSOR,
    "ExtraTreeClassifier": _CLASSIFIER,
    "ExtraTreeRegressor": _REGRESSOR,
}
