"""The card: what a model asks and predicts, ``card.toml`` in the model's folder.

A card is written by hand; unknown keys are rejected.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
from babel import Locale, UnknownLocaleError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from model.contract.arrays import Float32Array
from model.contract.fields import (
    MAX_PLAIN,
    AnyField,
    Features,
    Value,
    are_plain_numbers,
)
from model.contract.outputs import (
    ClassOutput,
    ClusterOutput,
    MultiOutput,
    NumberOutput,
    OutlierOutput,
    OutputBase,
)
from model.contract.strict import StrictModel

Loc = tuple[int | str, ...]
"""Where something stands in a card: table, index, key."""

PAGE_IDS = frozenset(
    (
        "alert", "announcer", "answer", "busy", "error", "errors", "form", "gauge", "main", "more",
        "notes", "preview", "result", "share", "similar", "what_if", "why",
    )
)  # fmt: skip
"""Ids of the page's own parts; a field's name is the id of its input."""


class CardError(ValueError):
    """A card whose parts contradict each other; ``problems`` are their locations and messages."""

    def __init__(self, problems: list[tuple[Loc, str]]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


class Example(StrictModel):
    """A filled form that a visitor can click; values as they would be typed."""

    title: str
    """The words of the link."""

    values: dict[str, Value]
    """A value for each field that the example fills, by the field's name."""


class CardBase(StrictModel):
    """What every card says: title, summary, limits; ``name`` is the text in the navigation."""

    format: Literal[2]
    """The format of the card. ``flask --app wsgi model upgrade`` rewrites a card of an earlier
    one."""

    kind: str
    """The kind of the model."""

    title: str
    """The question that the model answers; the heading of the page."""

    summary: str
    """One paragraph below the title."""

    name: str = ""
    """The name in the navigation and in lists; without one, the folder's name."""

    locale: str = "en_US"
    """The language and region by which numbers, amounts and plurals are written. Sentences that
    were drafted keep their numbers: ``--locale`` of ``model add`` drafts them in it."""

    data_text: str = ""
    """Where the model's knowledge comes from, in a few words; without it, the text of the
    manifest."""

    output: OutputBase
    """The ``[output]``: what the model answers."""

    limits: tuple[str, ...] = Field(min_length=1)
    """What the model does not know or cannot do, a sentence each; ``/about`` lists them."""

    not_for: tuple[str, ...] = Field(min_length=1)
    """What nobody should use the model for; ``/about`` lists them."""

    @field_validator("locale")
    @classmethod
    def _locale_is_known(cls, name: str) -> str:
        try:
            Locale.parse(name)
        except (UnknownLocaleError, ValueError) as error:
            raise ValueError(f'locale = "{name}" is not known; write one like "en_US"') from error
        return name

    @property
    def tabular(self) -> "Card | None":
        """This card where the model takes rows of a table; else None."""
        return None


