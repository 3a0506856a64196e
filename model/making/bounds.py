"""How far beyond the rows of the data a number may be: rows like them must not be refused.

Whether the model has seen anything like a row is for its support to say; bounds are for what is no
such number at all, like a slip of the keyboard.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_SHARE = 1 / 3
_TAIL = 0.05


def wide_bounds(known: npt.NDArray[np.float64], whole: bool, unit: str) -> tuple[float, float]:
    """Round numbers beyond both ends of a column.

    Each end is widened by a third of the span, or by as much as lies beyond the outermost twentieth
    of the rows, where that is more; but never to the other side of 0, nor from within 100 % to
    beyond it.

    Args:
        known: the column's numbers, shape (rows,).
        whole: whether the bounds have to be whole numbers.
        unit: of the numbers, "" where nobody knows.
    """
    first, last = float(known.min()), float(known.max())
    inner = np.quantile(known, (_TAIL, 1 - _TAIL)).tolist()
    least = _SHARE * (last - first) or 1.0  # only one number is left where rows were left out
    low = first - max(least, inner[0] - first)
    high = last + max(least, last - inner[1])
    low, high = round_bounds(low, high, whole)
    if first >= 0:
        low = max(low, 0.0)
    elif last <= 0:
        high = min(high, 0.0)
    if unit == "%" and last <= 100:
        high = min(high, 100.0)
    return low, high


def round_bounds(low: float, high: float, whole: bool) -> tuple[float, float]:
    """Widen both ends to round numbers, in steps of a tenth of the span's power of ten."""
    digits = 1 - math.floor(math.log10(high - low))
    if whole:
        digits = min(digits, 0)
    step = 10.0**-digits
    found = math.floor(low / step) * step, math.ceil(high / step) * step
    first, last = (round(end, max(digits, 0)) for end in found)
    return min(first, low), max(last, high)
