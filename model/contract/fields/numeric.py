"""Fields that take a number between two bounds."""

import math
import re
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from model.contract import formatting
from model.contract.fields.base import BaseField, make_error
from model.contract.reading import NotANumberError, read_number

_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch
_MAX_PLAIN = 15
"""Characters of a plain number that is read without ``read_number``; longer ones are rare."""


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


class NumericField(BaseField):
    """What integers and numbers share.

    ``count_text`` is the noun after a number ("3 bedrooms"), ``apart`` that after a difference
    ("20 years"). ``zero_text`` replaces the reason for 0 ("it has no garage"); ``larger_text`` and
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
    """The smallest value that the field takes."""

    max: int | float
    """The largest value that the field takes."""

    example: int | float
    """A value between ``min`` and ``max``, for error messages and the OpenAPI text."""

    grouping: bool = True
    """Whether thousands are grouped: 1,850. A year is not: 1995."""

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> "NumericField":
        if not self.min < self.max:
            raise ValueError(f"min must be below max: min = {self.min}, max = {self.max}")
        if not self.min <= self.example <= self.max:
            raise ValueError(f"example = {self.example} is outside min and max")
        return self

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
        if not self.min <= number <= self.max:
            low, high = self.format_number(self.min), self.format_number(self.max)
            raise make_error("range", f"{self.label} must be between {low} and {high}")
        return number

    @cached_property
    def _units(self) -> tuple[str, ...]:
        return (self.unit.lower(), *self.unit_spellings) if self.unit else self.unit_spellings

    def _not_a_number(self) -> PydanticCustomError:
        sample = self.format_number(self.example)
        return make_error("number", f"{self.label} must be a number, like {sample}")

    def format_number(self, value: float) -> str:
        """The number without its unit, in the card's locale; see ``formatting.format_short``."""
        return formatting.format_short(value, self._locale, self.grouping)

    def format_value(self, value: Any) -> str:
        return self._format_amount(value, self.count_text)

    def _format_amount(self, value: float, forms: PluralForms | None) -> str:
        text = self.format_number(value)
        if forms is not None:
            form = formatting.plural_form(value, self._locale)
            return f"{text}\u00a0{getattr(forms, form) or forms.other}"
        return f"{text}\u00a0{self.unit}" if self.unit else text

    def format_fact(self, value: Any) -> str:
        return super().format_fact(value) if self.count_text is None else self.format_value(value)

    def format_reason(self, value: Any) -> str:
        if value == 0 and self.zero_text:
            return self.zero_text
        return super().format_reason(value)

    def format_difference(self, value: Any, other: Any) -> str:
        amount = self._format_amount(abs(other - value), self.apart or self.count_text)
        larger, smaller = self._comparisons
        return (larger if other > value else smaller).format(amount=amount)

    @cached_property
    def _comparisons(self) -> tuple[str, str]:
        """The texts for a larger and a smaller value; plural forms already contain the noun."""
        has_noun = self.count_text or self.apart
        noun = "" if has_noun else self.noun.replace("{", "{{").replace("}", "}}")
        start = f"{noun} {{amount}}" if noun else "{amount}"
        return self.larger_text or f"{start} more", self.smaller_text or f"{start} less"


class IntegerField(NumericField):
    """A whole number between two bounds."""

    kind: Literal["integer"]
    """The kind of field."""

    min: int
    max: int
    example: int
    """A value that the field takes, for the OpenAPI text."""

    def read(self, value: object) -> int:
        number = self._read_number(value)
        if number != int(number):
            sample = self.format_number(self.example)
            raise make_error("whole", f"{self.label} must be a whole number, like {sample}")
        return int(number)

    def decode(self, code: float) -> int | None:
        return None if math.isnan(code) else round(code)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.min, "maximum": self.max}


class NumberField(NumericField):
    """A number between two bounds, fractions allowed."""

    kind: Literal["number"]
    """The kind of field."""

    def read(self, value: object) -> float:
        return float(self._read_number(value))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.min, "maximum": self.max}
