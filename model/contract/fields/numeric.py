"""Fields that take a number between two bounds."""

import datetime as dt
import math
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field
from pydantic_core import PydanticCustomError

from model.contract import formatting
from model.contract.arrays import Float32Array, Float64Array
from model.contract.fields.base import Meaning, Sample, Value, make_error
from model.contract.fields.digit_patterns import build_pattern
from model.contract.fields.numberings import FIRST_YEAR, find_numbering
from model.contract.fields.ordered import OrderedField
from model.contract.reading import (
    DecimalSign,
    NotANumberError,
    Notation,
    find_decimal_sign,
    list_readings,
    normalize_unit,
)
from model.contract.strict import StrictModel
from model.contract.units import (
    convert,
    list_spellings,
    mentions_currency,
    read_multiple,
    read_words,
)

_PLAIN = r"[-+]?(?:[0-9]+(?:\.(?:[0-9]{1,2}|[0-9]{4,}))?|(?:0+|[0-9]{4,})\.[0-9]{3})"
is_plain_number = re.compile(_PLAIN).fullmatch
"""A number that has one reading everywhere: with three decimals it may be thousands (1.850)."""

are_plain_numbers = re.compile(rf"(?:{_PLAIN}\0)*+{_PLAIN}").fullmatch
"""Several such numbers, with U+0000 between them."""

_SCIENTIFIC = re.compile(r"-?[0-9](?:\.[0-9]+)?[eE][-+][0-9]{2,3}").fullmatch
"""A number as programs write it that is very small or very large: 7e-05."""

_PLAIN_CELL = (
    r"-?(?:[0-9]{1,20}(?:\.(?:[0-9]{1,2}|[0-9]{4,18}))?|(?:0{1,20}|[0-9]{4,20})\.[0-9]{3})"
)
"""The same for cells, no longer than ``list_readings`` takes them."""

_IS_PLAIN = re.compile(_PLAIN_CELL).fullmatch
_ARE_PLAIN = re.compile(rf"(?:{_PLAIN_CELL}\n)*+{_PLAIN_CELL}").fullmatch

MAX_PLAIN = 15
"""Characters of a plain number that is read without ``list_readings``; longer ones are rare."""

_EXACT = 1000
"""Below this, a number from another unit is given with four digits, above it as a whole one."""


class PluralForms(StrictModel):
    """A noun after a number, by CLDR plural category; every language has ``other``."""

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


class _Interpretation(NamedTuple):
    """What a text can mean: the number, or all that it could be with the reason to ask."""

    numbers: tuple[Decimal, ...]
    problem: str = ""


