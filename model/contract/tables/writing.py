"""Writes a table as CSV that no spreadsheet runs."""

import json
import re
from collections.abc import Sequence
from typing import Any

from model.contract.tables.arrow import are_written_as_is, has_texts, join_columns, list_cells

_RUNS = re.compile(r"[=+\-@\t\r]").match
_any_runs = re.compile(r"^(?:[=@\t\r]|[+\-](?![0-9][0-9.,]*$))", re.MULTILINE).search
"""A text with a line that may run; one with a number below 0 does not."""

_IS_SPECIAL = re.compile('[,"\r]').search
_STARTS = "=+-@\t"
_is_number = re.compile(r"[-+]?[0-9.,]*[0-9][0-9.,]*(?:[eE][-+]?[0-9]+)?").fullmatch


def guard_cell(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula.

    Numbers stay as they are. See "CSV Injection" of OWASP.
    """
    return f"'{text}" if _RUNS(text) and not _is_number(text) else text


def write_row(cells: Sequence[Any]) -> str:
    """Write one row as a line of CSV; None is an empty cell."""
    return ",".join(map(_write_cell, cells)) + "\n"


def write_rows(columns: Sequence[Any]) -> bytes:
    """Write rows, given as columns of texts and numbers, as lines of CSV; None is an empty cell."""
    written = list(map(_write_column, columns))
    if any(map(has_texts, written)):
        return join_columns(written, ",") + b"\n"
    return ("\n".join(map(",".join, zip(*written, strict=True))) + "\n").encode()


def _write_column(cells: Any) -> Any:
    """Write the cells of a column: one by one where one of them has to be quoted or guarded."""
    if has_texts(cells):
        plain = are_written_as_is(cells, b',"\r\n', _STARTS.encode())
        return cells if plain else list(map(_write_cell, list_cells(cells)))
    try:
        text = "\n".join(cells)
    except TypeError:
        return list(map(_write_cell, list_cells(cells)))
    is_special = any(sign in text for sign in ',"\r') or text.count("\n") != len(cells) - 1
    if is_special or (any(sign in text for sign in _STARTS) and _any_runs(text)):
        return list(map(_write_cell, list_cells(cells)))
    return cells


def _write_cell(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, list | dict):
        cell = json.dumps(cell, ensure_ascii=False)
    if not isinstance(cell, str):
        return str(cell)
    text = guard_cell(cell)
    if _IS_SPECIAL(text) or "\n" in text:
        return '"' + text.replace('"', '""') + '"'
    return text
