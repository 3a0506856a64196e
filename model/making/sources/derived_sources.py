"""A model of derived columns as a model of the columns that these are computed from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from model.contract.arrays import Float64Array, FloatArray
from model.contract.derived import FeatureStep
from model.contract.sources import CellValue, Frame, Source
from model.making.columns.deriving import Derivations
from model.making.columns.describing import DataColumn
from model.making.columns.naming import name_columns
from model.making.data.assigning import assign_columns
from model.making.errors import AddError
from model.making.kinds.output_kind import OutputKind
from model.making.rows.prepared import PreparedModel, is_answered, make_rows_to_compare, select_rows
from model.making.sources.model_sources import ModelSource
from model.making.steps.fitted_steps import MissingInTraining

_TRIED = 20


@dataclass(frozen=True)
class DerivedSource:
    """A source behind the step that computes some of its columns.

    ``names`` are the columns that the model takes, in its order, and ``table`` has all of them.
    """

    inner: ModelSource
    names: Sequence[str]
    table: pd.DataFrame
    derivations: Derivations

    @property
    def count(self) -> int | None:
        """The number of columns that the model itself takes; None where it does not say."""
        return self.inner.count

    @property
    def kind(self) -> OutputKind:
        """How it answers."""
        return self.inner.kind

    def match_names(self, columns: Sequence[str]) -> tuple[str, ...] | None:
        return self.derivations.list_given(self.names)

    def find_encoded(self, names: Sequence[str]) -> set[str]:
        return self.inner.find_encoded(self.names) - self.derivations.names

    def find_texts(self, names: Sequence[str]) -> set[str]:
        texts = self.inner.find_texts(self.names)
        given = {name for text in texts for name in self._find_given(text)}
        return {name for name in given if not is_numeric_dtype(self.table[name].dtype)}

    def _find_given(self, name: str) -> tuple[str, ...]:
        """The columns of the data behind one that the model takes."""
        return self.derivations.find_inputs(name) if name in self.derivations.names else (name,)

    def with_target(self, target: pd.Series, classes: Sequence[str]) -> "DerivedSource":
        return replace(self, inner=self.inner.with_target(target, classes))

    def prepare(
        self, table: pd.DataFrame, columns: Sequence[DataColumn], work: Path
    ) -> PreparedModel:
        """Prepare the model itself, and put the step before it; see ``ModelSource``.

        Raises:
            AddError: if it cannot answer the data's rows, or a choice of a column.
        """
        given = {column.source.column: column for column in columns}
        encoded, texts = self.inner.find_encoded(self.names), self.inner.find_texts(self.names)
        taken = [
            _describe_derived(name, self.table[name], name in encoded, name in texts)
            if name in self.derivations.names
            else given[name]
            for name in self.names
        ]
        given_cells = {name: table[name] for name in given if name not in self.derivations.names}
        # Numbers that were texts are read by now.
        complete = assign_columns(self.table, given_cells)
        inner = self.inner.prepare(complete, taken, work)
        step = FeatureStep(
            given=tuple(column.source for column in columns),
            dates=tuple(name for name in self.derivations.dates if name in given),
            derived=self.derivations.columns,
            lookups={name: dict(found) for name, found in self.derivations.lookups.items()},
            takes=tuple(column.source for column in taken),
        )

        def predict(rows: FloatArray) -> Float64Array:
            # It takes float64, too, and keeps what a derived column has beyond seven digits.
            return inner.predict(step.transform(rows))

        matrix = Frame(columns=step.given, named=True).read(table)
        lost = [_find_lost(step, matrix, index) for index in range(len(columns))]
        optional, kept = select_rows(
            predict, matrix, columns, lambda index: lost[index] <= set(inner.optional)
        )
        matrix = matrix[kept]
        codes = Frame(columns=step.takes, named=True).read(complete)[kept]
        if not np.allclose(step.transform(matrix), codes, rtol=1e-9, atol=0, equal_nan=True):
            raise AddError(
                "A derived column is another one when it is computed from the form's choices than "
                "from the data. Say with --kind what a column is where the guess was wrong."
            )
        _require_answers_to_choices(predict, matrix, columns)
        rows = make_rows_to_compare(matrix, optional)
        notes = inner.notes
        expected = inner.predict(step.transform(rows))
        if differing := self.kind.count_differing(predict(rows.astype(np.float32)), expected):
            notes += (
                f"{differing} of {len(rows)} rows get another answer where the facts that columns "
                "are derived from have seven digits, as on the form.",
            )
        filled: dict[str, MissingInTraining] = {
            column.source.column: "filled"
            for column, unknown in zip(columns, lost, strict=True)
            if not unknown
        }
        own = set(given) - self.derivations.names  # what is derived in place is no longer the same
        seen = {name: said for name, said in inner.missing_in_training.items() if name in own}
        return replace(
            inner,
            missing_in_training={**seen, **filled},
            matrix=matrix,
            kept=kept,
            optional=optional,
            predict=predict,
            features=step,
            notes=notes,
            vectorizers={
                given[name].naming.name: inner.vectorizers[column.naming.name]
                for column in taken
                if column.naming.name in inner.vectorizers
                for name in self._find_given(column.source.column)
                if given[name].source.is_free_text
            },
        )


def _describe_derived(name: str, cells: pd.Series, encoded: bool, is_text: bool) -> DataColumn:
    """A derived column as the model takes it; no field asks for it."""
    known = cells.dropna()
    naming = name_columns([name], set())[0]
    if is_text:
        source = Source(column=name, type="free_text")
    elif not is_numeric_dtype(cells.dtype):
        source = Source(column=name, type="text", values=tuple(sorted(known.unique())))
    else:
        whole = pd.api.types.is_integer_dtype(cells.dtype)
        values: tuple[CellValue, ...] = tuple(sorted(known.unique().tolist())) if encoded else ()
        source = Source(column=name, type="integer" if whole else "float", values=values)
    return DataColumn(naming, "number", source, (), cells, "derived")


def _find_lost(step: FeatureStep, matrix: Float64Array, index: int) -> set[int]:
    """The model's own columns that are unknown where one field is.

    ``matrix`` has the shape (rows, fields), ``index`` is that of the field.
    """
    complete = matrix[~np.isnan(matrix).any(axis=1)]
    rows = (complete if len(complete) else matrix)[:_TRIED].copy()
    before = np.isnan(step.transform(rows))
    rows[:, index] = np.nan
    lost = (np.isnan(step.transform(rows)) & ~before).any(axis=0)
    return set(np.flatnonzero(lost).tolist())


def _require_answers_to_choices(
    predict: Callable[[Any], Float64Array], matrix: Float64Array, columns: Sequence[DataColumn]
) -> None:
    """Make sure that every choice of the form gets an answer, also those that no row kept has."""
    for index, column in enumerate(columns):
        rows = np.repeat(matrix[:1], len(column.source.values), axis=0)
        rows[:, index] = np.arange(len(rows))
        if len(rows) and not is_answered(predict, rows):
            silent = [
                str(value)
                for value, row in zip(column.source.values, rows, strict=True)
                if not is_answered(predict, row[None])
            ]
            raise AddError(
                f"The model does not answer where {column.source.column} is {silent[0]}"
                f"{f' (nor {len(silent) - 1} other values)' if silent[1:] else ''}: what is "
                "derived from it is unknown then. Add it to the lookup's file, or write "
                "fill(…, value) around that expression."
            )
