"""Parts of ONNX graphs, and whole models put together from them.

Every model takes INPUT, float32 [N, K]: the codes of the card's fields.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

INPUT = "features"

# Old enough for any ONNX Runtime of the last years, new enough for every operator used here.
OPSETS = {"": 17, "ai.onnx.ml": 3}
_IR_VERSION = 8
_UNKNOWN = "nan"  # how skl2onnx spells a missing string among an encoder's categories


class CompileError(Exception):
    """A model cannot be compiled, or not faithfully; the message says what and where."""


def prepend_nodes(nodes: list[onnx.NodeProto], graph: onnx.GraphProto) -> None:
    """Put nodes before those of the graph."""
    nodes = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def make_column_nodes(
    name: str, position: int, values: Sequence[Any] | None, graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    """Make the nodes that lead from INPUT to one column [N, 1].

    Args:
        name: the name of their output.
        position: the column's place in INPUT.
        values: what the column's codes stand for; None for a column of numbers.
        graph: the graph that gets their constants.
    """
    own = f"made.{position}"  # another column may be called "sex_code"
    index, raw = f"{own}.position", f"{own}.code" if values else name
    graph.initializer.append(numpy_helper.from_array(np.array([position], np.int64), index))
    nodes = [helper.make_node("Gather", [INPUT, index], [raw], axis=1)]
    if values:
        unknown, other = f"{own}.unknown", f"{own}.other"
        graph.initializer.append(numpy_helper.from_array(np.array(-1, np.float32), other))
        nodes += [
            helper.make_node("IsNaN", [raw], [unknown]),
            helper.make_node("Where", [unknown, other, raw], [f"{own}.number"]),
            helper.make_node("Cast", [f"{own}.number"], [f"{own}.integer"], to=7),
            helper.make_node(
                "LabelEncoder",
                [f"{own}.integer"],
                [name],
                domain="ai.onnx.ml",
                keys_int64s=list(range(len(values))),
                **_decoder_attributes(values),
            ),
        ]
    return nodes


def _decoder_attributes(values: Sequence[Any]) -> dict[str, Any]:
    """The attributes of a LabelEncoder that turns codes into these values."""
    if is_text(values):
        return {"values_strings": list(values), "default_string": _UNKNOWN}
    return {"values_floats": [float(value) for value in values], "default_float": float("nan")}


def is_text(values: Sequence[object] | None) -> bool:
    """Whether the values of a choice are strings."""
    return values is not None and isinstance(values[0], str)


def append_probabilities(graph: onnx.GraphProto, outputs: Sequence[str]) -> None:
    """Append the node that leads from a converted classifier's outputs to "answer" [N, C].

    Raises:
        CompileError: if its only output is a label.
    """
    if len(outputs) == 1:
        raise CompileError("its converter gives no probabilities")
    append_matrix(graph, outputs[1])


def append_one_hot(graph: onnx.GraphProto, label: str, classes: Sequence[Any]) -> None:
    """Append the nodes that lead from a label [N] to "answer" [N, C]."""
    texts = is_text(classes)
    keys = [str(item) for item in classes] if texts else [int(item) for item in classes]
    attributes: dict[str, Any] = {"keys_strings" if texts else "keys_int64s": keys}
    graph.node.append(
        helper.make_node(
            "LabelEncoder",
            [label],
            ["label_place"],
            domain="ai.onnx.ml",
            values_int64s=list(range(len(classes))),  # old operators compare no floats
            default_int64=-1,
            **attributes,
        )
    )
    column, codes = np.array([-1, 1], np.int64), np.arange(len(classes), dtype=np.int64)
    graph.initializer.append(numpy_helper.from_array(column, "as_column"))
    graph.initializer.append(numpy_helper.from_array(codes[None, :], "places"))
    graph.node.extend(
        [
            helper.make_node("Reshape", ["label_place", "as_column"], ["label_column"]),
            helper.make_node("Equal", ["label_column", "places"], ["is_class"]),
            helper.make_node("Cast", ["is_class"], ["answer"], to=1),
        ]
    )
    prune_graph(graph, "answer")


def prune_graph(graph: onnx.GraphProto, output: str) -> None:
    """Remove every node that the output does not need."""
    needed, kept = {output}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            inner = [
                name
                for attribute in node.attribute
                if attribute.HasField("g")
                for part in attribute.g.node
                for name in part.input
            ]
            needed |= {*node.input, *inner}
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


def append_flat(graph: onnx.GraphProto, last: str, answer: str) -> None:
    """Append the node that makes [N] of [N] or [N, 1]."""
    graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "flat"))
    graph.node.append(helper.make_node("Reshape", [last, "flat"], [answer]))


def append_matrix(graph: onnx.GraphProto, last: str) -> None:
    """Append the node that makes "answer" [N, C] of a matrix of any type of numbers."""
    graph.node.append(helper.make_node("Cast", [last], ["answer"], to=1))
    prune_graph(graph, "answer")


def append_negative(graph: onnx.GraphProto, last: str) -> None:
    """Append the node that leads from a matrix [N, C] to "answer" [N, C], its negative."""
    graph.node.append(helper.make_node("Neg", [last], ["answer"]))
    prune_graph(graph, "answer")


def finish_model(model: onnx.ModelProto, output: str, width: int, *shape: int) -> onnx.ModelProto:
    """Build the checked model from INPUT to an output, in which nothing is computed twice.

    Args:
        model: a converted model; its tensor "answer" becomes the output.
        output: the name of the output.
        width: the number of columns of INPUT.
        shape: of an answer: none for [N], C for [N, C].

    Raises:
        CompileError: if the graph is not valid.
    """
    nodes: list[onnx.NodeProto] = []
    constants: dict[bytes, onnx.TensorProto] = {}
    first_nodes: dict[bytes, onnx.NodeProto] = {}
    names = {"answer": output, INPUT: INPUT, "": ""}
    for constant in model.graph.initializer:
        name, constant.name = constant.name, ""
        first = constants.setdefault(constant.SerializeToString(deterministic=True), constant)
        if first is constant:
            constant.name = f"{output}/{name}"
        names[name] = first.name
    for node in model.graph.node:
        node.name = ""
        node.input[:] = [names.get(name, f"{output}/{name}") for name in node.input]
        if node.op_type == "Identity":
            names[node.output[0]] = node.input[0]
            continue
        given = list(node.output)
        outputs = [names.get(name, f"{output}/{name}") for name in given]
        del node.output[:]
        first_node = first_nodes.setdefault(node.SerializeToString(deterministic=True), node)
        if first_node is node or output in outputs:
            node.output.extend(outputs)
            nodes.append(node)
        names.update(zip(given, node.output or first_node.output, strict=True))
    return build_model(nodes, list(constants.values()), [output], width, *shape)


def build_model(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    outputs: Sequence[str],
    width: int,
    *shape: int,
) -> onnx.ModelProto:
    """Build the checked model from INPUT [N, width] to outputs [N, *shape].

    Raises:
        CompileError: if the graph is not valid.
    """
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "formcast",
        [helper.make_tensor_value_info(INPUT, float32, ["N", width])],
        [helper.make_tensor_value_info(name, float32, ["N", *shape]) for name in outputs],
        constants,
    )
    model = helper.make_model(
        graph,
        producer_name="formcast",
        opset_imports=[helper.make_opsetid(*item) for item in OPSETS.items()],
        ir_version=_IR_VERSION,
    )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise CompileError("the graph that skl2onnx made is not valid") from error
    return model
