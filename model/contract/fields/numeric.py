"""Fields that take a number between two bounds."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from model.contract import formatting
from model.contract.fields.base import Sample, Value, make_error
from model.contract.fields.ordered import OrderedField
from model.contract.reading import NotANumberError, read_number

_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch
_MAX_PLAIN = 15
"""Characters of a plain number that is read without ``read_number``; longer ones are rare."""


_FIRST_YEAR, _LAST_YEAR = 1000, 3000
"""Bounds of what is called a year and is one, which gets no thousands separator."""


class PluralForms(BaseModel):
    """A noun after a number, by CLDR plural category; every language has ``other``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    zero: str = ""
    """The form for zero, in languages that have one."""

    one: str = ""
    """The form for one."""

    two: str = ""
    """The form for two, in languages that have one."""

    few: str = ""
    """The form for a few, in languages that have one."""

    many: str = ""
    """The form for many, in languages that have one."""

    other: str
    """The form for all other numbers."""


class NumericField(OrderedField):
    """What integers and numbers share.

    ``count_text`` is the noun after a number ("3 bedrooms"), ``apart`` that after a difference
    ("20 years"). ``zero_text`` replaces the reason for 0 ("no garage"); ``larger_text`` and
    ``smaller_text`` say how another row differs ("{amount} larger").
    """

    unit: str = Field(default="", max_length=20)
    """The unit, written after the number."""

    unit_spellings: tuple[str, ...] = ()
    """Other spellings of the unit that a visitor may type, in lower case."""

    count_text: PluralForms | None = None
    """The noun for what the number counts; it takes the place of the unit."""

    apart: PluralForms | None = None
    """The noun for the difference between two values, if it is another one."""

    zero_text: str = ""
    """The reason to give for 0, in place of ``reason_text``."""

    larger_text: str = ""
    """How a row with a larger value differs. Placeholder: ``{amount}``."""

    smaller_text: str = ""
    """How a row with a smaller value differs. Placeholder: ``{amount}``."""

    min: int | float
    max: int | float
    example: int | float

    grouping: bool = True
    """Whether thousands are grouped: 1,850. A year is not: 1995."""

    json_types: ClassVar[tuple[type, ...]] = (int, float)

    json_noun: ClassVar[str] = "number"
    """What a value is in JSON."""

    @property
    def suffix(self) -> str:
        return self.unit

    @property
    def accepted_json_text(self) -> str:
        return f"{self.json_noun}, {self.accepted_text}"

    def _read_number(self, value: object) -> int | float:
        number: float
        if isinstance(value, str) and len(value) <= _MAX_PLAIN and _PLAIN(value):
            # Most people type this, and it is the fastest way to read it.
            number = int(value) if value.isdigit() else float(value)
        elif isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._not_a_number()
        elif isinstance(value, str):
            try:
                number = float(read_number(value, self._units))
            except NotANumberError:
                raise self._not_a_number() from None
        else:
            number = value
            if isinstance(value, float) and not math.isfinite(value):
                raise self._not_a_number()
        self._check_bounds(number)
        return number

    def is_incomplete(self, typed: str) -> bool:
        return any(self._takes(typed + ending) for ending in self._list_endings(typed.lower()))

    def _takes(self, text: str) -> bool:
        try:
            self.read(text)
        except PydanticCustomError:
            return False
        return True

    def _list_endings(self, typed: str) -> Iterator[str]:
        """What may follow in a text: the least and the most digits, those of a bound, a unit."""
        digits = "".join(filter(str.isdecimal, typed))
        for bound in (self.min, self.max):
            spelled = "".join(filter(str.isdecimal, format(Decimal(repr(bound)), "f")))
            if spelled.startswith(digits):
                yield spelled[len(digits) :]
            for count in range(1, len(spelled) + 1):
                yield from ("0" * count, "9" * count)
        for unit in self._units:
            for length in range(1, len(unit)):
                if typed.endswith(unit[:length]):
                    yield unit[length:]

    @cached_property
    def _units(self) -> tuple[str, ...]:
        return (self.unit.lower(), *self.unit_spellings) if self.unit else self.unit_spellings

    def _not_a_number(self) -> PydanticCustomError:
        sample = self.format_bare(self.example)
        return make_error("number", f"{self.label} must be a number, like {sample}")

    def format_bare(self, value: Any) -> str:
        return formatting.format_short(value, self._locale, self.grouping)

    def format_value(self, value: Any) -> str:
        return self._format_amount(value, self.count_text)

    def _format_amount(self, value: float, forms: PluralForms | None) -> str:
        text = self.format_bare(value)
        if forms is not None:
            form = formatting.plural_form(value, self._locale)
            return f"{text}\u00a0{getattr(forms, form) or forms.other}"
        return f"{text}\u00a0{self.unit}" if self.unit else text

    def format_fact(self, value: Any) -> str:
        return super().format_fact(value) if self.count_text is None else self.format_value(value)

    def split_reason(self, value: Any) -> tuple[str, str, str]:
        if value == 0 and self.zero_text:
            return self.zero_text, "", ""
        if self.count_text is not None and "reason_text" not in self.model_fields_set:
            return "", self.format_value(value), ""  # the plural form already contains the noun
        return super().split_reason(value)

    def format_difference(self, value: Any, other: Any) -> str:
        amount = self._format_amount(abs(other - value), self.apart or self.count_text)
        larger, smaller = self._comparisons
        return (larger if other > value else smaller).format(amount=amount)

    def split_deviation(self, value: Any, reference: Any) -> tuple[str, str, str]:
        amount = abs(value - reference)
        if self.apart is None:
            less = "less" if self.count_text is None else "fewer"
            words = f" {'more' if value > reference else less} than typical"
            return ", ", self.format_bare(amount), words
        text = self._comparisons[value < reference]
        before, _, after = text.partition("{amount}")
        return f", {before}", self._format_amount(amount, self.apart), f"{after} than typical"

    @cached_property
    def _comparisons(self) -> tuple[str, str]:
        """The texts for a larger and a smaller value; plural forms already contain the noun."""
        has_noun = self.count_text or self.apart
        noun = "" if has_noun else self.noun.replace("{", "{{").replace("}", "}}")
        start = f"{noun} {{amount}}" if noun else "{amount}"
        return self.larger_text or f"{start} more", self.smaller_text or f"{start} less"

    @property
    def json_notes(self) -> tuple[str, ...]:
        return (f"In {self.unit}",) if self.unit else ()

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        plain = sample.unit.lower().replace(" ", "")
        spellings = {plain, plain.rstrip("s")} if " " in sample.unit else set()
        keys = {"unit": sample.unit, "unit_spellings": sorted(spellings)}
        return super().draft(sample._replace(keys={**sample.keys, **keys}))


