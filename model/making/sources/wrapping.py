"""An ONNX model of any exporter, wrapped into the one form that is served.

This form takes `features` float32 [N, K], the codes of the card's fields, and answers `value` [N]
or `probabilities` [N, C].
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from model.contract.sources import Frame
from model.making.errors import AddError
from model.making.kinds.output_kind import OutputKind
from model.making.onnx.graphs import (
    INPUT,
    append_flat,
    append_one_hot,
    make_column_nodes,
    prepend_nodes,
    prune_graph,
)
from model.making.onnx.signatures import OutputMeaning, TensorInfo
from model.serving.predictors import open_session

_PREFIX = "given/"


def wrap_model(
    given: Any,
    inputs: Sequence[TensorInfo],
    output: str,
    meaning: OutputMeaning,
    kind: OutputKind,
    frame: Frame,
) -> bytes:
    """Return the model in the form that is served, serialized.

    Args:
        given: the model as its file has it; stays as it is.
        inputs: what it takes.
        output: the tensor to use.
        meaning: what this tensor means.
        kind: how it answers.
        frame: the columns that it takes, and their codes.

    Raises:
        AddError: if the graph cannot be wrapped.
    """
    model = compose.add_prefix(given, _PREFIX)
    graph = model.graph
    last = _PREFIX + output
    before: list[onnx.NodeProto] = []
    columns = [f"column_{index}" for index in range(len(frame.columns))]
    for index, (name, source) in enumerate(zip(columns, frame.columns, strict=True)):
        before += make_column_nodes(name, index, source.values or None, graph)
    if len(inputs) == 1:
        before.append(helper.make_node("Concat", columns, ["matrix"], axis=1))
        before.append(_cast("matrix", inputs[0]))
    else:
        for name, item in zip(columns, inputs, strict=True):
            if len(item.shape) == 1:
                graph.initializer.append(_integers(f"{name}_flat", [-1]))
                before.append(helper.make_node("Reshape", [name, f"{name}_flat"], [f"{name}_row"]))
                name = f"{name}_row"
            before.append(_cast(name, item))
    prepend_nodes(before, graph)
    _append_answer(graph, last, meaning, kind.classes)
    prune_graph(graph, "answer")
    graph.node.append(helper.make_node("Identity", ["answer"], [kind.output]))
    wrapped_graph = helper.make_graph(
        graph.node,
        "formcast",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", len(frame.columns)])],
        [helper.make_tensor_value_info(kind.output, TensorProto.FLOAT, ["N", *kind.shape])],
        _list_used_constants(graph),
    )
    wrapped = helper.make_model(
        wrapped_graph,
        producer_name="formcast",
        opset_imports=choose_opsets(model),
        ir_version=model.ir_version,
        functions=list(model.functions),
    )
    serialized: bytes = wrapped.SerializeToString(deterministic=True)
    try:
        open_session(serialized)
    except Exception as error:
        raise AddError(
            f"The model cannot be wrapped into the form that is served: {error}. Export it with "
            "another exporter or a newer opset."
        ) from error
    return serialized


def _append_answer(graph: Any, last: str, meaning: OutputMeaning, classes: Sequence[Any]) -> None:
    """Append the nodes that lead from the model's own output to "answer"."""
    if meaning == "label":
        append_flat(graph, last, "labels")
        append_one_hot(graph, "labels", classes)
        # A label that is none of these gets NaN: nobody knows what it is.
        graph.node[-1].output[0] = "one_hot"
        ones = np.ones((len(classes), 1), np.float32)
        graph.initializer.append(numpy_helper.from_array(ones, "ones"))
        graph.node.append(helper.make_node("MatMul", ["one_hot", "ones"], ["known"]))
        graph.node.append(helper.make_node("Div", ["one_hot", "known"], ["answer"]))
        return
    graph.node.append(helper.make_node("Cast", [last], ["as_float"], to=TensorProto.FLOAT))
    if meaning == "value":
        append_flat(graph, "as_float", "answer")
    elif meaning == "distances":
        graph.node.append(helper.make_node("Neg", ["as_float"], ["answer"]))
    elif meaning in ("probabilities", "values"):
        graph.node.append(helper.make_node("Identity", ["as_float"], ["answer"]))
    elif meaning == "logits":
        graph.node.append(helper.make_node("Softmax", ["as_float"], ["answer"], axis=1))
    elif meaning == "shares":
        # A matrix of ones sums in every version of the operators.
        ones = np.ones((len(classes), 1), np.float32)
        graph.initializer.append(numpy_helper.from_array(ones, "ones"))
        graph.node.append(helper.make_node("MatMul", ["as_float", "ones"], ["sum"]))
        graph.node.append(helper.make_node("Div", ["as_float", "sum"], ["answer"]))
    else:
        graph.initializer.append(_integers("one_column", [-1, 1]))
        for name, number in (("zero", 0), ("one", 1)):
            graph.initializer.append(numpy_helper.from_array(np.array(number, np.float32), name))
        graph.node[-1].output[0] = "learned"
        if meaning == "logit":
            graph.node.append(helper.make_node("Sigmoid", ["learned"], ["as_float"]))
        else:
            graph.node.append(helper.make_node("Max", ["learned", "zero"], ["from_zero"]))
            graph.node.append(helper.make_node("Min", ["from_zero", "one"], ["as_float"]))
        graph.node.extend(
            [
                helper.make_node("Reshape", ["as_float", "one_column"], ["second"]),
                helper.make_node("Sub", ["one", "second"], ["first"]),
                helper.make_node("Concat", ["first", "second"], ["answer"], axis=1),
            ]
        )


def _cast(name: str, item: TensorInfo) -> onnx.NodeProto:
    if item.type in (TensorProto.FLOAT, TensorProto.STRING):
        return helper.make_node("Identity", [name], [_PREFIX + item.name])
    return helper.make_node("Cast", [name], [_PREFIX + item.name], to=item.type)


def _integers(name: str, values: list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def _list_used_constants(graph: Any) -> list[onnx.TensorProto]:
    """The constants that some node takes; all of them where a subgraph may take some."""
    names = {name for node in graph.node for name in node.input}
    has_subgraph = any(
        attribute.HasField("g") for node in graph.node for attribute in node.attribute
    )
    return [item for item in graph.initializer if has_subgraph or item.name in names]


def choose_opsets(model: Any) -> list[onnx.OperatorSetIdProto]:
    """The model's own operator sets, with ai.onnx.ml as new as the columns' nodes need it."""
    versions = {item.domain: item.version for item in model.opset_import}
    if versions.get("ai.onnx.ml", 0) < 2:
        versions["ai.onnx.ml"] = 3
    return [helper.make_opsetid(domain, version) for domain, version in versions.items()]
