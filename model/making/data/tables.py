"""A person's data: reading them, their target, and which rows are held out."""

import difflib
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from model.contract.arrays import BoolArray
from model.contract.expressions import Expression, ExpressionError
from model.contract.paths import find_path
from model.contract.reading import DecimalSign
from model.making.data.data_files import (
    infer_types,
    read_cells,
    read_header,
    spell_cells,
    strip_cells,
)
from model.making.data.date_texts import read_dates
from model.making.data.expression_cells import read_series
from model.making.data.number_texts import read_number_columns, settle_thousands
from model.making.data.text_cells import NO_TEXTS, KnownTexts
from model.making.errors import AddError
from model.making.options import AddNote

_TRUE = ("1", "1.0", "true", "yes", "y", "t", "test", "holdout", "held out", "held-out", "valid")
_FALSE = ("0", "0.0", "false", "no", "n", "f", "train", "training", "nan", "")


_SURE = 4.0
"""Standard deviations by which more rows repeat than those of the data repeat each other."""


class RowChoice(NamedTuple):
    """Which rows of the data are taken: those that fulfil ``where``, at most ``most``, at random.

    ``where`` is an expression, "" for all rows; ``most`` is None for all.
    """

    where: str = ""
    most: int | None = None

    def describe(self) -> str:
        """Say which rows these are, after the name of a file; "" for all of them."""
        where = f", rows where {self.where}" if self.where else ""
        return f"{where}, at most {self.most:,} of them at random" if self.most else where


ALL_ROWS = RowChoice()
"""Every row."""


@dataclass(frozen=True)
class LabelledTable:
    """Every row with a target; every row where the data have none.

    ``held_out`` (rows,) is True for rows that the model has not seen, as the column ``marker`` says
    ("" where none does). ``notes`` say what was left out. ``truths`` has a column for each target,
    of which all but the first have left the table.
    """

    table: pd.DataFrame
    held_out: BoolArray
    marker: str
    notes: tuple[str, ...]
    truths: pd.DataFrame


def read_table(
    path: Path,
    decimal: DecimalSign | None,
    add_note: AddNote,
    texts: KnownTexts = NO_TEXTS,
    more: Sequence[Path] = (),
    choice: RowChoice = ALL_ROWS,
) -> pd.DataFrame:
    """Read a data file, or all files in a folder.

    Args:
        path: the file, of any format that ``open_table`` knows, or the folder.
        decimal: what separates decimals where a column does not tell.
        add_note: called for how it was read, and for each column of numbers that could be read in
            another way.
        texts: what the model knows as texts, and stays text.
        more: further files or folders, whose rows stand below.
        choice: which of the rows are taken.

    Raises:
        AddError: if it cannot be read, has no rows, or does not tell what its numbers are.
    """
    paths = (path, *more)
    kept = _choose_rows(paths, choice, decimal, texts, add_note)
    raw = strip_cells(read_cells(paths, add_note, None, kept), texts)
    raw = spell_cells(raw, texts, add_note)
    if raw.empty:
        raise AddError(
            f"{path} has no rows. Give a file with the rows that the model was fitted on."
        )
    return _infer_table(raw, decimal, add_note, texts)


def _infer_table(
    raw: pd.DataFrame, decimal: DecimalSign | None, add_note: AddNote, texts: KnownTexts
) -> pd.DataFrame:
    """Cells with the numbers that they are."""

    def read_texts(names: list[str]) -> pd.DataFrame:
        cells = raw[names]
        return cells.mask(cells == "")

    table = infer_types(raw, texts, add_note)
    table = settle_thousands(table, read_texts, decimal, add_note)
    return texts.restore(table, raw)


