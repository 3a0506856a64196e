"""The field in which a visitor says what was right, of the same unit and reader as the answer."""

import math

import numpy as np

from app.presentation.scales import Scale
from model.contract.fields import AnyField, Option
from model.contract.fields.choice import ChoiceField
from model.contract.fields.numeric import NumberField
from model.contract.outputs import ClassOutput, NumberOutput

TRUTH = "known-truth"
"""Its name and id; with a hyphen, as no field of a card has one."""

_MOST = 1e15
_MAX_UNIT = 20


def ask_number(
    output: NumberOutput, locale: str, axis: tuple[float, float], typical: float, scale: Scale
) -> AnyField:
    """Make the field for a number.

    Args:
        output: has the words and the unit.
        locale: how numbers are written.
        axis: the least and the largest outcome of the data, by which two readings are told apart.
        typical: a value for the example in messages.
        scale: rounds it.
    """
    low, high = axis
    field = NumberField(
        kind="number",
        name="truth",
        label=f"Actual {output.noun}"[:60],
        noun=output.noun[:60],
        determiner="the actual",
        unit=output.unit if len(output.unit) <= _MAX_UNIT else "",
        min=(0 if low > 0 else -_MOST) if output.min is None else output.min,
        max=_MOST if output.max is None else output.max,
        example=float(format(scale.round(typical), ".6g")) if math.isfinite(typical) else 0,
    ).model_copy(update={"name": TRUTH})  # unchecked
    field.localise(locale)
    field.remember_codes(np.array([low, high], dtype=np.float32))
    return field


def ask_class(output: ClassOutput) -> AnyField:
    """Make the field for a class."""
    return ask_option(output.noun, output.shown)


def ask_option(noun: str, options: tuple[Option, ...]) -> AnyField:
    """Make the field for one of some options, of which sentences call the right one a noun."""
    return ChoiceField(
        kind="choice",
        name="truth",
        label=f"The right {noun}"[:60],
        noun=noun[:60],
        determiner="the right",
        choices=options,
        example=options[0].value,
    ).model_copy(update={"name": TRUTH})
