"""Writes a table as a workbook (.xlsx) while it is made, with nothing but the standard library.

The libraries for it keep all rows, in memory or in files of their own, until the last one is there.
A workbook is a ZIP of a few texts in XML (ECMA-376), and a ZIP can be sent while it is written.
"""

import json
import re
import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO
from xml.sax.saxutils import escape

from model.contract.tables.arrow import list_cells
from model.contract.tables.table import TableError
from model.contract.tables.writing import guard_cell

MOST_ROWS = 1_048_575
"""Rows below the header that a sheet has room for."""

MOST_COLUMNS = 16_384

MOST_CHARACTERS = 32_767
"""Characters of a cell; a longer text is cut."""

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

_SHEET = "xl/worksheets/sheet1.xml"

_PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
    f'<Override PartName="/{_SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="Answers" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    "</Relationships>",
}
"""What every workbook with one sheet has beside it."""

_BEGIN = (
    f'<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_END = "</sheetData></worksheet>"

_is_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?").fullmatch
_MOST_DIGITS = 15
"""Digits of a number that a spreadsheet keeps; a longer one stays a text."""

_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""What a spreadsheet would read as a character by its number."""

_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML has no room for."""


class SheetWriter:
    """Writes rows into the one sheet of a workbook, whose first row stays in view.

    Args:
        file: gets the bytes; it needs ``write`` and ``flush`` and nothing else.
        header: the names of the columns.

    Raises:
        TableError: for more columns than a sheet has room for.
    """

    def __init__(self, file: BinaryIO, header: Sequence[str]) -> None:
        if len(header) > MOST_COLUMNS:
            raise TableError(f"A workbook has room for {MOST_COLUMNS:,} columns. Take CSV.")
        self._rows = 0
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        try:
            for name, text in _PARTS.items():
                self._archive.writestr(zipfile.ZipInfo(name), _DECLARATION + text)
        except OSError:
            self._archive.fp = None  # or it tries once more when it is freed, with a traceback
            raise
        info = zipfile.ZipInfo(_SHEET)
        info.compress_type = zipfile.ZIP_DEFLATED
        self._sheet = self._archive.open(info, "w")
        self._sheet.write(f"{_DECLARATION}{_BEGIN}".encode())
        self._sheet.write(render_rows([[name] for name in header]))

    def write(self, rendered: bytes) -> None:
        """Write rows that ``render_rows`` made.

        Raises:
            TableError: where they are more than a sheet has room for.
        """
        self._rows += rendered.count(b"<row>")
        if self._rows > MOST_ROWS:
            raise TableError(f"A workbook has room for {MOST_ROWS:,} rows. Take CSV.")
        self._sheet.write(rendered)

    def close(self) -> None:
        """Write what stands at the end of the file."""
        with self._archive, self._sheet:
            self._sheet.write(_END.encode())


def render_rows(columns: Sequence[Any]) -> bytes:
    """Write rows, given as columns of texts and numbers, as those of a sheet; None is empty.

    A text that is a number as a spreadsheet writes it becomes one; other texts stay, such as 007 or
    1e5. No text is run as a formula, also after it was saved as CSV.
    """
    lists = [column if isinstance(column, Sequence) else list_cells(column) for column in columns]
    written = [map(_render_cell, cells) for cells in lists]
    rows = zip(*written, strict=True)
    return "".join([f"<row>{''.join(cells)}</row>" for cells in rows]).encode()


def _render_cell(cell: Any) -> str:
    if cell is None or cell == "":
        return "<c/>"
    if isinstance(cell, float):
        return f"<c><v>{cell:.10g}</v></c>" if abs(cell) < float("inf") else "<c/>"
    if isinstance(cell, list | dict):
        cell = json.dumps(cell, ensure_ascii=False)
    text = str(cell)
    if len(text) <= _MOST_DIGITS and _is_number(text):
        return f"<c><v>{text}</v></c>"
    text = guard_cell(text)
    if len(text) > MOST_CHARACTERS:
        text = text[: MOST_CHARACTERS - 1] + "…"
    text = _FORBIDDEN.sub("\ufffd", _ESCAPED.sub("_x005F_", text))
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'
