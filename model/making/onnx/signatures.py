"""An ONNX file as it is read, and what its model takes and answers, as its graph says."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
from onnx import TensorProto, inliner

from model.making.errors import AddError, quote_error, require_file

NUMPY_TYPES: dict[int, Any] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
    TensorProto.INT64: np.int64,
    TensorProto.INT32: np.int32,
    TensorProto.BOOL: np.bool_,
}
"""Types of tensors that numbers of a table can become, and the same in NumPy."""

FLOAT_TYPES = (TensorProto.FLOAT, TensorProto.DOUBLE)
"""The types that can hold NaN, or an answer that is a number."""

RESHAPING = ("Cast", "Dropout", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
"""Operators that change no value."""

_LABEL_TYPES = (TensorProto.INT64, TensorProto.INT32, TensorProto.STRING)

MANY_ROWS = (
    "Export it so that it takes any number of rows, from PyTorch like this: torch.onnx.export(net, "
    "torch.zeros(2, 8), 'model.onnx', input_names=['x'], dynamic_axes={'x': {0: 'rows'}}), where 8 "
    "is the number of its columns."
)

OutputMeaning = Literal[
    "value", "values", "label", "probabilities", "logits", "shares", "sigmoid", "logit", "distances"
]
"""What the model's answer means."""


def load_onnx(path: Path) -> onnx.ModelProto:
    """Read an ONNX file, with its functions written out.

    Raises:
        AddError: if it is not one, or not whole.
    """
    require_file(path)
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf and onnx raise several types
        said = quote_error(error)
        if "external data" in said.lower() or "should be stored in" in said:
            raise AddError(
                f"{path} keeps its weights in a file of its own, which cannot be read: "
                f"{said.rstrip('.')}. Put it into the same folder."
            ) from error
        raise AddError(f"{path} is not an ONNX file, although its name says so.") from error
    try:
        onnx.checker.check_model(model)
        if model.functions:
            model = inliner.inline_local_functions(model)
    except Exception as error:
        raise AddError(f"{path} is not a valid ONNX file: {quote_error(error)}") from error
    return model


def list_weight_files(path: Path) -> set[Path]:
    """List the files in which an ONNX file keeps its weights; none where it is no such file."""
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception:  # what is wrong with it is said where it is read
        return set()
    named = {
        entry.value
        for constant in graph.initializer
        for entry in constant.external_data
        if entry.key == "location"
    }
    return {(path.parent / name).resolve() for name in named}


def list_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """List what a graph takes; old files have their constants among the inputs."""
    constants = {constant.name for constant in graph.initializer}
    return [item for item in graph.input if item.name not in constants]


def find_last_operator(graph: onnx.GraphProto, output: str) -> str:
    """Find the operator that gives an output its value; "" for none."""
    makers = {name: node for node in graph.node for name in node.output}
    node = makers.get(output)
    while node is not None and node.op_type in RESHAPING:
        node = makers.get(node.input[0])
    return "" if node is None else str(node.op_type)


@dataclass(frozen=True)
class TensorInfo:
    """One input or output: its type, and its shape, None where a dimension is not fixed."""

    name: str
    type: int
    shape: tuple[int | None, ...]


def read_tensor_info(item: Any) -> TensorInfo:
    """Read one input or output of a graph."""
    tensor_type = item.type.tensor_type
    dims = tensor_type.shape.dim if tensor_type.HasField("shape") else ()
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)
    return TensorInfo(item.name, tensor_type.elem_type, shape)


def read_columns(
    inputs: Sequence[TensorInfo], path: Path
) -> tuple[tuple[str, ...] | None, int | None]:
    """Return names and number of the columns that the inputs take, None where not said.

    Raises:
        AddError: if they do not take rows of a table.
    """
    for item in inputs:
        if item.type == TensorProto.FLOAT16:
            raise AddError(
                f"{path}: the input {item.name!r} takes numbers of 16 bits. "
                "Export the model in single precision, from PyTorch after net.float()."
            )
        if item.type not in (*NUMPY_TYPES, TensorProto.STRING) or len(item.shape) not in (1, 2):
            raise AddError(
                f"{path}: the input {item.name!r} does not take rows of a table, but a tensor of "
                f"shape {list(item.shape)}. Export the model with two dimensions: rows and columns."
            )
    if (rows := inputs[0].shape[0]) is not None and rows > 1:
        raise AddError(f"{path} takes {rows} rows at a time, no more and no less. {MANY_ROWS}")
    if len(inputs) == 1:
        (item,) = inputs
        return None, item.shape[1] if len(item.shape) == 2 else 1
    for item in inputs:
        if len(item.shape) == 2 and item.shape[1] not in (None, 1):
            raise AddError(
                f"{path}: the input {item.name!r} takes {item.shape[1]} columns, and there are "
                f"{len(inputs)} inputs. Export the model with one input for all columns, or with "
                "one for each."
            )
    return tuple(item.name for item in inputs), len(inputs)


def read_output(model: Any, path: Path) -> tuple[str, OutputMeaning, tuple[Any, ...]]:
    """Return the tensor to use, what it means, and the classes where the graph names them.

    Raises:
        AddError: if the model does not answer with one number or one class.
    """
    outputs = [read_tensor_info(item) for item in model.graph.output]
    classes = _class_labels(model.graph)
    maps = [item for item in model.graph.output if item.type.HasField("sequence_type")]
    if maps:
        node = next((n for n in model.graph.node if maps[0].name in n.output), None)
        if node is None or node.op_type != "ZipMap":
            raise AddError(
                f"{path}: the output {maps[0].name!r} is a list that is not from a ZipMap. Export "
                "the model with tensors as outputs."
            )
        return node.input[0], "probabilities", classes
    labels = [item for item in outputs if item.type in _LABEL_TYPES]
    floats = [item for item in outputs if item.type in FLOAT_TYPES]
    if labels and len(floats) == 1:
        if classes and floats[0].shape[-1] not in (None, len(classes)):
            return labels[0].name, "label", classes
        return floats[0].name, "probabilities", classes
    if labels and not floats:
        return labels[0].name, "label", classes
    if len(floats) == 1 and not labels:
        if len(floats[0].shape) == 2 and floats[0].shape[1] not in (None, 1):
            return floats[0].name, "probabilities", ()
        if len(floats[0].shape) <= 2:
            return floats[0].name, "value", ()
    named = ", ".join(item.name for item in outputs)
    raise AddError(
        f"{path} has the outputs {named}. A page can show one number, or a label with the "
        "probabilities of the classes. Export the model with only these outputs."
    )


def _class_labels(graph: Any) -> tuple[Any, ...]:
    """The classes that a classifier's node or a ZipMap names; empty where none does."""
    for node in reversed(graph.node):
        for attribute in node.attribute:
            if attribute.name in ("classlabels_strings", "classlabels_int64s", "classlabels_ints"):
                if attribute.strings:
                    return tuple(text.decode() for text in attribute.strings)
                if attribute.ints:
                    return tuple(int(number) for number in attribute.ints)
    return ()
