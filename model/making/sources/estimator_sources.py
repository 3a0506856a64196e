"""A fitted scikit-learn estimator as a model to add, compiled where it compiles."""

import shutil
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from pickle import PicklingError
from typing import Any

import joblib
import numpy as np
import pandas as pd

from model.contract.arrays import Float32Array, Float64Array
from model.contract.sources import Frame, Source, widen
from model.making.columns.describing import DataColumn
from model.making.errors import AddError
from model.making.kinds import KINDS
from model.making.kinds.output_kind import OutputKind
from model.making.onnx.graphs import CompileError
from model.making.options import write_filling
from model.making.rows.prepared import (
    PreparedModel,
    load_compiled,
    make_rows_to_compare,
    select_rows,
)
from model.making.sources.compiling import compile_estimator
from model.making.steps.fitted_steps import (
    find_categories,
    find_missing_in_training,
)
from model.making.steps.texts import describe_texts, list_branches, takes_texts_alone

_BETWEEN = ("integer", "number")
"""Kinds of fields in which a number between two of the data may be typed."""
_TRIED = 20
_WITHOUT_PREDICT = (
    "AgglomerativeClustering", "DBSCAN", "HDBSCAN", "OPTICS", "SpectralClustering",
)  # fmt: skip
"""Classes that find clusters and cannot say to which a new row belongs."""


WRAP = (
    "Write a class around it into a Python file, with a method predict(self, rows), and for "
    "classes classes_ = ['no', 'yes']; save an object of it, imported from that file, and add it "
    "with --trust --module FILE.py."
)


