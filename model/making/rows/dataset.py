"""The data as the model takes them: codes of the fields, the truth, and which rows are held out."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from model.contract.arrays import BoolArray, Float64Array, FloatArray
from model.contract.texts import decode_text, encode_text
from model.making.columns.describing import DataColumn
from model.making.columns.drafting import REASONS_OPTIONAL, DraftField, draft_field
from model.making.data.tables import say_left_out
from model.making.options import LOCALE, AddNote, write_filling
from model.making.rows.prepared import PredictFloat64, PreparedModel, is_answered

_TRIED = 20
_LEAST_PLACEHOLDERS = 3


@dataclass(frozen=True)
class Dataset:
    """The rows that the model can answer.

    ``matrix`` (rows, fields) are codes of the fields, NaN where unknown; ``truth`` (rows,) values
    or indices of classes; ``held_out`` (rows,) is True for rows that the model has not seen.
    ``predict`` is the served model, ``limit`` keeps its answers within the bounds of the card.
    """

    fields: list[DraftField]
    matrix: Float64Array
    truth: Float64Array
    held_out: BoolArray
    predict: PredictFloat64
    limit: Callable[[Float64Array], Float64Array] = np.asarray

    def answer(self, matrix: FloatArray) -> Float64Array:
        """Answer codes of shape (rows, fields) as the page does; see the kind for the shape."""
        return self.limit(self.predict(matrix.astype(np.float32)))

    @property
    def choices(self) -> dict[int, int]:
        """The number of choices of each choice field, by its column."""
        return {
            column: len(item.field.categories)
            for column, item in enumerate(self.fields)
            if item.field.categories
        }

    @property
    def unordered(self) -> dict[int, int]:
        """Those of the choices that have no order: more than two texts."""
        return {
            column: count
            for column, count in self.choices.items()
            if count > 2 and self.fields[column].column.source.type == "text"
        }

    @property
    def texts(self) -> dict[int, str]:
        """The name of each field of free text, by its column."""
        return {index: item.name for index, item in enumerate(self.fields) if item.field.is_text}

    def without_texts(self) -> Float64Array:
        """The matrix with NaN for each text, shape (rows, fields)."""
        matrix = self.matrix.copy()
        matrix[:, list(self.texts)] = np.nan
        return matrix

    @property
    def training_rows(self) -> int:
        """The number of rows that the model has seen."""
        return int((~self.held_out).sum())

    @property
    def optional(self) -> list[tuple[int, str]]:
        """The column and the name of each field that may be left empty."""
        return [(index, item.name) for index, item in enumerate(self.fields) if not item.required]


def build_dataset(
    prepared: PreparedModel,
    columns: Sequence[DataColumn],
    truth: Float64Array,
    held_out: BoolArray,
    add_note: AddNote,
    locale: str = LOCALE,
) -> Dataset:
    """Build the dataset of a prepared model, with a field for each column.

    Args:
        prepared: the model, and which of all rows are kept for it.
        columns: the columns that it takes.
        truth: the true value, or index of the class, of each of all rows, shape (all rows,).
        held_out: which of all rows it has not seen, shape (all rows,).
        add_note: called for rows that are left out.
        locale: how the page writes numbers.
    """
    needed: list[DataColumn] = []
    for index, column in enumerate(columns):
        if placeholder := _find_placeholder(column.cells):
            add_note(f"{column.source.column} is {placeholder}")
        if column.missing and index not in prepared.optional:
            reason = "the model does not answer without it, so the form asks for it"
            if column.always_asked:
                reason = "the form asks for it, as you say"
            elif not column.source.is_date and (column.kind != "text" or len(columns) > 1):
                needed.append(column)
            left_out = say_left_out(column.missing, f"without {column.source.column}")
            add_note(f"{left_out}: {reason}.")
    if needed:
        add_note(_advise_filling(needed[0]))
    fields = [
        draft_field(
            column,
            index not in prepared.optional,
            prepared.matrix[:, index],
            prepared.missing_in_training.get(column.source.column, "unknown"),
            locale,
        )
        for index, column in enumerate(columns)
    ]
    kept = prepared.kept
    return Dataset(fields, prepared.matrix, truth[kept], held_out[kept], prepared.predict)


def _find_placeholder(cells: pd.Series) -> str:
    """Say which number may stand for an unknown one, such as -999; "" where none seems to.

    It is made of nines, at one end, in several rows, and further from all others than these are
    from each other; or it alone is negative.
    """
    if not is_numeric_dtype(cells.dtype) or is_bool_dtype(cells.dtype):
        return ""
    numbers = cells.dropna().astype(float)
    for value in (numbers.min(), numbers.max()):
        others, count = numbers[numbers != value], int((numbers == value).sum())
        nines = set(f"{abs(value):.15g}") == {"9"}
        low, high = others.min(), others.max()
        if not nines or count < _LEAST_PLACEHOLDERS or not low < high:
            continue
        if max(low - value, value - high) >= high - low or value < 0 <= low:
            return (
                f"{value:.15g} in {count} rows, and between {low:.6g} and {high:.6g} in all others."
                " If that stands for a number that nobody knew, leave such cells empty in the data,"
                " and add the model again with --force."
            )
    return ""


def _advise_filling(column: DataColumn) -> str:
    """Say how to serve a model whose author filled missing cells before the fit."""
    known = column.cells.dropna()
    value = known.mean() if is_numeric_dtype(known.dtype) else known.mode().iloc[0]
    if column.kind == "text":
        value = ""
    return (
        "If your code filled such cells before the fit, add the model again with --force, and with "
        f"what it wrote there, like {write_filling(column.source.column, value)}."
    )


def require_one_field(dataset: Dataset, importance: Sequence[float], add_note: AddNote) -> Dataset:
    """Make the most important field required where all may be empty: a form asks for something."""
    if any(item.required for item in dataset.fields):
        return dataset
    most = int(np.argmax(importance))
    add_note(
        "The model answers without any of its facts; the form asks for "
        f"{dataset.fields[most].name}, which matters most."
    )
    fields = [item.with_required(index == most) for index, item in enumerate(dataset.fields)]
    known = ~np.isnan(dataset.matrix[:, most])
    return replace(
        dataset,
        fields=fields,
        matrix=dataset.matrix[known],
        truth=dataset.truth[known],
        held_out=dataset.held_out[known],
    )


def tighten_bounds(dataset: Dataset) -> Dataset:
    """Move bounds at which the model does not answer to the outermost row.

    A model with a logarithm in it, for example, has no finite answer at 0.
    """
    fields = []
    for index, item in enumerate(dataset.fields):
        codes = dataset.matrix[:, index]
        reference = item.field.encode(item.field.example)  # rounded, perhaps to outside the rows
        low, high = bounds = item.field.code_bounds
        if not _answers_at(dataset, index, low):
            low = min(float(np.nanmin(codes)), reference)
        if not _answers_at(dataset, index, high):
            high = max(float(np.nanmax(codes)), reference)
        if low == high:
            low, high = bounds
        fields.append(replace(item, field=item.field.with_code_bounds(low, high)))
    return replace(dataset, fields=fields)


def compose_texts(
    dataset: Dataset, count_differing: Callable[[Float64Array, Float64Array], int]
) -> Dataset:
    """Let fields of texts compose what is typed (NFC), unless a row of the data is answered by it.

    ``count_differing`` counts the rows, shape (rows,) or (rows, classes), that are answered
    otherwise; see ``OutputKind``.
    """
    fields = list(dataset.fields)
    for column in dataset.texts:
        composed = dataset.matrix.copy()
        known = ~np.isnan(composed[:, column])
        codes = composed[known, column].tolist()
        forms = {
            c: encode_text(unicodedata.normalize("NFC", decode_text(c)))
            for c in dict.fromkeys(codes)
        }
        composed[known, column] = [forms[code] for code in codes]
        changed = np.flatnonzero(known & (composed[:, column] != dataset.matrix[:, column]))
        if len(changed):
            given = dataset.answer(dataset.matrix[changed])
            other = dataset.answer(composed[changed])
            if count_differing(other, given):
                continue
        field = fields[column].field.model_copy(update={"nfc": True})
        fields[column] = replace(fields[column], field=field)
    return replace(dataset, fields=fields)


def _answers_at(dataset: Dataset, column: int, value: float) -> bool:
    """Whether the model answers rows that have this number in one column."""
    rows = dataset.matrix[:_TRIED].astype(np.float32)
    rows[:, column] = value
    return is_answered(dataset.predict, rows)


def describe_optional_fields(dataset: Dataset) -> list[str]:
    """Say which facts may be left empty, one sentence a reason, and how to ask for them anyway."""
    by_reason: dict[str, list[str]] = {}
    for item in dataset.fields:
        if not item.required and item.field.default is None:
            reason = REASONS_OPTIONAL[item.missing_in_training]
            by_reason.setdefault(reason, []).append(item.column.source.column)
    notes = [
        f"{', '.join(columns)} may be left empty, as in rows of the data. {reason}"
        for reason, columns in by_reason.items()
    ]
    if notes:
        column = next(iter(by_reason.values()))[0]
        notes.append(
            "To always ask for such a fact, add the model again with --force and "
            f"--required {column!r}; separate several columns by commas."
        )
    return notes
