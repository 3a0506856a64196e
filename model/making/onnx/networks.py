"""Networks of a table, which are ONNX already, behind converted steps: their nodes are copied."""

from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper, version_converter
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType

from model.making.onnx.additive import NodeWriter, add_label
from model.making.onnx.graphs import OPSETS, CompileError
from model.serving.network import LEAST_SHARE, NetworkClassifier, NetworkRegressor


def _convert(scope: Any, operator: Any, container: Any) -> None:
    network = operator.raw_operator
    graph = NodeWriter(scope, container)
    last = _copy_nodes(network, graph, graph.take(operator.inputs[0]), scope, container)
    last = graph.add("Reshape", last, graph.keep([-1, _count_outputs(network)], np.int64))
    outputs = [output.full_name for output in operator.outputs]
    if isinstance(network, NetworkClassifier):
        if network.link_ == "softmax":
            last = graph.add("Softmax", last, axis=1)
        elif network.link_ == "logistic":
            last = graph.add("Sigmoid", last)
        else:
            last = graph.add("Clip", last, graph.keep(0.0), graph.keep(1.0))
        if _count_outputs(network) == 1:
            other = graph.add("Sub", graph.keep(1.0), last)
            last = graph.add("Concat", other, last, axis=1)
        elif network.link_ == "identity":
            total = graph.add("ReduceSum", last, graph.keep([1], np.int64), keepdims=1)
            last = graph.add("Div", last, graph.add("Max", total, graph.keep(LEAST_SHARE)))
        add_label(graph, network, last, outputs[0])
    graph.add_output(last, outputs[-1])


def _copy_nodes(network: Any, graph: NodeWriter, given: str, scope: Any, container: Any) -> str:
    """Copy a network's nodes and constants under names that are free; the name of its answer."""
    model = onnx.load_model_from_string(network.content_)
    versions = {item.domain: item.version for item in model.opset_import}
    if versions.get("", versions.get("ai.onnx")) != OPSETS[""]:
        model = version_converter.convert_version(model, OPSETS[""])
    (taken,) = [item for item in model.graph.input if item.name not in _list_constants(model)]
    kind = taken.type.tensor_type.elem_type
    names = {"": "", taken.name: graph.add("Cast", given, to=kind)}
    for constant in model.graph.initializer:
        names[constant.name] = scope.get_unique_variable_name("constant")
        tensor = numpy_helper.from_array(numpy_helper.to_array(constant), names[constant.name])
        container.add_initializer(tensor.name, tensor.data_type, tensor.dims, tensor)
    for node in model.graph.node:
        attributes = {item.name: helper.get_attribute_value(item) for item in node.attribute}
        if any(isinstance(value, onnx.GraphProto) for value in attributes.values()):
            raise CompileError("the network has branches or loops")
        for name in filter(None, node.output):
            names[name] = scope.get_unique_variable_name(node.op_type.lower())
        taken_names = [names[name] for name in node.input]
        container.add_node(
            node.op_type,
            taken_names,
            [names[name] for name in node.output],
            name=scope.get_unique_operator_name(node.op_type),
            op_domain=node.domain,
            **attributes,
        )
    last = names[model.graph.output[0].name]
    return graph.add("Cast", last, to=onnx.TensorProto.FLOAT)


def _list_constants(model: onnx.ModelProto) -> set[str]:
    return {item.name for item in model.graph.initializer}


def _count_outputs(network: Any) -> int:
    return int(network.compute(np.zeros((1, network.n_features_in_))).shape[1])


def _set_shape(operator: Any) -> None:
    """Say what a network gives, for skl2onnx."""
    network = operator.raw_operator
    rows = operator.inputs[0].get_first_dimension()
    if isinstance(network, NetworkClassifier):
        operator.outputs[0].type = Int64TensorType([rows])
        operator.outputs[1].type = FloatTensorType([rows, len(network.classes_)])
    else:
        operator.outputs[0].type = FloatTensorType([rows, _count_outputs(network)])


for _class in (NetworkClassifier, NetworkRegressor):
    update_registered_converter(
        _class,
        f"Formcast{_class.__name__}",
        _set_shape,
        _convert,
        options={"zipmap": [True, False]} if _class is NetworkClassifier else None,
    )
