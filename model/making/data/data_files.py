"""A person's data files as a table: every format, and cells as the model knows them."""

import hashlib
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model.contract.arrays import BoolArray
from model.contract.tables import OpenTable, TableError, open_table
from model.making.data.assigning import assign_columns
from model.making.data.text_cells import KnownTexts
from model.making.errors import AddError
from model.making.options import AddNote

_UNKNOWN = ("?", "-", "--", ".", "missing", "unknown")
"""What people write for a number that they do not know."""


def list_files(path: Path) -> list[Path]:
    """List the files of the data: the file itself, or those in a folder, by name.

    Raises:
        AddError: if a folder has none.
    """
    if not path.is_dir():
        return [path]
    files = sorted(item for item in path.iterdir() if item.is_file() and item.name[0] != ".")
    if not files:
        raise AddError(f"{path} has no files. Give a file, or a folder with files of data.")
    return files


def hash_data(*paths: Path) -> str:
    """Return the SHA-256 of the data: of all files, and those in folders, one after another."""
    found = hashlib.sha256()
    for path in paths:
        for file in list_files(path):
            found.update(file.read_bytes())
    return found.hexdigest()


def read_header(path: Path) -> list[str]:
    """Read the names of the columns of a file, or of the first in a folder.

    Raises:
        AddError: if it cannot be read.
    """
    file = list_files(path)[0]
    with _open_table(file) as table:
        return _name_headers(table.header, file)


def read_cells(
    paths: Sequence[Path],
    add_note: AddNote,
    columns: Sequence[str] | None = None,
    kept: BoolArray | None = None,
) -> pd.DataFrame:
    """Read cells as the texts that stand in files, "" where there is none.

    Args:
        paths: files, or folders of files, with the same columns; one stands below the other.
        add_note: called for how a file was read.
        columns: those to read, in every row; None reads all, and no row without any cell.
        kept: which rows are read, shape (rows of all files,); None reads all.

    Raises:
        AddError: if a file cannot be read, or has other columns than the first.
    """
    files = [file for path in paths for file in list_files(path)]
    tables: list[pd.DataFrame] = []
    rows = 0
    for file in files:
        rest = None if kept is None else kept[rows:]
        table, count = _read_file(file, add_note, columns, rest)
        rows += count
        tables.append(table)
        if missing := sorted(set(tables[0].columns) ^ set(table.columns)):
            raise AddError(
                f"{file} and {files[0]} do not have the same columns: {missing[0]!r} is in one of "
                "them only. Put files of other columns elsewhere."
            )
    if len(files) > 1:
        add_note(f"{len(files)} files are read one below the other.")
    return pd.concat(tables, ignore_index=True)[list(tables[0].columns)]


def _read_file(
    path: Path, add_note: AddNote, columns: Sequence[str] | None, kept: BoolArray | None
) -> tuple[pd.DataFrame, int]:
    """The cells of a file, and how many rows it has."""
    rows = 0
    with _open_table(path) as table:
        names = _name_headers(table.header, path)
        wanted = [place for place, name in enumerate(names) if columns is None or name in columns]
        cells: list[list[str]] = [[] for _ in wanted]
        for block in table.blocks:
            if block.ragged:
                row, problem = next(iter(block.ragged.items()))
                raise AddError(f"{path}, row {rows + row + 1}: {problem}.")
            chosen = None if kept is None else kept[rows : rows + block.rows].tolist()
            for column, place in zip(cells, wanted, strict=True):
                found = _list_cells(block.columns[place])
                some = found if chosen is None else itertools.compress(found, chosen)
                column += some if block.texts else map(_spell, some)
            rows += block.rows
    for note in table.notes:
        if "separated by" not in note:  # the columns are named in the report, so that is seen
            add_note(f"{path.name}: {note}")
    found = {names[place]: column for place, column in zip(wanted, cells, strict=True)}
    read = pd.DataFrame(found, index=None if wanted else range(rows), dtype=str)
    if columns is None:
        read = read[(read != "").any(axis=1)].reset_index(drop=True)
    return read, rows


