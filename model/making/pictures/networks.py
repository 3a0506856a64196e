"""A network for pictures in ONNX: what it takes and answers, and the form in which it is served.

The served form keeps the input, and answers ``probabilities`` float32 [N, C]; ``embedding`` [N, D],
the input of its last layer; and ``map`` [N, C, h, w], the class activation map in logits (Zhou,
Khosla, Lapedriza, Oliva and Torralba, "Learning deep features for discriminative localization",
CVPR 2016), where that layer takes the mean of a grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, compose, helper, numpy_helper

from model.contract.arrays import Float64Array
from model.contract.preprocessing import Layout
from model.making.errors import AddError, quote_error
from model.making.onnx.graphs import prune_graph
from model.making.onnx.signatures import (
    RESHAPING,
    TensorInfo,
    find_last_operator,
    list_inputs,
    read_tensor_info,
)
from model.making.pictures.kept_rows import KeptRows
from model.serving.predictors import open_session

AnswerMeaning = Literal["probabilities", "names", "logits", "shares", "sigmoid", "sigmoid logits"]
"""What the numbers of an answer are: names are 1 for one class and 0 for the others, shares add up
to anything, a sigmoid's is that of a class."""

MEANINGS: dict[AnswerMeaning, str] = {
    "probabilities": "probabilities",
    "names": "a class without a probability",
    "logits": "logits, of which softmax makes probabilities",
    "shares": "a sigmoid for each class, divided by their sum",
    "sigmoid": "one probability, that of the second class",
    "sigmoid logits": "one logit, of which a sigmoid makes the probability of the second class",
}
_TYPES: dict[int, Literal["float32", "uint8"]] = {
    TensorProto.FLOAT: "float32",
    TensorProto.UINT8: "uint8",
}
_PASSING = ("Identity", "Dropout", "Cast", "Reshape", "Flatten", "Squeeze", "Softmax", "Sigmoid",
            "LogSoftmax", "Add", "Clip", "Unsqueeze")  # fmt: skip
"""Operators between the last layer and the answer."""

_MAX_EMBEDDING = 8192
_LEAST_CELLS = 9
_PREFIX = "net/"


@dataclass(frozen=True)
class InputShape:
    """One reading of the input's dimensions; None where the file does not fix one."""

    layout: Layout
    width: int | None
    height: int | None
    channels: int


