"""Rows with a number and a choice, and a target that depends on both."""

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.sources import Frame

PLACES = ("north", "east", "south")
FRAME = Frame.of_card(("size", "place"), {"place": PLACES})
"""The named columns of the rows."""


def make_rows() -> Float64Array:
    """Make 400 rows, of whose choices a quarter is unknown."""
    rng = np.random.default_rng(7)
    place = rng.integers(0, 3, 400).astype(float)
    place[rng.random(400) < 0.25] = np.nan
    return np.column_stack([rng.integers(1, 90, 400), place])


def target(rows: Float64Array) -> Float64Array:
    """A positive target that depends on both columns."""
    made: Float64Array = 10 + rows[:, 0] + 7 * np.nan_to_num(rows[:, 1], nan=5)
    return made
