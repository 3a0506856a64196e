"""Spellings of units, what one is in another, and the words that people write for numbers.

It serves to take a field's own unit as people spell it, and to say what to write where another one
was typed. The spellings come from the CLDR, in English and in the card's language; the factors are
exact by definition (BIPM, the international yard and pound of 1959), but for those of a month, a
year and a horsepower.
"""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from babel import Locale
from babel.numbers import get_currency_name, get_currency_symbol
from babel.units import format_unit

from model.contract.reading import list_readings, normalize_unit

Length = Literal["short", "long", "narrow"]
"""How long the CLDR spells a unit."""

_LANGUAGES = ("en", "en_GB")
"""English is understood everywhere, in both spellings of a metre."""

_COUNTS = (1, 2, 5)
"""One number for each plural form of most languages."""

_YEAR = 365.2425
"""Days of the mean Gregorian year."""

_FACTORS = {
    "area-square-meter": 1, "area-square-foot": 0.09290304, "area-square-yard": 0.83612736,
    "area-acre": 4046.8564224, "area-hectare": 10_000, "area-square-kilometer": 1_000_000,
    "area-square-mile": 2_589_988.110336,
    "length-millimeter": 0.001, "length-centimeter": 0.01, "length-meter": 1,
    "length-kilometer": 1000, "length-inch": 0.0254, "length-foot": 0.3048, "length-yard": 0.9144,
    "length-mile": 1609.344,
    "mass-milligram": 0.000001, "mass-gram": 0.001, "mass-kilogram": 1, "mass-tonne": 1000,
    "mass-ounce": 0.028349523125, "mass-pound": 0.45359237,
    "volume-milliliter": 0.001, "volume-cubic-centimeter": 0.001, "volume-liter": 1,
    "volume-cubic-meter": 1000, "volume-cubic-foot": 28.316846592, "volume-gallon": 3.785411784,
    "duration-second": 1, "duration-minute": 60, "duration-hour": 3600, "duration-day": 86_400,
    "duration-week": 604_800, "duration-month": 7200 * _YEAR, "duration-year": 86_400 * _YEAR,
    "speed-kilometer-per-hour": 1, "speed-meter-per-second": 3.6, "speed-mile-per-hour": 1.609344,
    "power-watt": 0.001, "power-kilowatt": 1, "power-horsepower": 0.7457,
    "temperature-celsius": 1, "temperature-fahrenheit": 5 / 9, "temperature-kelvin": 1,
    "concentr-percent": 1,
}  # fmt: skip
"""Units by their names in the CLDR: how many of one unit of their kind each is."""

_ZEROS = {"temperature-fahrenheit": 32.0, "temperature-kelvin": 273.15}
"""What a scale shows at 0 °C."""

CURRENCIES = (
    "USD", "EUR", "GBP", "JPY", "CNY", "INR", "BRL", "CAD", "AUD", "CHF", "PLN", "CZK", "SEK",
    "NOK", "DKK", "KRW", "MXN", "TRY", "ZAR",
)  # fmt: skip
"""Currencies of which more than the ISO 4217 code is read."""

_MORE = {
    "area-square-meter": ("sqm", "sq m", "qm"),
    "area-square-foot": ("sq feet", "sq foot", "sf"),
    "length-inch": ('"',),
    "mass-kilogram": ("kgs", "kilo", "kilos"),
    "mass-pound": ("lbs",),
    "volume-cubic-meter": ("cbm",),
    "volume-cubic-centimeter": ("cc", "ccm"),
    "duration-second": ("secs",),
    "duration-minute": ("mins",),
    "duration-hour": ("hrs",),
    "duration-week": ("wks",),
    "speed-kilometer-per-hour": ("kph", "kmh"),
    "power-horsepower": ("bhp",),
    "temperature-celsius": ("C",),
    "temperature-fahrenheit": ("F",),
    "concentr-percent": ("pct", "٪"),
    "USD": ("$", "US$", "dollar", "dollars"),
}
"""What people write and the CLDR does not list."""


class Unit(NamedTuple):
    """One unit: what it measures, its factor, and what its scale shows at zero."""

    name: str
    dimension: str
    factor: float
    zero: float = 0.0


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


@lru_cache(maxsize=64)
def _index_units(locale: str) -> dict[str, Unit]:
    """The units by each of their spellings in a locale and in English.

    A spelling of several units means none. One of a single letter or sign gives way to a longer
    form, as that of a minute does to a metre's.
    """
    usual: dict[str, set[Unit]] = {}
    narrow: dict[str, set[Unit]] = {}
    for name, factor in _FACTORS.items():
        unit = Unit(name, name.split("-")[0], factor, _ZEROS.get(name, 0.0))
        for spelling in (*_spell_unit(name, ("short", "long"), locale), *_MORE.get(name, ())):
            usual.setdefault(normalize_unit(spelling), set()).add(unit)
        for spelling in _spell_unit(name, ("narrow",), locale):
            narrow.setdefault(normalize_unit(spelling), set()).add(unit)
    for code in CURRENCIES:
        for spelling in _spell_currency(code, locale):
            usual.setdefault(normalize_unit(spelling), set()).add(Unit(code, code, 1))
    merged = narrow | usual
    return {text: units.pop() for text, units in merged.items() if text != "°" and len(units) == 1}


def _spell_unit(name: str, lengths: tuple[Length, ...], locale: str) -> Iterator[str]:
    for length in lengths:
        for language in (locale, *_LANGUAGES):
            for count in _COUNTS:
                text = format_unit(count, name, length, locale=language).replace(str(count), "")
                if name not in text:  # which Babel writes where it knows no form
                    yield text


def _spell_currency(code: str, locale: str) -> Iterator[str]:
    for language in (locale, "en"):
        for count in _COUNTS:
            yield get_currency_name(code, count, locale=language)
    yield from (code, get_currency_symbol(code, locale=locale), *_MORE.get(code, ()))


def list_spellings(unit: str, locale: str = "en") -> tuple[str, ...]:
    """List the spellings of a unit, as ``normalize_unit`` gives them; its own comes first.

    Args:
        unit: any spelling of it; one that is not known has no others.
        locale: the language and region whose spellings are listed beside the English ones.
    """
    own, table = normalize_unit(unit), _index_units(locale)
    known = table.get(own)
    others = (text for text, found in table.items() if found == known)
    return tuple(dict.fromkeys((own, *others)))


@cache
def _list_currencies() -> frozenset[str]:
    return frozenset(Locale("en").currencies)


def mentions_currency(unit: str) -> bool:
    """Whether a unit is money, or so many of it: ``EUR``, ``1000 USD``, ``k€``."""
    codes = _list_currencies()
    return any(unicodedata.category(char) == "Sc" for char in unit) or any(
        word in codes for word in re.findall(r"[A-Z]{3}", unit)
    )


def convert(number: float, unit: str, other: str, locale: str = "en") -> float | None:
    """Convert a number of one unit to another; None where the table has no way.

    Both units in any spelling of English or of the ``locale``.
    """
    table = _index_units(locale)
    given, goal = table.get(normalize_unit(unit)), table.get(normalize_unit(other))
    if given is None or goal is None or given.dimension != goal.dimension:
        return None
    return (number - given.zero) * given.factor / goal.factor + goal.zero


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
