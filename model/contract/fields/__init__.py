"""The kinds of field that a card can ask for, one class each.

A field validates what was typed or sent as JSON, says what is wrong with it, and encodes the value
as one float for the predictor, NaN where it is unknown.
"""

from typing import Annotated, get_args

from pydantic import Field

from model.contract.fields.base import (
    INVALID,
    BaseField,
    Features,
    Meaning,
    Option,
    Sample,
    Value,
    make_error,
)
from model.contract.fields.choice import (
    DISTINCT,
    MOST_CHOICES,
    MOST_SUGGESTED,
    ChoiceField,
    FlagField,
    SearchField,
    name_list_kind,
)
from model.contract.fields.date import DateField
from model.contract.fields.numeric import (
    MAX_PLAIN,
    IntegerField,
    NumberField,
    PluralForms,
    are_plain_numbers,
    is_plain_number,
)
from model.contract.fields.text import TextField

__all__ = [
    "DISTINCT",
    "FIELD_KINDS",
    "INVALID",
    "MAX_PLAIN",
    "MOST_CHOICES",
    "MOST_SUGGESTED",
    "AnyField",
    "BaseField",
    "ChoiceField",
    "DateField",
    "Features",
    "FlagField",
    "IntegerField",
    "Meaning",
    "NumberField",
    "Option",
    "PluralForms",
    "Sample",
    "SearchField",
    "TextField",
    "Value",
    "are_plain_numbers",
    "is_plain_number",
    "make_error",
    "name_list_kind",
]

_Field = IntegerField | NumberField | ChoiceField | SearchField | FlagField | DateField | TextField
"""Every kind of field; a new one is a class, its name here, a template and a test."""

AnyField = Annotated[_Field, Field(discriminator="kind")]

FIELD_KINDS: dict[str, type[_Field]] = {
    get_args(field.model_fields["kind"].annotation)[0]: field for field in get_args(_Field)
}
"""The class of each kind of field, by the kind's name in a card."""
