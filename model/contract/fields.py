"""The kinds of field that a card can ask for: one class a kind, no registration by side effect.

A field reads what was typed (or sent as JSON) into a value, says in words what is wrong with it,
and encodes the value as one float for the predictor's matrix: NaN where it is unknown.
"""

import math
import re
import string
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from model.contract import formatting
from model.contract.reading import NotANumberError, read_number

Value = int | float | str | bool | None
Features = Mapping[str, Value]
"""One row by field name: a number, a choice's value, a flag, or None where unknown."""


def refusal(kind: str, message: str) -> PydanticCustomError:
    """An error whose text is ``message``, letter for letter, for form, API and batch alike."""
    return PydanticCustomError(kind, "{message}", {"message": message})


def find_places(text: str, key: str, known: Sequence[str]) -> list[str]:
    """The names of the places in a sentence of a card, in their order.

    A place is a known name in braces and nothing else: ``str.format`` would take ``{value.x}``,
    ``{value[x]}``, ``{value!r}`` and ``{value:9}``, too, and hand out what is no text for people.

    Args:
        text: the sentence.
        key: what it is called in the card.
        known: the names that it may use.

    Raises:
        ValueError: for any other place, or a brace alone; says what to write.
    """
    try:
        parts = [part[1:] for part in string.Formatter().parse(text) if part[1] is not None]
    except ValueError:  # a brace alone
        parts = [(None, "", None)]
    names = [str(name) for name, _, _ in parts]
    if not set(names) <= set(known) or any(spec or conversion for _, spec, conversion in parts):
        named = " and ".join(f"{{{place}}}" for place in known)
        raise ValueError(
            f"{key} can have the places {named}, and no others. Write them just like that, and a "
            "brace that is text twice: {{ or }}"
        )
    return names


_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?").fullmatch


class BaseField(BaseModel):
    """What every kind of field has.

    ``noun`` is what the error texts are composed from: "Enter the {noun}"; ``article`` stands
    before it where something is asked for: "the", or "the number of". ``because`` says in a reason
    what the value is ("it has {value}"), ``compared`` how another row differs ("in {value}").
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    label: str = Field(min_length=1, max_length=60)
    noun: str = Field(min_length=1, max_length=60)
    article: str = "the"
    because: str = "its {noun} is {value}"
    compared: str = "{label}: {value}"
    help: str = Field(default="", max_length=200)
    required: bool = True

    sentences: ClassVar[dict[str, tuple[str, ...]]] = {
        "because": ("noun", "value"),
        "compared": ("label", "value"),
        "more": ("amount",),
        "less": ("amount",),
    }
    """The keys of all kinds that hold a sentence, with the places that it may have."""

    @field_validator(*sentences, check_fields=False)
    @classmethod
    def _sentence_has_known_places(cls, text: str, info: ValidationInfo) -> str:
        key = info.field_name or ""
        find_places(text, key, cls.sentences[key])
        return text

    def localise(self, locale: str) -> None:
        """Take the card's locale for the numbers in messages; called once, by the card."""
        self.__dict__["_locale"] = locale

    @cached_property
    def _locale(self) -> str:
        return "en_US"

    @property
    def subject(self) -> str:
        """The noun at the beginning of a sentence."""
        return self.noun[:1].upper() + self.noun[1:]

    @property
    def thing(self) -> str:
        """The noun with its article: "the living area", "the number of bedrooms"."""
        return f"{self.article} {self.noun}"

    @property
    def missing(self) -> str:
        """What to say where the value is missing."""
        return f"Enter {self.thing}"

    @property
    def twice(self) -> str:
        """What to say where the field was sent more than once."""
        return f"{self.missing} once"

    def validate_value(self, value: object) -> Any:
        """Turn what was typed or sent into the field's value.

        Args:
            value: text from a form, or a value from JSON; None and blank text mean "not given".

        Returns:
            The value, or None where an optional field is not given.

        Raises:
            PydanticCustomError: in the visitor's words, if the value is missing or not acceptable.
        """
        if value is None or value == "" or (isinstance(value, str) and not value.strip()):
            if self.required:
                raise refusal("missing", self.missing)
            return None
        return self.read(value)

    def read(self, value: object) -> Any:
        """The same for a value that is there."""
        raise NotImplementedError

    @property
    def coder(self) -> Callable[[Any], float]:
        """What makes the predictor's float of a value."""
        return float

    def encode(self, value: Any) -> float:
        """The value as the predictor's float; NaN for None."""
        return math.nan if value is None else self.coder(value)

    def decode(self, code: float) -> Any:
        """The inverse of ``encode``."""
        return None if math.isnan(code) else code

    def display(self, value: Any) -> str:
        """The value as people read it, with its unit."""
        return str(value)

    def fact(self, value: Any) -> str:
        """The value with what it is a value of, for a list of facts."""
        return f"{self.noun} {self.display(value)}"

    def reason(self, value: Any) -> str:
        """What the value is, as the second half of a sentence."""
        return self.because.format(noun=self.noun, value=self.display(value))

    def difference(self, value: Any, other: Any) -> str:
        """How ``other`` differs from ``value``, in a few words."""
        return self.compared.format(label=self.label, value=self.display(other))

    def json_schema(self) -> dict[str, Any]:
        """The field in JSON Schema 2020-12, without its requiredness."""
        raise NotImplementedError


