"""What the functions and operators of an expression do with cells.

Unknown gives unknown, except where the answer does not depend on it: ``0 and unknown`` is 0, and
``fill`` is there to put something in its place. Truth is 1, falsehood 0.
"""

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from model.contract.expressions.cells import (
    Cells,
    CellsError,
    make_numbers,
    name_cell,
    take_dates,
    take_numbers,
    take_texts,
)

LookupTable = Mapping[str, float | str]
"""What each key becomes; all numbers, or all texts."""


class Function(NamedTuple):
    """A function, and how many arguments it takes."""

    compute: Callable[..., Cells]
    least: int
    most: int


def look_up(cells: Cells, table: LookupTable) -> Cells:
    """Return what the table has for each cell; unknown where it has nothing."""
    names = [
        table.get(name_cell(cells.kind, cell)) if known else None
        for cell, known in zip(
            np.atleast_1d(cells.array).tolist(), np.atleast_1d(cells.known).tolist(), strict=True
        )
    ]
    if any(isinstance(value, str) for value in table.values()):
        return Cells("text", np.array(names, dtype=object).reshape(np.shape(cells.array)))
    return make_numbers(np.array(names, dtype=float).reshape(np.shape(cells.array)))


def _numeric(compute: Callable[..., Any]) -> Callable[..., Cells]:
    return lambda *cells: make_numbers(compute(*map(take_numbers, cells)))


def _add(left: Cells, right: Cells) -> Cells:
    if left.kind == right.kind == "text":
        known = left.known & right.known
        first, second = (np.where(known, cells.array, "") for cells in (left, right))
        texts: Any = first + second
        return Cells("text", np.where(known, texts, None))
    if left.kind == "date":
        return Cells("date", left.array + take_numbers(right))
    if right.kind == "date":
        return Cells("date", take_numbers(left) + right.array)
    return make_numbers(take_numbers(left) + take_numbers(right))


def _subtract(left: Cells, right: Cells) -> Cells:
    """Two dates give the days between them, a date and a number another date."""
    if left.kind == "date" and right.kind == "number":
        return Cells("date", left.array - right.array)
    if "date" in (left.kind, right.kind):
        return make_numbers(take_dates(left) - take_dates(right))
    return make_numbers(take_numbers(left) - take_numbers(right))


def _compare(compare: Callable[[Any, Any], Any]) -> Callable[[Cells, Cells], Cells]:
    def compute(left: Cells, right: Cells) -> Cells:
        if "date" in (left.kind, right.kind):
            return _mask(compare(take_dates(left), take_dates(right)), left, right)
        if compare in (operator.eq, operator.ne) and left.kind == right.kind == "text":
            return _mask(compare(left.array, right.array), left, right)
        return _mask(compare(take_numbers(left), take_numbers(right)), left, right)

    return compute


def _mask(truth: Any, *cells: Cells) -> Cells:
    """A truth, unknown where one of the cells is."""
    known = reduce(operator.and_, (item.known for item in cells))
    return Cells("number", np.where(known, np.asarray(truth, dtype=np.float64), np.nan))


def _and(left: Cells, right: Cells) -> Cells:
    false = (take_numbers(left) == 0) | (take_numbers(right) == 0)
    return Cells("number", np.where(false, 0.0, _mask(True, left, right).array))


def _or(left: Cells, right: Cells) -> Cells:
    first, second = take_numbers(left), take_numbers(right)
    true = (left.known & (first != 0)) | (right.known & (second != 0))
    return Cells("number", np.where(true, 1.0, _mask(False, left, right).array))


def _not(cells: Cells) -> Cells:
    return _mask(take_numbers(cells) == 0, cells)


def _if(condition: Cells, then: Cells, otherwise: Cells) -> Cells:
    chosen = take_numbers(condition)
    kind = _same_kind(then, otherwise)
    value = np.where(chosen != 0, then.array, otherwise.array)
    return Cells(kind, np.where(condition.known, value, None if kind == "text" else np.nan))


def _fill(cells: Cells, value: Cells) -> Cells:
    return Cells(_same_kind(cells, value), np.where(cells.known, cells.array, value.array))