@dataclass(frozen=True, eq=False)
class PictureNetwork:
    """A network that takes one picture.

    ``names_only`` says that it gives no probabilities; ``kept`` is what it keeps of its fit.
    """

    model: onnx.ModelProto
    shapes: tuple[InputShape, ...]
    type: Literal["float32", "uint8"]
    names_only: bool = False
    kept: KeptRows | None = None

    @cached_property
    def _session(self) -> Any:
        return open_session(self.model.SerializeToString())

    def answer(self, given: NDArray[Any]) -> Float64Array:
        """Answer one picture, shape (1, …), with all numbers of its answer, shape (C,).

        Raises:
            AddError: if it cannot.
        """
        name = self._session.get_inputs()[0].name
        try:
            found = self._session.run([self._output], {name: given})[0]
        except Exception as error:  # ONNX Runtime raises several types
            raise AddError(
                f"The network cannot answer a picture of shape {list(given.shape)}: "
                f"{quote_error(error)}. Export it so that it takes one picture at a time, or give "
                "its --size."
            ) from error
        return np.asarray(found, dtype=float).reshape(-1)

    @cached_property
    def _output(self) -> str:
        """The output with the classes: the last of floats that is no map."""
        outputs = [read_tensor_info(item) for item in self.model.graph.output]
        floats = [item for item in outputs if item.type in (1, 10, 11) and len(item.shape) <= 4]
        if not floats:
            raise AddError(
                "The network gives no numbers for its classes. Export it with the probabilities "
                "or the logits as its output."
            )
        flat = [item for item in floats if len(item.shape) == 2] or floats
        return flat[0].name

    @cached_property
    def ends_in_sigmoid(self) -> bool:
        """Whether its last step is a sigmoid."""
        return find_last_operator(self.model.graph, self._output) == "Sigmoid"

    def find_meaning(self, answers: Float64Array) -> AnswerMeaning:
        """Find what its answers, shape (pictures, C), are."""
        if self.names_only:
            return "names"
        within = answers.min() >= -1e-4 and answers.max() <= 1 + 1e-4
        if answers.shape[1] == 1:
            return "sigmoid" if within else "sigmoid logits"
        if within and np.allclose(answers.sum(axis=1), 1, atol=5e-3):
            return "probabilities"
        return "shares" if within and self.ends_in_sigmoid else "logits"

    def build_served(self, meaning: AnswerMeaning) -> bytes:
        """Build the served form; see the module."""
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        # The names of the outputs may be taken by tensors of the graph.
        model = compose.add_prefix(model, _PREFIX)
        graph, output = model.graph, _PREFIX + self._output
        embedding, weights = _find_last_layer(graph, output)
        nodes = _make_probabilities(graph, output, meaning)
        shapes = {item.name: read_tensor_info(item) for item in graph.output}
        classes = 2 if meaning.startswith("sigmoid") else shapes[output].shape[-1]
        outputs = [_describe("probabilities", "N", classes)]
        graph.node.extend(nodes)
        grid = None if weights is None or not embedding else _find_grid(graph, embedding)
        if embedding:
            graph.node.append(helper.make_node("Cast", [embedding], ["embedding/float"], to=1))
            graph.node.append(helper.make_node("Flatten", ["embedding/float"], ["embedding"]))
            outputs.append(_describe("embedding", "N", "D"))
        if grid is not None and weights is not None:
            graph.node.extend(_make_map(graph, *grid, weights))
            outputs.append(_describe("map", "N", *([] if classes == 2 and weights.shape[1] == 1
                                                   else ["C"]), "H", "W"))  # fmt: skip
        del graph.output[:]
        graph.output.extend(outputs)
        return self._keep_what_works(model)

    def _keep_what_works(self, model: onnx.ModelProto) -> bytes:
        """The served form without the map or the embedding where these cannot be computed."""
        shape = self.shapes[0]
        side = (shape.height or 64, shape.width or 64)
        size: tuple[int, ...] = (1, shape.channels, *side)
        if shape.layout == "NHWC":
            size = (1, *side, shape.channels)
        elif shape.layout == "NHW":
            size = (1, *side)
        given = np.zeros(size, self.type)
        for _ in range(3):
            names = [item.name for item in model.graph.output]
            try:
                session = open_session(model.SerializeToString())
                answers = session.run(names, {session.get_inputs()[0].name: given})
            except Exception:  # a graph of another exporter may have anything before its last layer
                if len(names) == 1:
                    raise
                dropped = names[-1]
            else:
                found = dict(zip(names, answers, strict=True))
                heat, embedding = found.get("map"), found.get("embedding")
                if heat is not None and heat.shape[-1] * heat.shape[-2] < _LEAST_CELLS:
                    dropped = "map"
                elif embedding is not None and embedding.shape[1] > _MAX_EMBEDDING:
                    dropped = "embedding"
                else:
                    break
            kept = [item for item in model.graph.output if item.name != dropped]
            del model.graph.output[:]
            model.graph.output.extend(kept)
            _prune(model.graph, [item.name for item in kept])
        return bytes(model.SerializeToString())


def _prune(graph: onnx.GraphProto, outputs: Sequence[str]) -> None:
    """Remove the nodes that none of the outputs needs."""
    graph.node.append(helper.make_node("Concat", list(outputs), ["all outputs"], axis=0))
    prune_graph(graph, "all outputs")
    del graph.node[-1]


def _describe(name: str, *shape: int | str | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))


def _find_producer(graph: onnx.GraphProto, name: str) -> onnx.NodeProto | None:
    return next((node for node in reversed(graph.node) if name in node.output), None)


