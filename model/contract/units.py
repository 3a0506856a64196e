"""Spellings of units, what one is in another, and the words that people write for numbers.

The table is small on purpose: it only serves to take a field's own unit in every usual spelling,
and to say what to write where another one was typed. Factors are exact by definition (BIPM, the
international yard and pound of 1959), but for those of horsepower, months and years.
"""

import re
import unicodedata
from decimal import Decimal
from functools import cache

from babel import Locale

from model.contract.reading import list_readings, normalize_unit

_YEAR = 365.2425
"""Days of the mean Gregorian year."""

_UNITS: dict[str, tuple[tuple[float, tuple[str, ...]], ...]] = {
    "area": (
        (1, ("m²", "sqm", "sq m", "qm", "square meter", "square meters", "square metre",
             "square metres")),
        (0.09290304, ("sq ft", "sqft", "sf", "ft²", "square foot", "square feet")),
        (0.83612736, ("sq yd", "yd²", "square yard", "square yards")),
        (4046.8564224, ("acre", "acres", "ac")),
        (10_000, ("ha", "hectare", "hectares")),
        (1_000_000, ("km²", "sq km", "square kilometer", "square kilometers", "square kilometre",
                     "square kilometres")),
        (2_589_988.110336, ("sq mi", "mi²", "square mile", "square miles")),
    ),
    "length": (
        (0.001, ("mm", "millimeter", "millimeters", "millimetre", "millimetres")),
        (0.01, ("cm", "centimeter", "centimeters", "centimetre", "centimetres")),
        (1, ("m", "meter", "meters", "metre", "metres")),
        (1000, ("km", "kilometer", "kilometers", "kilometre", "kilometres")),
        (0.0254, ("in", "inch", "inches", '"', "″")),
        (0.3048, ("ft", "foot", "feet")),
        (0.9144, ("yd", "yard", "yards")),
        (1609.344, ("mi", "mile", "miles")),
    ),
    "mass": (
        (0.000001, ("mg", "milligram", "milligrams")),
        (0.001, ("g", "gram", "grams")),
        (1, ("kg", "kgs", "kilo", "kilos", "kilogram", "kilograms")),
        (1000, ("t", "ton", "tons", "tonne", "tonnes")),
        (0.028349523125, ("oz", "ounce", "ounces")),
        (0.45359237, ("lb", "lbs", "pound", "pounds")),
    ),
    "volume": (
        (0.001, ("ml", "milliliter", "milliliters", "millilitre", "millilitres")),
        (1, ("l", "liter", "liters", "litre", "litres")),
        (0.001, ("cm³", "cc", "ccm")),
        (1000, ("m³", "cbm", "cubic meter", "cubic meters", "cubic metre", "cubic metres")),
        (28.316846592, ("cu ft", "ft³", "cubic foot", "cubic feet")),
        (3.785411784, ("gal", "gallon", "gallons")),
    ),
    "time": (
        (1, ("s", "sec", "secs", "second", "seconds")),
        (60, ("min", "mins", "minute", "minutes")),
        (3600, ("h", "hr", "hrs", "hour", "hours")),
        (86_400, ("d", "day", "days")),
        (604_800, ("wk", "wks", "week", "weeks")),
        (86_400 * _YEAR / 12, ("mo", "month", "months")),
        (86_400 * _YEAR, ("y", "yr", "yrs", "year", "years")),
    ),
    "speed": (
        (1, ("km/h", "kph", "kmh")),
        (3.6, ("m/s",)),
        (1.609344, ("mph", "mi/h")),
    ),
    "power": (
        (1, ("kW", "kilowatt", "kilowatts")),
        (0.001, ("W", "watt", "watts")),
        (0.7457, ("hp", "bhp", "horsepower")),
        (0.7355, ("PS",)),
    ),
    "share": ((1, ("%", "٪", "percent", "per cent", "pct")),),
    "temperature": (
        (1, ("°C", "C", "degrees C", "Celsius", "degrees Celsius")),
        (5 / 9, ("°F", "F", "degrees F", "Fahrenheit", "degrees Fahrenheit")),
        (1, ("K", "kelvin")),
    ),
    "US dollars": ((1, ("USD", "$", "US$", "dollar", "dollars")),),
    "euros": ((1, ("EUR", "€", "euro", "euros")),),
    "pounds sterling": ((1, ("GBP", "£")),),
    "yen": ((1, ("JPY", "¥", "yen")),),
    "rupees": ((1, ("INR", "₹", "rupee", "rupees")),),
    "zloty": ((1, ("PLN", "zł")),),
    "Swiss francs": ((1, ("CHF", "Fr")),),
}  # fmt: skip
"""By dimension: how many of the first or the SI unit each is, and its spellings."""

