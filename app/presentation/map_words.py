"""Where on a picture the map weighs most, in words for a reader who cannot see it."""

import numpy as np

from model.contract.arrays import Float32Array
from model.contract.formatting import capitalize

_MOST = 0.6
"""Share of a weight on one side from which it is "mostly" there."""

_WHOLE = "the whole picture"


def describe_place(weight: Float32Array) -> str:
    """Name the part of a picture where most of a weight is, as "the lower right of the picture".

    Args:
        weight: none below 0, one for each cell, rows from the picture's top, [rows, columns].

    Returns:
        The place, "" where there is no weight.
    """
    total = float(weight.sum())
    if total <= 0:
        return ""
    down = _lean(weight.sum(1) / total)
    across = _lean(weight.sum(0) / total)
    vertical = "lower" if down >= _MOST else "upper" if down <= 1 - _MOST else ""
    horizontal = "right" if across >= _MOST else "left" if across <= 1 - _MOST else ""
    if vertical and horizontal:
        return f"mostly the {vertical} {horizontal} of the picture"
    if vertical or horizontal:
        return f"mostly the {vertical or horizontal} half of the picture"
    rows, columns = (max(side // 5, 1) for side in weight.shape)
    middle = float(weight[rows:-rows, columns:-columns].sum()) / total
    return "mostly the middle of the picture" if middle >= _MOST else _WHOLE


def _lean(shares: Float32Array) -> float:
    """Return the share in the second half; the middle one of an odd number counts half for it."""
    position = np.arange(len(shares)) - (len(shares) - 1) / 2
    return float(shares[position > 0].sum() + shares[position == 0].sum() / 2)


def describe_map(heat: Float32Array, label: str) -> str:
    """Say in words where a map speaks for a class and where against it.

    Args:
        heat: the class activation map in logits, [rows, columns].
        label: what the map speaks for where it is above 0.
    """
    speaks_for = describe_place(np.maximum(heat, 0))
    against = describe_place(np.maximum(-heat, 0))
    if not speaks_for and not against:
        return f"No part of the picture speaks for {label} or against it."
    if not speaks_for:
        return f"Nothing speaks for {label}; {against} speaks against it."
    first = f"{capitalize(speaks_for)} speaks for {label}"
    return f"{first}, {against} against it." if against else f"{first}, nothing against it."
