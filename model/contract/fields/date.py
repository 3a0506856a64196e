"""A field that takes a day, in ISO 8601 or as people write it in the card's locale."""

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from babel import dates
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.fields.base import INVALID, make_error
from model.contract.fields.ordered import OrderedField
from model.contract.reading import clean_text

_EPOCH = dt.date(1970, 1, 1).toordinal()
_MOST_DAYS = 400_000
"""A drafted bound that leaves room beyond these is still within the years that Python knows."""

_MAX_LENGTH = 60
"""Characters of the longest text that is read as a date."""

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_ISO_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ][0-9:.]+(?:Z|[-+][0-9:]+)?").fullmatch
_BEGINS_ISO = re.compile(
    "[0-9]{3,4}|[0-9]{1,4}-([01]|(0[1-9]|1[0-2])(-([0-3]|[0-2][0-9]|3[01])?)?)?"
).fullmatch
"""Whether a text is a date in ISO 8601, or begins one; one or two digits may be a day."""

_POINTS = re.compile(r"[\d\s]+\.[\d\s]+\.[\d\s]+\.?\s*").fullmatch
_SLASHED = re.compile(r"\s*(\d{1,2})[/-](\d{1,2})[/-]\d{4}\s*").fullmatch
"""Two numbers that may be day and month, and a year."""

_MONTHS = 12

_PARTS = re.compile(r"\d+|[^\d\s.,/\-]+").findall
"""Splits a date into numbers and words."""

_YEAR_DIGITS = 4
_FORMATS = ("medium", "long", "MMM", "MMMM", "LLLL")
"""How a locale writes a date, then a month's name alone."""


def _check_iso(text: str) -> str:
    if not _ISO(text):
        raise ValueError("write a date like 2010-05-31")
    return dt.date.fromisoformat(text).isoformat()


IsoDate = Annotated[str, AfterValidator(_check_iso), Field(json_schema_extra={"format": "date"})]
"""A date as text in ISO 8601; such texts are in order as their dates are."""


class DateField(OrderedField):
    """A day between two bounds, as ISO text; the model gets the days since 1970-01-01."""

    kind: Literal["date"]
    """The kind of field."""

    min: IsoDate
    """The first day that the field takes, like 2006-01-01."""

    max: IsoDate
    """The last day that the field takes."""

    example: IsoDate

    codes_text: ClassVar[str] = "dates"

    @property
    def input_attributes(self) -> dict[str, str]:
        """A picker of the days between the bounds."""
        return {"type": "date", "min": self.min, "max": self.max}

    @property
    def accepted_json_text(self) -> str:
        return f"date, {self.min} to {self.max}"

    def read_json(self, value: object) -> object:
        """A text as the form takes it, or a moment, of which the day counts.

        A program sees no date that it could put right, so 3/4/2012 is none.
        """
        found = super().read_json(value)
        if self._day_first is None and isinstance(found, str) and (parts := _SLASHED(found)):
            first, second = int(parts[1]), int(parts[2])
            if first != second and max(first, second) <= _MONTHS:
                return INVALID
        return self.translate_cell(found) if isinstance(found, str) else found

    def format_input(self, typed: str) -> str:
        """What was typed, in ISO 8601 where it is a date: a picker shows nothing else."""
        try:
            return read_date(typed, self._locale).isoformat()
        except ValueError:
            return typed

    def read(self, value: object) -> str:
        try:
            typed = value if isinstance(value, str) else ""
            text = read_date(typed, self._locale, self._day_first).isoformat()
        except ValueError:
            message = f"{self.label} must be a date, like {self.example}"
            if self._day_first is not None and _SLASHED(typed):
                first, second = ("day", "month") if self._day_first else ("month", "day")
                message += f", or have the {first} before the {second} as at the file's beginning"
            raise make_error("date", message) from None
        self._check_bounds(text)
        return text

    @cached_property
    def _day_first(self) -> bool | None:
        """Whether the day stands before the month; None where the locale decides."""
        return None

    def settle_dates(self, cells: Iterable[object]) -> tuple[Self, str]:
        found = [match for cell in cells if isinstance(cell, str) and (match := _SLASHED(cell))]
        if not found:
            return self, ""
        days_first = any(int(match[1]) > _MONTHS for match in found)
        months_first = any(int(match[2]) > _MONTHS for match in found)
        settled = self.model_copy()
        # What is guessed is held, too: a later row that tells the opposite is an error.
        proven = days_first if days_first != months_first else self._locale_day_first
        settled.__dict__["_day_first"] = proven
        telling = next((match for match in found if int(match[1]) != int(match[2])), found[0])
        with suppress(PydanticCustomError):
            first = telling[0].strip()
            day = settled.format_value(settled.read(first))
            return settled, f"{self.label}: {first} is read as {day}."
        return settled, ""

    @property
    def _locale_day_first(self) -> bool | None:
        """The same in the card's locale; None where a year stands first."""
        try:
            return read_date("3/4/2012", self._locale).day == 3
        except ValueError:
            return None

    def translate_cell(self, cell: object) -> object:
        moment = _ISO_MOMENT(cell) if isinstance(cell, str) else None
        return moment[1] if moment else super().translate_cell(cell)

    def is_incomplete(self, typed: str) -> bool:
        start = typed.strip().lstrip("0")  # a picker gives the year 0002 on the way to 2010
        if _BEGINS_ISO(start):
            year, _, rest = start.partition("-")
            in_bounds = self.min[: len(year)] <= year <= self.max[: len(year)]
            return in_bounds and (len(year) < _YEAR_DIGITS or len(rest) < len("05-31"))
        numbers, words = _split(typed[:_MAX_LENGTH])
        lengths = [len(number) for number in numbers]
        return (
            any(month.startswith(words) for month in _read_months(self._locale))
            and max(lengths, default=0) <= _YEAR_DIGITS
            and (len(numbers) + bool(words) < 3 or max(lengths) < _YEAR_DIGITS)
        )

    @property
    def encoder(self) -> Callable[[Any], float]:
        return _count_days

    def decode(self, code: float) -> str | None:
        return None if math.isnan(code) else dt.date.fromordinal(round(code) + _EPOCH).isoformat()

    def format_value(self, value: Any) -> str:
        return formatting.format_date(dt.date.fromisoformat(value), self._locale)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date"}

    @property
    def json_notes(self) -> tuple[str, ...]:
        return (
            f"From {self.min} to {self.max}; what the form takes is taken, too, where day and "
            "month cannot be mistaken",
        )

    @classmethod
    def find_misfit(cls, numbers: Float64Array) -> str:
        if np.abs(numbers).max() > _MOST_DAYS:
            return "it holds more days than anybody counts from 1970-01-01"
        return super().find_misfit(numbers)


