"""Whole numbers that are neither counted nor measured: years, days, seconds, codes of places."""

from collections.abc import Set
from typing import NamedTuple

import numpy as np

from model.contract.arrays import Float64Array

FIRST_YEAR, _LAST_YEAR = 1000, 3000
"""Bounds of what is called a year and is one."""

_YEARS = frozenset(
    [
        "year", "yr", "jahr", "baujahr", "jaar", "bouwjaar", "år", "annee", "année", "ano", "año",
        "anno", "rok", "vuosi", "leto", "god", "год", "年",
    ]
)  # fmt: skip
"""What a year is called in data, in languages that write it as one word."""

_YEAR_ENDINGS = ("jahr", "jaar", "år", "年", "年份")
"""What words for a year end in where languages write two words as one: "byggår"."""

_CODES = frozenset(["id", "zip", "zipcode", "postcode", "postal", "plz", "code", "phone"])
"""Words for what has a number as its name."""

_TIMES = frozenset(["timestamp", "unix", "epoch", "time", "date", "datetime", "ts"])
"""Words for what computers count in seconds."""

_1990, _2050 = 631_152_000, 2_524_608_000


class Numbering(NamedTuple):
    """What whole numbers are that get no thousands separator, as ``help`` says it to visitors."""

    help: str = ""
    is_year: bool = False


def find_numbering(codes: Float64Array, words: Set[str]) -> Numbering | None:
    """Find what the numbers of a column are if they are neither counts nor amounts.

    Args:
        codes: the numbers, shape (rows,), all known.
        words: what the column is called.
    """
    least, most = codes.min(), codes.max()
    if are_days(codes):
        return Numbering(f"Year, month and day, like {most // 100 * 100 + 1:.0f}")
    if words & _TIMES and _1990 <= least and most < _2050:
        return Numbering("Seconds since 1970-01-01")
    is_year = bool(_YEARS & words) or any(word.endswith(_YEAR_ENDINGS) for word in words)
    if is_year and least >= FIRST_YEAR and most < _LAST_YEAR:
        return Numbering(is_year=True)
    return Numbering() if words & _CODES else None


def are_days(codes: Float64Array) -> bool:
    """Whether numbers are days as people write them without a sign between: 20190314.

    Args:
        codes: the numbers, shape (rows,); NaN where unknown.
    """
    known = codes[~np.isnan(codes)]
    years, months, days = known // 10_000, known // 100 % 100, known % 100
    valid = (years >= 1900) & (years < 2100) & (months >= 1) & (months <= 12)
    return bool(len(known) and (valid & (days >= 1) & (days <= 31)).all())