@contextmanager
def _open_table(path: Path) -> Iterator[OpenTable]:
    try:
        with path.open("rb") as file:
            yield open_table(file, path.name)
    except TableError as error:
        raise AddError(str(error)) from error
    except OSError as error:
        raise AddError(f"{path} cannot be read: {error.strerror}.") from error


def _name_headers(header: Sequence[str], path: Path) -> list[str]:
    """The columns' names, as pandas gives one to a column without."""
    names = [str(name).strip() or f"Unnamed: {place}" for place, name in enumerate(header)]
    repeated = next((name for name in names if names.count(name) > 1), None)
    if repeated is not None:
        raise AddError(f"{path} has two columns {repeated!r}. Rename one of them.")
    return names


def _list_cells(found: Any) -> Iterable[Any]:
    cells: Iterable[Any] = found.tolist() if isinstance(found, np.ndarray) else found
    return cells


def _spell(cell: Any) -> str:
    """A cell of a format with types, as a CSV file would have it."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    text = cell.isoformat() if hasattr(cell, "isoformat") else str(cell)
    return text.removesuffix("T00:00:00")


def infer_types(cells: pd.DataFrame, texts: KnownTexts, add_note: AddNote) -> pd.DataFrame:
    """Read numbers, booleans and holes in texts, as pandas does with a CSV file.

    Args:
        cells: texts, "" where there is nothing.
        texts: what the model knows as texts.
        add_note: called for a sign that was read as a hole.
    """
    buffer = io.StringIO(cells.to_csv(index=False))
    table = pd.read_csv(buffer, skip_blank_lines=False, low_memory=False)
    table.columns = cells.columns
    read = {}
    for name in table.columns:
        if pd.api.types.is_numeric_dtype(table[name].dtype) or texts.has_texts(str(name)):
            continue
        stripped = table[name].astype(str).str.strip().str.lower()
        holes = stripped.isin(_UNKNOWN) & table[name].notna()
        if not holes.any() or holes.sum() * 2 > len(holes):
            continue
        numbers = pd.to_numeric(table[name].mask(holes), errors="coerce")
        if numbers.notna().sum() == (table[name].notna() & ~holes).sum():
            sign = table.loc[holes, name].iloc[0]
            add_note(f"Column {name!r}: {sign!r} is read as unknown, in {int(holes.sum())} rows.")
            read[name] = numbers
    return assign_columns(table, read)


def strip_cells(cells: pd.DataFrame, texts: KnownTexts) -> pd.DataFrame:
    """Take off blanks around cells, but where the model knows a text with them.

    Args:
        cells: texts, "" where there is nothing.
        texts: what the model knows as texts.
    """
    stripped = {}
    for name in cells.columns:
        bare = cells[name].str.strip()
        changed = bare != cells[name]
        if changed.any() and not texts.knows_any(str(name), set(cells.loc[changed, name])):
            stripped[name] = bare
    return assign_columns(cells, stripped)


def spell_cells(cells: pd.DataFrame, texts: KnownTexts, add_note: AddNote) -> pd.DataFrame:
    """Spell texts as the model knows them, where its author's code did so before the fit.

    Args:
        cells: texts, "" where there is nothing.
        texts: what the model knows as texts.
        add_note: called for each column that is spelled anew.
    """
    spelled = {}
    for name in cells.columns:
        found = texts.find_spellings(str(name), set(cells[name]) - {""})
        if found:
            spelled[name] = cells[name].replace(found)
            first, *others = found
            more = f", and {len(others)} more alike" if others else ""
            add_note(
                f"Column {name!r}: {first!r} is read as {found[first]!r}, as the model knows it"
                f"{more}."
            )
    return assign_columns(cells, spelled)