def _same_kind(first: Cells, second: Cells) -> Any:
    if first.kind != second.kind:
        raise CellsError(
            f"both values must be of one kind, and these are a {first.kind} and a {second.kind}"
        )
    return first.kind


def _round(cells: Cells, digits: Cells | None = None) -> Cells:
    if digits is None:
        return make_numbers(np.round(take_numbers(cells)))
    places = take_numbers(digits)
    if np.ndim(places) or not float(places).is_integer() or abs(places) > 15:
        raise CellsError("the digits must be a whole number like 2")
    return make_numbers(np.round(take_numbers(cells), int(places)))


def _of_texts(compute: Callable[..., float]) -> Callable[..., Cells]:
    def apply(cells: Cells, *constants: Cells) -> Cells:
        texts = take_texts(cells)
        others = [take_texts(constant) for constant in constants]
        if any(np.ndim(other) for other in others):
            raise CellsError('the second argument must be a text like "x"')
        found = [
            np.nan if text is None else compute(text, *(other.item() for other in others))
            for text in np.atleast_1d(texts).tolist()
        ]
        return make_numbers(np.array(found).reshape(np.shape(texts)))

    return apply


def _count_months(days: Any) -> Any:
    """The months since January 1970, for whole days since its first, shape (rows,) or ()."""
    return days.astype(_DAY).astype(_MONTH).astype(np.int64)


def _find_day(days: Any) -> Any:
    dates = days.astype(_DAY)
    return (dates - dates.astype(_MONTH)).astype(np.int64) + 1


def _of_days(compute: Callable[[Any], Any]) -> Callable[[Cells], Cells]:
    def apply(cells: Cells) -> Cells:
        days = np.floor(np.asarray(take_dates(cells)))
        unknown = np.isnan(days)
        whole = np.where(unknown, 0, days).astype(np.int64)
        return Cells("number", np.where(unknown, np.nan, compute(whole)))

    return apply


_DAY, _MONTH = np.dtype("datetime64[D]"), np.dtype("datetime64[M]")
_THURSDAY = 3
"""The weekday of 1970-01-01, from Monday on."""

FUNCTIONS: dict[str, Function] = {
    "abs": Function(_numeric(np.abs), 1, 1),
    "contains": Function(_of_texts(lambda text, part: float(part in text)), 2, 2),
    "cos": Function(_numeric(np.cos), 1, 1),
    "day": Function(_of_days(_find_day), 1, 1),
    "fill": Function(_fill, 2, 2),
    "floor": Function(_numeric(np.floor), 1, 1),
    "if": Function(_if, 3, 3),
    "length": Function(_of_texts(lambda text: float(len(text))), 1, 1),
    "log": Function(_numeric(np.log), 1, 1),
    "log1p": Function(_numeric(np.log1p), 1, 1),
    "lookup": Function(look_up, 2, 2),
    "max": Function(_numeric(lambda *found: reduce(np.maximum, found)), 2, 20),
    "min": Function(_numeric(lambda *found: reduce(np.minimum, found)), 2, 20),
    "month": Function(_of_days(lambda days: _count_months(days) % 12 + 1), 1, 1),
    "round": Function(_round, 1, 2),
    "sin": Function(_numeric(np.sin), 1, 1),
    "sqrt": Function(_numeric(np.sqrt), 1, 1),
    "weekday": Function(_of_days(lambda days: (days + _THURSDAY) % 7), 1, 1),
    "year": Function(_of_days(lambda days: _count_months(days) // 12 + 1970), 1, 1),
}
"""Every function by its name."""

OPERATORS: dict[str, Callable[..., Cells]] = {
    "!=": _compare(operator.ne),
    "*": _numeric(operator.mul),
    "**": _numeric(operator.pow),
    "+": _add,
    "-": _subtract,
    "/": _numeric(operator.truediv),
    "<": _compare(operator.lt),
    "<=": _compare(operator.le),
    "==": _compare(operator.eq),
    ">": _compare(operator.gt),
    ">=": _compare(operator.ge),
    "and": _and,
    "negative": _numeric(operator.neg),
    "not": _not,
    "or": _or,
}
"""Every operator by its sign; the minus before one number is ``negative``."""
