"""An ONNX file of any exporter as a model to add, compared with the form in which it is served.

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
from typing import Any

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto

from model.contract.arrays import Float64Array
from model.contract.sources import Frame
from model.making.columns import DataColumn
from model.making.errors import AddError
from model.making.model_sources import PreparedModel, differing, find_optional, rows_to_compare
from model.making.sessions import session_answer
from model.making.signatures import (
    NUMBERS,
    REAL,
    OutputMeaning,
    Slot,
    read_columns,
    read_output,
    read_slot,
)
from model.making.surgery import wrap
from model.serving.predictors import open_session


@dataclass(frozen=True)
class GraphSource:
    """An ONNX model; ``output`` is the tensor that is used, ``says`` what it means."""

    model: Any
    inputs: tuple[Slot, ...]
    output: str
    says: OutputMeaning
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

    def told(self, target: pd.Series, classes: Sequence[str]) -> GraphSource:
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
            slot for slot in map(read_slot, self.model.graph.output) if slot.name == self.output
        )
        return found.shape[-1]

    def ready(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        frame = Frame(columns=tuple(column.source for column in columns), named=True)
        self._check_inputs(columns)
        matrix = frame.read(table)
        wrapped = wrap(self.model, self.inputs, self.output, self.says, self.classes, frame)
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
        return PreparedModel(
            matrix, kept, frozenset(optional), answer, None, ("model.onnx",), "model.onnx",
            self.says != "label", notes=tuple(notes),
        )  # fmt: skip

    def _takes_nan(self, place: int, column: DataColumn) -> bool:
        """Whether an unknown fact can reach the model as NaN at all."""
        slot = self.inputs[place if len(self.inputs) > 1 else 0]
        return slot.type in REAL and not column.source.is_text

    def _check_inputs(self, columns: Sequence[DataColumn]) -> None:
        for place, column in enumerate(columns):
            slot = self.inputs[place if len(self.inputs) > 1 else 0]
            is_text = slot.type == TensorProto.STRING
            if is_text != column.source.is_text:
                wants, has = ("text", "numbers") if is_text else ("numbers", "text")
                raise AddError(
                    f"The input {slot.name!r} takes {wants}, but column {column.source.column!r} "
                    f"holds {has}. Give the data as the model took them when it was exported."
                )

    def _original(self, frame: Frame, rows: Float64Array) -> Float64Array:
        """What the file as it was given answers, in the served form."""
        table = frame.build(rows)
        feeds = {}
        if len(self.inputs) == 1:
            (slot,) = self.inputs
            text = slot.type == TensorProto.STRING
            feeds[slot.name] = table.to_numpy(dtype=object if text else NUMBERS[slot.type])
        else:
            for place, slot in enumerate(self.inputs):
                cells = table.iloc[:, place].to_numpy()
                text = slot.type == TensorProto.STRING
                shape = (-1,) if len(slot.shape) == 1 else (-1, 1)
                feeds[slot.name] = cells.astype(object if text else NUMBERS[slot.type]).reshape(
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


_NEWLINE = "\n"


def replace_cells(column: DataColumn) -> DataColumn:
    """The column as if nothing were missing in it: its field will be required."""
    return replace(column, cells=column.cells.dropna())


def read_graph(path: Path) -> GraphSource:
    """Read an ONNX file.

    Raises:
        AddError: if it is none, or takes or answers something else than rows of a table.
    """
    try:
        model = onnx.load(path)
    except Exception as error:  # protobuf raises what it likes
        raise AddError(f"{path} is no ONNX file, whatever its name says.") from error
    try:
        onnx.checker.check_model(model)
    except Exception as error:
        raise AddError(
            f"{path} is no sound ONNX file: {str(error).strip().partition(_NEWLINE)[0]}"
        ) from error
    constants = {constant.name for constant in model.graph.initializer}
    inputs = tuple(read_slot(item) for item in model.graph.input if item.name not in constants)
    names, count = read_columns(inputs, path)
    output, says, classes = read_output(model, path)
    return GraphSource(
        model, inputs, output, says, model.producer_name or "ONNX", names, count, classes
    )


def _named(distinct: Sequence[Any], width: int | None, classes: Sequence[str]) -> tuple[Any, ...]:
    """The classes of a model that does not name them: as said, or those of the data, in order."""
    found = tuple(classes) or tuple(distinct)
    if width is not None and len(found) != width:
        raise AddError(
            f"The model answers {width} classes and does not name them; the target has "
            f"{len(distinct)} values. Name them in the model's order: --classes a,b,c"
        )
    return found


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())
