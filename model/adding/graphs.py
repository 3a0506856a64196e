"""An ONNX file of any exporter, turned by graph surgery into the one form that is served.

What comes in takes one float matrix, or one input for each column, and answers a number, a label, a
label with probabilities (a matrix or a ZipMap's list of dictionaries), or probabilities or logits
alone. What comes out takes `features` float32 [N, K], the codes of the card's fields, and answers
`value` [N] or `probabilities` [N, C]. Loading such a file runs none of its code.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, compose, helper, numpy_helper

from model.adding.columns import Column
from model.adding.compiling import INPUT, keep_what_leads_to, one_hot
from model.adding.errors import AddError
from model.adding.sessions import session_answer
from model.adding.subjects import Ready, differing, find_optional, rows_to_compare
from model.calibration import Floats
from model.compile import column_nodes
from model.predictors import open_session
from model.sources import Frame

_PREFIX = "given/"
_NUMBERS: dict[int, Any] = {
    TensorProto.FLOAT: np.float32,
    TensorProto.DOUBLE: np.float64,
    TensorProto.INT64: np.int64,
    TensorProto.INT32: np.int32,
    TensorProto.BOOL: np.bool_,
}
_LABELS = (TensorProto.INT64, TensorProto.INT32, TensorProto.STRING)
_REAL = (TensorProto.FLOAT, TensorProto.DOUBLE)

Says = Literal["value", "label", "probabilities", "logits", "sigmoid"]


@dataclass(frozen=True)
class Slot:
    """One input or output: its type, and its shape, None where that is not fixed."""

    name: str
    type: int
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class GraphSubject:
    """An ONNX model; ``output`` is the tensor that is used, ``says`` what it means."""

    model: Any
    inputs: tuple[Slot, ...]
    output: str
    says: Says
    title: str
    names: tuple[str, ...] | None
    count: int | None
    classes: tuple[Any, ...] = ()

    def names_in(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        if self.names is None:
            return None
        there = {_bare(column): column for column in columns}
        return tuple(
            name if name in columns else there.get(_bare(name), name) for name in self.names
        )

    def encoded(self, names: Sequence[str]) -> set[str]:
        return set()

    def told(self, target: pd.Series, classes: Sequence[str]) -> GraphSubject:
        distinct = sorted(
            target.dropna().unique().tolist(), key=lambda item: (str(type(item)), item)
        )
        if self.says == "value":
            two = len(distinct) == 2 and not isinstance(distinct[0], int | float)
            ends_so = self.model.graph.node[-1].op_type == "Sigmoid" and set(distinct) == {0, 1}
            if two or ends_so:
                return replace(self, says="sigmoid", classes=_named(distinct, 2, classes))
            return self
        if self.says in ("probabilities", "logits") and not self.classes:
            width = self._width()
            return replace(self, classes=_named(distinct, width, classes))
        if self.says == "label" and not self.classes:
            return replace(self, classes=tuple(distinct))
        return self

    def _width(self) -> int | None:
        found = next(
            slot for slot in map(_slot, self.model.graph.output) if slot.name == self.output
        )
        return found.shape[-1]

    def ready(self, table: pd.DataFrame, columns: Sequence[Column], work: Path) -> Ready:
        frame = Frame(columns=tuple(column.source for column in columns), named=True)
        self._check_inputs(columns)
        matrix = frame.read(table)
        wrapped = self._wrap(frame, self.says)
        if self.says == "probabilities":
            whole = matrix[~np.isnan(matrix).any(axis=1)]
            said = session_answer(wrapped, "probabilities")(whole.astype(np.float32))
            if not np.allclose(said.sum(axis=1), 1, atol=1e-3) or said.min() < -1e-6:
                return replace(self, says="logits").ready(table, columns, work)
        name = "probabilities" if self.classes else "value"
        answer = session_answer(wrapped, name)
        optional = find_optional(
            lambda rows: answer(rows.astype(np.float32)),
            matrix,
            [
                column if self._takes_nan(place, column) else replace_cells(column)
                for place, column in enumerate(columns)
            ],
        )
        places = [place for place, column in enumerate(columns) if column.naming.name in optional]
        needed = [place for place in range(len(columns)) if place not in places]
        kept = np.asarray(~np.isnan(matrix[:, needed]).any(axis=1), dtype=bool)
        if not kept.any():
            raise AddError("No row has every fact that the model cannot do without.")
        matrix = matrix[kept]
        rows = rows_to_compare(matrix, places)
        got, wanted = answer(rows.astype(np.float32)), self._original(frame, rows)
        if not np.isfinite(got).all():
            raise AddError("The model answers some rows of the data with no finite number.")
        if wrong := differing(got, wanted):
            raise AddError(
                f"{wrong} of {len(rows)} rows get another answer from the file as it was given: "
                "this form of ONNX is not understood well enough to serve it."
            )
        (work / "model.onnx").write_bytes(wrapped)
        notes = []
        if self.says == "logits":
            notes.append("Its answers do not add up to 1: they were taken for logits (softmax).")
        if self.says == "sigmoid":
            notes.append(f"Its one answer was taken for the probability of {self.classes[1]}.")
        return Ready(
            matrix, kept, frozenset(optional), answer, None, ("model.onnx",), "model.onnx",
            self.says != "label", notes=tuple(notes),
        )  # fmt: skip

    def _takes_nan(self, place: int, column: Column) -> bool:
        """Whether an unknown fact can reach the model as NaN at all."""
        slot = self.inputs[place if len(self.inputs) > 1 else 0]
        return slot.type in _REAL and not column.source.is_text

    def _check_inputs(self, columns: Sequence[Column]) -> None:
        for place, column in enumerate(columns):
            slot = self.inputs[place if len(self.inputs) > 1 else 0]
            is_text = slot.type == TensorProto.STRING
            if is_text != column.source.is_text:
                wants, has = ("text", "numbers") if is_text else ("numbers", "text")
                raise AddError(
                    f"The input {slot.name!r} takes {wants}, but column {column.source.column!r} "
                    f"holds {has}. Give the data as the model took them when it was exported."
                )

    def _wrap(self, frame: Frame, says: Says) -> bytes:
        """The model in the form that is served, serialized."""
        model = compose.add_prefix(self.model, _PREFIX)
        graph = model.graph
        last = _PREFIX + self.output
        before: list[onnx.NodeProto] = []
        for place, source in enumerate(frame.columns):
            name = f"column_{place}"
            before += column_nodes(name, place, source.values or None, graph)
        if len(self.inputs) == 1:
            (slot,) = self.inputs
            parts = [f"column_{place}" for place in range(len(frame.columns))]
            before.append(helper.make_node("Concat", parts, ["matrix"], axis=1))
            before.append(_cast("matrix", slot))
        else:
            for place, slot in enumerate(self.inputs):
                name = f"column_{place}"
                if len(slot.shape) == 1:
                    graph.initializer.append(_integers(f"{name}_flat", [-1]))
                    before.append(
                        helper.make_node("Reshape", [name, f"{name}_flat"], [f"{name}_row"])
                    )
                    name = f"{name}_row"
                before.append(_cast(name, slot))
        nodes = [*before, *graph.node]
        del graph.node[:]
        graph.node.extend(nodes)
        _finish(graph, last, says, self.classes)
        keep_what_leads_to(graph, "answer")
        name = "probabilities" if self.classes else "value"
        graph.node.append(helper.make_node("Identity", ["answer"], [name]))
        shape: list[str | int] = ["N", len(self.classes)] if self.classes else ["N"]
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

    def _original(self, frame: Frame, rows: Floats) -> Floats:
        """What the file as it was given answers, in the served form."""
        table = frame.build(rows)
        feeds = {}
        if len(self.inputs) == 1:
            (slot,) = self.inputs
            text = slot.type == TensorProto.STRING
            feeds[slot.name] = table.to_numpy(dtype=object if text else _NUMBERS[slot.type])
        else:
            for place, slot in enumerate(self.inputs):
                cells = table.iloc[:, place].to_numpy()
                text = slot.type == TensorProto.STRING
                shape = (-1,) if len(slot.shape) == 1 else (-1, 1)
                feeds[slot.name] = cells.astype(object if text else _NUMBERS[slot.type]).reshape(
                    shape
                )
        names = [output.name for output in self.model.graph.output]
        probabilities, place = self.output, len(names) - 1
        if probabilities in names:
            place = names.index(probabilities)
        found = open_session(self.model.SerializeToString()).run([names[place]], feeds)[0]
        if isinstance(found, list):  # a ZipMap's dictionaries
            return np.array([[row[item] for item in self.classes] for row in found], dtype=float)
        if self.says == "label":
            labels = found.reshape(-1).tolist()
            return np.array([[label == item for item in self.classes] for label in labels], float)
        if not self.classes:
            return np.asarray(found, dtype=float).reshape(-1)
        answers = np.asarray(found, dtype=float)
        if self.says == "logits":
            powers = np.exp(answers - answers.max(axis=1, keepdims=True))
            answers = powers / powers.sum(axis=1, keepdims=True)
        if self.says == "sigmoid":
            answers = np.column_stack([1 - answers.reshape(-1), answers.reshape(-1)])
        return answers


def replace_cells(column: Column) -> Column:
    """The column as if nothing were missing in it: its field will be required."""
    return replace(column, cells=column.cells.dropna())


def read_graph(path: Path) -> GraphSubject:
    """Read an ONNX file.

    Raises:
        AddError: if it is none, or takes or answers something else than rows of a table.
    """
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf and the checker raise what they like
        raise AddError(f"{path} is no sound ONNX file: {error}") from error
    constants = {constant.name for constant in model.graph.initializer}
    inputs = tuple(_slot(item) for item in model.graph.input if item.name not in constants)
    names, count = _columns(inputs, path)
    output, says, classes = _answers(model, path)
    return GraphSubject(
        model, inputs, output, says, model.producer_name or "ONNX", names, count, classes
    )


def _columns(inputs: Sequence[Slot], path: Path) -> tuple[tuple[str, ...] | None, int | None]:
    for slot in inputs:
        if slot.type not in (*_NUMBERS, TensorProto.STRING) or len(slot.shape) not in (1, 2):
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


def _answers(model: Any, path: Path) -> tuple[str, Says, tuple[Any, ...]]:
    """The tensor to use, what it means, and the classes where the graph names them."""
    outputs = [_slot(item) for item in model.graph.output]
    classes = _class_labels(model.graph)
    maps = [item for item in model.graph.output if item.type.HasField("sequence_type")]
    if maps:
        node = next((n for n in model.graph.node if maps[0].name in n.output), None)
        if node is None or node.op_type != "ZipMap":
            raise AddError(f"{path}: the output {maps[0].name!r} is a list that no ZipMap made.")
        return node.input[0], "probabilities", classes
    labels = [slot for slot in outputs if slot.type in _LABELS]
    real = [slot for slot in outputs if slot.type in _REAL]
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


def _named(distinct: Sequence[Any], width: int | None, classes: Sequence[str]) -> tuple[Any, ...]:
    """The classes of a model that does not name them: as said, or those of the data, in order."""
    found = tuple(classes) or tuple(distinct)
    if width is not None and len(found) != width:
        raise AddError(
            f"The model answers {width} classes and does not name them; the target has "
            f"{len(distinct)} values. Name them in the model's order: --classes a,b,c"
        )
    return found


def _slot(item: Any) -> Slot:
    kind = item.type.tensor_type
    dims = kind.shape.dim if kind.HasField("shape") else ()
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else None for dim in dims)
    # An exporter that was given one row writes 1 where any number of rows may come.
    return Slot(item.name, kind.elem_type, shape)


def _finish(graph: Any, last: str, says: Says, classes: Sequence[Any]) -> None:
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


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())
