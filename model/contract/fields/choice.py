"""Fields that take one of a few values: a list of choices, or yes and no."""

import json
import math
import textwrap
from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from model.contract.arrays import Float64Array
from model.contract.fields.base import BaseField, Option, Sample, make_error

_LONGEST_QUOTED = 48
"""Characters of a label that a drafted sentence quotes."""


def find_repeated(options: tuple[Option, ...]) -> list[str]:
    """The values that stand in the list more than once, sorted."""
    values = [option.value for option in options]
    return sorted({value for value in values if values.count(value) > 1})


class ChoiceField(BaseField):
    """One value out of a list."""

    kind: Literal["choice"]
    """The kind of field."""

    choices: tuple[Option, ...] = Field(min_length=2)
    """The values, in the order in which the form lists them. The model gets the index of the chosen
    one."""

    example: str
    """One of the choices' values, for the OpenAPI text."""

    verb: ClassVar[str] = "Choose"

    @model_validator(mode="after")
    def _values_are_distinct(self) -> "ChoiceField":
        if repeated := find_repeated(self.choices):
            raise ValueError(f"choices has {', '.join(repeated)} twice")
        if self.example not in self._codes:
            raise ValueError(f'example = "{self.example}" is not one of the choices')
        return self

    @cached_property
    def _codes(self) -> dict[str, float]:
        return {choice.value: float(code) for code, choice in enumerate(self.choices)}

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {choice.value: choice.label for choice in self.choices}

    @property
    def options(self) -> tuple[Option, ...]:
        return self.choices

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(self._codes)

    @property
    def accepted_text(self) -> str:
        return f"one of {len(self.choices)}"

    @property
    def accepted_json_text(self) -> str:
        return "one of " + ", ".join(map(json.dumps, self._codes))

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self._codes:
            raise make_error("choice", f"{self.label} must be one from the list")
        return value

    @property
    def encoder(self) -> Callable[[Any], float]:
        return self._codes.__getitem__

    def decode(self, code: float) -> str | None:
        return None if math.isnan(code) else self.choices[int(code)].value

    def format_value(self, value: Any) -> str:
        return self._labels[value]

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": list(self._codes)}

    @property
    def json_notes(self) -> tuple[str, ...]:
        return ("; ".join(f"{item.value}: {item.label}" for item in self.choices),)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        most_frequent = int(np.bincount(sample.codes.astype(int)).argmax())
        options = sample.options
        return cls(**sample.keys, choices=options, example=options[most_frequent].value)

    @classmethod
    def find_misfit(cls, numbers: Float64Array) -> str:
        return ""


class FlagField(BaseField):
    """Yes or no; the model gets 1 or 0.

    The noun follows the word whether: "Say whether {noun}".
    """

    kind: Literal["flag"]
    """The kind of field."""

    example: bool
    """One of the two answers, for the OpenAPI text."""

    yes: str = "Yes"
    """The word for true."""

    no: str = "No"
    """The word for false."""

    json_types: ClassVar[tuple[type, ...]] = (bool,)
    codes_text: ClassVar[str] = "0 and 1"
    verb: ClassVar[str] = "Say"

    @property
    def noun_phrase(self) -> str:
        return f"whether {self.noun}"

    @property
    def title_noun(self) -> str:
        return self.label

    @property
    def options(self) -> tuple[Option, ...]:
        return (Option(value="yes", label=self.yes), Option(value="no", label=self.no))

    @property
    def accepted_text(self) -> str:
        return f"{self.yes} or {self.no}"

    @property
    def accepted_json_text(self) -> str:
        return "true or false"

    def read(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value in ("yes", "no"):
            return value == "yes"
        raise make_error("flag", f"{self.label} must be yes or no")

    def decode(self, code: float) -> bool | None:
        return None if math.isnan(code) else bool(code)

    def format_value(self, value: Any) -> str:
        return self.yes if value else self.no

    def format_fact(self, value: Any) -> str:
        return f"{self.label}: {self.format_value(value)}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def decode_typed(self, code: float) -> str:
        return "yes" if code else "no"

    def format_typed(self, value: Any) -> str:
        return self.decode_typed(value) if isinstance(value, bool) else str(value)

    @classmethod
    def draft(cls, sample: Sample) -> Self:
        label = textwrap.shorten(sample.keys["label"], _LONGEST_QUOTED, placeholder=" …")
        escaped = label.replace("{", "{{").replace("}", "}}")
        texts = {"noun": f"“{label}” is true", "reason_text": f"“{escaped}” is {{value}}"}
        return cls(**{**sample.keys, **texts}, example=bool(sample.codes.mean() > 0.5))

    @classmethod
    def find_misfit(cls, numbers: Float64Array) -> str:
        return "" if set(numbers.tolist()) <= {0, 1} else "it holds more than 0 and 1"