_ZEROS = {"°f": 32.0, "k": 273.15}
"""What a scale shows at 0 °C, by its first spelling."""

_MULTIPLES = {
    "k": 3, "thousand": 3, "tsd": 3, "mio": 6, "mn": 6, "mln": 6, "million": 6, "millions": 6,
    "bn": 9, "billion": 9,
}  # fmt: skip
"""Words for powers of ten. A lone "m" is not among them: it is a thousand, a million or a metre."""

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORDS = {
    **{word: number for number, word in enumerate(_ONES.split())},
    **{word: 10 * number for number, word in enumerate(_TENS.split(), start=2)},
}

_SCIENTIFIC = re.compile(r"(?P<number>[-+]?[0-9]+(?:[.,][0-9]+)?)e(?P<power>[-+]?[0-9]{1,2})")


@cache
def _by_spelling() -> dict[str, list[tuple[str, float, float, tuple[str, ...]]]]:
    """Dimension, factor, zero and all spellings of the units that are spelled so."""
    found: dict[str, list[tuple[str, float, float, tuple[str, ...]]]] = {}
    for dimension, units in _UNITS.items():
        for factor, spellings in units:
            normal = tuple(map(normalize_unit, spellings))
            zero = _ZEROS.get(normal[0], 0.0)
            for spelling in normal:
                found.setdefault(spelling, []).append((dimension, factor, zero, normal))
    return found


def list_spellings(unit: str) -> tuple[str, ...]:
    """List the spellings of a unit, as ``normalize_unit`` gives them; its own comes first."""
    own = normalize_unit(unit)
    known = (spelling for entry in _by_spelling().get(own, ()) for spelling in entry[3])
    return tuple(dict.fromkeys((own, *known)))


def mentions_currency(unit: str) -> bool:
    """Whether a unit is money, or so many of it: ``EUR``, ``1000 USD``, ``k€``."""
    codes = Locale("en").currencies
    return any(unicodedata.category(char) == "Sc" for char in unit) or any(
        word in codes for word in re.findall(r"[A-Z]{3}", unit)
    )


def convert(number: float, unit: str, other: str) -> float | None:
    """Convert a number of one unit to another; None where the table has no way.

    Args:
        number: in ``unit``.
        unit: any spelling of the unit to convert from.
        other: any spelling of the unit to convert to.
    """
    table = _by_spelling()
    for dimension, factor, zero, _ in table.get(normalize_unit(unit), ()):
        for goal, goal_factor, goal_zero, _ in table.get(normalize_unit(other), ()):
            if goal == dimension:
                return (number - zero) * factor / goal_factor + goal_zero
    return None


def read_multiple(number: Decimal, word: str) -> Decimal | None:
    """The number of a text like ``1.5k``; None where the word is no power of ten.

    Args:
        number: what stands before the word.
        word: as ``normalize_unit`` gives it.
    """
    power = _MULTIPLES.get(word)
    return None if power is None else number.scaleb(power)


def read_words(text: str) -> Decimal | None:
    """The number that a text without a usual number says: ``three``, ``1e5``; None for others."""
    numbers = [_WORDS.get(word) for word in text.casefold().replace("-", " ").split()]
    match numbers:
        case [int(number)]:
            return Decimal(number)
        case [int(tens), int(ones)] if tens >= 20 and 0 < ones < 10:
            return Decimal(tens + ones)
    if match := _SCIENTIFIC.fullmatch(text.strip().casefold()):
        try:
            (found,) = list_readings(match["number"])
        except ValueError:  # not a number, or two of them
            return None
        return found.scaleb(int(match["power"]))
    return None
