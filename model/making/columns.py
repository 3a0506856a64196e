"""What each column of the data is: a number, a whole number, a choice or a yes or no."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from model.contract.sources import CellValue, Source
from model.making.errors import AddError
from model.making.naming import Naming, name_columns, readable

Kind = Literal["integer", "number", "choice", "flag"]
KINDS: tuple[Kind, ...] = ("integer", "number", "choice", "flag")

MOST_CHOICES = 250
"""Values that a list can offer; nobody scrolls further."""

_CODES = 12
_BY_FREQUENCY = 7
_PAIRS = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("off", "on"), ("0", "1"),
)  # fmt: skip
_ID = re.compile(r"(?:.*[\s_.\-])?(?:id|uuid|index|key|nr|no)|unnamed: \d+", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}/\d{1,2}/\d{1,2}")
_NUMBER = re.compile(r"[-+]?[$€£]?\s*\d[\d,.' ]*\s*[%$€£]?")


@dataclass(frozen=True)
class DataColumn:
    """One column: its field's names, its kind and why, and its cells in the data.

    ``labels`` are what people read for each value of a choice; ``asked`` is True where a person
    says that it is always asked for.
    """

    naming: Naming
    kind: Kind
    source: Source
    labels: tuple[str, ...]
    cells: pd.Series
    guess: str
    asked: bool = False

    @property
    def missing(self) -> int:
        """How many rows have nothing here."""
        return int(self.cells.isna().sum())


def study(
    table: pd.DataFrame,
    names: Sequence[str],
    encoded: set[str],
    kinds: Mapping[str, Kind],
    required: Collection[str] = (),
) -> list[DataColumn]:
    """Find out what each column is.

    Args:
        table: the data.
        names: the columns that the model takes, in its order.
        encoded: those that it takes for categories although they may hold numbers.
        kinds: what a person says that columns are.
        required: those that are always asked for, as a person says.

    Raises:
        AddError: for every column that a form cannot ask for, all in one message.
    """
    for option, said in (("--kind", kinds), ("--required", required)):
        if strangers := [name for name in said if name not in names]:
            raise AddError(f"{option} names {strangers[0]!r}, which the model does not take.")
    studied: dict[str, tuple[Kind, Source, tuple[str, ...], str]] = {}
    wrong = []
    for name in names:
        try:
            studied[name] = _study(name, table[name], name in encoded, kinds.get(name))
        except AddError as error:
            wrong.append(str(error))
    if wrong:
        raise AddError("\n".join(wrong))
    numbers = {name for name in names if studied[name][0] in ("integer", "number")}
    return [
        DataColumn(naming, *studied[name][:3], table[name], studied[name][3], name in required)
        for name, naming in zip(names, name_columns(list(names), numbers), strict=True)
    ]


def _study(
    name: str, cells: pd.Series, encoded: bool, said: Kind | None
) -> tuple[Kind, Source, tuple[str, ...], str]:
    known = cells.dropna()
    distinct = list(known.unique())
    if not distinct:
        raise AddError(f"Column {name!r} is empty. {_WITHOUT}")
    if len(distinct) == 1:
        raise AddError(
            f"Column {name!r} is {distinct[0]!r} in every row: there is nothing to ask. {_WITHOUT}"
        )
    numbers_rows = len(distinct) == len(cells) > 20 and _ID.fullmatch(name) and said is None
    if numbers_rows and not pd.api.types.is_float_dtype(cells.dtype):
        raise AddError(
            f"Column {name!r} has another value in every row: it numbers them, and nobody can give "
            f"it for a new one. {_WITHOUT} (Or say --kind '{name}=integer' if you mean it.)"
        )
    if all(isinstance(value, bool | np.bool_) for value in distinct):
        if cells.isna().any():
            return "flag", Source(column=name, type="text", values=(False, True)), (), "yes or no"
        return "flag", Source(column=name, type="boolean"), (), "True and False"
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return _study_numbers(name, cells, sorted(distinct), encoded, said)
    return _study_text(name, known, said)


_WITHOUT = "Fit the model without this column and add that."


def _study_numbers(
    name: str, cells: pd.Series, distinct: list[Any], encoded: bool, said: Kind | None
) -> tuple[Kind, Source, tuple[str, ...], str]:
    whole_type = pd.api.types.is_integer_dtype(cells.dtype)
    dtype: Literal["integer", "float"] = "integer" if whole_type else "float"
    if not np.isfinite(distinct).all():
        raise AddError(f"Column {name!r} holds infinite numbers. Mend the data, and fit anew.")
    whole = all(float(value).is_integer() for value in distinct)
    plain = Source(column=name, type=dtype)
    if said in (None, "flag") and set(distinct) == {0, 1}:
        return "flag", plain, (), "0 and 1"
    if said == "flag":
        raise AddError(f"--kind says that {name!r} is a flag, but it holds more than 0 and 1.")
    gaps = whole and distinct[-1] - distinct[0] + 1 > len(distinct) <= _CODES
    gaps = gaps and len(cells) >= 5 * len(distinct)
    if said == "choice" or (said is None and (encoded or gaps)):
        if len(distinct) > MOST_CHOICES:
            raise AddError(f"Column {name!r} has {len(distinct)} values, too many for a list.")
        values: tuple[CellValue, ...] = tuple(
            int(value) if whole_type else float(value) for value in distinct
        )
        why = "the model takes it for a category" if encoded else f"{len(values)} whole numbers"
        if said:
            why = "as you say"
        labels = tuple(_plain(value) for value in values)
        return "choice", Source(column=name, type=dtype, values=values), labels, f"codes: {why}"
    if said == "integer" and not whole:
        raise AddError(f"--kind says that {name!r} is a whole number, but it holds fractions.")
    if said == "integer" or (said is None and whole and (whole_type or cells.isna().any())):
        return "integer", plain, (), "whole numbers"
    return "number", plain, (), "numbers"


def _plain(value: CellValue) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _study_text(
    name: str, known: pd.Series, said: Kind | None
) -> tuple[Kind, Source, tuple[str, ...], str]:
    texts = [str(value) for value in known.tolist()]
    counts = pd.Series(texts).value_counts()
    distinct = [str(value) for value in counts.index]
    folded = {value.strip().lower(): value for value in distinct}
    if len(folded) == len(distinct) == 2 and said in (None, "flag"):
        for no, yes in _PAIRS:
            if set(folded) == {no, yes}:
                values = (folded[no], folded[yes])
                guess = f"{values[0]} and {values[1]}"
                return "flag", Source(column=name, type="text", values=values), (), guess
    if said not in (None, "choice"):
        raise AddError(f"--kind says that {name!r} is a {said}, but it holds text.")
    if said is None and all(_DATE.match(value.strip()) for value in distinct):
        raise AddError(
            f"Column {name!r} holds dates as text. A model can learn from a number: fit it on the "
            "year, or on the days since a day, and give the data that column."
        )
    if said is None and all(_NUMBER.fullmatch(value.strip()) for value in distinct):
        raise AddError(
            f"Column {name!r} holds numbers as text, like {distinct[0]!r}. Make them numbers in "
            f"the data, and fit anew; or say --kind '{name}=choice' if they are codes."
        )
    many = len(distinct) > MOST_CHOICES or (len(distinct) > 20 and len(distinct) > len(texts) / 2)
    if many or max(map(len, distinct)) > 100:
        raise AddError(
            f"Column {name!r} holds {len(distinct)} different texts, like {distinct[0][:40]!r}: a "
            "form can offer a list, and this is none. Fit the model without it, or on a column "
            "that sorts these texts into a few groups."
        )
    by_alphabet = len(distinct) > _BY_FREQUENCY
    ordered = sorted(distinct, key=str.lower) if by_alphabet else distinct
    labels = tuple(readable(value) for value in ordered)
    guess = f"{len(ordered)} texts, by {'alphabet' if by_alphabet else 'frequency'}"
    source = Source(column=name, type="text", values=tuple(ordered))
    return "choice", source, labels, guess
