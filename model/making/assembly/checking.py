"""The gate for a model that is served: rows of its data have the answers that they should have."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.contract.arrays import Float64Array, IntArray
from model.contract.tables import TableError, open_table
from model.contract.texts import encode_text, text_codes
from model.making.assembly.gate import Finding, Subject, check_answers
from model.making.errors import AddError
from model.making.kinds import KINDS
from model.making.kinds.output_kind import OutputKind
from model.making.number_texts import read_number_texts
from model.making.prepared import PredictFloat64
from model.making.text_cells import as_text
from model.serving.batch import BatchPredictor
from model.serving.served_model import ServedModel
from model.serving.tabular import TabularModel

_MOST_BLOCKS = 12
"""Blocks of some thousands of rows that are read of a file: the gate asks of 250."""


def check_served(model: ServedModel[Any, Any]) -> Finding:
    """Check a loaded model by the rows of its data that it keeps."""
    if not isinstance(model, TabularModel) or model.neighbors is None:
        return Finding(
            unchecked="its folder keeps rows of its data only with --publish-rows. "
            "Name a file of them: --data FILE --target COLUMN"
        )
    neighbors = model.neighbors
    truth = np.asarray(neighbors.targets, dtype=float)
    rows = neighbors.rows.astype(float)
    with text_codes():
        for column, texts in neighbors.texts.items():
            rows[:, column] = [encode_text(texts[int(code)]) for code in rows[:, column]]
        return _check(model, rows, truth)


def check_on_data(model: ServedModel[Any, Any], path: Path, target: str) -> Finding:
    """Check a loaded model by a file of rows whose truth is known.

    Args:
        model: the model.
        path: a table with a column for each field that is required, and one for the truth.
        target: the name of that column.

    Raises:
        AddError: if the file or the column cannot be read.
    """
    if not isinstance(model, TabularModel):
        raise AddError("--data: this model takes no rows of a table.")
    with text_codes():
        return _check_file(model, path, target)


def _check_file(model: TabularModel[Any], path: Path, target: str) -> Finding:
    try:
        with path.open("rb") as file:
            table = open_table(file, path.name)
            if target not in table.header:
                raise AddError(f"{path} has no column {target!r}. It has: {_list(table.header)}.")
            place = table.header.index(target)
            reader = BatchPredictor(model, table.header, table.sample, warnings=False)
            codes, cells = [], []
            for block in islice(table.blocks, _MOST_BLOCKS):
                found, errors = reader.read_codes(block)
                right = np.setdiff1d(np.arange(block.rows), list(errors))
                codes.append(found[right])
                column = block.columns[place]
                cells += [column[row] for row in right]
    except (OSError, TableError) as error:
        raise AddError(f"{path} cannot be read: {error}") from None
    truth = _read_truth(model, pd.Series(cells, name=target, dtype=object))
    known = ~np.isnan(truth)
    return _check(model, np.concatenate(codes)[known], truth[known])


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:30]))


def _read_truth(model: TabularModel[Any], cells: pd.Series) -> Float64Array:
    """Read what the model should have answered, shape (rows,); NaN where the file does not tell.

    Raises:
        AddError: if the column holds something else.
    """
    texts = cells.map(as_text).str.strip().replace({"": None})
    matched = _match(model)
    known = {name: code for code, name in enumerate(matched[0].classes)} if matched else {}
    if not known:
        numbers = read_number_texts(texts, None)
        if numbers is None:
            raise AddError(f"Column {cells.name!r} holds texts that are no numbers.")
        return np.asarray(numbers, dtype=float)
    names = known | {
        number: known[name] for number, name in model.manifest.class_names.items() if name in known
    }
    codes = np.asarray(texts.map(names), dtype=float)
    if np.isnan(codes).all():
        raise AddError(f"Column {cells.name!r} has none of the model's classes: {_list([*known])}.")
    return codes


def _match(model: TabularModel[Any]) -> tuple[OutputKind, PredictFloat64] | None:
    """The kind of a served model, and what asks it; None where no kind knows it."""
    matched = (kind.from_served(model) for kind in KINDS.values())
    return next((each for each in matched if each is not None), None)


def _check(model: TabularModel[Any], rows: Float64Array, truth: Float64Array) -> Finding:
    """Check answers to codes of fields, shape (rows, fields), against the truth, shape (rows,)."""
    found = _match(model)
    if found is None:
        return Finding(unchecked="no rule is known for this kind of answer")
    kind, predict = found
    fields = model.card.fields
    places = [
        place for place, field in enumerate(fields) if not (field.categories or field.is_text)
    ]

    def answer(index: IntArray, numbers: Float64Array) -> Float64Array:
        codes = rows[index]
        codes[:, places] = numbers
        return np.asarray(predict(codes.astype(np.float32)), dtype=float)

    labels = [fields[place].name for place in places]
    complete = np.asarray(~np.isnan(rows).any(axis=1), dtype=bool)
    subject = Subject(rows[:, places], labels, answer, complete)
    return check_answers(subject, kind, truth)
