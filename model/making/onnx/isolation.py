"""Isolation forests of scikit-learn to ONNX: one node of trees, and the score of its depths.

How deep a row ends, as a mean over the trees, is its score (Liu, Ting and Zhou, Isolation Forest,
2008). skl2onnx has a dozen nodes for each tree, and copies all of them at each: a hundred trees
take ten seconds.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx

from model.contract.arrays import Float64Array
from model.making.onnx.additive import NodeWriter, leave_trees


def make_isolation_converter(forests: list[Any]) -> Callable[..., None]:
    """Make the converter for skl2onnx that leaves the trees to ``write_trees``.

    Args:
        forests: gets each forest that is converted.
    """

    def convert(scope: Any, operator: Any, container: Any) -> None:
        forest = operator.raw_operator
        graph = NodeWriter(scope, container)
        depth = graph.add(
            "TreeEnsembleRegressor",
            graph.take(operator.inputs[0]),
            domain="ai.onnx.ml",
            n_targets=1,
            **leave_trees(forest, forests),
        )
        power = graph.add("Pow", graph.keep(2.0), graph.add("Neg", depth))
        score = graph.add("Sub", graph.keep(-forest.offset_), power)
        is_outlier = graph.add("Less", score, graph.keep(0.0))
        side = graph.add("Where", is_outlier, graph.keep(-1.0), graph.keep(1.0))
        label, answer = (output.full_name for output in operator.outputs)
        graph.add_output(graph.add("Cast", side, to=onnx.TensorProto.INT64), label)
        graph.add_output(score, answer)

    return convert


def weigh_leaves(tree: Any, leaves: Any, forest: Any) -> Float64Array:
    """Compute what each leaf of a tree adds to the mean depth of a row.

    ``tree`` are the arrays of scikit-learn, and ``leaves`` the places of its leaves, shape
    (leaves,).

    Returns:
        Shares of the depth that is usual for so many training rows, shape (leaves,).
    """
    usual = float(_compute_path_lengths(np.array([forest.max_samples_]))[0])
    if not usual:  # trees of one row
        return np.full(len(leaves), 1 / len(forest.estimators_))
    depths = tree.compute_node_depths()[leaves] - 1.0
    depths += _compute_path_lengths(tree.n_node_samples[leaves])
    shares: Float64Array = depths / (len(forest.estimators_) * usual)
    return shares


def _compute_path_lengths(rows: Any) -> Float64Array:
    """Compute the mean depth of a search tree of so many rows, any shape."""
    rows = np.asarray(rows, dtype=np.float64)
    others = np.maximum(rows - 1, 1)
    lengths = 2 * (np.log(others) + np.euler_gamma) - 2 * others / np.maximum(rows, 1)
    found: Float64Array = np.where(rows > 2, lengths, (rows == 2).astype(np.float64))
    return found