class NumericField(OrderedField):
    """What integers and numbers share.

    ``count_text`` is the noun after a number ("3 bedrooms"), ``apart`` that after a difference
    ("20 years"). ``zero_text`` replaces the reason for 0 ("no garage"); ``larger_text`` and
    ``smaller_text`` say how another row differs ("{amount} larger").
    """

    unit: str = Field(default="", max_length=20)
    """The unit, written after the number."""

    unit_spellings: tuple[str, ...] = ()
    """Spellings of the unit that a visitor may type, beside the usual ones of a common unit."""

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
    """Whether thousands are grouped: 1,850. A year is not: 1995, nor is a ZIP code."""

    json_types: ClassVar[tuple[type, ...]] = (int, float, str)

    json_noun: ClassVar[str] = "number"
    """What a value is in JSON."""

    @property
    def suffix(self) -> str:
        return self.unit

    @property
    def input_attributes(self) -> dict[str, str]:
        attributes = super().input_attributes
        # The keyboard for numbers of an iPhone has no minus.
        return attributes if self.min >= 0 else {**attributes, "inputmode": "text"}

    @property
    def accepted_json_text(self) -> str:
        return f"{self.json_noun}, {self.accepted_text}"

    def _read_number(self, value: object) -> int | float:
        number: float
        if not isinstance(value, str):
            number = self._check_number(value)
        elif len(value) <= MAX_PLAIN and value.isdecimal():
            # Most people type this, and it is the fastest way to read it.
            number = int(value)
        elif len(value) <= MAX_PLAIN and is_plain_number(value):
            number = float(value)
        elif value.isdecimal():
            number = float(value)  # however long it is
        else:
            numbers, problem = self._interpret(value)
            if problem:
                raise make_error("number", problem)
            number = float(numbers[0])
        if not self.min <= number <= self.max:
            self._check_bounds(number)
        return number

    def _check_number(self, value: object) -> int | float:
        """Return what is a finite number.

        Raises:
            PydanticCustomError: for anything else.
        """
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._not_a_number()
        if isinstance(value, float) and not math.isfinite(value):
            raise self._not_a_number()
        return value

    def translate_cell(self, cell: object) -> object:
        if isinstance(cell, str) and _SCIENTIFIC(cell):
            return float(cell)
        if isinstance(cell, Decimal):
            return float(cell)
        return cell if isinstance(cell, bool) else super().translate_cell(cell)

    def read_plain_cells(self, cells: Sequence[str]) -> Float64Array:
        text = "\n".join(cells)
        if text.count("\n") >= len(cells):  # a line break in a cell
            return np.full(len(cells), np.inf)
        if self._is_settled and self._notation.decimal == "," and "." not in text:
            text = text.replace(",", ".")
            cells = text.split("\n")
        if not _ARE_PLAIN(text):
            cells = [cell if _IS_PLAIN(cell) else "inf" for cell in cells]
        return self.check_numbers(np.fromiter(map(float, cells), np.float64, len(cells)))

    @property
    def takes_plain_numbers(self) -> bool:
        return not (self._is_settled and self._notation.decimal == ",")

    def check_numbers(self, numbers: Float64Array) -> Float64Array:
        taken = (numbers >= self.min) & (numbers <= self.max)
        if self.whole:
            taken &= np.floor(numbers) == numbers
        return np.where(taken, numbers, np.inf)

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
        for unit in self._notation.units:
            for length in range(1, len(unit)):
                if typed.endswith(unit[:length]):
                    yield unit[length:]

    def localise(self, locale: str) -> None:
        super().localise(locale)
        for cached in ("_notation", "_sample"):
            self.__dict__.pop(cached, None)

    def remember_codes(self, codes: Float32Array) -> None:
        self.__dict__["_usual"] = float(codes.min()), float(codes.max())
        self.__dict__.pop("_sample", None)

    def settle_decimals(self, sign: DecimalSign) -> Self:
        settled = self.model_copy()
        settled.__dict__.update(_notation=self._notation._replace(decimal=sign), _is_settled=True)
        return settled

    @cached_property
    def _is_settled(self) -> bool:
        """Whether it is certain what separates the decimals."""
        return False

    @cached_property
    def _usual(self) -> tuple[float, float]:
        """The smallest and the largest number of the training rows."""
        return self.min, self.max

    @cached_property
    def _units(self) -> tuple[str, ...]:
        """The card's own spellings of the unit, and the nouns for what is counted."""
        counted = self.count_text.model_dump().values() if self.count_text else ()
        return tuple(filter(None, (self.unit.lower(), *self.unit_spellings, *counted)))

    @cached_property
    def _notation(self) -> Notation:
        usual = list_spellings(self.unit, self._locale) if self.unit else ()
        words = (*self._units, self.noun, self.label)
        return Notation(
            find_decimal_sign(self._locale),
            tuple(dict.fromkeys((*usual, *map(normalize_unit, words)))),
            not mentions_currency(self.unit),
        )

    @cached_property
    def _sample(self) -> str:
        """The example as it is read without a question."""
        return self._spell(self.format_bare(self.example), self.example)

    def _spell(self, text: str, number: float | Decimal) -> str:
        """The text, or the number spelled plainly where the text could mean something else."""
        try:
            return text if len(self._list_possible(text)) == 1 else self.format_typed(number)
        except NotANumberError:
            return self.format_typed(number)

    def _list_possible(self, text: str) -> tuple[Decimal, ...]:
        """The readings of a text that are possible here; the first one where none is.

        Raises:
            NotANumberError: if it has none.
        """
        numbers = list_readings(text, self._notation)
        if len(numbers) == 1 or self._is_settled:
            return numbers[:1]
        fitting = tuple(filter(self._fits, numbers))
        low, high = self._usual
        near = tuple(number for number in fitting if low <= number <= high)
        return near if len(near) == 1 else fitting or numbers[:1]

    def _interpret(self, text: str) -> _Interpretation:
        try:
            numbers = self._list_possible(text)
        except NotANumberError as error:
            return self._find_meant(text, error)
        if len(numbers) == 1:
            return _Interpretation(numbers)
        more, less = (self._format_exact(number) for number in sorted(numbers, reverse=True))
        return _Interpretation(numbers, f"{self.label}: {more} or {less}?")

    def _find_meant(self, text: str, error: NotANumberError) -> _Interpretation:
        """What a text means that is no number of the field, and what to write instead."""
        meant, unit = error.number, error.unit
        converted = None if meant is None else convert(float(meant), unit, self.unit, self._locale)
        if converted is not None:
            few = not self.whole and abs(converted) < _EXACT
            meant = Decimal(format(converted, ".4g") if few else round(converted))
            says = f"{' '.join(text.split())} is {self._format_exact(meant)}"
            problem = f"{self.label} must be in {self.unit}: {says}"
            return _Interpretation((meant,) if self._fits(meant) else (), problem)
        if unit or meant is None:
            multiple = None if meant is None else read_multiple(meant, unit)
            meant = read_words(text) if multiple is None else multiple
        if meant is not None and self.whole and not float(meant).is_integer():
            return _Interpretation((), self._not_whole_text)
        if meant is None or not self._fits(meant):
            return _Interpretation((), f"{self.label} must be a number, like {self._sample}")
        plain = self._spell(self._format_exact(meant), meant)
        return _Interpretation((meant,), f"{self.label} must be a plain number. Write {plain}")

    def _fits(self, number: Decimal) -> bool:
        whole = not self.whole or float(number).is_integer()
        return self.min <= number <= self.max and whole

    def _format_exact(self, number: Decimal) -> str:
        return formatting.format_exact(float(number), self._locale, self.grouping)

    def list_meanings(self, typed: str) -> tuple[Meaning, ...]:
        numbers, problem = self._interpret(typed)
        return tuple(
            Meaning(self.format_typed(number), self._format_exact(number))
            for number in sorted(numbers, reverse=True)
            if problem
        )

    def describe_reading(self, typed: str) -> str:
        plain = is_plain_number(typed) or is_plain_number(
            typed.replace(self._notation.decimal, ".")
        )
        return "" if plain or not typed.strip() else self.format_value(self.read(typed))

    def format_typed(self, value: Any) -> str:
        text = value if isinstance(value, str) else format(Decimal(str(value)), "f")
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if is_plain_number(text.removeprefix("-")) is None and "." in text:
            text += "0"
        return text.replace(".", self._notation.decimal)

    @property
    def _not_whole_text(self) -> str:
        return f"{self.label} must be a whole number, like {self._sample}"

    def _not_a_number(self) -> PydanticCustomError:
        return make_error("number", f"{self.label} must be a number, like {self._sample}")

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
    def json_pattern(self) -> str:
        pattern = build_pattern(self.min, self.max, self.whole)
        return pattern or f"^{re.escape(self.format_typed(self.example))}$"

    @property
    def json_notes(self) -> tuple[str, ...]:
        return (f"In {self.unit}",) if self.unit else ()

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        return super().draft(sample._replace(keys={**sample.keys, "unit": sample.unit}))


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
            raise make_error("whole", self._not_whole_text)
        return int(number)

    def decode(self, code: float) -> int | None:
        return None if math.isnan(code) else round(code)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        field = super().draft(sample)
        words = {*field.name.split("_"), *field.label.lower().split()}
        numbering = find_numbering(sample.codes, words)
        if numbering is None:
            return field
        known: dict[str, object] = {"grouping": False, "help": numbering.help}
        if numbering.is_year:
            this_year = dt.date.today().year
            known["min"] = max(field.min, FIRST_YEAR)
            known["max"] = (
                min(field.max, this_year) if sample.codes.max() <= this_year else field.max
            )
        return field.model_copy(update=known)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.min, "maximum": self.max}


class NumberField(NumericField):
    """A number between two bounds; it may have decimals."""

    kind: Literal["number"]
    """The kind of field."""

    codes_text: ClassVar[str] = "numbers"
    whole: ClassVar[bool] = False
    input_mode: ClassVar[str] = "decimal"

    @property
    def plain_bounds(self) -> tuple[float, float]:
        return self.min, self.max

    def read(self, value: object) -> float:
        return float(self._read_number(value))

    def decode_typed(self, code: float) -> Value:
        # Nobody types sixteen digits, but rounding may pass a bound that is the outermost row.
        rounded = formatting.round_short(code)
        code = rounded if self.min <= rounded <= self.max else code
        return format(Decimal(repr(code)), "f") if "e" in repr(code) else code

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.min, "maximum": self.max}