def _count_days(value: str) -> float:
    return float(dt.date.fromisoformat(value).toordinal() - _EPOCH)


def read_date(text: str, locale: str, day_first: bool | None = None) -> dt.date:
    """Read a date as a person writes it.

    Accepts ISO 8601, three numbers in the locale's order or from the year on, and the month by its
    name in the locale. The year has four digits: 05/06/07 could be anything. Points stand between
    day, month and year in every locale.

    Args:
        text: what was typed.
        locale: decides whether the day is first in 3/4/2012.
        day_first: decides that instead of the locale, where it is not None.

    Raises:
        ValueError: if the text is anything else.
    """
    numbers, words = _split(text[: _MAX_LENGTH + 1])
    month = _read_months(locale).get(words)
    lengths = sorted(map(len, numbers))
    if month is None or len(text) > _MAX_LENGTH or len(numbers) != (2 if month else 3):
        raise ValueError(text)
    if lengths[-1] != _YEAR_DIGITS or lengths[-2] == _YEAR_DIGITS:
        raise ValueError(text)
    if month:
        day, year = sorted(numbers, key=len)
        return dt.date(int(year), month, int(day))
    if len(numbers[0]) == _YEAR_DIGITS:
        return dt.date(*map(int, numbers))
    if _POINTS(text):
        day_first = True
    if day_first is not None:
        first, second, last = map(int, numbers)
        return dt.date(last, second, first) if day_first else dt.date(last, first, second)
    return dates.parse_date("/".join(numbers), locale, "short")


def _split(text: str) -> tuple[list[str], str]:
    """The numbers of a date, and all its words as one."""
    parts = _PARTS(clean_text(text).casefold())
    return [part for part in parts if part.isdecimal()], "".join(
        part for part in parts if not part.isdecimal()
    )


@lru_cache(maxsize=64)
def _read_months(locale: str) -> dict[str, int]:
    """The month that the words of a date mean, 0 where they mean none and a number does.

    A locale's own dates teach them: in Spanish "denoviembrede" means 11, in Japanese "年月日" none.
    """
    found: dict[str, set[int]] = {"": set()}
    for month in range(1, 13):
        for pattern in _FORMATS:
            _, words = _split(dates.format_date(dt.date(2010, month, 28), pattern, locale))
            found.setdefault(words, set()).add(month)
    return {words: months.pop() if len(months) == 1 else 0 for words, months in found.items()}