@dataclass(frozen=True)
class EstimatorSource:
    """A fitted estimator.

    ``names`` are the columns that it was fitted to, None where it was fitted to an array of
    ``count`` columns (None where it does not say). ``runs_code`` says whether its file has code of
    its own, which it was trusted with; ``module`` is the Python file that has it. ``answers_risk``
    says whether the probability of a class is the answer, and no class.
    """

    fitted: Any
    names: tuple[str, ...] | None
    count: int | None
    kind: OutputKind
    runs_code: bool = False
    module: Path | None = None
    answers_risk: bool = False

    def predict(self, rows: Any) -> Float64Array:
        """Answer rows like those that it was fitted to, a frame of ``names`` or an array.

        Returns:
            Values, shape (rows,), or probabilities, shape (rows, classes).
        """
        return self.kind.predict_quietly(self.fitted, rows)

    def match_names(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        return self.names

    def find_encoded(self, names: Sequence[str]) -> set[str]:
        return set(find_categories(self.fitted, names))

    def find_texts(self, names: Sequence[str]) -> set[str]:
        return set(list_branches(self.fitted, names))

    def with_target(self, target: pd.Series, classes: Sequence[str]) -> "EstimatorSource":
        return replace(self, kind=self.kind.with_names(classes))

    def prepare(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        """Save the estimator, and compile it where it compiles; see ``ModelSource``.

        Raises:
            AddError: if it cannot answer the data's rows, or the served form answers otherwise.
        """
        frame = self._find_frame(table, columns)

        def predict_codes(matrix: Any) -> Float64Array:
            return self.predict(frame.build(matrix))

        def predict(rows: Float32Array) -> Float64Array:
            return predict_codes(widen(rows, frame.columns))

        matrix = frame.read(table)
        optional, kept = select_rows(predict_codes, matrix, columns)
        matrix = matrix[kept]
        if doubt := self._doubt_answers(frame.build(matrix)):
            source = replace(self, kind=self.kind.without_probabilities())
            prepared = source.prepare(table, columns, work)
            return replace(prepared, notes=(doubt, *prepared.notes), names_only=True)
        whole = {
            place: item.kind == "integer"
            for place, item in enumerate(columns)
            if item.kind in _BETWEEN
        }
        rows = make_rows_to_compare(matrix, optional, whole)  # which begin with those of the data
        expected = predict_codes(rows)
        self._compare_with_data(table[kept], frame, matrix, expected[: len(matrix)])
        try:
            joblib.dump(self.fitted, work / "model.joblib", compress=3)
        except (PicklingError, AttributeError) as error:
            raise AddError(
                f"The model cannot be saved again: {error}. Write what it names as a function "
                "with a name into a Python file, fit and save the model with that function, and "
                "add it with --trust --module FILE.py."
            ) from error
        files = ["model.joblib"]
        if self.module is not None:
            shutil.copyfile(self.module, work / self.module.name)
            files.append(self.module.name)
        missing = find_missing_in_training(self.fitted, frame.names)
        found = self._find_spare(columns, frame.names)
        spare = {name: text for name, text in found if missing.get(name) != "filled"}
        notes = tuple(
            f"Of {name} the model knows {text!r}, which no row has. If that stood for missing "
            f"cells, add it again with --force {write_filling(name, text)}."
            for name, text in spare.items()
        )
        if differing := self.kind.count_differing(predict(rows.astype(np.float32)), expected):
            notes += (
                f"{differing} of {len(rows)} rows get another answer where numbers have seven "
                "digits, as on the form.",
            )
        prepared = PreparedModel(
            matrix=matrix,
            kept=kept,
            optional=optional,
            predict=predict,
            frame=frame,
            files=tuple(files),
            served="model.joblib",
            notes=notes,
            missing_in_training=missing,
            runs_code=self.runs_code,
            module="" if self.module is None else self.module.name,
            spare_values=spare,
        )
        prepared = self._describe_texts(prepared, frame, columns, table, work)
        return self._compile(prepared, frame, rows, expected, work)

    def _find_spare(
        self, columns: Sequence[DataColumn], names: Sequence[str]
    ) -> Iterator[tuple[str, str]]:
        """Find what a model may have got for missing cells: a value that no row has, by column."""
        known = find_categories(self.fitted, names)
        for column in columns:
            name, cells = column.source.column, set(map(str, column.source.values))
            spare = [text for text in known.get(name, ()) if isinstance(text, str)]
            spare = [text for text in spare if text not in cells]
            if column.missing and len(spare) == 1:
                yield name, spare[0]

    def _doubt_answers(self, rows: Any) -> str:
        """Say why its probabilities for rows of the data cannot be shown; "" where they can."""
        with warnings.catch_warnings(action="ignore"):  # as in predict
            return "" if self.answers_risk else self.kind.doubt_answers(self.fitted, rows)

    def _describe_texts(
        self,
        prepared: PreparedModel,
        frame: Frame,
        columns: Sequence[DataColumn],
        table: pd.DataFrame,
        work: Path,
    ) -> PreparedModel:
        """Write what is known of the words of each column of free text."""
        texts = {
            source.column: list(map(str, table[source.column].dropna().unique().tolist()))
            for source in frame.columns
            if source.is_free_text
        }
        found = describe_texts(self.fitted, frame.names, texts)
        files = {}
        for number, (name, vectorizer) in enumerate(found.items()):
            files[name] = f"texts_{number}.npz"
            vectorizer.save(work / files[name])
        fields = {column.source.column: column.naming.name for column in columns}
        return replace(
            prepared,
            files=(*prepared.files, *files.values()),
            vectorizers={fields[name]: file for name, file in files.items()},
            vectorizing={frame.names.index(name): made for name, made in found.items()},
        )

    def _compile(
        self,
        prepared: PreparedModel,
        frame: Frame,
        rows: Float64Array,
        expected: Float64Array,
        work: Path,
    ) -> PreparedModel:
        """Serve the compiled model if it gives the same answers, else say why not."""
        predict = prepared.predict

        def check(compiled: bytes) -> None:
            nonlocal predict
            predict = load_compiled(compiled, self.kind.output, prepared.vectorizing)
            answers = predict(rows.astype(np.float32))
            if differing := self.kind.count_differing(answers, expected):
                raise CompileError(f"{differing} of {len(rows)} rows get another answer")

        if any(source.is_date for source in frame.columns):
            return replace(prepared, reason="It takes dates, for which ONNX has no type.")
        try:
            compiled = compile_estimator(self.fitted, self.kind, frame, check, prepared.vectorizing)
        except CompileError as error:
            return replace(prepared, reason=str(error))
        (work / "model.onnx").write_bytes(compiled)
        return replace(
            prepared,
            predict=predict,
            files=(*prepared.files, "model.onnx"),
            served="model.onnx",
        )

    def _find_frame(self, table: pd.DataFrame, columns: Sequence[DataColumn]) -> Frame:
        """The columns in the types with which the estimator answers: text first, then category.

        One of its own code may take names, and not say so.
        """
        sources = [column.source for column in columns]
        complete = table[table[[source.column for source in sources]].notna().all(axis=1)]
        tried = (table if complete.empty else complete).head(_TRIED)
        problem: Exception | None = None
        ways = (True,) if self.names is not None else (False, True)
        for named, text_type in product(ways, ("text", "category")):
            retyped = tuple(_retype(source, text_type) for source in sources)
            frame = Frame(columns=retyped, named=named)
            try:
                answers = self.predict(frame.build(frame.read(tried)))
            except AddError:
                raise
            except Exception as error:  # an estimator may raise anything
                problem = problem or error
                continue
            if np.isfinite(answers).all():
                return frame
            problem = problem or ArithmeticError("its answers are not finite numbers")
        dates = [source.column for source in sources if source.is_date]
        if dates:
            raise AddError(
                f"Column {dates[0]!r} holds dates as text, and the model does not take them so. "
                f"Fit it on numbers made from them, and say which: --derive 'year = "
                f"year({dates[0]})'; month, day and weekday go the same way."
            )
        raise AddError(
            f"The model cannot answer the rows of the data: {problem}. Give the columns as they "
            "were when it was fitted, and put every step before it into a Pipeline with it."
        )

    def _compare_with_data(
        self, table: pd.DataFrame, frame: Frame, matrix: Float64Array, rebuilt: Float64Array
    ) -> None:
        """Make sure that the estimator answers rows rebuilt from codes as it answers the data.

        Args:
            table: the rows of the data.
            frame: the columns that it takes.
            matrix: the codes of the same rows, shape (rows, fields).
            rebuilt: its answers to the rebuilt rows, asked among others.

        Raises:
            AddError: if some differ.
        """
        if any(source.type == "category" for source in frame.columns):
            return  # it does not take the columns as the data have them
        raw = table[frame.names]
        try:
            if takes_texts_alone(self.fitted):
                expected = self.predict(raw[frame.names[0]])
            else:
                expected = self.predict(raw if frame.named else raw.to_numpy())
        except Exception:
            return  # it answers only rows that were rebuilt
        if self.kind.count_differing(rebuilt, expected):
            # How many rows are asked at once changes the last digit, and a row at a split its side.
            rebuilt = self.predict(frame.build(matrix))
        if differing := self.kind.count_differing(rebuilt, expected):
            raise AddError(
                f"{differing} of {len(table)} rows get another answer from the form than from the "
                "data. Say with --kind what a column is where the guess was wrong."
            )


def _retype(source: Source, text_type: str) -> Source:
    """A column of text with that type; dates are texts first and time stamps then."""
    if source.is_date:
        text_type = "date" if text_type == "text" else "timestamp"
    if not source.is_text or source.is_free_text:
        return source
    return source.model_copy(update={"type": text_type})


def advise_on_new_rows(name: str) -> str:
    """Say what to fit instead of a class of scikit-learn that answers no new row; "" for others."""
    if name == "LocalOutlierFactor":
        return "It has no answer to a new row. Fit it with novelty=True."
    if name == "PatchExtractor":
        return "It cuts pictures into pieces. Export a model of pictures to ONNX or Keras instead."
    if name in _WITHOUT_PREDICT:
        return (
            "It sorts the rows that it was fitted on and has no predict for a new one. Fit a "
            "KMeans or a GaussianMixture instead, or a classifier on the labels that it found."
        )
    return ""


def describe_estimator(fitted: Any, where: str) -> EstimatorSource:
    """Find out what a loaded object is.

    ``where`` is its file, as messages call it.

    Raises:
        AddError: if it is no fitted estimator that answers in a known way.
    """
    if isinstance(fitted, type):
        raise AddError(f"{where} holds the class {fitted.__name__} itself. Save a fitted model.")
    name = type(fitted).__name__
    if not hasattr(fitted, "predict"):
        if advice := advise_on_new_rows(name):
            raise AddError(f"{where} holds a {name}. {advice}")
        own = "" if type(fitted).__module__.startswith("sklearn.") else f" {WRAP}"
        raise AddError(
            f"{where} holds a {name}, which has no predict. Save the fitted estimator or Pipeline "
            f"itself: joblib.dump(model, 'model.joblib').{own}"
        )
    matched = (kind.from_estimator(fitted, where) for kind in KINDS.values())
    kind = next((found for found in matched if found is not None), None)
    if kind is None:
        raise AddError(
            f"{where} holds a {name}, which is no regressor and no classifier, finds no groups and "
            "no unusual rows."
        )
    names = getattr(fitted, "feature_names_in_", None)
    count = getattr(fitted, "n_features_in_", None)
    return EstimatorSource(
        fitted,
        None if names is None else tuple(str(name) for name in names),
        int(count) if count else None,
        kind,
    )
