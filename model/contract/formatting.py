"""Formats numbers, money, dates and percentages with Babel.

Babel takes 17 µs a number and a result shows some twenty, so the texts are cached, for rounded
values recur, and short numbers are written without it where it writes them by a simple rule.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache, partial

from babel import Locale, dates, numbers

_COMPACT = 1000
"""From here on, a number may be shortened."""

_SINGULAR = ("ss", "us", "is", "species", "series", "news")
"""Ends of nouns that look like a plural and are none, or both."""

_BEYOND_NOUN = re.compile(
    r" (?:per|of|to|in|on|at|for|from|with|without|since|until|before|after) "
)
"""Words behind which nothing tells whether a noun is in the plural: the cost of goods is one."""

_SMALL = 1
"""Below this, three decimals have too few significant digits."""


@lru_cache(maxsize=64)
def _locale(name: str) -> Locale:
    return Locale.parse(name)


@lru_cache(maxsize=8192)
def format_number(value: float, locale: str, grouping: bool = True) -> str:
    """A number in its locale's spelling: ``1,850`` or, without grouping, ``1850``."""
    # The cache takes -0.0 for 0, so both must have the same text.
    return _number_writer(locale, grouping)(value + 0)


@lru_cache(maxsize=64)
def _number_writer(locale: str, grouping: bool) -> Callable[[float], str]:
    return _write_short(
        partial(numbers.format_decimal, locale=_locale(locale), group_separator=grouping)
    )


@lru_cache(maxsize=8192)
def format_exact(value: float, locale: str, grouping: bool = True) -> str:
    """A number with all of its decimals, up to ten significant digits: ``0.0125``."""
    exact = Decimal(format(value, ".10g"))
    return numbers.format_decimal(
        exact, locale=_locale(locale), decimal_quantization=False, group_separator=grouping
    )


def format_short(value: float, locale: str, grouping: bool = True) -> str:
    """A number to three decimals; below 1 to four significant digits."""
    if 0 < abs(value) < _SMALL:
        return format_exact(round_short(value), locale)
    return format_number(value, locale, grouping)


@lru_cache(maxsize=8192)
def format_hundredths(value: float, locale: str) -> str:
    """A number with two decimals: ``1.50``."""
    return numbers.format_decimal(value, "#,##0.00", locale=_locale(locale))


def format_figure(value: float, locale: str) -> str:
    """A figure that was measured, to four significant digits: ``1,856``."""
    return format_short(round_figure(value), locale)


def round_figure(value: float) -> float:
    """A figure rounded to the digits that ``format_figure`` shows."""
    return float(format(value, ".4g"))


def round_short(value: float) -> float:
    """A number rounded to the digits that ``format_short`` shows."""
    return float(format(value, ".4g")) if abs(value) < _SMALL else round(value, 3)


@lru_cache(maxsize=8192)
def format_currency(value: float, code: str, locale: str) -> str:
    """An amount in whole units of the ISO 4217 currency ``code``: ``$183,500``."""
    return _currency_writer(code, locale)(value + 0)


@lru_cache(maxsize=64)
def _currency_writer(code: str, locale: str) -> Callable[[float], str]:
    pattern = _locale(locale).currency_formats["standard"].pattern.replace(".00", "")
    return _write_short(
        partial(
            numbers.format_currency,
            currency=code,
            format=pattern,
            locale=_locale(locale),
            currency_digits=False,
        )
    )


_GROUPED = re.compile(
    r"([^0-9]*)7(?P<sign>[^0-9]*)654(?P=sign)321(?:(?P<point>[^0-9]+)125)?([^0-9]*)"
).fullmatch
_SAMPLES = (0, 89, 456, 1230, 98_765)
_DECIMAL_SAMPLES = (0.5, 89.25, 456.125, 1230.001, 98_765.5)
_LARGE = 10**12
"""Below this a float has more than three decimals."""


