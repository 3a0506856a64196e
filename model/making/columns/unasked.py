"""Columns that a form leaves out: those with one value in every row, and those a model drops."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from model.contract.derived import DerivedColumn, compute_columns
from model.contract.expressions import Cells, ExpressionError
from model.contract.formatting import list_some
from model.making.columns.deriving import Derivations
from model.making.data.assigning import assign_columns
from model.making.data.text_cells import as_text
from model.making.options import AddNote

_MOST_NAMED = 6


def leave_out_columns(
    derivations: Derivations,
    table: pd.DataFrame,
    names: Sequence[str],
    dropped: frozenset[str],
    kept: frozenset[str],
    add_note: AddNote,
) -> tuple[Derivations, pd.DataFrame]:
    """Give the model constants for the columns that no visitor could change an answer by.

    Of ``names``, which the model takes, it drops ``dropped``; the form asks for ``kept`` all the
    same.

    Returns:
        The derivations with these constants, and the table with them. Both are as they were where
        nothing would be left to ask.
    """
    free = [name for name in names
            if name not in derivations.names | derivations.inputs | kept]  # fmt: skip
    unused = {name: _find_any(table[name]) for name in free if name in dropped}
    single = {name: table[name].iloc[0] for name in free
              if name not in dropped and _is_single(table[name])}  # fmt: skip
    found = {name: column for name, value in {**unused, **single}.items()
             if (column := _make_constant(name, value)) is not None}  # fmt: skip
    if len(found) == len(names):
        return derivations, table
    if given := [name for name in unused if name in found]:
        listed = list_some(given, _MOST_NAMED)
        add_note(f"The form does not ask for what the model drops: {listed}.")
    if given := [f"{name} is {as_text(single[name])}" for name in single if name in found]:
        listed = list_some(given, _MOST_NAMED)
        add_note(f"The form does not ask for what is the same in every row: {listed}.")
    values = {name: {**unused, **single}[name] for name in found}
    columns = (*derivations.columns, *found.values())
    return replace(derivations, columns=columns), assign_columns(table, values)


def _is_single(cells: pd.Series) -> bool:
    return len(cells) > 0 and bool(cells.notna().all()) and cells.nunique() == 1


def _find_any(cells: pd.Series) -> Any:
    known = cells.dropna()
    return known.iloc[0] if len(known) else 0.0


def _make_constant(name: str, value: Any) -> DerivedColumn | None:
    """A column that is computed from nothing; None for a value that no expression writes."""
    is_number = isinstance(value, int | float | np.number | np.bool_)
    text = repr(float(value)) if is_number else json.dumps(str(value), ensure_ascii=False)
    column = DerivedColumn(name=name, expression=text)
    cells: dict[str, Cells] = {}
    try:
        compute_columns([column], cells, {})
    except ExpressionError:
        return None
    read = cells[name].array.item()
    return column if read == (float(value) if is_number else value) else None
