"""Numbers that a data file holds as text, or that look different to a German and to a program."""

import re
from collections.abc import Callable, Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from model.contract import formatting
from model.contract.reading import (
    AmbiguousColumnError,
    DecimalSign,
    NotANumberError,
    decide_decimal_sign,
    list_readings,
    read_column,
)
from model.making.data.assigning import assign_columns
from model.making.errors import AddError
from model.making.options import LOCALE, AddNote

_QUANTITY = re.compile(r"\s*[-+]?[0-9][0-9.,']*\s*(?P<unit>%|[^\W\d_][^\d]{0,19}?)\s*").fullmatch
"""A number and its unit, as long as a card takes it. A currency is read wherever a number is."""
_MOST_CLASSES = 12
_THOUSAND = 1000
_THOUSANDS = r"\s*[-+]?[1-9][0-9]{0,2}\.[0-9]{3}\s*"
"""A text that may be decimals or thousands."""


def read_number_texts(cells: pd.Series, decimal: DecimalSign | None) -> pd.Series | None:
    """Read the texts of a column as numbers, all with one sign for decimals.

    Args:
        cells: the column; empty cells stay empty.
        decimal: what separates decimals where the column does not tell, None where nobody said.

    Returns:
        The numbers, or None where a text is none.

    Raises:
        AddError: if the texts could be two numbers each, and nobody said which.
    """
    known = cells.dropna()
    texts = known.tolist()
    if not texts or not all(map(_is_number, dict.fromkeys(texts))):
        return None
    numbers = read_column(texts, _decide_sign(str(cells.name), texts, decimal))
    if None in numbers:
        return None
    read = pd.Series(np.nan, cells.index, dtype=float, name=cells.name)
    read[known.index] = [float(number) for number in numbers if number is not None]
    whole = len(known) == len(cells) and not (read % 1).any()
    return read.astype("int64") if whole else read


class Quantities(NamedTuple):
    """The numbers of a column, and the unit that stood behind each.

    Where the column does not tell what separates decimals, they are still texts.
    """

    numbers: pd.Series
    unit: str


def read_quantities(
    rows: pd.DataFrame,
    are_texts: Callable[[str, pd.Series], bool],
    decimal: DecimalSign | None,
    add_note: AddNote,
) -> dict[str, Quantities]:
    """Read the columns whose every cell has the same unit, like "45 %" or "23.4 kmpl", by column.

    A few different texts may be classes that an author coded, like "36 months", and stay texts.

    Args:
        rows: the data.
        are_texts: whether the cells of a column of this name are texts to the model.
        decimal: see ``read_number_texts``.
        add_note: called for each column that is read.
    """
    found = {}
    for name, cells in rows.items():
        texts = cells.dropna()
        unit = _find_unit(texts.unique().tolist())
        if not unit:
            continue
        if are_texts(str(name), cells):
            continue
        bare = cells.str.strip().str.removesuffix(unit).str.strip()
        try:
            numbers = read_number_texts(bare, decimal)
        except AddError:  # which is said where the model takes it
            found[str(name)] = Quantities(bare, unit)
            continue
        if numbers is not None:
            found[str(name)] = Quantities(numbers, unit)
            add_note(_describe(str(name), cells, numbers))
    return found


def _find_unit(texts: list[object]) -> str:
    """The one unit behind the numbers of some different texts; "" where there is none."""
    units = set()
    for text in texts:
        match = _QUANTITY(text) if isinstance(text, str) else None
        units.add(match["unit"] if match else "")
        if len(units) > 1:
            return ""
    unit = next(iter(units), "")
    return unit if unit == "%" or len(texts) > _MOST_CLASSES else ""


def _is_number(cell: object) -> bool:
    """Whether a cell is a text that is a number, whichever sign separates its decimals."""
    try:
        return isinstance(cell, str) and bool(list_readings(cell))
    except NotANumberError as error:
        return error.number is not None and not error.unit


def _decide_sign(name: str, texts: list[str], decimal: DecimalSign | None) -> DecimalSign:
    try:
        return decide_decimal_sign(texts)
    except AmbiguousColumnError as error:
        if decimal is not None:
            return decimal
        if not error.readings:
            first, second = error.texts
            raise AddError(
                f"Column {name!r} holds {first!r} and {second!r}: what separates the decimals? "
                "Write all its numbers in one way."
            ) from None
        point, comma = (formatting.format_exact(float(number), LOCALE) for number in error.readings)
        raise AddError(
            f"Column {name!r} holds {error.texts[0]!r}: is that {point} or {comma}? Say what "
            f"separates decimals: --decimal . for {point}, --decimal , for {comma}."
        ) from None


def read_number_columns(
    table: pd.DataFrame, names: Collection[str], decimal: DecimalSign | None, add_note: AddNote
) -> pd.DataFrame:
    """Read the columns that hold nothing but numbers as text.

    Args:
        table: the data.
        names: the columns that are numbers to the model; others keep their texts.
        decimal: see ``read_number_texts``.
        add_note: called for each column that is read.

    Raises:
        AddError: if a column does not tell what separates its decimals.
    """
    read = {}
    for name in names:
        if pd.api.types.is_numeric_dtype(table[name].dtype):
            continue
        numbers = read_number_texts(table[name], decimal)
        if numbers is not None:
            read[name] = numbers
            add_note(_describe(name, table[name], numbers))
    return assign_columns(table, read)


def _describe(name: str, cells: pd.Series, numbers: pd.Series) -> str:
    first = cells.first_valid_index()
    shown = formatting.format_exact(float(numbers[first]), LOCALE)
    return f"Column {name!r}: {cells[first]!r} is read as {shown}."


def settle_thousands(
    table: pd.DataFrame,
    read_texts: Callable[[list[str]], pd.DataFrame],
    decimal: DecimalSign | None,
    add_note: AddNote,
) -> pd.DataFrame:
    """Settle what the columns hold whose fractions may be thousands: 1.850 is 1850 in German.

    Args:
        table: the data, numbers read with a decimal point.
        read_texts: reads some of its columns as they stand in the file.
        decimal: see ``read_number_texts``.
        add_note: called for each column in which no cell proves how it is read.

    Raises:
        AddError: if a column does not tell what separates its decimals.
    """
    doubtful = [name for name in table.columns if _may_be_thousands(table[name])]
    if not doubtful:
        return table
    read = {}
    for name, cells in read_texts(doubtful).items():
        thousands = cells.str.fullmatch(_THOUSANDS, na=False)
        if (cells.str.contains(".", regex=False, na=False) & ~thousands).any():
            continue  # like 2.5, which is no thousand
        texts = [text.strip() for text in cells.dropna()]
        sign = _decide_sign(str(name), texts, decimal)
        numbers = table[name]
        if sign == "," and (found := read_number_texts(cells.str.strip(), sign)) is not None:
            read[name] = numbers = found
        add_note(_describe(str(name), cells[thousands], numbers))
    return assign_columns(table, read)


def _may_be_thousands(cells: pd.Series) -> bool:
    """Whether a column has fractions, all of them of three digits after one to three others."""
    if not pd.api.types.is_float_dtype(cells.dtype):
        return False
    values = np.abs(cells.dropna().to_numpy(dtype=float))
    if not np.isfinite(values).all():
        return False
    fractions = values[values % 1 != 0]
    in_thousands = fractions * _THOUSAND
    return bool(
        len(fractions)
        and (fractions > 1).all()
        and (fractions < _THOUSAND).all()
        and np.allclose(in_thousands, np.round(in_thousands), rtol=0, atol=1e-6)
    )