class Card(CardBase):
    """The card of a tabular model; form, validation, API, documentation and tests follow it."""

    more: str = "More facts"
    """The heading above the optional fields."""

    what_if: str = ""
    """The field over which the what-if curve goes until the visitor chooses another one."""

    reference_text: str = "A typical case"
    """What to call the row of reference values, with which the reasons compare."""

    similar_text: str = "Similar cases"
    """The heading above the similar rows."""

    case_noun: str = Field(default="case", max_length=24)
    """What sentences call one row, like "house": "this house", "no such house"."""

    rows_noun: str = Field(default="rows", max_length=24)
    """What sentences call the rows of the data, like "sales": "among the sales"."""

    fields: tuple[AnyField, ...] = Field(min_length=1)
    """The ``[[fields]]`` in the order of the form, one for each column of the model."""

    examples: tuple[Example, ...] = Field(min_length=1)
    """The ``[[examples]]``: filled forms that a visitor can click."""

    _form: tuple[AnyField, ...] = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> "Card":
        problems = list(self._find_problems())
        if problems:
            raise CardError(problems)
        return self

    def _find_problems(self) -> Iterator[tuple[Loc, str]]:
        """What no single part can check: the location and message of each problem."""
        names = [field.name for field in self.fields]
        for index, name in enumerate(names):
            if name in names[:index]:
                yield ("fields", index, "name"), f"two fields are named {name}"
            if name == "what_if":
                problem = "no field can be named what_if: the address uses that name"
                yield ("fields", index, "name"), problem
            elif name in PAGE_IDS:
                problem = f"no field can be named {name}: a part of the page has that id"
                yield ("fields", index, "name"), problem
        if self.what_if and self.what_if not in names:
            yield ("what_if",), f'what_if = "{self.what_if}" is no field'
        elif self.what_if and self.what_if not in self.varying:
            problem = f'what_if = "{self.what_if}" has too many values for a picture'
            yield ("what_if",), problem
        for field in self.fields:
            field.localise(self.locale)
        for index, field in enumerate(self.fields):
            yield from _check_default(field, ("fields", index, "default"))
        for index, example in enumerate(self.examples):
            loc = ("examples", index)
            title = f'example "{example.title}"'
            for name in sorted(set(example.values) - set(names)):
                yield loc, f"{title} has no such field: {name}"
            _, errors = self.validate_row(example.values)
            for name, message in errors.items():
                yield loc, f"{title}, {name}: {message}"

    @property
    def tabular(self) -> "Card":
        return self

    @property
    def form(self) -> tuple[AnyField, ...]:
        """The fields in the order of the form."""
        return self._form or self.fields

    @cached_property
    def form_names(self) -> tuple[str, ...]:
        """The fields' names, in the order of the form."""
        return tuple(field.name for field in self.form)

    def arrange(self, columns: tuple[str, ...]) -> Self:
        """This card with its fields in the order of the model's columns, and the form as it was."""
        if columns == self.names:
            return self
        fields = tuple(self.by_name[name] for name in columns)
        values = {name: getattr(self, name) for name in type(self).model_fields}
        card = self.model_construct(**{**values, "fields": fields})
        card._form = self.fields
        return card

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in order: the columns of the predictor's matrix."""
        return tuple(field.name for field in self.fields)

    @cached_property
    def by_name(self) -> dict[str, AnyField]:
        """The fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """Names of the fields over which a what-if can go."""
        return tuple(field.name for field in self.fields if field.varies)

    @property
    def what_ifs(self) -> tuple[str, ...]:
        """What an address can say of a what-if: the fields over which one can go."""
        return self.varying

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Names of the fields of free text."""
        return tuple(field.name for field in self.fields if field.is_text)

    @cached_property
    def categories(self) -> dict[str, tuple[str, ...]]:
        """The values of each field that the model gets as an index, by the field's name."""
        return {field.name: field.categories for field in self.fields if field.categories}

    @cached_property
    def seen_bounds(self) -> tuple[tuple[str, Any, Any], ...]:
        """The name of each field that knows between which values the rows of the data lie, with
        the least and the greatest of them."""
        return tuple((field.name, *field.seen_bounds) for field in self.fields if field.seen_bounds)

    @cached_property
    def optional(self) -> tuple[str, ...]:
        """Names of the fields that may be left unknown."""
        return tuple(field.name for field in self.fields if not field.required)

    @cached_property
    def input_model(self) -> type[BaseModel]:
        """The Pydantic model of one row, in the order of the form; it does all validation."""
        columns: dict[str, Any] = {
            field.name: (
                Annotated[
                    Any,
                    PlainValidator(field.validate_value),
                    WithJsonSchema(field.json_schema()),
                ],
                Field(default=None, validate_default=True, title=field.label)
                if field.required
                else Field(default=None, title=field.label),
            )
            for field in self.form
        }
        return create_model("Row", __config__=ConfigDict(extra="ignore"), **columns)

    def validate_row(self, raw: Mapping[str, object]) -> tuple[Features | None, dict[str, str]]:
        """Read one row of raw values, typed text or JSON.

        Returns:
            The features by name and no errors, or None and the error text by field name, each in
            the order of the form.
        """
        if (numbers := self._read_plain_numbers(raw)) is not None:
            return numbers, {}
        try:
            row = self.input_model.model_validate(raw)
        except ValidationError as error:
            return None, {str(item["loc"][0]): item["msg"] for item in error.errors()}
        return row.__dict__, {}

    def _read_plain_numbers(self, raw: Mapping[str, object]) -> Features | None:
        """Read a row of plain numbers between their bounds; None for every other row.

        Most rows of many fields are such ones. Pydantic calls a validator for each of them, which
        takes a fifth of the whole answer to 200.
        """
        texts = [text for text in raw.values() if isinstance(text, str)]
        joined = "\0".join(texts)
        if len(texts) < len(raw) or not are_plain_numbers(joined):
            return None
        numbers = [*map(float, joined.split("\0"))]
        # A text with the separator in it makes two numbers.
        if len(numbers) > len(texts) or max(map(len, texts)) > MAX_PLAIN:
            return None
        bounds = self._number_bounds
        if not (self._required <= raw.keys() <= bounds.keys()):
            return None
        row = dict[str, Value].fromkeys(self.form_names)
        for name, number in zip(raw, numbers, strict=True):
            low, high = bounds[name]
            if not low <= number <= high:
                return None
            row[name] = number
        return row

    @cached_property
    def _number_bounds(self) -> dict[str, tuple[float, float]]:
        return {field.name: field.plain_bounds for field in self.fields if field.plain_bounds}

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(field.name for field in self.fields if field.required)

    def encode_row(self, features: Features) -> list[float]:
        """The code of each field, in order, NaN where it is unknown."""
        codes = []
        for name, encoder in self._encoders:
            value = features[name]
            codes.append(math.nan if value is None else encoder(value))
        return codes

    @cached_property
    def _encoders(self) -> list[tuple[str, Callable[[Any], float]]]:
        return [(field.name, field.encoder) for field in self.fields]

    @cached_property
    def default_codes(self) -> Float32Array:
        """What stands in for each field that is left empty, shape (fields,); NaN where nothing."""
        values = [
            None if field.default is None else field.read(field.default) for field in self.fields
        ]
        codes = [field.encode(value) for field, value in zip(self.fields, values, strict=True)]
        return np.array(codes, dtype=np.float32)

    def encode(self, features: Features) -> Float32Array:
        """One row of the predictor's matrix, shape (1, fields): float32, NaN where unknown."""
        return np.array([self.encode_row(features)], dtype=np.float32)

    @cached_property
    def column_indices(self) -> dict[str, int]:
        """Each field's column in the predictor's matrix, by name."""
        return {name: index for index, name in enumerate(self.names)}


