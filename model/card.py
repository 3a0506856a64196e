"""Card and manifest: what a model asks and answers, and what was made of it.

``card.toml`` is written by hand, ``manifest.json`` by the training command; both reject unknown
keys.
"""

import datetime as dt
import string
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

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

from model.fields import AnyField, Features, Value

_STRICT = ConfigDict(extra="forbid", frozen=True)


class Output(BaseModel):
    """What the model answers and how people read it.

    ``range_text`` is the sentence around the interval, with ``{share}``, ``{low}`` and ``{high}``;
    ``outside_text`` the one for a row unlike all that the model has seen.
    """

    model_config = _STRICT

    label: str
    noun: str
    kind: Literal["number"]
    format: Literal["currency", "number"]
    unit: str = ""
    round_to: float = Field(default=1, gt=0)
    coverage: float = Field(default=0.9, gt=0.5, lt=1)
    range_text: str = "{share} answers like this lie between {low} and {high}"
    outside_text: str = (
        "The model has seen nothing like this, so this is a guess: perhaps between {low} and {high}"
    )

    @model_validator(mode="after")
    def _sentences_have_their_places(self) -> "Output":
        for key, text, wanted in (
            ("range_text", self.range_text, ["share", "low", "high"]),
            ("outside_text", self.outside_text, ["low", "high"]),
        ):
            places = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
            if sorted(places) != sorted(wanted) or places.index("low") > places.index("high"):
                named = ", ".join(f"{{{name}}}" for name in wanted)
                raise ValueError(f"{key} must have {named} once each, the low end first")
        return self


class Example(BaseModel):
    """A filled form that a visitor can click; values as they would be typed."""

    model_config = _STRICT

    title: str
    values: dict[str, Value]


class CardBase(BaseModel):
    """What every card says: title, summary, limits; ``name`` stands in the navigation."""

    model_config = _STRICT

    title: str
    summary: str
    name: str = ""
    locale: str = "en_US"
    data_text: str = ""
    limits: tuple[str, ...] = Field(min_length=1)
    not_for: tuple[str, ...] = Field(min_length=1)

    @field_validator("locale")
    @classmethod
    def _locale_is_known(cls, name: str) -> str:
        try:
            Locale.parse(name)
        except (UnknownLocaleError, ValueError) as error:
            raise ValueError(f'locale = "{name}" is not known; write one like "en_US"') from error
        return name


class Card(CardBase):
    """The contract of one model: form, validation, API, documentation and tests follow from it."""

    more: str = "More facts"
    what_if: str = ""
    reference_text: str = "A typical row"
    similar_text: str = "Rows like this"
    fields: tuple[AnyField, ...] = Field(min_length=1)
    output: Output
    examples: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> "Card":
        names = [field.name for field in self.fields]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"two fields are named {', '.join(doubled)}")
        if "what_if" in names:
            raise ValueError("no field can be named what_if: the address uses that name")
        if self.what_if and self.what_if not in names:
            raise ValueError(f'what_if = "{self.what_if}" is no field')
        for field in self.fields:
            field.localise(self.locale)
        for example in self.examples:
            unknown = sorted(set(example.values) - set(names))
            if unknown:
                raise ValueError(f'example "{example.title}" has no such field: {unknown[0]}')
            _, errors = self.validate_row(example.values)
            for name, message in errors.items():
                raise ValueError(f'example "{example.title}", {name}: {message}')
        return self

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The fields' names, in order: the columns of the predictor's matrix."""
        return tuple(field.name for field in self.fields)

    @cached_property
    def by_name(self) -> dict[str, AnyField]:
        """The fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def optional(self) -> tuple[str, ...]:
        """Names of the fields that may be left unknown."""
        return tuple(field.name for field in self.fields if not field.required)

    @cached_property
    def input_model(self) -> type[BaseModel]:
        """The Pydantic model of one row, made from the fields; all validation goes through it."""
        columns: dict[str, Any] = {
            field.name: (
                Annotated[
                    Any,
                    PlainValidator(field.validate_value),
                    WithJsonSchema(field.json_schema()),
                ],
                Field(default=None, validate_default=True, title=field.label),
            )
            for field in self.fields
        }
        return create_model("Row", __config__=ConfigDict(extra="ignore"), **columns)

    def validate_row(self, raw: Mapping[str, object]) -> tuple[Features | None, dict[str, str]]:
        """Read one row of raw values, typed text or JSON.

        Returns:
            The features by name and no errors, or None and the error text by field name, in the
            card's order.
        """
        try:
            row = self.input_model.model_validate(raw)
        except ValidationError as error:
            return None, {str(item["loc"][0]): item["msg"] for item in error.errors()}
        return row.__dict__, {}

    def encode(self, features: Features) -> np.ndarray[Any, np.dtype[np.float32]]:
        """One row of the predictor's matrix, shape (1, fields): float32, NaN where unknown."""
        return np.array(
            [[field.encode(features[field.name]) for field in self.fields]], dtype=np.float32
        )

    @cached_property
    def column(self) -> dict[str, int]:
        """Each field's column in the predictor's matrix."""
        return {name: column for column, name in enumerate(self.names)}


class Artifact(BaseModel):
    """A file of the model's folder as the training command left it."""

    model_config = _STRICT

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int


class Data(BaseModel):
    """What the model was trained on."""

    model_config = _STRICT

    file: str
    sha256: str
    rows: int
    text: str
    source: str


class Metric(BaseModel):
    """One measured figure, a share between 0 and 1 or a plain number."""

    model_config = _STRICT

    name: str
    label: str
    value: float
    share: bool = True


class Group(BaseModel):
    """The calibration of the interval where exactly ``known`` of the optional facts are given.

    ``low`` and ``high`` are conformal quantiles in units of the spread; ``width`` is the median
    width of the range relative to the prediction, and ``error`` the median absolute error relative
    to the truth, over the calibration rows. ``support`` is the distance to its nearest rows that
    99 % of the training rows stay below (see ``model.similar``).
    """

    model_config = _STRICT

    known: tuple[str, ...]
    low: float = Field(ge=0)
    high: float = Field(ge=0)
    width: float = Field(gt=0)
    error: float = Field(ge=0)
    support: float | None = Field(default=None, gt=0)


class Calibration(BaseModel):
    """How a prediction and its spread become a range."""

    model_config = _STRICT

    method: str
    coverage: float = Field(gt=0.5, lt=1)
    scale: Literal["log", "linear"]
    groups: tuple[Group, ...] = Field(min_length=1)


class Golden(BaseModel):
    """A row and what the model answered to it when it was made."""

    model_config = _STRICT

    features: dict[str, Value]
    value: float
    low: float | None = None
    high: float | None = None


class ManifestBase(BaseModel):
    """What every training command writes: files, versions, data, figures."""

    model_config = _STRICT

    trained: dt.date
    seed: int
    served: str
    artifacts: dict[str, Artifact]
    versions: dict[str, str]
    data: Data
    how: str
    metrics: tuple[Metric, ...]
    accuracy: str


class Manifest(ManifestBase):
    """What the training command made of rows: columns, calibration, reference."""

    columns: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    reference: dict[str, Value]
    axis: tuple[float, float]
    calibration: Calibration | None = None
    neighbors: str = ""
    golden: tuple[Golden, ...] = Field(min_length=3)
