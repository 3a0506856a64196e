"""A fitted scikit-learn estimator as a model to add, compiled where it compiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from model.contract.arrays import Float32Array, Float64Array
from model.contract.sources import Frame, Source, widen
from model.making.columns import DataColumn
from model.making.comparing import (
    count_differing,
    find_complete,
    find_optional,
    make_rows_to_compare,
)
from model.making.errors import TOOLS, AddError
from model.making.estimators import Estimator, find_encoded_columns
from model.making.missing_values import find_missing_in_training
from model.making.model_sources import PreparedModel
from model.making.predicting import load_compiled

_TRIED = 20


@dataclass(frozen=True)
class EstimatorSource:
    """A scikit-learn estimator."""

    estimator: Estimator

    @property
    def count(self) -> int | None:
        return self.estimator.count

    @property
    def classes(self) -> tuple[Any, ...]:
        return self.estimator.classes

    def match_names(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        return self.estimator.names

    def find_encoded(self, names: Sequence[str]) -> set[str]:
        return find_encoded_columns(self.estimator.fitted, names)

    def with_target(self, target: pd.Series, classes: Sequence[str]) -> EstimatorSource:
        """Compare the number of classes that a person names; see ``ModelSource``.

        Raises:
            AddError: if they are not as many as the model's.
        """
        if classes and len(classes) != len(self.classes):
            raise AddError(
                f"--classes names {len(classes)}, but the model answers {len(self.classes)}: "
                f"{', '.join(str(item) for item in self.classes)}."
            )
        return self

    def prepare(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        """Save the estimator, and compile it where it compiles; see ``ModelSource``.

        Raises:
            AddError: if it cannot answer the data's rows, or the served form answers otherwise.
        """
        estimator = self.estimator
        frame = self._find_frame(table, columns)

        def predict_codes(matrix: Float64Array) -> Float64Array:
            return estimator.predict(frame.build(matrix))

        def predict(rows: Float32Array) -> Float64Array:
            return predict_codes(widen(rows))

        matrix = frame.read(table)
        optional = find_optional(predict_codes, matrix, columns)
        kept, needed = find_complete(matrix, optional)
        if not kept.any():
            raise AddError(
                "No row has every fact that the model needs: "
                f"{', '.join(columns[index].source.column for index in needed)}."
            )
        matrix = matrix[kept]
        self._compare_with_data(table[kept], frame, matrix)
        joblib.dump(estimator.fitted, work / "model.joblib", compress=3)
        rows = make_rows_to_compare(matrix, optional)
        expected = predict_codes(rows)
        notes: tuple[str, ...] = ()
        if differing := count_differing(predict(rows.astype(np.float32)), expected):
            notes = (
                f"{differing} of {len(rows)} rows get another answer where numbers have seven "
                "digits, as on the form.",
            )
        prepared = PreparedModel(
            matrix,
            kept,
            frozenset(columns[index].naming.name for index in optional),
            predict,
            frame,
            ("model.joblib",),
            "model.joblib",
            estimator.probabilities,
            notes=notes,
            missing_in_training=find_missing_in_training(estimator.fitted, frame.names),
        )
        return self._compile(prepared, frame, rows, expected, work)

    def _compile(
        self,
        prepared: PreparedModel,
        frame: Frame,
        rows: Float64Array,
        expected: Float64Array,
        work: Path,
    ) -> PreparedModel:
        """Serve the compiled model if it gives the same answers, else say why not."""
        try:
            from model.making.compiling import compile_estimator
            from model.making.onnx.graphs import CompileError
        except ModuleNotFoundError as error:
            reason = (
                f"{error.name} is not installed. `{TOOLS}` installs what compiling needs; "
                "then add the model again with --force"
            )
            return replace(prepared, reason=reason)
        output = "probabilities" if self.classes else "value"

        def check(compiled: bytes) -> None:
            answers = load_compiled(compiled, output)(rows.astype(np.float32))
            if differing := count_differing(answers, expected):
                raise CompileError(f"{differing} of {len(rows)} rows get another answer")

        try:
            compiled = compile_estimator(self.estimator, frame, check)
        except CompileError as error:
            return replace(prepared, reason=str(error))
        (work / "model.onnx").write_bytes(compiled)
        return replace(
            prepared,
            predict=load_compiled(compiled, output),
            files=("model.joblib", "model.onnx"),
            served="model.onnx",
        )

    def _find_frame(self, table: pd.DataFrame, columns: Sequence[DataColumn]) -> Frame:
        """The columns in the types with which the estimator answers: text first, then category."""
        sources = tuple(column.source for column in columns)
        names = [source.column for source in sources]
        complete = table[table[names].notna().all(axis=1)]
        tried = (table if complete.empty else complete).head(_TRIED)
        problem: Exception | None = None
        for text_type in ("text", "category"):
            retyped = tuple(_retype_text(source, text_type) for source in sources)
            frame = Frame(columns=retyped, named=self.estimator.names is not None)
            try:
                answers = self.estimator.predict(frame.build(frame.read(tried)))
            except AddError:
                raise
            except Exception as error:  # an estimator may raise anything
                problem = problem or error
                continue
            if np.isfinite(answers).all():
                return frame
            problem = problem or ArithmeticError("its answers are not finite numbers")
        raise AddError(
            f"The model cannot answer the rows of the data: {problem}. Give the columns as they "
            "were when it was fitted, and put every step before it into a Pipeline with it."
        )

    def _compare_with_data(self, table: pd.DataFrame, frame: Frame, matrix: Float64Array) -> None:
        """Make sure that the estimator answers rows rebuilt from codes as it answers the data."""
        if any(source.type == "category" for source in frame.columns):
            return  # it does not take the columns as the data have them
        raw = table[frame.names]
        try:
            expected = self.estimator.predict(raw if frame.named else raw.to_numpy())
        except Exception:
            return  # it answers only rows that were rebuilt
        if differing := count_differing(self.estimator.predict(frame.build(matrix)), expected):
            raise AddError(
                f"{differing} of {len(matrix)} rows get another answer from the form than from the "
                "data. Say with --kind what a column is where the guess was wrong."
            )


def _retype_text(source: Source, text_type: str) -> Source:
    return source.model_copy(update={"type": text_type}) if source.is_text else source
