"""Rows with values that the model was not fitted on and does not answer: they are left out."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from model.contract.arrays import BoolArray
from model.making.assembly.contents import Contents, Transformer
from model.making.assembly.inputs import Codes, RawColumns, simplify
from model.making.data.tables import LabelledTable, say_left_out
from model.making.data.text_cells import as_text
from model.making.options import AddNote
from model.making.steps.fitted_steps import ENCODERS, find_categories

_MOST_LEFT_OUT = 0.2
"""The share of the rows above which the data are not the model's own, which is said elsewhere."""
_MOST_NAMED = 3


class _KnownValues(NamedTuple):
    """The values of a column that a part knows, as texts; ``part`` may answer others as well."""

    column: str
    texts: set[str]
    part: Transformer | None = None


def leave_out_unknown(
    contents: Contents, rows: LabelledTable, derived: pd.DataFrame, add_note: AddNote
) -> tuple[LabelledTable, pd.DataFrame]:
    """Leave out rows that the model does not answer, because it does not know one of their values.

    Most encoders refuse what they did not see in the fit, and held-out rows have rare values.

    Args:
        contents: the parts of the model.
        rows: the data as the form gives them.
        derived: the same rows as the model takes them.
        add_note: called for each column that has such values.
    """
    kept = np.ones(len(derived), dtype=bool)
    given = derived.drop(columns=[name for name in rows.truths if name in derived])
    for column, known, part in _list_known(contents, given, rows):
        texts = derived[column].map(as_text, na_action="ignore")
        unknown = (texts.notna() & ~texts.isin(known)).to_numpy() & kept
        few = 0 < unknown.sum() <= _MOST_LEFT_OUT * len(derived)
        if not few or (part and not _refuses(part, given, texts[unknown])):
            continue
        kept &= ~unknown
        values = sorted(set(texts[unknown]))
        listed = ", ".join(map(repr, values[:_MOST_NAMED])) + " …" * (len(values) > _MOST_NAMED)
        left_out = say_left_out(int(unknown.sum()), f"with {listed} as {column}")
        add_note(
            f"{left_out}: the model was fitted on no such row, and the form does not offer it."
        )
    if kept.all():
        return rows, derived
    table, truths, derived = (
        each[kept].reset_index(drop=True) for each in (rows.table, rows.truths, derived)
    )
    return replace(rows, table=table, truths=truths, held_out=rows.held_out[kept]), derived


def _list_known(
    contents: Contents, table: pd.DataFrame, rows: LabelledTable
) -> Iterator[_KnownValues]:
    """The values that parts know of columns, where they may not answer others."""
    for part in (*contents.transformers, *contents.estimators):
        names = [name for name in part.names or () if name in table.columns]
        for column, values in find_categories(part.fitted, part.names or ()).items():
            if values and column in names:
                yield _KnownValues(column, set(map(as_text, values)), part)
    classes = {as_text(cell) for name in rows.truths for cell in rows.truths[name].unique()}
    for codes in contents.codes:
        texts = set(codes.numbers)
        if not codes.is_list and not classes <= texts:
            columns = _find_columns(codes, table)
            yield from (_KnownValues(column, texts) for column in columns if len(columns) == 1)
    for part in contents.estimators:
        yield from _list_dummies(part, table, rows.held_out)


def _find_columns(codes: Codes, table: pd.DataFrame) -> list[str]:
    """The column of an encoder's name, or those of texts that have all that it knows."""
    raw = RawColumns(table)
    named = [name for name in table.columns if simplify(name) == simplify(codes.hint)]
    return named or [
        name
        for name in table.columns
        if not raw.is_number(name) and codes.numbers.keys() <= raw.cells(name).keys()
    ]


def _list_dummies(
    part: Transformer, table: pd.DataFrame, held_out: BoolArray
) -> Iterator[_KnownValues]:
    """The values that have an input of their own, with the one that all others stand for."""
    raw = RawColumns(table)
    levels = [raw.find_level(name) for name in part.names or () if raw.find(name) is None]
    found: dict[str, set[str]] = {}
    for column, cell in filter(None, levels):
        found.setdefault(column, set()).add(as_text(cell))
    for column, known in found.items():
        learned = set(table.loc[~held_out, column].dropna().map(as_text))
        if len(learned - known) <= 1:
            yield _KnownValues(column, known | learned)


def _refuses(part: Transformer, table: pd.DataFrame, unknown: pd.Series) -> bool:
    """Whether a part takes no row with an unknown value; each of the values is tried once."""
    if isinstance(part.fitted, ENCODERS):
        return True  # taken apart, it has no code for it
    names = list(part.names or ())
    if not set(names) <= set(table.columns):
        return False  # it takes what the data lack, which is said later
    rows = table.loc[unknown.drop_duplicates().index, names]
    return not any(_takes(part.fitted, rows.iloc[[place]]) for place in range(len(rows)))


def _takes(fitted: Any, rows: pd.DataFrame) -> bool:
    ask = getattr(fitted, "predict", None) or fitted.transform
    with warnings.catch_warnings(action="ignore"):
        try:
            ask(rows)
        except Exception:  # an estimator may raise anything
            return False
    return True
