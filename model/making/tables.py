"""The data as a person has them: reading, target, held-out rows."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from model.making.errors import AddError

_TRUE = ("1", "1.0", "true", "yes", "y", "t", "test", "holdout", "held out", "held-out", "valid")
_FALSE = ("0", "0.0", "false", "no", "n", "f", "train", "training", "nan", "")


@dataclass(frozen=True)
class LabelledTable:
    """Every row with a target, and which of them the model has not seen; ``notes`` say the rest."""

    table: pd.DataFrame
    held_out: npt.NDArray[np.bool_]
    marker: str
    notes: tuple[str, ...]


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file as pandas would, with whatever separates its columns.

    Raises:
        AddError: if it cannot be read, or has no rows.
    """
    try:
        separator = max(
            (",", ";", "\t"), key=lambda mark: pd.read_csv(path, sep=mark, nrows=0).shape[1]
        )
        table = pd.read_csv(path, sep=separator)
    except UnicodeDecodeError as error:
        raise AddError(
            f"{path} is no CSV file in UTF-8. If it is one in another encoding, save it as UTF-8."
        ) from error
    except (OSError, ValueError) as error:
        raise AddError(f"{path} cannot be read as a CSV file: {error}") from error
    if table.empty:
        raise AddError(f"{path} has no rows.")
    return table.rename(columns=str)


def read_rows(data: Path, target: str, holdout: str | None) -> LabelledTable:
    """Read the data, and which rows the model has not seen.

    Args:
        data: a CSV file.
        target: its column that the model answers.
        holdout: a second file of the same columns, or a column of the first that marks rows.

    Raises:
        AddError: if a column or a file is not there, or the rows were seen after all.
    """
    table = read_table(data)
    need_column(table, target, data, "--target")
    notes = []
    marker = ""
    if holdout is None:
        held_out = np.zeros(len(table), dtype=bool)
    elif holdout in table.columns:
        marker, held_out = holdout, _marked(table[holdout], holdout)
    elif Path(holdout).is_file():
        more = read_table(Path(holdout))
        need_column(more, target, Path(holdout), "--target")
        _unseen(table, more, holdout)
        held_out = np.repeat([False, True], [len(table), len(more)])
        lacking = [str(name) for name in table.columns if name not in more.columns]
        if lacking:
            notes.append(f"{holdout} has no column {', '.join(lacking)}.")
        table = pd.concat([table, more], ignore_index=True)
    else:
        raise AddError(
            f"--holdout {holdout}: {data} has no such column, and there is no such file."
            f"{near(holdout, table.columns)}"
        )
    known = table[target].notna().to_numpy()
    if not known.all():
        notes.append(f"{int((~known).sum())} rows without {target} are left out.")
    return LabelledTable(table[known].reset_index(drop=True), held_out[known], marker, tuple(notes))


def need_column(table: pd.DataFrame, name: str, where: Path, option: str) -> None:
    """Make sure that a column is there.

    Raises:
        AddError: naming the nearest one that is.
    """
    if name not in table.columns:
        raise AddError(f"{where} has no column {name!r} ({option}).{near(name, table.columns)}")


def near(name: str, names: Sequence[Any], free: Sequence[Any] | None = None) -> str:
    """The question whether another name was meant, or what there is.

    Args:
        name: what is not there.
        names: what is.
        free: those of them that can be meant, where not all can.
    """
    meant = [str(item) for item in (names if free is None else free)]
    found = difflib.get_close_matches(name, meant, n=1, cutoff=0.6)
    if found:
        return f" Did you mean {found[0]!r}?"
    return f" It has: {', '.join(str(item) for item in names)}."


def _marked(cells: pd.Series, name: str) -> npt.NDArray[np.bool_]:
    texts = cells.astype(str).str.strip().str.lower()
    strange = sorted(set(texts) - set(_TRUE) - set(_FALSE))
    if strange:
        raise AddError(
            f"--holdout {name}: {strange[0]!r} says neither yes nor no. Write 1 for the rows that "
            "the model has not seen, and 0 for the others."
        )
    marked = texts.isin(_TRUE).to_numpy()
    if not marked.any() or marked.all():
        which = "no row" if not marked.any() else "every row"
        raise AddError(f"--holdout {name} marks {which}.")
    return np.asarray(marked, dtype=bool)


def _unseen(table: pd.DataFrame, more: pd.DataFrame, where: str) -> None:
    common = [name for name in table.columns if name in more.columns]
    seen = set(map(tuple, table[common].astype(str).to_numpy()))
    again = sum(tuple(row) in seen for row in more[common].astype(str).to_numpy())
    if again > len(more) / 2:
        raise AddError(
            f"{again} of the {len(more)} rows of {where} stand in the data, too: the model has "
            "seen them, and what they say about it would be too good. Give rows that it was not "
            "fitted on."
        )