def _write_short(babel: Callable[[float], str]) -> Callable[[float], str]:
    """Write numbers of at most three decimals as Babel does, and others by it.

    It groups digits by threes. A locale may have other digits or other groups, or no separator in a
    lone thousand; then Babel writes all.
    """
    grouped = _GROUPED(babel(7_654_321.125))
    if grouped is None:
        return babel
    before, sign, point, after = grouped.groups()

    def write(value: float) -> str:
        if 0 <= value < _LARGE:
            if value == (whole := int(value)):
                return f"{before}{f'{whole:,}'.replace(',', sign)}{after}"
            if point and value == round(value, 3):
                digits, _, decimals = f"{value:,.3f}".partition(".")
                return f"{before}{digits.replace(',', sign)}{point}{decimals.rstrip('0')}{after}"
        return babel(value)

    samples = _SAMPLES + _DECIMAL_SAMPLES if point else _SAMPLES
    return write if all(write(number) == babel(number) for number in samples) else babel


@lru_cache(maxsize=8192)
def format_compact(value: float, locale: str, currency: str = "") -> str:
    """A number for the end of an axis, as short as its locale writes it: ``$200K``, ``1.5M``.

    Args:
        value: the number; what is below a thousand keeps its decimals.
        locale: how numbers are written.
        currency: an ISO 4217 code, or "" for a plain number.
    """
    plain = format_currency(value, currency, locale) if currency else format_short(value, locale)
    if abs(value) < _COMPACT:
        return plain
    chosen = _locale(locale)
    short = (
        numbers.format_compact_currency(value, currency, locale=chosen, fraction_digits=2)
        if currency
        else numbers.format_compact_decimal(value, locale=chosen, fraction_digits=2)
    )
    # Some languages have no short form, and Babel then leaves out what groups the digits.
    return short if _count_digits(short) < _count_digits(plain) else plain


def _count_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


@lru_cache(maxsize=64)
def format_date(day: dt.date, locale: str) -> str:
    """A day in words: ``November 22, 2026``."""
    return dates.format_date(day, "long", locale=_locale(locale))


@lru_cache(maxsize=1024)
def plural_form(value: float, locale: str) -> str:
    """The CLDR plural category of a number: in English ``one`` for 1, ``other`` for 2.5."""
    return str(_locale(locale).plural_form(value))


@lru_cache(maxsize=1024)
def format_percent(share: float, locale: str, digits: int = 0) -> str:
    """A share as a percentage: 0.0612 with one digit is ``6.1%``."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    return numbers.format_percent(share, format=pattern, locale=_locale(locale))


def format_limit(share: float, locale: str) -> str:
    """A share below 1 with so many digits that it is not all: ``99.0%``, ``99.97%``."""
    digits = next((count for count in range(1, 6) if round(share, count + 2) < 1), 6)
    return format_percent(share, locale, digits)


def format_share(share: float, rows: int, locale: str) -> str:
    """How many of some rows: ``82.1% of 240``, or ``all 67``; nearly all are never 100%."""
    shown = format_number(rows, locale)
    if share == 1:
        return f"all {shown}"
    return f"{format_percent(min(share, 0.999), locale, digits=1)} of {shown}"


def is_plural(noun: str) -> bool:
    """Whether an English noun is in the plural, as far as its spelling tells: "hours to solve"."""
    last = _BEYOND_NOUN.split(noun, maxsplit=1)[0].rpartition(" ")[2]
    return len(last) > 3 and last.endswith("s") and not last.endswith(_SINGULAR)


def lower_first(label: str, locale: str) -> str:
    """Write a label as inside a sentence.

    A first word with other capitals or of one letter stays as it is, and all in German, whose nouns
    have one.
    """
    first = label.split(" ")[0]
    is_name = len(first) == 1 or any(character.isupper() for character in first[1:])
    return label if is_name or locale[:2] == "de" else label[:1].lower() + label[1:]


def end_sentence(text: str) -> str:
    """A sentence with its full stop, which the abbreviation or unit at its end may have brought.

    A question has its mark already.
    """
    return text if text.endswith((".", "?")) else f"{text}."


def list_some(names: Sequence[str], most: int) -> str:
    """List the first names, and say how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def capitalize(text: str) -> str:
    """A text with a capital first, and the rest as it is."""
    return text[:1].upper() + text[1:]
