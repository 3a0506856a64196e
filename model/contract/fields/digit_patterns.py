"""Patterns of the numbers between two bounds, for schemas of texts."""

import math

_LARGEST = 10**12
"""Nobody needs a longer pattern, and nobody types a larger number without separators."""


def build_pattern(low: float, high: float, whole: bool) -> str:
    """Build a pattern of plain numbers between two bounds, "" where none is whole.

    It takes digits, with one or two decimals unless ``whole``. That is less than a field reads:
    three decimals could be thousands, and no pattern could list every spelling.

    Args:
        low: the lower bound, inclusive.
        high: the upper bound, inclusive.
        whole: whether decimals are left out.
    """
    first, last = math.ceil(low), math.floor(high)
    parts = []
    for sign, least, most in (("", max(first, 0), last), ("-", max(-last, 1), -first)):
        most = min(most, _LARGEST)
        if least <= most:
            parts.append(f"{sign}0*(?:{_match_range(least, most)})")
        if not whole and least < most:
            parts.append(rf"{sign}0*(?:{_match_range(least, most - 1)})\.[0-9]{{1,2}}")
    return f"^(?:{'|'.join(parts)})$" if parts else ""


def _match_range(low: int, high: int) -> str:
    """Match the whole numbers from ``low``, 0 or more, to ``high``."""
    parts = []
    while low <= high:
        end = min(high, 10 ** len(str(low)) - 1)
        parts.append(_match_digits(str(low), str(end)))
        low = end + 1
    return "|".join(parts)


def _match_digits(low: str, high: str) -> str:
    """Match the numbers between two of equal length."""
    if low == high:
        return low
    rest = len(low) - 1
    if not rest:
        return f"[{low}-{high}]"
    if low[0] == high[0]:
        return low[0] + _match_digits(low[1:], high[1:])
    parts = []
    first, last = int(low[0]), int(high[0])
    if low[1:].strip("0"):
        parts.append(low[0] + _match_digits(low[1:], "9" * rest))
        first += 1
    if high[1:].strip("9"):
        parts.append(high[0] + _match_digits("0" * rest, high[1:]))
        last -= 1
    if first <= last:
        parts.append(f"[{first}-{last}][0-9]{{{rest}}}")
    return f"(?:{'|'.join(parts)})"
