"""Graph surgery: an ONNX model of any form, wrapped into the one form that is served.

That takes `features` float32 [N, K], the codes of the card's fields, and answers `value` [N] or
`probabilities` [N, C].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from model.contract.sources import Frame
from model.making.compiling import INPUT, keep_what_leads_to, one_hot
from model.making.errors import AddError
from model.making.onnx.compile import column_nodes
from model.making.signatures import OutputMeaning, Slot
from model.serving.predictors import open_session

_PREFIX = "given/"


def wrap(
    given: Any,
    inputs: Sequence[Slot],
    output: str,
    says: OutputMeaning,
    classes: Sequence[Any],
    frame: Frame,
) -> bytes:
    """The model in the form that is served, serialized.

    Args:
        given: the model as its file has it; stays as it is.
        inputs: what it takes.
        output: the tensor that is used.
        says: what that means.
        classes: what it sorts rows into; empty for a model of numbers.
        frame: the columns that go into it, and their codes.

    Raises:
        AddError: if the graph cannot be brought into that form.
    """
    model = compose.add_prefix(given, _PREFIX)
    graph = model.graph
    last = _PREFIX + output
    before: list[onnx.NodeProto] = []
    for place, source in enumerate(frame.columns):
        name = f"column_{place}"
        before += column_nodes(name, place, source.values or None, graph)
    if len(inputs) == 1:
        (slot,) = inputs
        parts = [f"column_{place}" for place in range(len(frame.columns))]
        before.append(helper.make_node("Concat", parts, ["matrix"], axis=1))
        before.append(_cast("matrix", slot))
    else:
        for place, slot in enumerate(inputs):
            name = f"column_{place}"
            if len(slot.shape) == 1:
                graph.initializer.append(_integers(f"{name}_flat", [-1]))
                before.append(helper.make_node("Reshape", [name, f"{name}_flat"], [f"{name}_row"]))
                name = f"{name}_row"
            before.append(_cast(name, slot))
    nodes = [*before, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    _finish(graph, last, says, classes)
    keep_what_leads_to(graph, "answer")
    name = "probabilities" if classes else "value"
    graph.node.append(helper.make_node("Identity", ["answer"], [name]))
    shape: list[str | int] = ["N", len(classes)] if classes else ["N"]
    made = helper.make_graph(
        graph.node,
        "formcast",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", len(frame.columns)])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
        _used(graph),
    )
    wrapped = helper.make_model(
        made,
        producer_name="formcast",
        opset_imports=_opsets(model),
        ir_version=model.ir_version,
        functions=list(model.functions),
    )
    serialized: bytes = wrapped.SerializeToString(deterministic=True)
    try:
        open_session(serialized)
    except Exception as error:
        raise AddError(f"The graph cannot be brought into the served form: {error}") from error
    return serialized


def _finish(graph: Any, last: str, says: OutputMeaning, classes: Sequence[Any]) -> None:
    """Append what makes "answer" of the model's own output."""
    if says == "label":
        graph.initializer.append(_integers("flat_labels", [-1]))
        graph.node.append(helper.make_node("Reshape", [last, "flat_labels"], ["labels"]))
        one_hot(graph, "labels", classes)
        return
    graph.node.append(helper.make_node("Cast", [last], ["as_float"], to=TensorProto.FLOAT))
    if says == "value":
        graph.initializer.append(_integers("flat", [-1]))
        graph.node.append(helper.make_node("Reshape", ["as_float", "flat"], ["answer"]))
    elif says == "probabilities":
        graph.node.append(helper.make_node("Identity", ["as_float"], ["answer"]))
    elif says == "logits":
        graph.node.append(helper.make_node("Softmax", ["as_float"], ["answer"], axis=1))
    else:
        graph.initializer.append(_integers("one_column", [-1, 1]))
        graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "one"))
        graph.node.extend(
            [
                helper.make_node("Reshape", ["as_float", "one_column"], ["second"]),
                helper.make_node("Sub", ["one", "second"], ["first"]),
                helper.make_node("Concat", ["first", "second"], ["answer"], axis=1),
            ]
        )


def _cast(name: str, slot: Slot) -> onnx.NodeProto:
    if slot.type in (TensorProto.FLOAT, TensorProto.STRING):
        return helper.make_node("Identity", [name], [_PREFIX + slot.name])
    return helper.make_node("Cast", [name], [_PREFIX + slot.name], to=slot.type)


def _integers(name: str, values: list[int]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def _used(graph: Any) -> list[onnx.TensorProto]:
    """The constants that some node takes, in a subgraph or outside."""
    text = {name for node in graph.node for name in node.input}
    inner = any(attribute.HasField("g") for node in graph.node for attribute in node.attribute)
    return [item for item in graph.initializer if inner or item.name in text]


def _opsets(model: Any) -> list[onnx.OperatorSetIdProto]:
    """The model's own operator sets, and the one for tables as new as the columns need it."""
    found = {item.domain: item.version for item in model.opset_import}
    if found.get("ai.onnx.ml", 0) < 2:
        if any(node.op_type == "LabelEncoder" for node in model.graph.node if _is_old(node)):
            raise AddError("The file uses operators of ai.onnx.ml 1. Export it with a newer opset.")
        found["ai.onnx.ml"] = 3
    return [helper.make_opsetid(domain, version) for domain, version in found.items()]


def _is_old(node: Any) -> bool:
    return any(attribute.name == "classes_strings" for attribute in node.attribute)
