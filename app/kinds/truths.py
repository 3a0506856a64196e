"""The field in which a visitor says what was right, of the same unit and reader as the answer."""

import math
import re
from collections.abc import Mapping

import numpy as np

from app.presentation.scales import Scale
from model.contract.fields import AnyField, Option
from model.contract.fields.choice import ChoiceField
from model.contract.fields.numeric import NumberField
from model.contract.outputs import ClassOutput, NumberOutput
from model.contract.reading import Notation, list_readings
from model.contract.units import convert

TRUTH = "known-truth"
"""Its name and id; with a hyphen, as no field of a card has one."""

_PART = re.compile(r"([0-9][0-9.,]*)\s*([^\W\d]+)")
_MOST = 1e15
_MAX_UNIT = 20


class _ShareField(NumberField):
    """A share of 1, which people also type as the page shows it: "23%"."""

    def read(self, value: object) -> float:
        text = value.strip() if isinstance(value, str) else ""
        if text.endswith("%") and (number := _read_number(text[:-1], self._notation)) is not None:
            return super().read(number / 100)
        return super().read(value)


class _DurationField(NumberField):
    """A duration, which people also type as the page shows it: "2 h 35 min"."""

    def read(self, value: object) -> float:
        text = value.strip() if isinstance(value, str) else ""
        parts = _PART.findall(text)
        if parts and "".join(map("".join, parts)) == "".join(text.split()):
            numbers = [_read_number(number, self._notation) for number, _ in parts]
            found = [
                None if number is None else convert(number, unit, self.unit)
                for number, (_, unit) in zip(numbers, parts, strict=True)
            ]
            known = [number for number in found if number is not None]
            if len(known) == len(found):
                return super().read(sum(known))
        return super().read(value)


_FIELDS: Mapping[str, type[NumberField]] = {"percent": _ShareField, "duration": _DurationField}


def _read_number(text: str, notation: Notation) -> float | None:
    """The one number that a text says; None for others."""
    try:
        (number,) = list_readings(text.strip(), notation)
    except ValueError:
        return None
    return float(number)


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
    kind = _FIELDS.get(output.format, NumberField)
    if output.format == "percent" and output.unit:
        kind = NumberField  # whose unit is the sign
    field = kind(
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
