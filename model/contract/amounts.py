"""Writes the values of a number's output: as money, a percentage, a duration, or plainly."""

import math
from collections.abc import Callable

from babel.units import format_unit

from model.contract import formatting
from model.contract.fields import PluralForms
from model.contract.outputs import NumberOutput

MINUS = "\u2212"

PERCENTAGE_POINT = PluralForms(one="point", other="points")
"""The unit of a difference between two percentages."""

_DAY, _HOUR = 86_400, 3600
_PARTS = ((_DAY, "d"), (_HOUR, "h"), (60, "min"), (1, "s"))
_LEAST_DAYS = 2 * _DAY
"""Seconds below which a duration is told in hours."""


def make_writer(output: NumberOutput, locale: str) -> Callable[[float], str]:
    """Make what writes a value, in the output's unit, as people read it."""
    if output.format == "currency":
        return lambda value: formatting.format_currency(value, output.unit, locale)
    if output.format == "percent":
        digits = find_digits(output)
        return lambda value: formatting.format_percent(value / output.whole, locale, digits)
    if output.format == "duration":
        finest = output.round_to * output.seconds
        return lambda value: format_duration(value * output.seconds, finest, locale)
    # ``format_number`` keeps three decimals only.
    write = formatting.format_exact if output.round_to < 0.001 else formatting.format_number
    unit = f"\u00a0{output.unit}" if output.unit else ""
    return lambda value: write(value, locale) + unit


def make_difference_writer(output: NumberOutput, locale: str) -> Callable[[float], str]:
    """Make what writes a difference between two values, at least 0, in the output's unit."""
    if output.format != "percent":
        return make_writer(output, locale)
    digits = find_digits(output)
    return lambda amount: format_points(amount / output.whole, locale, digits)


def find_digits(output: NumberOutput) -> int:
    """Find how many decimals a percentage has that is rounded as the card says."""
    return max(0, math.ceil(-math.log10(output.round_to * 100 / output.whole) - 1e-9))


def format_points(amount: float, locale: str, digits: int = 0) -> str:
    """Format a difference between two shares: "3 points"."""
    points = round(amount * 100, digits) if digits else round(amount * 100)
    form = formatting.plural_form(points, locale)
    noun = getattr(PERCENTAGE_POINT, form) or PERCENTAGE_POINT.other
    return f"{formatting.format_number(points, locale)}\u00a0{noun}"


def format_duration(seconds: float, finest: float, locale: str) -> str:
    """Format a duration by its parts that are not 0: "2 h 35 min", or "412 days".

    Args:
        seconds: how long it is.
        finest: the seconds to which it is rounded; no smaller part is told.
        locale: how numbers are written.
    """
    if seconds < 0:
        return MINUS + format_duration(-seconds, finest, locale)
    last = next((size for size, _ in _PARTS if size <= finest * (1 + 1e-4)), 1)
    decimals = max(0, math.ceil(-math.log10(finest) - 1e-4)) if finest < 1 else 0
    rest = round(seconds / last, decimals) * last
    parts: list[tuple[int, str, float]] = []
    for size, name in _PARTS:
        if size < last or (size == _DAY and last < _DAY and rest < _LEAST_DAYS):
            continue
        count = rest if size == 1 else rest // size
        rest -= count * size
        if count or (size == last and not parts):
            parts.append((size, name, round(count, decimals)))
    if [size for size, _, _ in parts] == [_DAY]:
        return format_unit(parts[0][2], "duration-day", "long", locale=locale).replace(
            " ", "\u00a0"
        )
    return " ".join(
        f"{formatting.format_number(count, locale)}\u00a0{name}" for _, name, count in parts
    )
