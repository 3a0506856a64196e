"""Additive models to ONNX: a node of trees, a product with coefficients, and an inverse link."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

from model.contract.sources import widen
from model.making.onnx.graphs import CompileError, is_text
from model.serving.libraries.additive import AdditiveClassifier, AdditiveRegressor

UNWRITTEN = b"UNWRITTEN"
"""The only mode of a node whose trees are not written yet."""

_MOST_COMPARISONS = 5_000_000
_NO_CATEGORY = -1e30
"""What no column holds, for a set that is empty."""

LinkStep = tuple[str, tuple[float, ...]]
"""An operator, and the constants that it takes after its input."""

_OPERATIONS: Mapping[str, Sequence[LinkStep]] = {
    "identity": [],
    "exp": [("Exp", ())],
    "logistic": [("Sigmoid", ())],
    "softmax": [("Softmax", ())],
    "normal": [("Mul", (0.5**0.5,)), ("Erf", ()), ("Add", (1.0,)), ("Mul", (0.5,))],
    "square": [("Pow", (2.0,))],
    "reciprocal": [("Reciprocal", ())],
    "reciprocal root": [("Sqrt", ()), ("Reciprocal", ())],
    "log1p exp": [("Softplus", ())],
    "complementary log-log": [("Exp", ()), ("Neg", ()), ("Exp", ()), ("Neg", ()), ("Add", (1.0,))],
    "log-log": [("Neg", ()), ("Exp", ()), ("Neg", ()), ("Exp", ())],
    "step": [("Sign", ()), ("Max", (0.0,))],
}
"""The operators of each inverse link, one after another."""


_FUNCTIONS: Mapping[str, Sequence[LinkStep]] = {
    "identity": [],
    "not": [("Neg", ()), ("Add", (1.0,))],
    "log": [("Log", ())],
    "log1p": [("Add", (1.0,)), ("Log", ())],
    "log10": [("Log", ()), ("Mul", (1 / math.log(10),))],
    "log2": [("Log", ()), ("Mul", (1 / math.log(2),))],
    "exp": [("Exp", ())],
    "sqrt": [("Sqrt", ())],
}
"""The operators of each function of a column."""


def round_down(numbers: NDArray[np.float64], are_doubles: bool = False) -> NDArray[np.float32]:
    """Round thresholds, shape (nodes,), to the float32 below.

    Comparing a float32 by <= with either is the same. Where a library compares doubles, a float32
    stands for the decimal that was typed: 2.8431 goes left of 2.8431000000000002, though the
    float32 of both is 2.84310007. Thresholds lie in the middle between two rows, where such
    decimals are frequent.
    """
    with np.errstate(over="ignore"):
        rounded = numbers.astype(np.float32)
    below = np.nextafter(rounded, np.float32(-np.inf))
    return np.where((widen(rounded) if are_doubles else rounded) > numbers, below, rounded)


def leave_trees(model: Any, forests: list[Any]) -> dict[str, Any]:
    """Return the attributes of a node whose trees ``write_trees`` writes afterwards.

    ``forests`` gets the model.
    """
    forests.append(model)
    return {"nodes_modes": [UNWRITTEN], "nodes_treeids": [len(forests) - 1]}


def make_additive_converter(forests: list[Any]) -> Callable[..., None]:
    """Make the converter for skl2onnx that leaves trees to ``write_trees``.

    ``forests`` gets each model that has any.
    """

    def convert(scope: Any, operator: Any, container: Any) -> None:
        model = operator.raw_operator
        graph = NodeWriter(scope, container)
        last = _add_sums(graph, model, graph.take(operator.inputs[0]), forests)
        if model.link_ == "signed square":
            last = graph.add("Mul", last, graph.add("Abs", last))
        else:
            for name, constants in _OPERATIONS[model.link_]:
                more: dict[str, Any] = {"axis": 1} if name == "Softmax" else {}
                last = graph.add(name, last, *map(graph.keep, constants), **more)
        outputs = [output.full_name for output in operator.outputs]
        if isinstance(model, AdditiveClassifier):
            if len(model.base_) == 1:
                other = graph.add("Sub", graph.keep(1.0), last)
                last = graph.add("Concat", other, last, axis=1)
            add_label(graph, model, last, outputs[0])
        graph.add_output(last, outputs[-1])

    return convert


def _set_shape(operator: Any) -> None:
    """Say what an additive model gives, for skl2onnx."""
    model = operator.raw_operator
    rows = operator.inputs[0].get_first_dimension()
    if isinstance(model, AdditiveClassifier):
        texts = is_text(model.classes_.tolist())
        operator.outputs[0].type = (StringTensorType if texts else Int64TensorType)([rows])
        operator.outputs[1].type = FloatTensorType([rows, len(model.classes_)])
    else:
        operator.outputs[0].type = FloatTensorType([rows, len(model.base_)])


for _class in (AdditiveClassifier, AdditiveRegressor):
    update_registered_converter(
        _class,
        f"Formcast{_class.__name__}",
        _set_shape,
        make_additive_converter([]),  # each conversion brings its own
        options={"zipmap": [True, False]} if _class is AdditiveClassifier else None,
    )


class NodeWriter:
    """Adds nodes and constants under names that are free."""

    def __init__(self, scope: Any, container: Any) -> None:
        self._scope = scope
        self._container = container

    def take(self, given: Any) -> str:
        """Return the name of an input of a converter, as float32."""
        if isinstance(given.type, FloatTensorType):
            return str(given.full_name)
        return self.add("Cast", given.full_name, to=onnx.TensorProto.FLOAT)

    def add(self, operator: str, *given: str, domain: str = "", **attributes: Any) -> str:
        """Add a node, and return the name of its output."""
        made: str = self._scope.get_unique_variable_name(operator.lower())
        self._container.add_node(operator, list(given), made, op_domain=domain, **attributes)
        return made

    def add_output(self, last: str, output: str) -> None:
        """Give a value the name of an output."""
        self._container.add_node("Identity", last, output)

    def keep(self, values: Any, dtype: type[np.generic] = np.float32) -> str:
        """Keep a constant, a number or of any shape, and return its name."""
        name: str = self._scope.get_unique_variable_name("constant")
        array = np.asarray(values, dtype=dtype)
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        self._container.add_initializer(name, kind, array.shape, array.ravel().tolist())
        return name


def _add_sums(graph: NodeWriter, model: Any, rows: str, forests: list[Any]) -> str:
    """Add what leads from the columns to the sums of each output."""
    if model.absent_ is not None:
        absent = graph.add("Equal", rows, graph.keep(model.absent_[None]))
        rows = graph.add("Where", absent, graph.keep(np.nan), rows)
    sums = []
    if len(model.roots_):
        attributes = {"n_targets": len(model.base_), **leave_trees(model, forests)}
        sums.append(graph.add("TreeEnsembleRegressor", rows, domain="ai.onnx.ml", **attributes))
    if model.coefficients_ is not None:
        terms = rows
        if model.skips_missing_:
            terms = graph.add("Where", graph.add("IsNaN", rows), graph.keep(0.0), rows)
        if model.term_of_ is not None:
            terms = _add_terms(graph, model, rows)
        sums.append(graph.add("MatMul", terms, graph.keep(model.coefficients_)))
    last = graph.keep(model.base_[None])
    for part in sums:
        last = graph.add("Add", last, part)
    return last


def _add_terms(graph: NodeWriter, model: Any, rows: str) -> str:
    """Add what multiplies the factors of each term."""
    terms: dict[int, str] = {}
    for term, column, function in zip(
        model.term_of_.tolist(), model.factor_column_.tolist(), model.factor_function_, strict=True
    ):
        last = graph.add("Gather", rows, graph.keep([column], np.int64), axis=1)
        for name, constants in _FUNCTIONS[function]:
            last = graph.add(name, last, *map(graph.keep, constants))
        terms[term] = graph.add("Mul", terms[term], last) if term in terms else last
    return graph.add("Concat", *terms.values(), axis=1)


def add_label(graph: NodeWriter, model: Any, probabilities: str, output: str) -> None:
    """Add what leads to the likeliest class."""
    classes = model.classes_.tolist()
    place = graph.add("ArgMax", probabilities, axis=1, keepdims=0)
    texts = is_text(classes)
    values = classes if texts else [int(value) for value in classes]
    attributes = {"values_strings" if texts else "values_int64s": values}
    keys = {"keys_int64s": list(range(len(classes)))}
    label = graph.add("LabelEncoder", place, domain="ai.onnx.ml", **keys, **attributes)
    graph.add_output(label, output)


def list_additive(model: Any) -> dict[str, NDArray[Any]]:
    """Return the attributes of the node of an additive model's trees, each of shape (entries,).

    A split by a set of categories becomes a chain of comparisons with each of them, which all lead
    left to the same node: ONNX Runtime makes one comparison of that.
    """
    trees, leaf = _find_trees(model), model.left_ < 0
    mode = b"BRANCH_LT" if model.strict_ else b"BRANCH_LEQ"
    if model.strict_:
        threshold = model.threshold_.astype(np.float32)
    else:
        threshold = round_down(model.threshold_, are_doubles=not model.single_)
    nodes = {
        "nodes_treeids": trees,
        "nodes_nodeids": np.arange(len(leaf)),
        "nodes_featureids": model.feature_,
        "nodes_modes": np.where(leaf, b"LEAF", mode),
        "nodes_values": np.where(leaf, 0, threshold),
        "nodes_truenodeids": np.where(leaf, 0, model.left_),
        "nodes_falsenodeids": np.where(leaf, 0, model.right_),
        "nodes_missing_value_tracks_true": model.missing_left_.astype(int),
    }
    if (model.set_ >= 0).any():
        nodes = _expand_sets(model, nodes)
    order = np.argsort(nodes["nodes_treeids"], kind="stable")  # a tree begins with its root
    leaves = np.flatnonzero(leaf)
    return {name: values[order] for name, values in nodes.items()} | {
        "target_treeids": trees[leaves],
        "target_nodeids": leaves,
        "target_ids": model.output_[trees[leaves]],
        "target_weights": model.value_[leaves].astype(np.float32),
    }


def _find_trees(model: Any) -> NDArray[np.int64]:
    """The number of each node's tree, shape (nodes,)."""
    trees = np.zeros(len(model.left_), dtype=np.int64)
    trees[model.roots_] = np.arange(len(model.roots_))
    level = model.roots_
    while len(level := level[model.left_[level] >= 0]):
        children = model.left_[level], model.right_[level]
        for side in children:
            trees[side] = trees[level]
        level = np.concatenate(children)
    return trees