class Counted(BaseModel):
    """What a number counts, in its plural forms (CLDR: every language has ``other``)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    zero: str = ""
    one: str = ""
    two: str = ""
    few: str = ""
    many: str = ""
    other: str


class _Numeric(BaseField):
    unit: str = Field(default="", max_length=20)
    unit_spellings: tuple[str, ...] = ()
    counted: Counted | None = None
    apart: Counted | None = None
    none: str = ""
    more: str = ""
    less: str = ""
    min: int | float
    max: int | float
    example: int | float
    grouping: bool = True

    @model_validator(mode="after")
    def _bounds_are_ordered(self) -> "_Numeric":
        if not self.min < self.max:
            raise ValueError(f"min must be below max: min = {self.min}, max = {self.max}")
        if not self.min <= self.example <= self.max:
            raise ValueError(f"example = {self.example} is outside min and max")
        return self

    def _number(self, value: object) -> int | float:
        number: float
        if isinstance(value, str) and len(value) < 16 and _PLAIN(value):
            # What most people type, and the fastest way to read it.
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
            low, high = self.format(self.min), self.format(self.max)
            raise refusal("range", f"{self.subject} must be between {low} and {high}")
        return number

    @cached_property
    def _units(self) -> tuple[str, ...]:
        return (self.unit.lower(), *self.unit_spellings) if self.unit else self.unit_spellings

    def _not_a_number(self) -> PydanticCustomError:
        sample = self.format(self.example)
        return refusal("number", f"{self.subject} must be a number, like {sample}")

    def format(self, value: float) -> str:
        """The number alone, in the card's locale: three decimals, of small numbers four digits."""
        return formatting.shown(value, self._locale, self.grouping)

    def display(self, value: Any) -> str:
        return self._amount(value, self.format(value), self.counted)

    def _amount(self, value: float, text: str, counted: Counted | None) -> str:
        if counted is not None:
            form = formatting.plural_form(value, self._locale)
            return f"{text}\u00a0{getattr(counted, form) or counted.other}"
        return f"{text}\u00a0{self.unit}" if self.unit else text

    def fact(self, value: Any) -> str:
        return super().fact(value) if self.counted is None else self.display(value)

    def reason(self, value: Any) -> str:
        if value == 0 and self.none:
            return self.none
        return super().reason(value)

    def difference(self, value: Any, other: Any) -> str:
        apart = abs(other - value)
        text = self.format(apart)
        amount = self._amount(apart, text, self.apart or self.counted)
        more, less = self._comparisons
        return (more if other > value else less).format(amount=amount)

    @cached_property
    def _comparisons(self) -> tuple[str, str]:
        """How a larger and a smaller value differ; what is counted names itself."""
        noun = "" if self.counted or self.apart else self.noun.replace("{", "{{").replace("}", "}}")
        start = f"{noun} {{amount}}" if noun else "{amount}"
        return self.more or f"{start} more", self.less or f"{start} less"


class IntegerField(_Numeric):
    """A whole number between two bounds."""

    kind: Literal["integer"]
    min: int
    max: int
    example: int

    def read(self, value: object) -> int:
        number = self._number(value)
        if number != int(number):
            sample = self.format(self.example)
            raise refusal("whole", f"{self.subject} must be a whole number, like {sample}")
        return int(number)

    def decode(self, code: float) -> int | None:
        return None if math.isnan(code) else round(code)

    def json_schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.min, "maximum": self.max}


class NumberField(_Numeric):
    """A number between two bounds, fractions allowed."""

    kind: Literal["number"]

    def read(self, value: object) -> float:
        return float(self._number(value))

    def json_schema(self) -> dict[str, Any]:
        return {"type": "number", "minimum": self.min, "maximum": self.max}


class Option(BaseModel):
    """One value that a choice field can take, and what people read for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: str = Field(min_length=1, max_length=100)
    label: str = Field(min_length=1, max_length=100)


class ChoiceField(BaseField):
    """One out of a list of values; encoded as its index in the card's list."""

    kind: Literal["choice"]
    choices: tuple[Option, ...] = Field(min_length=2)
    example: str

    @model_validator(mode="after")
    def _values_are_distinct(self) -> "ChoiceField":
        values = [choice.value for choice in self.choices]
        doubled = sorted({value for value in values if values.count(value) > 1})
        if doubled:
            raise ValueError(f"choices has {', '.join(doubled)} twice")
        if self.example not in values:
            raise ValueError(f'example = "{self.example}" is not one of the choices')
        return self

    @cached_property
    def _codes(self) -> dict[str, float]:
        return {choice.value: float(code) for code, choice in enumerate(self.choices)}

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {choice.value: choice.label for choice in self.choices}

    @property
    def missing(self) -> str:
        return f"Choose {self.thing}"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self._codes:
            raise refusal("choice", f"Choose {self.thing} from the list")
        return value

    @property
    def coder(self) -> Callable[[Any], float]:
        return self._codes.__getitem__

    def decode(self, code: float) -> str | None:
        return None if math.isnan(code) else self.choices[int(code)].value

    def display(self, value: Any) -> str:
        return self._labels[value]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._codes)}


class FlagField(BaseField):
    """Yes or no; encoded as 1 and 0."""

    kind: Literal["flag"]
    example: bool
    yes: str = "Yes"
    no: str = "No"

    @property
    def missing(self) -> str:
        return f"Say whether {self.noun}"

    @property
    def thing(self) -> str:
        return f"whether {self.noun}"

    @property
    def choices(self) -> tuple[Option, ...]:
        """The two options of the widget."""
        return (Option(value="yes", label=self.yes), Option(value="no", label=self.no))

    def read(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("yes", "no"):
            return value == "yes"
        raise refusal("flag", f"{self.missing}: yes or no")

    def decode(self, code: float) -> bool | None:
        return None if math.isnan(code) else bool(code)

    def display(self, value: Any) -> str:
        return self.yes if value else self.no

    def fact(self, value: Any) -> str:
        return f"{self.label}: {self.display(value)}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


AnyField = Annotated[
    IntegerField | NumberField | ChoiceField | FlagField, Field(discriminator="kind")
]
"""The explicit list of kinds; a new kind is one class here, one template, one test."""
