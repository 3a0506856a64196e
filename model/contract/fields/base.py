"""What every kind of field has: its words, and how a value is validated, encoded and formatted."""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from model.contract.arrays import Float32Array, Float64Array
from model.contract.placeholders import check_placeholders
from model.contract.reading import DecimalSign
from model.contract.strict import StrictModel

Value = int | float | str | bool | None
Features = Mapping[str, Value]
"""One row by field name: a number, a choice's value, a flag, or None where unknown."""


class Option(StrictModel):
    """One of a few values, and the label that people read for it."""

    value: str = Field(min_length=1, max_length=100)
    """The value for programs and for the model."""

    label: str = Field(min_length=1, max_length=100)
    """The words for people."""


class Sample(NamedTuple):
    """What a field is drafted from.

    ``keys`` are the keys that the card has for every kind, ``unit`` is "" where none is known,
    ``codes`` (rows,) are the known codes of the rows, and ``options`` the values that they stand
    for, if they stand for any. ``locale`` is how its hint writes numbers, ``help`` what a data
    dictionary says of the column.
    """

    keys: Mapping[str, Any]
    unit: str
    codes: Float64Array
    options: tuple[Option, ...]
    locale: str = "en_US"
    help: str = ""


class Meaning(NamedTuple):
    """What a visitor may have meant: the text that the field reads so, and its words for people."""

    text: str
    label: str


INVALID = object()
"""Stands for a value that no field takes; each refuses it in its own words."""

UNKNOWN_CELLS = frozenset(("?", "na", "n/a", "#n/a", "<na>", "nan", "none", "null"))
"""What stands in a cell where nobody knows the value, in small letters; no field takes it."""


def make_error(kind: str, message: str) -> PydanticCustomError:
    """An error whose text is exactly ``message``, even if that contains braces."""
    return PydanticCustomError(kind, "{message}", {"message": message})


