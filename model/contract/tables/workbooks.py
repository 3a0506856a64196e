"""Reads tables from workbooks; python-calamine belongs to `make batch-tools`."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO

from model.contract.tables.table import Block, OpenTable, ReadOptions, TableError


def read_workbook(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open the first sheet of a workbook, which can be read at any place.

    Raises:
        TableError: if it is none, its first sheet has no rows, or python-calamine is missing.
    """
    try:
        from python_calamine import CalamineError, load_workbook
    except ModuleNotFoundError:
        raise TableError(
            f"{name} needs python-calamine, which is not installed. Run `make batch-tools`, or "
            "save it as CSV."
        ) from None
    try:
        sheets = load_workbook(file)
        rows = sheets.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise TableError(f"{name} cannot be read as a workbook: {error}.") from None
    rows = [row for row in rows if any(cell != "" for cell in row)]
    if len(rows) < 2:
        raise TableError(f"{name} has no rows below the first, which names the columns.")
    blocks = _build_blocks(rows[1:], options.rows)
    first = next(blocks)
    header = tuple(str(cell) for cell in rows[0])
    others = sheets.sheet_names[1:]
    notes = [f"Only the sheet {sheets.sheet_names[0]} was read."] if others else []
    return OpenTable(header, chain([first], blocks), first, notes)


def _build_blocks(rows: Sequence[Sequence[Any]], size: int) -> Iterator[Block]:
    for start in range(0, len(rows), size):
        some = [[_simplify(cell) for cell in row] for row in rows[start : start + size]]
        yield Block(list(zip(*some, strict=True)), len(some), texts=False)


def _simplify(cell: Any) -> Any:
    """A workbook has every number as a float."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