def _read_constant(graph: onnx.GraphProto, name: str) -> NDArray[Any] | None:
    for item in graph.initializer:
        if item.name == name:
            return np.asarray(numpy_helper.to_array(item))
    node = _find_producer(graph, name)
    if node is not None and node.op_type == "Constant" and node.attribute[0].name == "value":
        return np.asarray(numpy_helper.to_array(node.attribute[0].t))
    return None


def _find_last_layer(graph: onnx.GraphProto, output: str) -> tuple[str, NDArray[Any] | None]:
    """The input of the last dense layer, and its weights [D, C]; "" where there is none."""
    name = output
    while (node := _find_producer(graph, name)) is not None:
        if node.op_type in ("MatMul", "Gemm"):
            weights = _read_constant(graph, node.input[1])
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            if weights is not None and transposed:
                weights = weights.T
            return node.input[0], weights
        if node.op_type == "Add":  # of a bias
            parts = [item for item in node.input if _read_constant(graph, item) is None]
            if len(parts) != 1:
                return "", None
            (name,) = parts
            continue
        if node.op_type not in _PASSING:
            return "", None
        name = node.input[0]
    return "", None


def _find_grid(graph: onnx.GraphProto, embedding: str) -> tuple[str, bool] | None:
    """The grid of which the embedding is the mean, and whether its channels come last."""
    name = embedding
    while (node := _find_producer(graph, name)) is not None and node.op_type in RESHAPING:
        name = node.input[0]
    if node is None:
        return None
    if node.op_type == "GlobalAveragePool":
        return node.input[0], False
    if node.op_type != "ReduceMean":
        return None
    given = next((list(item.ints) for item in node.attribute if item.name == "axes"), None)
    if given is None and len(node.input) > 1:
        found = _read_constant(graph, node.input[1])
        given = None if found is None else found.reshape(-1).tolist()
    axes = sorted(axis % 4 for axis in given or ())
    return (node.input[0], axes == [1, 2]) if axes in ([1, 2], [2, 3]) else None


