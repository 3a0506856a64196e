"""The data as the model sees them: codes of the fields, the truth, and which rows were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.contract.arrays import BoolArray, Float64Array
from model.making.columns import DataColumn
from model.making.drafting import SEEN, DraftCard, draft_field
from model.making.measuring import PredictFunction
from model.making.model_sources import PreparedModel
from model.making.request import Note

_TRIED = 20


@dataclass(frozen=True)
class Dataset:
    """The rows that the model can answer.

    ``matrix`` (rows, fields) are codes of the fields, NaN where unknown; ``truth`` (rows,) values
    or indices of classes; ``held_out`` (rows,) says which rows the model has not seen.
    """

    fields: list[DraftCard]
    matrix: Float64Array
    truth: Float64Array
    held_out: BoolArray

    @property
    def seen(self) -> int:
        """How many rows the model has seen."""
        return int((~self.held_out).sum())


def build_dataset(
    ready: PreparedModel,
    columns: Sequence[DataColumn],
    truth: Float64Array,
    held_out: BoolArray,
    note: Note,
) -> Dataset:
    """The dataset of a model that is ready, with a field for each column.

    Args:
        ready: the model, and which of all rows are kept for it.
        columns: the columns that it takes.
        truth: what is true of each of all rows, shape (all rows,).
        held_out: which of all rows it has not seen, shape (all rows,).
        note: is told of rows that are left out.
    """
    for column in columns:
        if column.missing and column.naming.name not in ready.optional:
            why = "the model does not answer without it, so the form asks for it"
            if column.asked:
                why = "the form asks for it, as you say"
            note(f"{column.missing} rows without {column.source.column} are left out: {why}.")
    fields = [
        draft_field(
            column,
            column.naming.name not in ready.optional,
            codes,
            ready.seen.get(column.source.column, "unknown"),
        )
        for column, codes in zip(columns, ready.matrix.T, strict=True)
    ]
    return Dataset(fields, ready.matrix, truth[ready.kept], held_out[ready.kept])


def require_one(dataset: Dataset, importance: Sequence[float], note: Note) -> Dataset:
    """A form asks for something: if all may be empty, the fact that matters most may not."""
    if any(item.required for item in dataset.fields):
        return dataset
    most = int(np.argmax(importance))
    found = dataset.fields[most]
    note(
        f"Every fact may be unknown to the model; the form asks for {found.name}, which "
        "matters most."
    )
    fields = [replace(item, required=place == most) for place, item in enumerate(dataset.fields)]
    known = ~np.isnan(dataset.matrix[:, most])
    return Dataset(fields, dataset.matrix[known], dataset.truth[known], dataset.held_out[known])


def hold_bounds(dataset: Dataset, answer: PredictFunction) -> Dataset:
    """Bring bounds up to which the model does not answer closer to the rows.

    What comes out of a logarithm in the model, for one, is no number at 0.
    """
    fields = []
    for place, item in enumerate(dataset.fields):
        column = dataset.matrix[:, place]
        if item.column.kind not in ("integer", "number"):
            fields.append(item)
            continue
        reference = float(item.reference or 0)  # rounded: it may be a hair outside
        first = min(float(np.nanmin(column)), reference)
        last = max(float(np.nanmax(column)), reference)
        low = item.low if _answers(dataset, answer, place, item.low) else first
        high = item.high if _answers(dataset, answer, place, item.high) else last
        if low == high:
            low, high = item.low, item.high
        fields.append(replace(item, low=low, high=high))
    return replace(dataset, fields=fields)


def _answers(dataset: Dataset, answer: PredictFunction, place: int, value: float) -> bool:
    """Whether the model answers rows that have this number in one column."""
    rows = dataset.matrix[:_TRIED].astype(np.float32)
    rows[:, place] = value
    try:
        return bool(np.isfinite(answer(rows)).all())
    except Exception:  # an estimator raises what it likes
        return False


def optional_notes(dataset: Dataset) -> list[str]:
    """Which facts may be left empty and why, those alike in one sentence; how to ask for them."""
    alike: dict[str, list[str]] = {}
    for item in dataset.fields:
        if not item.required:
            alike.setdefault(SEEN[item.seen], []).append(item.column.source.column)
    notes = [
        f"{', '.join(columns)} may be left empty, as in rows of the data. {why}"
        for why, columns in alike.items()
    ]
    if notes:
        column = next(iter(alike.values()))[0]
        notes.append(
            "To have such a fact always asked for, add the model again with --force and "
            f"--required {column!r}; several go with commas between."
        )
    return notes