def _expand_sets(model: Any, nodes: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Make a chain of comparisons of each split by a set; further nodes come last.

    Raises:
        CompileError: if that would be millions.
    """
    sets = list(model.list_sets())
    chosen = np.flatnonzero(model.set_ >= 0)
    sizes = [len(sets[number]) for number in model.set_[chosen].tolist()]
    if sum(sizes) > _MOST_COMPARISONS:
        raise CompileError("its splits by categories have far too many categories")
    more: list[tuple[int, float, int]] = []  # the node it follows, its value, its false branch
    first = len(model.left_)
    for node, number in zip(chosen.tolist(), model.set_[chosen].tolist(), strict=True):
        members = sets[number].tolist() or [_NO_CATEGORY]
        nodes["nodes_modes"][node] = b"BRANCH_EQ"
        nodes["nodes_values"][node] = members[0]
        after = nodes["nodes_falsenodeids"][node]
        for place, member in enumerate(members[1:], 2):
            if place == 2:
                nodes["nodes_falsenodeids"][node] = first + len(more)
            is_last = place == len(members)
            more.append((node, member, after if is_last else first + len(more) + 1))
    if not more:
        return nodes
    follows, values, after = (np.array(column) for column in zip(*more, strict=True))
    added = {name: column[follows] for name, column in nodes.items()} | {
        "nodes_nodeids": first + np.arange(len(more)),
        "nodes_values": values.astype(np.float32),
        "nodes_falsenodeids": after,
        "nodes_missing_value_tracks_true": np.zeros(len(more), dtype=int),
    }
    return {name: np.concatenate([column, added[name]]) for name, column in nodes.items()}
