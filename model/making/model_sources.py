"""What is to be added, whatever its file: how it is made ready to answer codes of the card."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd

from model.contract.arrays import Float32Array, Float64Array
from model.contract.sources import Frame, Source, widen
from model.making.columns import DataColumn
from model.making.errors import AddError
from model.making.estimators import Estimator, encoded_columns
from model.making.measuring import PredictFunction
from model.making.missing_values import HolesInTraining, seen_holes

Ask = Callable[[Float64Array], Float64Array]

TOLERANCE = 1e-4
"""The largest difference that is let through, of a probability or in shares of a value."""

TOOLS = "make add-tools"
"""The command that installs what compiling needs."""

_MASKED = 4
_TRIED = 20


@dataclass(frozen=True)
class PreparedModel:
    """A model that answers codes.

    ``matrix`` (rows, fields) are the data's codes, without the rows that lack what the model needs;
    ``kept`` (all rows,) says which are left. ``optional`` are the fields that may be unknown.
    ``frame`` is what a joblib file takes; ``reason`` says why it is served as it is; ``seen`` what
    the model saw of a column of the data when it was fitted, where its file tells.
    """

    matrix: Float64Array
    kept: npt.NDArray[np.bool_]
    optional: frozenset[str]
    answer: PredictFunction
    frame: Frame | None
    files: tuple[str, ...]
    served: str
    probabilities: bool
    reason: str = ""
    notes: tuple[str, ...] = ()
    seen: Mapping[str, HolesInTraining] = field(default_factory=dict)


class ModelSource(Protocol):
    """A model out of its file."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def count(self) -> int | None:
        """How many it takes; None where it does not say."""

    @property
    def classes(self) -> tuple[Any, ...]:
        """What it sorts rows into; empty for a model of numbers."""

    def names_in(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        """The columns that it takes, as the data call them; None where it does not say."""

    def encoded(self, names: Sequence[str]) -> set[str]:
        """The columns that it takes for categories although they may hold numbers."""

    def told(self, target: pd.Series, classes: Sequence[str]) -> ModelSource:
        """The same, once it is known what it is to answer."""

    def ready(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        """Write its artifacts into ``work``, compare them with it on every row, and use them."""


@dataclass(frozen=True)
class EstimatorSource:
    """A scikit-learn estimator, compiled where it compiles."""

    estimator: Estimator
    title: str
    names: tuple[str, ...] | None
    count: int | None
    classes: tuple[Any, ...]

    def names_in(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        return self.names

    def encoded(self, names: Sequence[str]) -> set[str]:
        return encoded_columns(self.estimator.fitted, names)

    def told(self, target: pd.Series, classes: Sequence[str]) -> EstimatorSource:
        if classes and len(classes) != len(self.classes):
            raise AddError(
                f"--classes names {len(classes)}, the model answers {len(self.classes)}: "
                f"{', '.join(str(item) for item in self.classes)}."
            )
        return self

    def ready(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        estimator = self.estimator
        frame = self._frame(table, columns)

        def ask(matrix: Float64Array) -> Float64Array:
            return estimator.answer(frame.build(matrix))

        matrix = frame.read(table)
        optional = find_optional(ask, matrix, columns)
        needed = [
            place for place, column in enumerate(columns) if column.naming.name not in optional
        ]
        kept = np.asarray(~np.isnan(matrix[:, needed]).any(axis=1), dtype=bool)
        if not kept.any():
            raise AddError(
                "No row has every fact that the model cannot do without: "
                f"{', '.join(columns[place].source.column for place in needed)}."
            )
        matrix = matrix[kept]
        self._compare_with_data(table[kept], frame, matrix, estimator)
        joblib.dump(estimator.fitted, work / "model.joblib", compress=3)

        def served(rows: Float32Array) -> Float64Array:
            return ask(widen(rows))

        ready = PreparedModel(
            matrix, kept, frozenset(optional), served, frame, ("model.joblib",), "model.joblib",
            estimator.probabilities, seen=seen_holes(estimator.fitted, frame.names),
        )  # fmt: skip
        places = [place for place, column in enumerate(columns) if column.naming.name in optional]
        rows = rows_to_compare(matrix, places)
        wanted = ask(rows)
        if differ := differing(served(rows.astype(np.float32)), wanted):
            note = f"{differ} of {len(rows)} rows get another answer from numbers of seven digits."
            ready = replace(ready, notes=(note,))
        return self._compiled(ready, frame, rows, wanted, work)

    def _compiled(
        self,
        ready: PreparedModel,
        frame: Frame,
        rows: Float64Array,
        wanted: Float64Array,
        work: Path,
    ) -> PreparedModel:
        """The same, served compiled if that answers alike."""
        try:
            from model.making.compiling import CompileError, compile_estimator
        except ModuleNotFoundError as error:
            reason = (
                f"{error.name} is not installed. `{TOOLS}` installs what compiling needs; "
                "then add the model again with --force"
            )
            return replace(ready, reason=reason)
        from model.making.sessions import session_answer

        name = "probabilities" if self.classes else "value"

        def check(compiled: bytes) -> None:
            got = session_answer(compiled, name)(rows.astype(np.float32))
            if wrong := differing(got, wanted):
                raise CompileError(f"{wrong} of {len(rows)} rows get another answer")

        try:
            compiled = compile_estimator(self.estimator, frame, check)
        except CompileError as error:
            return replace(ready, reason=str(error))
        (work / "model.onnx").write_bytes(compiled)
        return replace(
            ready,
            answer=session_answer(compiled, name),
            files=("model.joblib", "model.onnx"),
            served="model.onnx",
        )

    def _frame(self, table: pd.DataFrame, columns: Sequence[DataColumn]) -> Frame:
        """The columns in types with which the estimator answers."""
        sources = tuple(column.source for column in columns)
        some = self._some_whole(table, columns)
        complaint: Exception | None = None
        for as_category in (False, True):
            retyped = tuple(_retyped(source, as_category) for source in sources)
            frame = Frame(columns=retyped, named=self.names is not None)
            try:
                answers = self.estimator.answer(frame.build(frame.read(some)))
            except AddError:
                raise
            except Exception as error:
                complaint = complaint or error
                continue
            if np.isfinite(answers).all():
                return frame
            complaint = complaint or ArithmeticError("it answers with numbers that are not finite")
        raise AddError(
            f"The model cannot answer the rows of the data: {complaint}. Are the columns as they "
            "were when it was fitted? What was changed before belongs into a Pipeline with it."
        )

    @staticmethod
    def _some_whole(table: pd.DataFrame, columns: Sequence[DataColumn]) -> pd.DataFrame:
        names = [column.source.column for column in columns]
        whole = table[table[names].notna().all(axis=1)]
        return (table if whole.empty else whole).head(_TRIED)

    def _compare_with_data(
        self, table: pd.DataFrame, frame: Frame, matrix: Float64Array, estimator: Estimator
    ) -> None:
        """Make sure that columns rebuilt from codes are those of the data, to the estimator."""
        if any(source.type == "category" for source in frame.columns):
            return  # it does not take the data as they stand
        raw = table[frame.names]
        try:
            wanted = estimator.answer(raw if frame.named else raw.to_numpy())
        except Exception:
            return  # only with what was rebuilt can it answer at all
        if wrong := differing(estimator.answer(frame.build(matrix)), wanted):
            raise AddError(
                f"{wrong} of {len(matrix)} rows get another answer once they have gone through a "
                "form. That should not be; say --kind for the columns that were guessed wrong."
            )


def ready_estimator(estimator: Estimator) -> EstimatorSource:
    """The subject of an estimator."""
    return EstimatorSource(
        estimator, estimator.title, estimator.names, estimator.count, estimator.classes
    )


def _retyped(source: Source, as_category: bool) -> Source:
    return (
        source.model_copy(update={"type": "category"}) if as_category and source.is_text else source
    )


def find_optional(ask: Ask, matrix: Float64Array, columns: Sequence[DataColumn]) -> set[str]:
    """The facts that some rows lack and that the model answers without."""
    found: list[int] = []
    for place, column in enumerate(columns):
        if column.missing and not column.asked and _answers_without(ask, matrix, [place]):
            found.append(place)
    if len(found) > 1 and not _answers_without(ask, matrix, found):
        found = []
    return {columns[place].naming.name for place in found}


def _answers_without(ask: Ask, matrix: Float64Array, places: list[int]) -> bool:
    rows = matrix[~np.isnan(np.delete(matrix, places, axis=1)).any(axis=1)][:_TRIED].copy()
    if not len(rows):
        rows = matrix[:_TRIED].copy()
    rows[:, places] = np.nan
    try:
        return bool(np.isfinite(ask(rows)).all())
    except Exception:
        return False


def rows_to_compare(matrix: Float64Array, optional: Sequence[int]) -> Float64Array:
    """Every row as it is, without optional facts, and without some of them."""
    rng = np.random.default_rng(0)
    copies = [matrix]
    for number in range(_MASKED if optional else 0):
        drop = np.ones((len(matrix), len(optional)), dtype=bool)
        if number:
            drop = rng.random(drop.shape) < number / _MASKED
        masked = matrix.copy()
        masked[:, list(optional)] = np.where(drop, np.nan, masked[:, list(optional)])
        copies.append(masked)
    return np.concatenate(copies)


def differing(got: Float64Array, wanted: Float64Array) -> int:
    """How many rows have another answer; the size of a value counts, or their deviation."""
    if got.shape != wanted.shape:
        return len(wanted)
    allowed: Any = TOLERANCE
    if wanted.ndim == 1:
        allowed = TOLERANCE * np.maximum(np.abs(wanted), float(np.std(wanted)))
    wrong = ~(np.abs(got - wanted) <= allowed)
    return int(wrong.any(axis=1).sum() if wrong.ndim > 1 else wrong.sum())
