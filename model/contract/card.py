"""Card and manifest: what a model asks and answers, and what was made of it.

``card.toml`` is written by hand, ``manifest.json`` by the training command; both reject unknown
keys.
"""

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping
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

from model.contract.fields import AnyField, Features, Value
from model.contract.outputs import ClassOutput, NumberOutput
from model.contract.sources import Frame

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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
    """A card whose parts do not fit each other: every place, and what is wrong there."""

    def __init__(self, problems: list[tuple[Loc, str]]) -> None:
        super().__init__("; ".join(message for _, message in problems))
        self.problems = problems


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
    output: Annotated[NumberOutput | ClassOutput, Field(discriminator="kind")]
    examples: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> "Card":
        problems = list(self._problems())
        if problems:
            raise CardError(problems)
        return self

    def _problems(self) -> Iterator[tuple[Loc, str]]:
        """What each part allows, but not all together: its place, and what is wrong."""
        names = [field.name for field in self.fields]
        for place, name in enumerate(names):
            if name in names[:place]:
                yield ("fields", place, "name"), f"two fields are named {name}"
            if name == "what_if":
                problem = "no field can be named what_if: the address uses that name"
                yield ("fields", place, "name"), problem
            elif name in PAGE_IDS:
                problem = f"no field can be named {name}: a part of the page has that id"
                yield ("fields", place, "name"), problem
        if self.what_if and self.what_if not in names:
            yield ("what_if",), f'what_if = "{self.what_if}" is no field'
        for field in self.fields:
            field.localise(self.locale)
        for place, example in enumerate(self.examples):
            at = ("examples", place)
            title = f'example "{example.title}"'
            for name in sorted(set(example.values) - set(names)):
                yield at, f"{title} has no such field: {name}"
            _, errors = self.validate_row(example.values)
            for name, message in errors.items():
                yield at, f"{title}, {name}: {message}"

    @property
    def number(self) -> NumberOutput:
        """The output of a model of numbers.

        Raises:
            TypeError: if the card is that of a model of classes.
        """
        if not isinstance(self.output, NumberOutput):
            raise TypeError(f"{self.title} answers with a class, not with a number")
        return self.output

    @property
    def classes(self) -> ClassOutput:
        """The output of a model of classes.

        Raises:
            TypeError: if the card is that of a model of numbers.
        """
        if not isinstance(self.output, ClassOutput):
            raise TypeError(f"{self.title} answers with a number, not with a class")
        return self.output

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
                Field(default=None, validate_default=True, title=field.label)
                if field.required
                else Field(default=None, title=field.label),
            )
            for field in self.fields
        }
        return create_model("Row", __config__=ConfigDict(extra="ignore"), **columns)

    @cached_property
    def _validate(self) -> Callable[[Mapping[str, object]], Any]:
        """What ``input_model.model_validate`` comes to, without its options."""
        validate: Callable[[Mapping[str, object]], Any]
        validate = self.input_model.__pydantic_validator__.validate_python
        return validate

    def validate_row(self, raw: Mapping[str, object]) -> tuple[Features | None, dict[str, str]]:
        """Read one row of raw values, typed text or JSON.

        Returns:
            The features by name and no errors, or None and the error text by field name, in the
            card's order.
        """
        try:
            row = self._validate(raw)
        except ValidationError as error:
            return None, {str(item["loc"][0]): item["msg"] for item in error.errors()}
        return row.__dict__, {}

    def codes(self, features: Features) -> list[float]:
        """The code of each field, in order, NaN where it is unknown."""
        codes = []
        for name, coder in self._coders:
            value = features[name]
            codes.append(math.nan if value is None else coder(value))
        return codes

    @cached_property
    def _coders(self) -> list[tuple[str, Callable[[Any], float]]]:
        return [(field.name, field.coder) for field in self.fields]

    def encode(self, features: Features) -> np.ndarray[Any, np.dtype[np.float32]]:
        """One row of the predictor's matrix, shape (1, fields): float32, NaN where unknown."""
        return np.array([self.codes(features)], dtype=np.float32)

    @cached_property
    def column(self) -> dict[str, int]:
        """Each field's column in the predictor's matrix."""
        return {name: column for column, name in enumerate(self.names)}


class Artifact(BaseModel):
    """A file of the model's folder as the training command left it."""

    model_config = _STRICT

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int


class TrainingData(BaseModel):
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

    A model of many optional facts has a group for each number of ``unknown`` ones instead.

    ``low`` and ``high`` are conformal quantiles in units of the spread (1 for a predictor that says
    none); ``width`` is the median width of the range and ``error`` the median absolute error over
    the calibration rows: on a log scale relative to prediction and truth, on a linear one in the
    unit of the prediction. ``support`` is the distance to its nearest rows that 99 % of the
    training rows stay below (see ``model.serving.neighbors``).
    """

    model_config = _STRICT

    known: tuple[str, ...] = ()
    unknown: int | None = Field(default=None, ge=0)
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
    """A row and what the model answered to it when it was made.

    ``value`` is the prediction, or the probability of the class in ``label``.
    """

    model_config = _STRICT

    features: dict[str, Value]
    value: float
    label: str = ""
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
    data: TrainingData
    how: str
    metrics: tuple[Metric, ...]
    accuracy: str


class Manifest(ManifestBase):
    """What the training command made of rows: columns, calibration, reference.

    ``axis`` are the ends of the scale on which a number is shown; a model of classes has none. It
    may have a ``temperature`` instead of a calibration (see ``model.serving.temperature``). ``frame`` says what
    an estimator that is served as it was saved takes, where that is not the card's own columns.
    ``support`` is that of a model without calibrated groups, by the number of unknown facts.
    """

    columns: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    reference: dict[str, Value]
    axis: tuple[float, float] | None = None
    calibration: Calibration | None = None
    temperature: float | None = Field(default=None, gt=0)
    neighbors: str = ""
    frame: Frame | None = None
    support: tuple[float, ...] = ()
    golden: tuple[Golden, ...] = Field(min_length=3)
