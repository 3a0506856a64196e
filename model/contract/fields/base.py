"""What every kind of field has: its words, and how a value is validated, encoded and formatted."""

import math
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from model.contract.placeholders import check_placeholders

Value = int | float | str | bool | None
Features = Mapping[str, Value]
"""One row by field name: a number, a choice's value, a flag, or None where unknown."""


def make_error(kind: str, message: str) -> PydanticCustomError:
    """An error whose text is exactly ``message``, even if that contains braces."""
    return PydanticCustomError(kind, "{message}", {"message": message})


class BaseField(BaseModel):
    """What every kind of field has.

    An error about a value names the field by its ``label``, because that stands beside it on the
    page: "Square feet must be between 300 and 6,000". A request uses the ``noun``, after its
    ``determiner``: "Enter the living area", "Enter the number of bedrooms". ``reason_text`` says
    what the value is ("it has {value}"), ``comparison_text`` how another row differs
    ("in {value}").
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,40}$")
    """The name in the form, in the address, in the API and of the model's column."""

    label: str = Field(min_length=1, max_length=60)
    """The words beside the input."""

    noun: str = Field(min_length=1, max_length=60)
    """What error messages call the value: "Enter the {noun}"."""

    determiner: str = "the"
    """What stands before the noun where it is asked for: "the", or "the number of"."""

    reason_text: str = "its {noun} is {value}"
    """What the value is, in a reason. Placeholders: ``{noun}``, ``{value}``."""

    comparison_text: str = "{label}: {value}"
    """How a similar row differs. Placeholders: ``{label}``, ``{value}``."""

    help: str = Field(default="", max_length=200)
    """A hint between the label and the input."""

    required: bool = True
    """Whether the field must be filled. A field that is not required may stay empty; the model then
    answers without it."""

    placeholders: ClassVar[dict[str, tuple[str, ...]]] = {
        "reason_text": ("noun", "value"),
        "comparison_text": ("label", "value"),
        "larger_text": ("amount",),
        "smaller_text": ("amount",),
    }
    """The placeholders that each text of any kind of field may have, by the text's key."""

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
        return f"{self.determiner} {self.noun}"

    @property
    def missing_text(self) -> str:
        """The error message for a missing value."""
        return f"Enter {self.noun_phrase}"

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
        if value is None or value == "" or (isinstance(value, str) and not value.strip()):
            if self.required:
                raise make_error("missing", self.missing_text)
            return None
        return self.read(value)

    def read(self, value: object) -> Any:
        """Turn a value that is not blank into the field's value; see ``validate_value``."""
        raise NotImplementedError

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

    def format_value(self, value: Any) -> str:
        """The value as people read it, with its unit."""
        return str(value)

    def format_fact(self, value: Any) -> str:
        """The value with the noun, for a list of facts: "living area 1,850 sq ft"."""
        return f"{self.noun} {self.format_value(value)}"

    def format_reason(self, value: Any) -> str:
        """The value as a clause after "because": "it has 1,850 sq ft of living area"."""
        return self.reason_text.format(noun=self.noun, value=self.format_value(value))

    def format_difference(self, value: Any, other: Any) -> str:
        """How ``other`` differs from ``value``, in a few words."""
        return self.comparison_text.format(label=self.label, value=self.format_value(other))

    def json_schema(self) -> dict[str, Any]:
        """The schema of a given value in JSON Schema 2020-12."""
        raise NotImplementedError
