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
    one: str = ""
    two: str = ""
    few: str = ""
    many: str = ""
    other: str


class NumericField(BaseField):
    """What integers and numbers share.

    ``count_text`` is the noun after a number ("3 bedrooms"), ``apart`` that after a difference
    ("20 years"). ``zero_text`` replaces the reason for 0 ("it has no garage"); ``larger_text`` and
    ``smaller_text`` say how another row differs ("{amount} larger").
    """

    unit: str = Field(default="", max_length=20)
    unit_spellings: tuple[str, ...] = ()
    count_text: PluralForms | None = None
    apart: PluralForms | None = None
    zero_text: str = ""
    larger_text: str = ""
    smaller_text: str = ""
    min: int | float
    max: int | float
    example: int | float
    grouping: bool = True

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
    min: int
    max: int
    example: int

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

    def read(self, value: object) -> float:
        return float(self._read_number(value))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.min, "maximum": self.max}