def _make_probabilities(
    graph: onnx.GraphProto, output: str, meaning: AnswerMeaning
) -> list[onnx.NodeProto]:
    """The nodes that lead from the answer to ``probabilities``."""
    nodes = [
        helper.make_node("Cast", [output], ["answer/float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["answer/float"], ["answer"]),
    ]
    if meaning in ("probabilities", "names"):
        return [*nodes, helper.make_node("Identity", ["answer"], ["probabilities"])]
    if meaning == "logits":
        return [*nodes, helper.make_node("Softmax", ["answer"], ["probabilities"], axis=1)]
    if meaning == "shares":
        info = next(read_tensor_info(item) for item in graph.output if item.name == output)
        ones = np.ones((info.shape[-1] or 1, 1), np.float32)
        _add_constant(graph, "answer/least", np.array([[1e-9]], np.float32))
        _add_constant(graph, "answer/ones", ones)
        return [
            *nodes,
            helper.make_node("Add", ["answer", "answer/least"], ["answer/shares"]),
            # A matrix of ones sums in every version of the operators.
            helper.make_node("MatMul", ["answer/shares", "answer/ones"], ["answer/sum"]),
            helper.make_node("Div", ["answer/shares", "answer/sum"], ["probabilities"]),
        ]
    last = "answer"
    if meaning == "sigmoid logits":
        nodes.append(helper.make_node("Sigmoid", ["answer"], ["answer/share"]))
        last = "answer/share"
    _add_constant(graph, "answer/one", np.array([[1]], np.float32))
    return [
        *nodes,
        helper.make_node("Sub", ["answer/one", last], ["answer/first"]),
        helper.make_node("Concat", ["answer/first", last], ["probabilities"], axis=1),
    ]


def _add_constant(graph: onnx.GraphProto, name: str, values: NDArray[Any]) -> None:
    graph.initializer.append(numpy_helper.from_array(values, name))


def _make_map(
    graph: onnx.GraphProto, grid: str, channels_last: bool, weights: NDArray[Any]
) -> list[onnx.NodeProto]:
    """The nodes of the class activation map; of several classes each counts against their mean."""
    centred = np.asarray(weights, dtype=np.float32)
    single = centred.shape[1] == 1
    if not single:
        centred = centred - centred.mean(axis=1, keepdims=True)
    _add_constant(graph, "map/weights", centred)
    nodes = [helper.make_node("Cast", [grid], ["map/grid"], to=TensorProto.FLOAT)]
    last = "map/grid"
    if not channels_last:
        nodes.append(helper.make_node("Transpose", [last], ["map/last"], perm=[0, 2, 3, 1]))
        last = "map/last"
    nodes.append(helper.make_node("MatMul", [last, "map/weights"], ["map/cells"]))
    if single:
        _add_constant(graph, "map/shape", np.array([0, 0, 0], np.int64))
        nodes.append(helper.make_node("Reshape", ["map/cells", "map/shape"], ["map"]))
    else:
        nodes.append(helper.make_node("Transpose", ["map/cells"], ["map"], perm=[0, 3, 1, 2]))
    return nodes


def open_network(
    model: onnx.ModelProto, path: Path, shapes: tuple[InputShape, ...] = ()
) -> PictureNetwork:
    """Look at a network in ONNX.

    Args:
        model: the network.
        path: its file.
        shapes: the readings of its input, where its dimensions do not tell them.

    Raises:
        AddError: if it does not take one picture.
    """
    inputs = [*map(read_tensor_info, list_inputs(model.graph))]
    if len(inputs) != 1:
        named = ", ".join(item.name for item in inputs) or "none"
        raise AddError(
            f"{path} has the inputs {named}. A network for pictures takes one: export it with the "
            "picture as its only input."
        )
    (item,) = inputs
    if item.type not in _TYPES:
        raise AddError(
            f"{path}: the input {item.name!r} takes {TensorProto.DataType.Name(item.type)}. Export "
            "the network so that it takes float32 or uint8."
        )
    shapes = shapes or _read_shapes(item, path)
    for value in model.graph.input:
        if value.name == item.name:
            value.type.tensor_type.shape.dim[0].dim_param = "N"
    del model.graph.value_info[:]  # they name the number of pictures that it was exported with
    return PictureNetwork(model, shapes, _TYPES[item.type])


def takes_pictures(model: onnx.ModelProto) -> bool:
    """Whether a network's only input has the dimensions of pictures."""
    inputs = [*map(read_tensor_info, list_inputs(model.graph))]
    return len(inputs) == 1 and len(inputs[0].shape) in (3, 4)


def takes_rows(model: onnx.ModelProto) -> bool:
    """Whether a network's only input has the dimensions of rows of numbers."""
    inputs = [*map(read_tensor_info, list_inputs(model.graph))]
    return len(inputs) == 1 and len(inputs[0].shape) == 2


def _read_shapes(item: TensorInfo, path: Path) -> tuple[InputShape, ...]:
    """The readings that the dimensions of an input allow."""
    shape = item.shape
    if len(shape) == 3 and 1 not in shape[1:] and 3 not in shape[1:]:
        return (InputShape("NHW", shape[2], shape[1], 1),)
    found = []
    if len(shape) == 4:
        if shape[1] in (1, 3):
            found.append(InputShape("NCHW", shape[3], shape[2], int(shape[1] or 0)))
        if shape[3] in (1, 3):
            found.append(InputShape("NHWC", shape[2], shape[1], int(shape[3] or 0)))
    if not found:
        dims = " × ".join("?" if dim is None else str(dim) for dim in shape)
        raise AddError(
            f"{path}: the input {item.name!r} has the shape {dims}, which is no picture in grey "
            "or in three colours: that has four dimensions, one of them 1 or 3."
        )
    return tuple(found)
