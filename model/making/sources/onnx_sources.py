"""An ONNX file of any exporter as a model to add, compared with the form in which it is served.

The file's model takes one float matrix, or one input for each column. It answers a number, a label,
a label with probabilities (a matrix or a ZipMap's list of dictionaries), or only probabilities or
logits. The served form takes `features` float32 [N, K], the codes of the card's fields, and answers
`value` [N] or `probabilities` [N, C]. Loading such a file runs no code in it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from onnx import TensorProto
from scipy.special import expit, softmax

from model.contract.arrays import Float64Array
from model.contract.outputs import MOST_CLASSES
from model.contract.sources import Frame
from model.making.columns.describing import DataColumn
from model.making.errors import AddError
from model.making.kinds import choose_kind
from model.making.kinds.classes import ClassesKind
from model.making.kinds.clusters import ClustersKind
from model.making.kinds.multioutput import MultioutputKind
from model.making.kinds.number import NumberKind
from model.making.kinds.output_kind import OutputKind
from model.making.onnx.signatures import (
    FLOAT_TYPES,
    MANY_ROWS,
    NUMPY_TYPES,
    OutputMeaning,
    TensorInfo,
    find_last_operator,
    list_inputs,
    load_onnx,
    read_columns,
    read_output,
    read_tensor_info,
)
from model.making.rows.prepared import (
    PreparedModel,
    load_compiled,
    make_rows_to_compare,
    select_rows,
)
from model.making.sources.wrapping import wrap_model
from model.serving.predictors import open_session

_WHOLE = (TensorProto.INT64, TensorProto.INT32)
_LOOKED_AT = 1000
"""Rows by which a model of clusters is known."""


@dataclass(frozen=True)
class OnnxSource:
    """An ONNX model; ``output`` is the tensor to use, ``meaning`` what it means.

    ``targets`` are the columns of several numbers, ``measure`` is that of clusters; see
    ``ClusterOutput``.
    """

    model: Any
    inputs: tuple[TensorInfo, ...]
    output: str
    meaning: OutputMeaning
    names: tuple[str, ...] | None
    count: int | None
    classes: tuple[Any, ...] = ()
    class_names: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    measure: str = ""

    @property
    def kind(self) -> OutputKind:
        """How it answers, once the target is known."""
        if self.targets:
            return MultioutputKind(self.targets)
        if self.measure:
            return ClustersKind(self.classes, True, self.class_names, self.measure)
        if self.meaning == "value":
            return NumberKind()
        return ClassesKind(self.classes, self.meaning != "label", self.class_names)

    def match_names(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        if self.names is None:
            return None
        by_letters = {_letters(column): column for column in columns}
        return tuple(
            name if name in columns else by_letters.get(_letters(name), name) for name in self.names
        )

    def find_encoded(self, names: Sequence[str]) -> set[str]:
        return set()

    def find_texts(self, names: Sequence[str]) -> set[str]:
        return set()

    def with_targets(self, targets: Sequence[str]) -> "OnnxSource":
        """Return the model as one that answers these columns of the data.

        Raises:
            AddError: if it answers no number for each.
        """
        if len(targets) < 2:
            return self
        may_be_numbers = not self.classes and self.meaning in ("value", "probabilities")
        choose_kind(NumberKind() if may_be_numbers else self.kind, targets)  # it may refuse
        width = 1 if self.meaning == "value" else self._output_width()
        if width is not None:
            MultioutputKind(tuple(targets)).require_width(width)
        return replace(self, meaning="values", targets=tuple(targets))

    def find_clusters(self, table: pd.DataFrame) -> "OnnxSource":
        """Return the model as one of clusters, where its answers to rows prove that it is one.

        Its second output counts as distances where the nearest is always the cluster that it names,
        and as probabilities where the likeliest is.

        Args:
            table: the columns that it takes, of data without a target.

        Raises:
            AddError: if it gives some rows no cluster.
        """
        outputs = [read_tensor_info(item) for item in self.model.graph.output]
        named = [item.name for item in outputs if item.type in _WHOLE]
        if self.classes or len(named) != 1:
            return self
        rows = table.apply(pd.to_numeric, errors="coerce").dropna()[:_LOOKED_AT]
        scored = [item.name for item in outputs if item.type in FLOAT_TYPES]
        if not len(rows) or len(scored) > 1:
            return self
        session = open_session(self.model.SerializeToString())
        labels, *scores = self._run(session, [*named, *scored], rows)
        labels = labels.reshape(-1)
        if labels.min() < 0:
            raise AddError(
                f"The model answers {labels.min()} to some rows, which is no group. Export one "
                "that puts every row into a group."
            )
        for matrix in scores:
            classes = tuple(range(matrix.shape[-1]))
            found = replace(self, output=scored[0], classes=classes)
            if matrix.ndim != 2 or len(classes) < 2:
                continue
            if matrix.min() >= 0 and (matrix.argmin(axis=1) == labels).all():
                return replace(found, meaning="distances", measure="distance")
            sums_to_one = np.allclose(matrix.sum(axis=1), 1, atol=1e-3)
            if sums_to_one and (matrix.argmax(axis=1) == labels).all():
                return replace(found, meaning="probabilities", measure="probability")
        classes = tuple(range(max(int(labels.max()) + 1, 2)))
        return replace(self, output=named[0], meaning="label", classes=classes, measure="none")

    def find_logit(self, table: pd.DataFrame, target: pd.Series) -> "OnnxSource":
        """Return the model as one whose only answer is a logit, where its answers prove it.

        A network that was fitted with a loss of logits answers two classes with numbers that are no
        probabilities, and one that was fitted to 0 and 1 with probabilities that may leave these.

        Args:
            table: the columns that it takes.
            target: the true answers of these rows.
        """
        distinct = set(target.dropna())
        are_numbers = all(isinstance(item, int | float) for item in distinct)
        if self.meaning != "value" or self.targets or len(distinct) != 2:
            return self
        if are_numbers and distinct != {0, 1}:
            return self
        rows = table.apply(pd.to_numeric, errors="coerce").dropna()[:_LOOKED_AT]
        answers = self.answer(rows) if len(rows) else np.zeros(1)
        if answers.min() >= 0 and answers.max() <= 1:
            return self
        second = (target.loc[rows.index] == max(distinct)).to_numpy(dtype=float)
        # Nobody said which class is the second.
        plain, read = (
            min(np.mean((shares - truth) ** 2) for truth in (second, 1 - second))
            for shares in (answers, expit(answers))
        )
        return replace(self, meaning="logit") if read < plain else self

    def with_target(self, target: pd.Series, classes: Sequence[str]) -> "OnnxSource":
        """Return the same model with what the target tells; see ``ModelSource``.

        Raises:
            AddError: if it answers something else than the target holds.
        """
        distinct = sorted(
            target.dropna().unique().tolist(), key=lambda item: (str(type(item)), item)
        )
        if self.meaning == "logit":
            return replace(self, classes=_name_classes(distinct, 2, classes))
        if self.meaning == "value" and not self.targets:
            two_texts = len(distinct) == 2 and not isinstance(distinct[0], int | float)
            if two_texts or (self._ends_in_sigmoid and set(distinct) == {0, 1}):
                named = _name_classes(distinct, 2, classes)
                return replace(self, meaning="sigmoid", classes=named)
        elif self.meaning in ("probabilities", "logits") and not self.classes:
            if len(distinct) > MOST_CLASSES and isinstance(distinct[0], int | float):
                raise AddError(
                    f"The model answers {self._output_width()} numbers for each row. Name a column "
                    "of the data for each, in its order: --target a,b."
                )
            named = _name_classes(distinct, self._output_width(), classes)
            return replace(self, classes=named)
        if self.meaning == "label" and not self.classes:
            return replace(self, classes=tuple(distinct)).with_target(target, classes)
        self.kind.with_names(classes)
        return replace(self, class_names=tuple(classes))

    @property
    def _ends_in_sigmoid(self) -> bool:
        return find_last_operator(self.model.graph, self.output) == "Sigmoid"

    def _output_width(self) -> int | None:
        outputs = map(read_tensor_info, self.model.graph.output)
        return next(item for item in outputs if item.name == self.output).shape[-1]

    def prepare(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        """Wrap the model into the served form; see ``ModelSource``.

        Raises:
            AddError: if it cannot answer the data's rows, or the served form answers otherwise.
        """
        frame = Frame(columns=tuple(column.source for column in columns), named=True)
        self._check_inputs(columns)
        matrix = frame.read(table)
        wrapped = wrap_model(self.model, self.inputs, self.output, self.meaning, self.kind, frame)
        predict = load_compiled(wrapped, self.kind.output)
        if self.inputs[0].shape[0]:
            try:
                predict(np.repeat(matrix[:1], 2, axis=0))
            except Exception as error:  # what the runtime raises is no part of its interface
                raise AddError(f"The model takes one row at a time. {MANY_ROWS}") from error
        if self.meaning == "probabilities" and not self.measure:
            complete = matrix[~np.isnan(matrix).any(axis=1)]
            answers = predict(complete)
            if not np.allclose(answers.sum(axis=1), 1, atol=1e-3) or answers.min() < -1e-6:
                within = answers.min() >= 0 and answers.max() <= 1
                is_share = within and self._ends_in_sigmoid
                meaning: OutputMeaning = "shares" if is_share else "logits"
                return replace(self, meaning=meaning).prepare(table, columns, work)

        def takes_nan(index: int) -> bool:
            return self._input_of(index).type in FLOAT_TYPES and not columns[index].source.is_text

        optional, kept = select_rows(predict, matrix, columns, takes_nan)
        matrix = matrix[kept]
        rows = make_rows_to_compare(matrix, optional)
        answers, expected = predict(rows), self.answer(frame.build(rows))
        if not np.isfinite(answers).all():
            raise AddError(
                "The model answers some rows of the data with infinity or no number at all. Remove "
                "these rows, or fix the model."
            )
        if differing := self.kind.count_differing(answers, expected):
            raise AddError(
                f"{differing} of {len(rows)} rows get another answer from the file as you gave it: "
                "this form of ONNX is not supported well enough to serve it."
            )
        (work / "model.onnx").write_bytes(wrapped)
        notes = []
        if self.meaning == "logits":
            notes.append("Its answers do not add up to 1, so they are read as logits (softmax).")
        if self.meaning == "shares":
            notes.append("Its answers do not add up to 1, so each is divided by their sum.")
        if self.meaning == "sigmoid":
            notes.append(f"Its one answer is read as the probability of {self.classes[1]}.")
        if self.meaning == "logit":
            notes.append(
                f"Its one answer goes beyond 0 and 1, so it is read as the logit of "
                f"{self.classes[1]}: above 0 is that class."
            )
        return PreparedModel(
            matrix=matrix,
            kept=kept,
            optional=optional,
            predict=predict,
            files=("model.onnx",),
            served="model.onnx",
            notes=tuple(notes),
        )

    def _input_of(self, column: int) -> TensorInfo:
        return self.inputs[column if len(self.inputs) > 1 else 0]

    def _check_inputs(self, columns: Sequence[DataColumn]) -> None:
        for index, column in enumerate(columns):
            item = self._input_of(index)
            is_text = item.type == TensorProto.STRING
            if is_text != column.source.is_text:
                takes, holds = ("text", "numbers") if is_text else ("numbers", "text")
                raise AddError(
                    f"The input {item.name!r} takes {takes}, but column {column.source.column!r} "
                    f"holds {holds}. Give the data as the model took them when it was exported."
                )

    def answer(self, table: pd.DataFrame) -> Float64Array:
        """Answer rows of the columns that it takes, in the served form.

        Args:
            table: these columns, in the model's order.

        Returns:
            Values, shape (rows,), or probabilities, shape (rows, classes).
        """
        outputs = [output.name for output in self.model.graph.output]
        output = self.output if self.output in outputs else outputs[-1]
        session = open_session(self.model.SerializeToString())
        (answers,) = self._run(session, [output], table)
        if isinstance(answers, list):  # a ZipMap's dictionaries
            return np.array([[row[item] for item in self.classes] for row in answers], dtype=float)
        if self.meaning == "label":
            labels = answers.reshape(-1).tolist()
            return np.array([[label == item for item in self.classes] for label in labels], float)
        answers = np.asarray(answers, dtype=float)
        if self.meaning == "value":
            return np.asarray(answers.reshape(-1))
        if self.meaning == "distances":
            return -answers
        if self.meaning == "logits":
            return np.asarray(softmax(answers, axis=1))
        if self.meaning == "shares":
            return np.asarray(answers / answers.sum(axis=1, keepdims=True))
        if self.meaning in ("sigmoid", "logit"):
            second = (expit(answers) if self.meaning == "logit" else answers.clip(0, 1)).reshape(-1)
            return np.column_stack([1 - second, second])
        return np.asarray(answers)

    def _run(self, session: Any, outputs: Sequence[str], table: pd.DataFrame) -> list[Any]:
        """Answer rows, one at a time where the file takes no more."""
        if not self.inputs[0].shape[0]:
            return list(session.run(outputs, self._feed(table)))
        runs = [session.run(outputs, self._feed(table[i : i + 1])) for i in range(len(table))]
        return [
            list(chain(*parts)) if isinstance(parts[0], list) else np.concatenate(parts)
            for parts in zip(*runs, strict=True)
        ]

    def _feed(self, table: pd.DataFrame) -> dict[str, Any]:
        """The table's columns as the inputs take them."""
        if len(self.inputs) == 1:
            (item,) = self.inputs
            return {item.name: table.to_numpy(dtype=_numpy_type(item))}
        return {
            item.name: table.iloc[:, index]
            .to_numpy()
            .astype(_numpy_type(item))
            .reshape((-1,) if len(item.shape) == 1 else (-1, 1))
            for index, item in enumerate(self.inputs)
        }


def _numpy_type(item: TensorInfo) -> Any:
    return object if item.type == TensorProto.STRING else NUMPY_TYPES[item.type]


def read_onnx(path: Path) -> OnnxSource:
    """Read an ONNX file.

    Raises:
        AddError: if it is not one, or its model does not answer rows of a table.
    """
    model = load_onnx(path)
    inputs = tuple(map(read_tensor_info, list_inputs(model.graph)))
    names, count = read_columns(inputs, path)
    output, meaning, classes = read_output(model, path)
    return OnnxSource(model, inputs, output, meaning, names, count, classes)


def _name_classes(
    distinct: Sequence[Any], width: int | None, classes: Sequence[str]
) -> tuple[Any, ...]:
    """The classes of a model that does not name them: as given, or those of the data, in order."""
    names = tuple(classes) or tuple(distinct)
    if width is not None and len(names) != width:
        raise AddError(
            f"The model answers {width} classes and does not name them; the target has "
            f"{len(distinct)} values. Name them in the model's order: --classes a,b,c"
        )
    return names


def _letters(name: str) -> str:
    """A name without case and punctuation, which exporters change."""
    return re.sub(r"[^a-z0-9]+", "", name.lower())
