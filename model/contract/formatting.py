"""Numbers and money as people read them, through Babel, cached because the same few come again."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent

SMALL = 1
"""Below this, three decimals would say too little of a number."""


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@lru_cache(maxsize=8192)
def number(value: float, locale: str, grouping: bool = True) -> str:
    """A number in its locale's spelling: ``1,850`` or, without grouping, ``1995``."""
    return _number_spelling(locale, grouping)(value)


@lru_cache(maxsize=8192)
def precise(value: float, locale: str) -> str:
    """A number with all of its decimals, up to ten significant digits: ``0.0125``."""
    exact = Decimal(format(value, ".10g"))
    return format_decimal(exact, locale=_locale(locale), decimal_quantization=False)


def shown(value: float, locale: str, grouping: bool = True) -> str:
    """A fact as a form shows it: three decimals, of small numbers four digits."""
    if 0 < abs(value) < SMALL:
        return precise(rounded(value), locale)
    return number(value, locale, grouping)


def rounded(value: float) -> float:
    """A number with the digits that ``shown`` shows of it."""
    return float(format(value, ".4g")) if abs(value) < SMALL else round(value, 3)


def currency(value: float, code: str, locale: str) -> str:
    """An amount in whole units of the ISO 4217 currency ``code``: ``$183,500``."""
    return currency_spelling(code, locale)(value)


@lru_cache(maxsize=64)
def currency_spelling(code: str, locale: str) -> Callable[[float], str]:
    """``currency`` for one currency in one locale."""
    return _learn(lambda value: _currency(value, code, locale))


def _number(value: float, locale: str, grouping: bool) -> str:
    return format_decimal(value, locale=_locale(locale), group_separator=grouping)


def _currency(value: float, code: str, locale: str) -> str:
    loc = _locale(locale)
    pattern = loc.currency_formats["standard"].pattern.replace(".00", "")
    return format_currency(value, code, format=pattern, locale=loc, currency_digits=False)


_LARGE = 10**15
_SAMPLES = (0, 7, 89, 456, 1230, 98_765, 430_201, 7_654_321, 1_000_000_000)


@lru_cache(maxsize=64)
def _number_spelling(locale: str, grouping: bool) -> Callable[[float], str]:
    return _learn(lambda value: _number(value, locale, grouping))


def _learn(babel: Callable[[float], str]) -> Callable[[float], str]:
    """Spell numbers as Babel does, and whole ones in a thirtieth of its time where that is simple.

    What stands before and after the digits, and between groups of three, is read off two samples.
    Other digits than ours, groups of two, or a lonely thousand without its separator do not come
    out of that as Babel spells them, and are left to Babel.
    """
    babel = lru_cache(maxsize=8192)(babel)
    before, _, after = babel(0).partition("0")
    grouped = babel(7_654_321)
    between = grouped.removeprefix(before)[1:].partition("654")[0]

    def spell(value: float) -> str:
        if 0 <= value < _LARGE:
            whole = int(value)
            if whole == value:
                text = f"{before}{whole:,}{after}"
                return text if between == "," else text.replace(",", between)
        return babel(value)

    # The signs around the digits must not have a comma that the separator's would be taken for.
    if "," in before + after or any(spell(value) != babel(value) for value in _SAMPLES):
        return babel
    return spell


@lru_cache(maxsize=64)
def long_date(day: dt.date, locale: str) -> str:
    """A day in words: ``November 22, 2026``."""
    return format_date(day, "long", locale=_locale(locale))


@lru_cache(maxsize=1024)
def plural_form(value: float, locale: str) -> str:
    """The CLDR plural form of a number: ``one`` for 1 in English, ``other`` for 2.5."""
    return str(_locale(locale).plural_form(value))


@lru_cache(maxsize=1024)
def percent(share: float, locale: str, digits: int = 0) -> str:
    """A share as a percentage: 0.0612 with one digit is ``6.1%``."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    return format_percent(share, format=pattern, locale=_locale(locale))
