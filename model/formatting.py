"""Numbers and money as people read them, through Babel, cached because the same few come again."""

import datetime as dt
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@lru_cache(maxsize=8192)
def number(value: float, locale: str, grouping: bool = True) -> str:
    """A number in its locale's spelling: ``1,850`` or, without grouping, ``1995``."""
    return format_decimal(value, locale=_locale(locale), group_separator=grouping)


@lru_cache(maxsize=8192)
def precise(value: float, locale: str) -> str:
    """A number with all of its decimals, up to ten significant digits: ``0.0125``."""
    exact = Decimal(format(value, ".10g"))
    return format_decimal(exact, locale=_locale(locale), decimal_quantization=False)


@lru_cache(maxsize=8192)
def currency(value: float, code: str, locale: str) -> str:
    """An amount in whole units of the ISO 4217 currency ``code``: ``$183,500``."""
    loc = _locale(locale)
    pattern = loc.currency_formats["standard"].pattern.replace(".00", "")
    return format_currency(value, code, format=pattern, locale=loc, currency_digits=False)


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
