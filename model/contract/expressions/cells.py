"""Cells of one column, as the functions of an expression take and give them."""

import datetime as dt
import re
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

DATE_TEXT = re.compile(r"\d{4}-\d{2}-\d{2}").fullmatch
"""Matches a date in ISO 8601."""

_EPOCH = dt.date(1970, 1, 1).toordinal()


class CellsError(ValueError):
    """Cells that a function does not take; the message is a sentence without its full stop."""


class Cells(NamedTuple):
    """Cells of one column, or one constant.

    ``array`` (rows,) or () is float64 with NaN where unknown, days since 1970-01-01 for dates; for
    texts it is of objects, with None where unknown.
    """

    kind: Literal["number", "text", "date"]
    array: Any

    @property
    def known(self) -> Any:
        """Where a value is known, shaped as ``array``."""
        return self.array != None if self.kind == "text" else ~np.isnan(self.array)  # noqa: E711 (of each cell)


def make_numbers(array: Any) -> Cells:
    """Make cells of numbers; what is not finite is unknown.

    Args:
        array: float64 or bool, shape (rows,) or ().
    """
    numbers = np.asarray(array, dtype=np.float64)
    # 0 for a finite number, else NaN: a third of the time of np.where.
    return Cells("number", numbers + (numbers - numbers))


def take(kind: str, cells: Cells) -> Any:
    """Return the array of cells of a kind, shape (rows,) or ().

    Raises:
        CellsError: if the cells are of another kind.
    """
    if cells.kind != kind:
        raise CellsError(f"it needs a {kind}, and gets a {cells.kind}")
    return cells.array


take_numbers = partial(take, "number")
take_texts = partial(take, "text")


def take_dates(cells: Cells) -> Any:
    """Return days since 1970-01-01, shape (rows,) or (); a text like "2020-05-31" is a date, too.

    Raises:
        CellsError: if the cells are no dates.
    """
    if cells.kind == "date":
        return cells.array
    if cells.kind == "text" and np.ndim(cells.array) == 0:
        return np.float64(_count_days(cells.array.item()))
    raise CellsError(f"it needs a date, and gets a {cells.kind}")


def _count_days(text: str) -> int:
    try:
        if DATE_TEXT(text):
            return dt.date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        pass
    raise CellsError(f"{text!r} is no date; write one like 2020-05-31")


def name_cell(kind: str, cell: Any) -> str:
    """Return a known cell as the key of a lookup: 5 for 5.0, 2020-05-31 for a day."""
    if kind == "text":
        return str(cell)
    if kind == "date":
        return dt.date.fromordinal(int(cell) + _EPOCH).isoformat()
    return str(int(cell)) if float(cell).is_integer() else str(cell)