class IntegerField(NumericField):
    """A whole number between two bounds."""

    kind: Literal["integer"]
    """The kind of field."""

    min: int
    max: int
    example: int
    """A value that the field takes, for the OpenAPI text."""

    json_noun: ClassVar[str] = "whole number"
    codes_text: ClassVar[str] = "whole numbers"
    input_mode: ClassVar[str] = "numeric"

    def read(self, value: object) -> int:
        number = self._read_number(value)
        if number != int(number):
            sample = self.format_bare(self.example)
            raise make_error("whole", f"{self.label} must be a whole number, like {sample}")
        return int(number)

    def decode(self, code: float) -> int | None:
        return None if math.isnan(code) else round(code)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        field = super().draft(sample)
        is_year = "year" in field.name and field.min >= _FIRST_YEAR and field.max < _LAST_YEAR
        return field.model_copy(update={"grouping": False, "help": ""}) if is_year else field

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.min, "maximum": self.max}


class NumberField(NumericField):
    """A number between two bounds; it may have decimals."""

    kind: Literal["number"]
    """The kind of field."""

    codes_text: ClassVar[str] = "numbers"
    whole: ClassVar[bool] = False
    input_mode: ClassVar[str] = "decimal"

    def read(self, value: object) -> float:
        return float(self._read_number(value))

    def decode_typed(self, code: float) -> Value:
        # Nobody types sixteen digits, but rounding may pass a bound that is the outermost row.
        rounded = formatting.round_short(code)
        code = rounded if self.min <= rounded <= self.max else code
        return format(Decimal(repr(code)), "f") if "e" in repr(code) else code

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.min, "maximum": self.max}