def _check_default(field: AnyField, loc: Loc) -> Iterator[tuple[Loc, str]]:
    if field.default is None:
        return
    if field.required:
        yield loc, f"{field.name} has a default, so it needs required = false"
    try:
        field.read(field.default)
    except PydanticCustomError as error:
        yield loc, f"default of {field.name}: {error.message()}"


class NumberCard(Card):
    """The card of a model that answers with a number."""

    kind: Literal["number"]
    """The kind of the model."""

    output: NumberOutput
    """The ``[output]``: the number."""


class ClassCard(Card):
    """The card of a model that answers with one of several classes."""

    kind: Literal["classes"]
    """The kind of the model."""

    output: ClassOutput
    """The ``[output]``: the classes."""


class ClusterCard(Card):
    """The card of a model that sorts rows into clusters that it found by itself."""

    kind: Literal["clusters"]
    """The kind of the model."""

    output: ClusterOutput
    """The ``[output]``: the clusters."""


class OutlierCard(Card):
    """The card of a model that says whether a row is unusual."""

    kind: Literal["outliers"]
    """The kind of the model."""

    output: OutlierOutput
    """The ``[output]``: what usual and unusual rows are called."""


class MultioutputCard(Card):
    """The card of a model that answers with several numbers."""

    kind: Literal["multioutput"]
    """The kind of the model."""

    output: MultiOutput
    """The ``[output]``: the number that stands first, and the others."""

    @cached_property
    def what_ifs(self) -> tuple[str, ...]:
        """The fields over which a what-if can go, of another output as "output.field"."""
        others = [f"{other.name}." for other in self.output.others]
        return tuple(output + name for output in ("", *others) for name in self.varying)
