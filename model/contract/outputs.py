"""What a model predicts: a number with a unit, a class, a cluster, or an outlier."""

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from model.contract.arrays import Float64Array
from model.contract.fields import DISTINCT, Option
from model.contract.placeholders import check_placeholders
from model.contract.strict import StrictModel
from model.contract.units import convert

MOST_CLASSES = 50
"""Classes, or clusters, that a page can show."""

_Options = Annotated[tuple[Option, ...], Field(min_length=2, max_length=MOST_CLASSES), DISTINCT]


class OutputBase(StrictModel):
    """What every output has."""

    label: str
    """The words above the answer."""

    noun: str
    """What sentences call the answer."""

    @property
    def measured_in(self) -> str:
        """The unit of the answer; "" for none, and for one that is no number."""
        return ""


class NumberOutput(OutputBase):
    """A number and how people read it.

    ``range_text`` is the sentence around the interval, with ``{share}``, ``{low}`` and ``{high}``;
    ``outside_text`` replaces it for an out-of-distribution row.
    """

    format: Literal["currency", "number", "percent", "duration"]
    """Whether the number is an amount of money, a percentage, a duration like "2 h 35 min", or a
    plain number."""

    unit: str = ""
    """The ISO 4217 code of the currency, or the unit of a plain number. For a percentage it is "%"
    where 100 is all of it, and without a unit 1 is; for a duration it is a unit of time."""

    min: float | None = None
    """What no answer and no range goes below. What the model says below it counts as this."""

    max: float | None = None
    """What no answer and no range goes above."""

    round_to: float = Field(default=1, gt=0)
    """The step to which the page rounds the number; the API does not round."""

    coverage: float = Field(default=0.9, gt=0.5, lt=1)
    """The share of cases that the range shall contain. The range must have been calibrated for
    it."""

    lead: Literal["value", "range"] = "value"
    """What the page shows first: the value, or the range where the model knows little more."""

    range_text: str = "{share} answers like this lie between {low} and {high}"
    """The sentence about the range. Placeholders, once each: ``{share}``, ``{low}``, ``{high}``."""

    outside_text: str = (
        "The model has seen nothing like this, so this is a guess: perhaps between {low} and {high}"
    )
    """The same sentence for a row that is unlike all training rows. Placeholders, once each:
    ``{low}``, ``{high}``."""

    @property
    def measured_in(self) -> str:
        return self.unit

    @property
    def whole(self) -> float:
        """What a percentage of 100 is in the output's unit."""
        return 100.0 if self.unit == "%" else 1.0

    @property
    def seconds(self) -> float:
        """How many seconds the unit of a duration has; NaN for another unit."""
        found = convert(1.0, self.unit, "second")
        return math.nan if found is None else found

    def limit(self, values: Float64Array) -> Float64Array:
        """Return values, of any shape, none below ``min`` or above ``max``."""
        if self.min is None and self.max is None:
            return values
        return np.clip(values, self.min, self.max)

    def limit_one(self, value: float) -> float:
        """Return a value that is not below ``min`` or above ``max``."""
        return float(self.limit(np.array(value, dtype=np.float64)))

    @model_validator(mode="after")
    def _unit_suits_the_format(self) -> "NumberOutput":
        if self.format == "percent" and self.unit not in ("", "%"):
            raise ValueError('a percentage has the unit "%", or none where 1 is all of it')
        if self.format == "duration" and math.isnan(self.seconds):
            raise ValueError(f'unit = "{self.unit}" is no unit of time; write one like "minutes"')
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError(f"min = {self.min:g} must be below max = {self.max:g}")
        return self

    @field_validator("range_text", "outside_text")
    @classmethod
    def _text_has_its_placeholders(cls, text: str, info: ValidationInfo) -> str:
        key = info.field_name or ""
        wanted = ("share", "low", "high") if key == "range_text" else ("low", "high")
        names = check_placeholders(text, key, wanted)
        if sorted(names) != sorted(wanted) or names.index("low") > names.index("high"):
            named = ", ".join(f"{{{name}}}" for name in wanted)
            raise ValueError(f"{key} must have {named} once each, {{low}} before {{high}}")
        return text


class NamedOutput(NumberOutput):
    """One of several numbers."""

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,40}$")
    """The name in the API and in files."""


class MultiOutput(NamedOutput):
    """Several numbers: the headline, and the others beside it."""

    others: tuple[NamedOutput, ...] = Field(min_length=1, max_length=20)
    """The other numbers, in the order of the model's columns, which the headline's precedes."""

    @model_validator(mode="after")
    def _names_are_distinct(self) -> "MultiOutput":
        names = [self.name, *(other.name for other in self.others)]
        if len(set(names)) < len(names):
            raise ValueError(f"two outputs have one name: {', '.join(names)}")
        return self


class ClassOutput(OutputBase):
    """One of several classes, in the order of the predictor's columns.

    Where ``probabilities`` is false the model predicts a class without a probability.
    ``outside_text`` is shown for an out-of-distribution row.
    """

    classes: _Options
    """The classes, in the order of the model's columns."""

    probabilities: bool = True
    """Whether the model gives a probability for each class. If not, it names a class and says
    nothing of how sure it is."""

    risk: str = ""
    """The value of one class, where its probability is the answer: a risk in percent. Reasons are
    then those of the risk."""

    order: tuple[str, ...] = ()
    """The values of all classes from the lowest to the highest, where they are steps of a scale,
    like stars. The page then shows them in that order, with the range of the likely ones."""

    outside_text: str = "The model has seen nothing like this, so this is a guess"
    """The sentence for a row that is unlike all training rows."""

    @property
    def shown(self) -> tuple[Option, ...]:
        """The classes as people read them: in the order of the scale, if they are steps of one."""
        options = {option.value: option for option in self.classes}
        return tuple(options[value] for value in self.order or options)

    @model_validator(mode="after")
    def _risk_is_a_class(self) -> "ClassOutput":
        if self.risk and self.risk not in [option.value for option in self.classes]:
            raise ValueError(f'risk = "{self.risk}" is no class')
        if self.risk and not self.probabilities:
            raise ValueError("a risk needs a model that gives probabilities")
        return self

    @model_validator(mode="after")
    def _order_has_every_class(self) -> "ClassOutput":
        values = [option.value for option in self.classes]
        if self.order and sorted(self.order) != sorted(values):
            raise ValueError(f"order must have each class once: {', '.join(values)}")
        if self.order and self.risk:
            raise ValueError("a risk is about one class, so it has no order")
        return self


class ClusterOutput(OutputBase):
    """One of several clusters that the model found by itself, in the order of its numbers.

    For visitors a cluster is a group. ``outside_text`` is shown for an out-of-distribution row.
    """

    clusters: _Options
    """The clusters, in the order of the model's numbers."""

    measure: Literal["probability", "distance", "none"] = "none"
    """What the model gives for each cluster: its probability, the distance to its centre, or
    nothing, and then the page does not say how clearly a row belongs to it."""

    outside_text: str = "The model has seen nothing like this, so this is a guess"
    """The sentence for a row that is unlike all training rows."""


class OutlierOutput(OutputBase):
    """Whether a row is an outlier among the training rows."""

    outlier_text: str = "Unusual"
    """What the page calls a row that the model sets apart."""

    inlier_text: str = "Not unusual"
    """What the page calls any other row."""
