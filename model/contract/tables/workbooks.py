"""Reads tables from workbooks; python-calamine belongs to `make batch-tools`."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from html import unescape
from itertools import chain
from typing import Any, BinaryIO

from model.contract.tables.table import Block, OpenTable, ReadOptions, TableError

_MOST_EXACT = 10**15
"""A spreadsheet keeps fifteen digits of a number."""

_PERCENT_FORMATS = frozenset({"9", "10"})
"""The numbers of the formats 0% and 0.00%, which every workbook has."""

# No pattern looks twice at a character: a file may be made to take hours.
_find_cells = re.compile(r"<c\b([^<>]*+)(?<!/)>((?:[^<]++|<(?!/?c\b))*+)</c>").finditer
_find_attributes = re.compile(r'\b(\w++)="([^"]*+)"').findall
_find_value = re.compile(r"<v\b[^<>]*+>([^<]++)</v>|<is\b").search
_find_formula = re.compile(r"<f\b[^<>]*+>([^<]*+)").search
_split_place = re.compile(r"([A-Z]{1,3})([0-9]{1,7})").fullmatch
_drop_literals = re.compile(r'"[^"]*"|\\.').sub
"""Takes out of a format what it says literally."""


def read_workbook(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open the first sheet of a workbook, which can be read at any place.

    Raises:
        TableError: if it is none, its first sheet has no rows or merged cells, or python-calamine
            is missing.
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
        sheet = sheets.get_sheet_by_index(0)
        cells = sheet.to_python(skip_empty_area=False)
    except (CalamineError, OSError, ValueError, IndexError) as error:
        raise TableError(f"{name} cannot be read as a workbook: {error}.") from None
    lost, percent = _find_lost_cells(file)
    for (row, column), text in lost.items():
        if row < len(cells) and column < len(cells[row]):
            cells[row][column] = text
    rows = [row for row in cells if any(cell != "" for cell in row)]
    if len(rows) < 2:
        first_sheet = f'{name}, sheet "{sheets.sheet_names[0]}"'
        raise TableError(f"{first_sheet}, has no rows below the first, which names the columns.")
    _refuse_merged(sheet.merged_cell_ranges or (), cells.index(rows[0]), name)
    blocks = _build_blocks(rows[1:], options.rows)
    first = next(blocks)
    header = tuple(str(cell) for cell in rows[0])
    others = sheets.sheet_names[1:]
    notes = [f"Only the sheet {sheets.sheet_names[0]} was read."] if others else []
    if percent:
        notes.append(f"Cells in percent were read as fractions: {percent}.")
    return OpenTable(header, chain([first], blocks), first, notes)


def _refuse_merged(
    ranges: Sequence[tuple[tuple[int, int], tuple[int, int]]], header_row: int, name: str
) -> None:
    for (top, left), (bottom, _) in ranges:
        if bottom > header_row:
            raise TableError(
                f"{name} has merged cells, in row {top + 1}, column {left + 1}: all but the first "
                "of them are empty. Unmerge them and fill in each."
            )


def _find_lost_cells(file: BinaryIO) -> tuple[dict[tuple[int, int], str], str]:
    """Find what python-calamine does not tell of the first sheet of a .xlsx.

    Returns:
        What stands in the cells that it gives as empty: an error, or a formula that nobody has
        computed; and how a cell that is shown in percent was read, "" where there is none.
    """
    lost: dict[tuple[int, int], str] = {}
    shown = ""
    try:
        with zipfile.ZipFile(file) as archive:
            content = archive.read(_find_first_sheet(archive)).decode()
            percent = _find_percent_styles(archive)
    except (zipfile.BadZipFile, KeyError, ValueError):
        return lost, ""  # a workbook of another kind
    if not percent and 't="e"' not in content and "<f" not in content:
        return lost, ""
    for cell in _find_cells(content):
        attributes = dict(_find_attributes(cell[1]))
        value, formula = _find_value(cell[2] or ""), _find_formula(cell[2] or "")
        place = _split_place(attributes.get("r", ""))
        kind = attributes.get("t", "n")
        if place and value and kind == "e":
            lost[_read_place(*place.groups())] = value[1]
        elif place and formula and not value:
            lost[_read_place(*place.groups())] = f"={unescape(formula[1])}"
        elif value and kind == "n" and not shown and attributes.get("s") in percent:
            shown = f"{100 * float(value[1]):g} % as {float(value[1]):g}"
    return lost, shown


def _read_place(letters: str, digits: str) -> tuple[int, int]:
    """The row and the column of a cell that is called like AB12, from 0."""
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return int(digits) - 1, column - 1


def _list_elements(text: str, tag: str) -> list[dict[str, str]]:
    """The attributes of the elements of XML with this tag, in their order."""
    found = re.findall(rf"<{tag}\b([^<>]*+)>", text)
    return [{key: unescape(value) for key, value in _find_attributes(item)} for item in found]


def _find_first_sheet(archive: zipfile.ZipFile) -> str:
    """Find the file of the first sheet."""
    (first, *_) = _list_elements(archive.read("xl/workbook.xml").decode(), "sheet")
    links = _list_elements(archive.read("xl/_rels/workbook.xml.rels").decode(), "Relationship")
    target = {link["Id"]: link["Target"] for link in links}[first["id"]]
    return target[1:] if target.startswith("/") else f"xl/{target}"


def _find_percent_styles(archive: zipfile.ZipFile) -> set[str]:
    """Find the styles of cells that are shown in percent, as cells name them."""
    if "xl/styles.xml" not in archive.namelist():
        return set()
    text = archive.read("xl/styles.xml").decode()
    formats = set(_PERCENT_FORMATS)
    for item in _list_elements(text, "numFmt"):
        if "%" in _drop_literals("", item["formatCode"]):
            formats.add(item["numFmtId"])
    styles = _list_elements(text.partition("<cellXfs")[2].partition("</cellXfs>")[0], "xf")
    return {str(index) for index, style in enumerate(styles) if style.get("numFmtId") in formats}


def _build_blocks(rows: Sequence[Sequence[Any]], size: int) -> Iterator[Block]:
    for start in range(0, len(rows), size):
        some = [[_simplify(cell) for cell in row] for row in rows[start : start + size]]
        yield Block(list(zip(*some, strict=True)), len(some), texts=False)


def _simplify(cell: Any) -> Any:
    """A workbook has every number as a float."""
    is_whole = isinstance(cell, float) and cell.is_integer() and abs(cell) < _MOST_EXACT
    return int(cell) if is_whole else cell