def _choose_rows(
    paths: Sequence[Path],
    choice: RowChoice,
    decimal: DecimalSign | None,
    texts: KnownTexts,
    add_note: AddNote,
) -> BoolArray | None:
    """Which rows of files are taken, shape (rows,); None for all.

    Only the columns of the condition are read for that, so a large file needs little memory.
    """
    if choice == ALL_ROWS:
        return None
    condition = None
    if choice.where:
        try:
            condition = Expression(choice.where)
        except ExpressionError as error:
            raise AddError(f"--where: {error}") from error
        if condition.lookups:
            raise AddError("--where looks nothing up in files. Compare columns of the data.")
        if not condition.columns:
            raise AddError(f"--where: “{choice.where}” names no column. Write one like price > 0.")
        header = read_header(paths[0])
        for name in condition.columns:
            require_column(header, name, paths[0], "--where")
    raw = strip_cells(
        read_cells(paths, lambda _: None, condition.columns if condition else ()), texts
    )
    kept = np.ones(len(raw), dtype=bool)
    if condition is not None and len(raw):
        table = _infer_table(raw, decimal, lambda _: None, texts)
        kept = _fulfil(condition, table, decimal)
        if not kept.any():
            raise AddError(f"--where: “{choice.where}” is true for no row of {_name(paths)}.")
        add_note(
            f"{kept.sum():,} of {len(kept):,} rows of {_name(paths)} are taken, for which "
            f"{choice.where} is true."
        )
    if choice.most is not None and kept.sum() > choice.most:
        taken = np.random.default_rng(0).permutation(np.flatnonzero(kept))[: choice.most]
        add_note(
            f"{choice.most:,} of {kept.sum():,} rows of {_name(paths)} are taken, at random "
            "(--max-rows)."
        )
        kept = np.isin(np.arange(len(kept)), taken)
    return kept


def _name(paths: Sequence[Path]) -> str:
    return f"{paths[0].name} and {len(paths) - 1} more" if paths[1:] else paths[0].name


def _fulfil(condition: Expression, table: pd.DataFrame, decimal: DecimalSign | None) -> BoolArray:
    """Whether a condition is true, shape (rows,); not where a cell that it needs is unknown."""
    cells = {}
    for name in map(str, table.columns):
        dates = None
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            dates = read_dates(table[name], name)
            with suppress(AddError):  # texts
                table = read_number_columns(table, [name], decimal, lambda _: None)
        cells[name] = read_series(table[name] if dates is None else dates.days, dates is not None)
    try:
        found = condition.evaluate(cells, {})
    except ExpressionError as error:
        held = [
            f"{name} holds texts like {table[name].dropna().iloc[0]!r}."
            for name in cells
            if cells[name].kind == "text" and table[name].notna().any()
        ]
        raise AddError(" ".join([f"--where: {error}", *held])) from error
    if found.kind != "number":
        raise AddError(f"--where: “{condition.text}” is no condition. Write one like price > 0.")
    return np.asarray(found.known & (found.array != 0))


def read_rows(
    data: Path,
    target: str,
    holdout: str | None,
    decimal: DecimalSign | None = None,
    texts: KnownTexts = NO_TEXTS,
    more: Sequence[Path] = (),
    choice: RowChoice = ALL_ROWS,
) -> LabelledTable:
    """Read the data, and which rows the model has not seen.

    Args:
        data: a file of data, or a folder of such files.
        target: the column that the model answers, or several, like "a,b"; "" where the data do not
            have it.
        holdout: a second file of the same columns, or a column of the first that marks rows.
        decimal: what separates decimals where a column does not tell.
        texts: what the model knows as texts, and stays text.
        more: further files or folders, whose rows stand below those of the data.
        choice: which rows are taken, of the data and of a file of held-out rows.

    Raises:
        AddError: if a column or a file is missing, or the model has seen the held-out rows.
    """
    notes: list[str] = []
    table = read_table(data, decimal, notes.append, texts, more, choice)
    if not target:
        if holdout is not None:
            raise AddError("--holdout needs --target: nothing is measured without what is true.")
        held_out = np.zeros(len(table), dtype=bool)
        return LabelledTable(table, held_out, "", tuple(notes), table[[]])
    targets = _split_targets(table, target)
    for name in targets:
        require_column(table.columns, name, data, "--target")
    marker = ""
    if holdout is None:
        held_out = np.zeros(len(table), dtype=bool)
    elif holdout in table.columns:
        marker, held_out = holdout, _read_marker(table[holdout], holdout)
    elif find_path(holdout):
        held = read_table(Path(holdout), decimal, notes.append, texts, (), choice)
        for name in targets:
            require_column(held.columns, name, Path(holdout), "--target")
        _refuse_seen_rows(table, held, holdout)
        held_out = np.repeat([False, True], [len(table), len(held)])
        missing = [str(name) for name in table.columns if name not in held.columns]
        if missing:
            notes.append(f"{holdout} has no column {', '.join(missing)}.")
        table = pd.concat([table, held], ignore_index=True)
    else:
        raise AddError(
            f"--holdout {holdout}: {data} has no such column, and there is no such file."
            f"{suggest_name(holdout, table.columns)}"
        )
    known = table[targets].notna().all(axis=1).to_numpy()
    if not known.all():
        left_out = say_left_out(int((~known).sum()), f"without {', '.join(targets)}")
        notes.append(f"{left_out}.")
    table = table[known].reset_index(drop=True)
    truths = table[targets]
    table = table.drop(columns=targets[1:])
    return LabelledTable(table, held_out[known], marker, tuple(notes), truths)


