"""How far beyond the rows of the data a number may be, so that rows like them are not refused.

Bounds only catch wrong entries, like a typing error. The out-of-distribution score tells whether
the model has seen anything like a row.
"""

import math
import re

import numpy as np

from model.contract.arrays import Float64Array

_SHARE = 1 / 3
_TAIL = 0.05
_MOST_STEPS = 12
_CYCLES = ((1, 12), (0, 23), (1, 24), (1, 31))
"""What no count ends at all at once: the months of a year, hours of a day, days of a month."""

_SCALES = frozenset(
    """
    agreement balance betyg bewertung calificacion calificación category class condition confidence
    day difficulty education grade group happiness hour importance intensity involvement klasse
    level likert mark marks mes mois monat month mood nivel niveau nota note ocena pain poziom
    priority puntuación quality quarter rank ranking rating risk satisfaction scale score season
    severity stage star stars step stress stufe tier type urgency valutazione week weekday
    zufriedenheit
    """.split()  # noqa: SIM905
)
"""Words for what ends where its scale does, and not where the data happen to end."""

_ABOUT_ZERO = ("°C", "°F")
"""Units of scales whose 0 is no end: the data of a warm year say nothing of frost."""

_ROWS_PER_STEP = 10
_SURELY_SHARES = 0.95
"""From here on to 1, the highest number of a column without negative ones is that of a share."""


def widen_bounds(
    known: Float64Array, whole: bool, unit: str, words: str = ""
) -> tuple[float, float]:
    """Return round numbers beyond both ends of a column, the lower one first.

    Each end is widened by a third of the span, or by as much as lies beyond the outermost twentieth
    of the rows, where that is more. It stays on its side of 0, but for degrees, a percentage within
    100 %, and a scale, like 1 to 5, as it is.

    Args:
        known: the column's numbers, shape (rows,), in the unit.
        whole: whether the bounds have to be whole numbers.
        unit: of the numbers, "" where it is not known.
        words: what the column is called, and what is said of it.
    """
    least, most = float(known.min()), float(known.max())
    inner_low, inner_high = np.quantile(known, (_TAIL, 1 - _TAIL)).tolist()
    margin = _SHARE * (most - least) or 1.0  # a single number may be left after rows were left out
    low = least - max(margin, inner_low - least)
    high = most + max(margin, most - inner_high)
    low, high = round_bounds(low, high, whole)
    if unit in _ABOUT_ZERO:
        pass
    elif least >= 0:
        low = max(low, 0.0)
    elif most <= 0:
        high = min(high, 0.0)
    low, high = _keep_scale(known, low, high, words) if whole else (low, high)
    if unit == "%" and most <= 100:
        high = min(high, 100.0)
    if not whole and least >= 0 and _SURELY_SHARES <= most <= 1:
        high = min(high, 1.0)  # it holds shares, as far as its rows tell
    return low, high


def _keep_scale(known: Float64Array, low: float, high: float, words: str) -> tuple[float, float]:
    """Keep the ends of a scale, like 1 to 5 or the twelve months, instead of the wider ones.

    A scale begins at 0 or 1, has every whole number up to its end, and ends all at once, where
    counts thin out: its last value is at least half as frequent as the one before and as the mean.
    Rows of up to five rooms may end so, too, and a sixth room is possible: only words tell these
    apart.
    """
    values, counts = np.unique(known, return_counts=True)
    least, most, steps = values[0], values[-1], len(values)
    is_short = least in (0, 1) and 2 < steps <= _MOST_STEPS and _tell_scale(words, least, most)
    is_scale = most - least == steps - 1 and (is_short or (least, most) in _CYCLES)
    if not is_scale or len(known) < _ROWS_PER_STEP * steps:
        return low, high
    mean = len(known) / steps
    first_ends = counts[0] >= max(counts[1], mean) / 2
    last_ends = counts[-1] >= max(counts[-2], mean) / 2
    return (
        float(least) if first_ends or last_ends else low,
        float(most) if last_ends else high,
    )


def _tell_scale(words: str, least: float, most: float) -> bool:
    """Whether words say that a column is a scale, or name its ends: "1 (bad) to 5 (good)"."""
    said = re.findall(r"[^\W_]+", words.lower())
    ends = [f"{least:.0f}", f"{most:.0f}"]
    return not _SCALES.isdisjoint(said) or [word for word in said if word.isdecimal()] == ends


def round_bounds(low: float, high: float, whole: bool) -> tuple[float, float]:
    """Widen both ends to round numbers, in steps of a tenth of the span's power of ten."""
    digits = 1 - math.floor(math.log10(high - low))
    if whole:
        digits = min(digits, 0)
    step = 10.0**-digits
    wider = math.floor(low / step) * step, math.ceil(high / step) * step
    rounded_low, rounded_high = (round(end, max(digits, 0)) for end in wider)
    return min(rounded_low, low), max(rounded_high, high)