class BaseField(StrictModel):
    """What every kind of field has.

    An error about a value names the field by its ``label``, because that stands beside it on the
    page: "Square feet must be between 300 and 6,000". A request uses the ``noun``, after its
    ``determiner``: "Enter the living area", "Enter the number of bedrooms". ``reason_text`` says
    what the value is ("built in {value}"), ``comparison_text`` how another row differs
    ("in {value}").
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    """The name in the form, in the address, in the API and of the model's column."""

    label: str = Field(min_length=1, max_length=60)
    """The words beside the input."""

    noun: str = Field(min_length=1, max_length=60)
    """What error messages call the value: "Enter the {noun}"."""

    determiner: str = "the"
    """What stands before the noun where it is asked for: "the", or "the number of"."""

    reason_text: str = "{noun} {value}"
    """What the value is, in the list of reasons. Placeholders: ``{noun}``, ``{value}``."""

    comparison_text: str = "{label}: {value}"
    """How a similar row differs. Placeholders: ``{label}``, ``{value}``."""

    unchanged_text: str = "with all else the same"
    """What a reason adds where its sign may surprise: a fact that usually goes with a higher answer
    and here lowers it, or the other way round."""

    help: str = Field(default="", max_length=200)
    """A hint between the label and the input."""

    required: bool = True
    """Whether the field must be filled. A field that is not required may stay empty; the model then
    answers without it, as was measured: only ``--required`` of ``model add`` changes this."""

    first: bool = False
    """Whether a field that is not required stands among the first fields, and not in a fold."""

    group: str = Field(default="", max_length=60)
    """The heading of the fold in which a field stands that is not required; without one, the card's
    ``more``."""

    default: Value = None
    """What the model takes where a field that is not required is left empty, because it cannot do
    without a value."""

    placeholders: ClassVar[dict[str, tuple[str, ...]]] = {
        "reason_text": ("noun", "value"),
        "comparison_text": ("label", "value"),
        "larger_text": ("amount",),
        "smaller_text": ("amount",),
    }
    """The placeholders that each text of any kind of field may have, by the text's key."""

    json_types: ClassVar[tuple[type, ...]] = (str,)
    """The types that its values may have in JSON."""

    input_mode: ClassVar[str] = "text"
    """The keyboard that a phone shows for it."""

    verb: ClassVar[str] = "Enter"
    """How a message asks for the value."""

    codes_text: ClassVar[str] = "codes"
    """What its codes are, in the plural."""

    varies: ClassVar[bool] = True
    """Whether a what-if can go over its values."""

    whole: ClassVar[bool] = True
    """Whether its codes are whole numbers."""

    is_text: ClassVar[bool] = False
    """Whether it takes free text, whose codes hold for one call (``model.contract.texts``)."""

    @field_validator(*placeholders, check_fields=False)
    @classmethod
    def _text_has_known_placeholders(cls, text: str, info: ValidationInfo) -> str:
        key = info.field_name or ""
        check_placeholders(text, key, cls.placeholders[key])
        return text

    def localise(self, locale: str) -> None:
        """Set the locale of the numbers in messages; the card calls it once, with its own."""
        self.__dict__["_locale"] = locale

    @cached_property
    def _locale(self) -> str:
        return "en_US"

    @property
    def noun_phrase(self) -> str:
        """The noun after its determiner: "the living area", "the number of bedrooms"."""
        return f"{self.determiner} {self.noun}".strip()

    @property
    def is_column_name(self) -> bool:
        """Whether the label is the name of a column, and no words: "sib_sp", or "Chol" as a noun.

        In German any noun has a capital.
        """
        if " " in self.label or not self.label.isascii():
            return False
        is_noun = not self.determiner and self.noun == self.label and self._locale[:2] != "de"
        return is_noun or not self.label[:1].isupper()

    @property
    def missing_text(self) -> str:
        """The error message for a missing value."""
        return f"{self.verb} {self.noun_phrase}"

    @property
    def accepted_text(self) -> str:
        """What the field accepts, for people: "0 to 8 bedrooms"."""
        raise NotImplementedError

    @property
    def accepted_json_text(self) -> str:
        """What the field accepts in JSON: "whole number, 0 to 8 bedrooms"."""
        return self.accepted_text

    @property
    def title_noun(self) -> str:
        """What a title calls the value: "Price by living area"."""
        return self.noun

    @property
    def default_text(self) -> str:
        """What is said of an empty field for which a value stands in; "" where none does."""
        if self.default is None:
            return ""
        return f"Taken as {self.format_value(self.read(self.default))} where it is not given"

    @property
    def options(self) -> tuple[Option, ...]:
        """The options that the form lists; none where it takes what is typed."""
        return ()

    @property
    def suggestions(self) -> tuple[str, ...]:
        """What the page suggests for what is typed."""
        return ()

    @property
    def categories(self) -> tuple[str, ...]:
        """The values that the model gets as their index; none where its code is a number."""
        return ()

    @property
    def suffix(self) -> str:
        """What stands behind the input."""
        return ""

    @property
    def input_attributes(self) -> dict[str, str]:
        """The attributes in HTML of the input that it is typed into."""
        return {"type": "text", "inputmode": self.input_mode}

    @property
    def repeated_text(self) -> str:
        """The error message for a field that was sent more than once."""
        return f"{self.missing_text} once"

    def validate_value(self, value: object) -> Any:
        """Turn what was typed or sent into the field's value.

        Args:
            value: text from a form, or a value from JSON; None and blank text mean "not given".

        Returns:
            The value, or None where an optional field is not given.

        Raises:
            PydanticCustomError: if the value is missing or not acceptable; its message is for
                visitors.
        """
        if value is None or (isinstance(value, str) and not value.strip()):
            if self.required:
                raise make_error("missing", self.missing_text)
            return None
        return self.read(value)

    def read(self, value: object) -> Any:
        """Turn a value that is not blank into the field's value; see ``validate_value``."""
        raise NotImplementedError

    def read_cell(self, cell: object) -> Any:
        """Turn a cell of somebody's table into the field's value, as ``validate_value`` does.

        It also takes what programs write and nobody types, see ``translate_cell``, and what stands
        for an unknown value where the field may be empty.

        Raises:
            PydanticCustomError: see ``validate_value``.
        """
        try:
            return self.validate_value(cell)
        except PydanticCustomError:
            meant = self.translate_cell(cell)
            if meant != cell or type(meant) is not type(cell):
                return self.validate_value(meant)
            unknown = isinstance(cell, str) and cell.strip().casefold() in UNKNOWN_CELLS
            if unknown and not self.required:
                return None
            raise

    def translate_cell(self, cell: object) -> object:
        """What a program means by a cell that nobody would type so; else the cell itself."""
        if isinstance(cell, float) and math.isnan(cell):
            return None
        if isinstance(cell, dt.date):  # a moment is a date, too
            return cell.isoformat()[: len("2010-05-31")]
        if isinstance(cell, float) and cell.is_integer():
            return str(int(cell))
        return cell if isinstance(cell, str | None) or cell is INVALID else str(cell)

    def read_plain_cells(self, cells: Sequence[str]) -> Float64Array | None:
        """Read together the cells that need no second look: the codes, shape (cells,).

        It is infinite where ``read_cell`` has to look; None for a field that reads cell by cell.
        """
        return None

    @property
    def takes_plain_numbers(self) -> bool:
        """Whether texts that are plain numbers mean what ``float`` makes of them."""
        return False

    @property
    def plain_bounds(self) -> tuple[float, float] | None:
        """Between which two every plain number is a value; None where some is none."""
        return None

    def check_numbers(self, numbers: Float64Array) -> Float64Array | None:
        """Check together the numbers of a table that has them as such, shape (cells,).

        It is as ``read_plain_cells``, and takes its argument apart.
        """
        return None

    def is_incomplete(self, typed: str) -> bool:
        """Whether the text is no value yet, but typing on could still make it one."""
        start = typed.strip().casefold()
        return any(
            text.casefold().startswith(start) and text != typed
            for option in self.options
            for text in (option.value, option.label)
        )

    def read_json(self, value: object) -> object:
        """What a value from JSON means; INVALID where its type, or a blank text, cannot mean any.

        It is not validated yet. None, an unknown value, is None.
        """
        if isinstance(value, str):
            fits = bool(value.strip())
        else:
            fits = value is None or isinstance(value, self.json_types)
        return value if fits else INVALID

    def format_input(self, typed: str) -> str:
        """What was typed, as the input shows it again."""
        return typed

    def format_typed(self, value: Any) -> str:
        """A value, or a text that stands for one, as a visitor would type it."""
        return str(value)

    def list_meanings(self, typed: str) -> tuple[Meaning, ...]:
        """What a text that is refused may have meant, as far as it can be told."""
        return ()

    def describe_reading(self, typed: str) -> str:
        """How a text that it takes was read, in the field's own words; "" where that is plain."""
        return ""

    @property
    def seen_bounds(self) -> tuple[Any, ...]:
        """The least and the greatest value among the rows of the data; none where unknown."""
        return ()

    def describe_unseen(self, value: Any) -> str:
        """Say that no row of the data has such a value; "" where some have."""
        return ""

    def settle_dates(self, cells: Iterable[object]) -> tuple[Self, str]:
        """The same field, reading dates as a column of cells shows that they are written.

        Returns:
            The field, and a sentence on how it reads them; "" where there is nothing to say.
        """
        return self, ""

    def settle_decimals(self, sign: DecimalSign) -> Self:
        """The same field, reading numbers in which it is certain what separates the decimals."""
        return self

    def remember_codes(self, codes: Float32Array) -> None:
        """Learn which codes the training rows have, shape (rows,), to tell readings apart."""

    @property
    def encoder(self) -> Callable[[Any], float]:
        """The function that encodes a known value as the predictor's float."""
        return float

    def encode(self, value: Any) -> float:
        """The value as the predictor's float; NaN for None."""
        return math.nan if value is None else self.encoder(value)

    def decode(self, code: float) -> Any:
        """The inverse of ``encode``."""
        return None if math.isnan(code) else code

    @property
    def code_bounds(self) -> tuple[float, float]:
        """The smallest and the largest code."""
        return 0, max(len(self.options), len(self.categories), 1) - 1

    def round_codes(self, codes: Float64Array) -> Float64Array:
        """The codes nearest to some numbers, shape (rows,)."""
        return np.round(codes) if self.whole else codes

    def decode_typed(self, code: float) -> Value:
        """A known code as the value that a visitor would type."""
        value: Value = self.decode(code)
        return value

    def with_code_bounds(self, low: float, high: float) -> Self:
        """The same field with other bounds, where it has any."""
        return self

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        """A field that takes what is in some rows, and more."""
        raise NotImplementedError

    @classmethod
    def find_misfit(cls, numbers: Float64Array) -> str:
        """Why numbers, shape (rows,), cannot be its codes; "" where they can."""
        fractions = cls.whole and (np.round(numbers) != numbers).any()
        return "it holds fractions" if fractions else ""

    @property
    def text_length(self) -> int:
        """The most characters of a free text; 0 for what is written in a few."""
        return 0

    def make_grid(self, known: Float32Array | None) -> Float32Array:
        """The codes along the what-if curve, shape (points,).

        Args:
            known: the codes of the training rows, shape (rows,), if there are any.
        """
        low, high = self.code_bounds if self.varies else (0, 0)
        return np.arange(low, high + 1, dtype=np.float32)

    def format_value(self, value: Any) -> str:
        """The value as people read it, with its unit."""
        return str(value)

    def format_fact(self, value: Any) -> str:
        """The value with the noun, for a list of facts: "living area 1,850 sq ft"."""
        return f"{self.noun} {self.format_value(value)}"

    def split_reason(self, value: Any) -> tuple[str, str, str]:
        """The value in a list of reasons: the words before it, itself, and the words after it."""
        before, _, after = self.reason_text.format(noun=self.noun, value="\0").partition("\0")
        return before, self.format_value(value), after

    def format_difference(self, value: Any, other: Any) -> str:
        """How ``other`` differs from ``value``, in a few words."""
        return self.comparison_text.format(label=self.label, value=self.format_value(other))

    def split_deviation(self, value: Any, reference: Any) -> tuple[str, str, str]:
        """How the value differs from a typical one, as what follows the fact.

        Returns:
            Words, an amount or the typical value, and words.
        """
        return ", not ", self.format_value(reference), ""

    def json_schema(self) -> dict[str, Any]:
        """The schema of a given value in JSON Schema 2020-12."""
        raise NotImplementedError

    @property
    def json_pattern(self) -> str:
        """The pattern of texts that stand for a value of another type in JSON; "" for none."""
        return ""

    @property
    def json_notes(self) -> tuple[str, ...]:
        """What its description in a schema adds to the help."""
        return ()