def say_left_out(count: int, which: str) -> str:
    """Say that rows are left out, like "2 rows without price are left out"."""
    return f"{count:,} row{'s' * (count > 1)} {which} {'are' if count > 1 else 'is'} left out"


def _split_targets(table: pd.DataFrame, text: str) -> list[str]:
    """The columns that a target names: one, whose name may have commas, or several."""
    if text not in table.columns:
        text = text.strip()  # as the names of a file's columns are
    names = [name.strip() for name in text.split(",")]
    if text in table.columns or len(names) < 2 or not any(name in table.columns for name in names):
        return [text]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise AddError(f"--target names {repeated[0]!r} twice.")
    return [name for name in names if name]


def require_column(names: Sequence[Any], name: str, where: Path, option: str) -> None:
    """Make sure that a table has a column.

    ``where`` is the table's file, ``option`` the one that names the column.

    Raises:
        AddError: if it has none; names the most similar one.
    """
    if name not in names:
        raise AddError(f"{where} has no column {name!r} ({option}).{suggest_name(name, names)}")


def suggest_name(name: str, names: Sequence[Any], free: Sequence[Any] | None = None) -> str:
    """Ask whether another name was meant, or list all names.

    Args:
        name: the missing one.
        names: the existing ones.
        free: the ones that can be meant, where not all can.
    """
    candidates = [str(item) for item in (names if free is None else free)]
    closest = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if closest:
        return f" Did you mean {closest[0]!r}?"
    return f" It has: {', '.join(str(item) for item in names)}."


def _read_marker(cells: pd.Series, name: str) -> BoolArray:
    texts = cells.astype(str).str.strip().str.lower()
    unknown = sorted(set(texts) - set(_TRUE) - set(_FALSE))
    if unknown:
        raise AddError(
            f"--holdout {name}: {unknown[0]!r} means neither yes nor no. Write 1 for the rows that "
            "the model has not seen, and 0 for the others."
        )
    marked = texts.isin(_TRUE).to_numpy()
    if not marked.any() or marked.all():
        which = "no row" if not marked.any() else "every row"
        raise AddError(
            f"--holdout {name} marks {which}. Write 1 for the rows that the model has not seen, "
            "and 0 for the others."
        )
    return np.asarray(marked, dtype=bool)


def _refuse_seen_rows(table: pd.DataFrame, held: pd.DataFrame, where: str) -> None:
    common = [name for name in table.columns if name in held.columns]
    seen = Counter(map(tuple, table[common].astype(str).to_numpy()))
    repeated = sum(tuple(row) in seen for row in held[common].astype(str).to_numpy())
    # Where the data's own rows are often equal, so are rows that the model has not seen.
    usual = sum(count for count in seen.values() if count > 1) / max(len(table), 1)
    spread = math.sqrt(usual * (1 - usual) / max(len(held), 1))
    if repeated > len(held) * max(0.5, usual + _SURE * spread):
        raise AddError(
            f"{repeated} of the {len(held)} rows of {where} are in the data, too: the model has "
            "seen them, so they would show it better than it is. Give rows that it was not fitted "
            "on."
        )
