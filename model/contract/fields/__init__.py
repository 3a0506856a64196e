"""The kinds of field that a card can ask for, one class each.

A field validates what was typed or sent as JSON, says what is wrong with it, and encodes the value
as one float for the predictor, NaN where it is unknown.
"""

from typing import Annotated

from pydantic import Field

from model.contract.fields.base import BaseField, Features, Value, make_error
from model.contract.fields.choice import ChoiceField, FlagField, Option, find_repeated
from model.contract.fields.numeric import IntegerField, NumberField, PluralForms

__all__ = [
    "AnyField",
    "BaseField",
    "ChoiceField",
    "Features",
    "FlagField",
    "IntegerField",
    "NumberField",
    "Option",
    "PluralForms",
    "Value",
    "find_repeated",
    "make_error",
]

AnyField = Annotated[
    IntegerField | NumberField | ChoiceField | FlagField, Field(discriminator="kind")
]
"""Every kind of field; a new one is a class here, a template and a test."""
