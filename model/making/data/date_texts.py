"""Dates that a data file holds as text, in one of the ways in which people write them."""

from typing import NamedTuple

import pandas as pd

from model.making.errors import AddError

_SPELLINGS = {
    "ISO8601": "%Y-%m-%d", "%Y/%m/%d": "%Y/%m/%d", "%d.%m.%Y": "%d.%m.%Y",
    "%d/%m/%Y": "%d/%m/%Y", "%m/%d/%Y": "%m/%d/%Y", "%d-%m-%Y": "%d-%m-%Y",
    "%m-%d-%Y": "%m-%d-%Y",
}  # fmt: skip
"""How pandas is told to read each spelling, and how it is written again."""

_EPOCH = pd.Timestamp(1970, 1, 1)


class Dates(NamedTuple):
    """The days since 1970-01-01 of a column's cells, and how the column spells its dates."""

    days: pd.Series
    spelling: str


def read_dates(cells: pd.Series, name: str) -> Dates | None:
    """Read a column of dates; None where it holds something else.

    Args:
        cells: the column; empty cells stay empty.
        name: the column's.

    Raises:
        AddError: if day and month could be either.
    """
    known = cells.dropna()
    if known.empty or pd.api.types.is_numeric_dtype(cells.dtype):
        return None
    found: dict[str, pd.Series] = {}
    for form, spelling in _SPELLINGS.items():
        try:
            stamps = pd.to_datetime(known.astype(str).str.strip(), format=form, utc=True)
        except ValueError:
            continue
        found[spelling] = (stamps.dt.tz_localize(None).dt.normalize() - _EPOCH).dt.days
    if not found:
        return None
    (spelling, first), *others = found.items()
    if any((other != first).any() for _, other in others):
        raise AddError(
            f"Column {name!r} holds dates like {known.iloc[0]!r}, in which day and month could be "
            "either. Write them like 2020-05-31 in the data."
        )
    return Dates(first.reindex(cells.index), spelling)
