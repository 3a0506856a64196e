"""What an ONNX file takes and what it answers, as its graph says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from onnx import TensorProto

from model.making.errors import AddError

NUMBERS: dict[int, Any] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
    TensorProto.INT64: np.int64,
    TensorProto.INT32: np.int32,
    TensorProto.BOOL: np.bool_,
}
"""Types of tensors of numbers that a table can be made into, and the same in NumPy."""

REAL = (TensorProto.FLOAT, TensorProto.DOUBLE)
"""Those of them that can hold NaN, or an answer that is a number."""

_LABELS = (TensorProto.INT64, TensorProto.INT32, TensorProto.STRING)

OutputMeaning = Literal["value", "label", "probabilities", "logits", "sigmoid"]
"""What the tensor that is used means."""


@dataclass(frozen=True)
class Slot:
    """One input or output: its type, and its shape, None where that is not fixed."""

    name: str
    type: int
    shape: tuple[int | None, ...]


def read_slot(item: Any) -> Slot:
    """One input or output of a graph."""
    kind = item.type.tensor_type
    dims = kind.shape.dim if kind.HasField("shape") else ()
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)
    # An exporter that was given one row writes 1 where any number of rows may come.
    return Slot(item.name, kind.elem_type, shape)


def read_columns(inputs: Sequence[Slot], path: Path) -> tuple[tuple[str, ...] | None, int | None]:
    """The names and the number of the columns that go into the inputs, None where not said.

    Raises:
        AddError: if they take something else than rows of a table.
    """
    for slot in inputs:
        if slot.type not in (*NUMBERS, TensorProto.STRING) or len(slot.shape) not in (1, 2):
            raise AddError(
                f"{path}: the input {slot.name!r} takes no row of a table, but a tensor of shape "
                f"{list(slot.shape)}."
            )
    if len(inputs) == 1:
        slot = inputs[0]
        return None, slot.shape[1] if len(slot.shape) == 2 else 1
    for slot in inputs:
        if len(slot.shape) == 2 and slot.shape[1] not in (None, 1):
            raise AddError(
                f"{path}: the input {slot.name!r} takes {slot.shape[1]} columns, and there are "
                f"{len(inputs)} inputs. Export it with one input for all, or with one for each."
            )
    return tuple(slot.name for slot in inputs), len(inputs)


def read_output(model: Any, path: Path) -> tuple[str, OutputMeaning, tuple[Any, ...]]:
    """The tensor to use, what it means, and the classes where the graph names them.

    Raises:
        AddError: if it answers something else than a number or a class.
    """
    outputs = [read_slot(item) for item in model.graph.output]
    classes = _class_labels(model.graph)
    maps = [item for item in model.graph.output if item.type.HasField("sequence_type")]
    if maps:
        node = next((n for n in model.graph.node if maps[0].name in n.output), None)
        if node is None or node.op_type != "ZipMap":
            raise AddError(f"{path}: the output {maps[0].name!r} is a list that no ZipMap made.")
        return node.input[0], "probabilities", classes
    labels = [slot for slot in outputs if slot.type in _LABELS]
    real = [slot for slot in outputs if slot.type in REAL]
    if labels and len(real) == 1:
        if classes and real[0].shape[-1] not in (None, len(classes)):
            return labels[0].name, "label", classes
        return real[0].name, "probabilities", classes
    if labels and not real:
        return labels[0].name, "label", classes
    if len(real) == 1 and not labels:
        if len(real[0].shape) == 2 and real[0].shape[1] not in (None, 1):
            return real[0].name, "probabilities", ()
        if len(real[0].shape) <= 2:
            return real[0].name, "value", ()
    named = ", ".join(slot.name for slot in outputs)
    raise AddError(
        f"{path} has the outputs {named}. What can be shown is one number, or a label with the "
        "probabilities of the classes. Export it with these alone."
    )


def _class_labels(graph: Any) -> tuple[Any, ...]:
    """The classes that a classifier's node or a ZipMap names."""
    for node in reversed(graph.node):
        for attribute in node.attribute:
            if attribute.name in ("classlabels_strings", "classlabels_int64s", "classlabels_ints"):
                if attribute.strings:
                    return tuple(text.decode() for text in attribute.strings)
                if attribute.ints:
                    return tuple(int(number) for number in attribute.ints)
    return ()
