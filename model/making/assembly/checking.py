"""The gate for a model that is served: rows of its data have the answers that they should have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.contract.arrays import Float32Array, Float64Array
from model.contract.tables import TableError, open_table
from model.contract.texts import encode_text, text_codes
from model.making.assembly.gate import Finding, check_outputs, make_coded_subject
from model.making.data.number_texts import read_number_texts
from model.making.data.tables import require_column
from model.making.data.text_cells import as_text
from model.making.errors import AddError
from model.making.kinds import KINDS
from model.making.kinds.output_kind import OneOutput, OutputKind
from model.making.rows.prepared import PredictFloat64
from model.serving.batch import BatchPredictor
from model.serving.served_model import ServedModel
from model.serving.tabular import TabularModel, take_tabular

_MOST_BLOCKS = 12
"""Blocks of some thousands of rows that are read of a file: the gate asks of 250."""

_UNKNOWN = Finding(unchecked="no rule is known for this kind of answer")


def check_served(model: ServedModel[Any, Any]) -> Finding:
    """Check a loaded model by the rows of its data that it keeps.

    They have the truth of the first output only.
    """
    neighbors, matched = model.kept_rows, _match(model)
    if neighbors is None:
        return Finding(
            unchecked="its folder keeps rows of its data only with --publish-rows. "
            "Name a file of them: --data FILE --target COLUMN"
        )
    if matched is None:
        return _UNKNOWN
    kind, predict = matched
    rows = neighbors.rows.astype(float)
    with text_codes():
        for column, texts in neighbors.texts.items():
            rows[:, column] = [encode_text(texts[int(code)]) for code in rows[:, column]]
        truth = np.asarray(neighbors.targets, dtype=float)
        return _check(take_tabular(model), predict, rows, [(kind.list_outputs()[0], truth)])


def check_on_data(model: ServedModel[Any, Any], path: Path, target: str) -> Finding:
    """Check a loaded model by a file of rows whose truth is known.

    Args:
        model: the model.
        path: a table with a column for each field that is required, and one for the truth.
        target: the name of that column; of a model of several numbers one for each, with commas,
            or that of one of them.

    Raises:
        AddError: if the file or the column cannot be read.
    """
    with text_codes():
        try:
            return replace(_check_file(take_tabular(model), path, target), rows="this file")
        except (OSError, TableError) as error:
            raise AddError(f"--data {path}: {error}") from None


def _check_file(model: TabularModel[Any], path: Path, target: str) -> Finding:
    matched = _match(model)
    if matched is None:
        return _UNKNOWN
    kind, predict = matched
    with path.open("rb") as file:
        table = open_table(file, path.name)
        outputs = _choose_outputs(kind, target, table.header, path)
        places = {name: table.header.index(name) for name in outputs}
        reader = BatchPredictor(model, table.header, table.sample, warnings=False)
        codes: list[Float64Array] = []
        cells: dict[str, list[Any]] = {name: [] for name in outputs}
        for block in islice(table.blocks, _MOST_BLOCKS):
            found, errors = reader.read_codes(block)
            right = np.setdiff1d(np.arange(block.rows), list(errors))
            codes.append(found[right])
            for name, place in places.items():
                cells[name] += [block.columns[place][row] for row in right]
    columns = [
        _read_truth(model, kind, pd.Series(column, name=name, dtype=object))
        for name, column in cells.items()
    ]
    known = ~np.isnan(columns).any(axis=0)
    truths = [
        (output, truth[known]) for output, truth in zip(outputs.values(), columns, strict=True)
    ]
    return _check(model, predict, np.concatenate(codes)[known], truths)


def _choose_outputs(
    kind: OutputKind, target: str, header: Sequence[str], path: Path
) -> Mapping[str, OneOutput]:
    """The outputs to check, by the column with the truth of each.

    Raises:
        AddError: if a column is missing, or nobody knows what it is the truth of.
    """
    names = [target] if target in header else [name.strip() for name in target.split(",")]
    for name in names:
        require_column(header, name, path, "--target")
    outputs = {output.name: output for output in kind.list_outputs()}
    if len(names) == len(outputs):
        return dict(zip(names, outputs.values(), strict=True))
    if unknown := [name for name in names if name not in outputs]:
        raise AddError(
            f"The model answers {len(outputs)} number{'s' * (len(outputs) > 1)}, and --target "
            f"names {len(names)}. Name a column for each, in its order; {unknown[0]!r} is not the "
            f"name of one: {_list([*outputs])}."
        )
    return {name: outputs[name] for name in names}


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:30]))


def _read_truth(model: TabularModel[Any], kind: OutputKind, cells: pd.Series) -> Float64Array:
    """Read what the model should have answered, shape (rows,); NaN where the file does not tell.

    Raises:
        AddError: if the column holds something else.
    """
    texts = cells.map(as_text).str.strip().replace({"": None})
    known = {name: code for code, name in enumerate(kind.classes)}
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


def _match(model: ServedModel[Any, Any]) -> tuple[OutputKind, PredictFloat64] | None:
    """How a served model answers, and what asks it; None where no kind knows it."""
    matched = (kind.from_served(model) for kind in KINDS.values())
    return next((each for each in matched if each is not None), None)


def _check(
    model: TabularModel[Any],
    predict: PredictFloat64,
    rows: Float64Array,
    truths: Sequence[tuple[OneOutput, Float64Array]],
) -> Finding:
    """Check answers to codes of fields, shape (rows, fields); each truth has shape (rows,)."""

    def answer(codes: Float32Array) -> Float64Array:
        return np.asarray(predict(model.layout.arrange(codes)), dtype=float)

    numbers = {
        place: field.name
        for place, field in enumerate(model.fields.values())
        if not (field.categories or field.is_text)
    }
    return check_outputs(make_coded_subject(rows, numbers, answer), truths)
