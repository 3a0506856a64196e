"""Fields that take one of a few values: a list of choices, or yes and no."""

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model.contract.fields.base import BaseField, make_error


class Option(BaseModel):
    """One value that a choice field can take, and the label that people read for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    value: str = Field(min_length=1, max_length=100)
    """The value for programs and for the model."""

    label: str = Field(min_length=1, max_length=100)
    """The words for people."""


def find_repeated(options: tuple[Option, ...]) -> list[str]:
    """The values that stand in the list more than once, sorted."""
    values = [option.value for option in options]
    return sorted({value for value in values if values.count(value) > 1})


class ChoiceField(BaseField):
    """One value out of a list; encoded as its index in the card's list."""

    kind: Literal["choice"]
    """The kind of field."""

    choices: tuple[Option, ...] = Field(min_length=2)
    """The values, in the order in which the form lists them. The model gets the index of the chosen
    one."""

    example: str
    """One of the choices' values, for the OpenAPI text."""

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
    def missing_text(self) -> str:
        return f"Choose {self.noun_phrase}"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or value not in self._codes:
            raise make_error("choice", f"{self.missing_text} from the list")
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


class FlagField(BaseField):
    """Yes or no; encoded as 1 and 0."""

    kind: Literal["flag"]
    """The kind of field."""

    example: bool
    """One of the two answers, for the OpenAPI text."""

    yes: str = "Yes"
    """The word for true."""

    no: str = "No"
    """The word for false."""

    @property
    def missing_text(self) -> str:
        return f"Say {self.noun_phrase}"

    @property
    def noun_phrase(self) -> str:
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
        raise make_error("flag", f"{self.missing_text}: yes or no")

    def decode(self, code: float) -> bool | None:
        return None if math.isnan(code) else bool(code)

    def format_value(self, value: Any) -> str:
        return self.yes if value else self.no

    def format_fact(self, value: Any) -> str:
        return f"{self.label}: {self.format_value(value)}"

    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}
