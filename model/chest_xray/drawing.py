"""A chest as code draws it: the picture that start-up and tests show to a network for X-rays.

No X-ray is in it, nor anything taken from one: soft ellipses for lungs and heart, bands for spine,
ribs and collar bones, grain. The numbers were searched for until the bundled network's measure of
support took the drawing for a chest; they say nothing about anatomy.
"""

import numpy as np
from numpy.typing import NDArray

from model.contract.arrays import Float64Array
from model.contract.pictures import SIDE

_AXIS = (np.arange(SIDE) - (SIDE - 1) / 2) / (SIDE / 2)
_X, _Y = np.meshgrid(_AXIS, _AXIS)
_OUT = np.abs(_X)


def draw_chest(seed: int) -> NDArray[np.uint8]:
    """A drawn frontal chest, grey, uint8 [224, 224]; another seed moves everything a little."""
    rng = np.random.default_rng(seed)

    def about(value: float) -> float:
        return float(value * (1 + 0.02 * rng.uniform(-1, 1)))

    lungs = np.maximum(_ellipse(-0.62, -0.07, about(0.22), 0.98, 0.075, 0.146),
                       _ellipse(0.62, -0.07, about(0.22), 0.98, -0.075, 0.146))  # fmt: skip
    belly = _step((_Y - about(0.54) - 0.51 * (_OUT - 0.62) ** 2) / 0.032)
    heart = _ellipse(about(0.41), 0.32, 3.9, about(1.22), 0.4, 0.29)
    air = lungs * (1 - belly) * (1 - 0.85 * heart)
    level = about(75) - about(68) * air + 35 * heart + 23 * belly + 21 * _Y
    level += about(36) * _bell(_X / 0.17)
    bands = np.cos(np.pi * 7.94 * (_Y + 0.156 * (_OUT - 0.1) ** 2 - 0.3 * _OUT))
    level += about(5) * bands * (0.4 + air) * np.clip(_OUT * 4, 0, 1)
    collar = _bell((_Y + 0.91 + 0.43 * (_OUT - 0.4)) / 0.05)
    level += 20 * collar * (_OUT > 0.1) * (_OUT < 0.85)
    level += about(32) * _step((-0.5 - _Y) / 0.08) * _step((_OUT - 0.6) / 0.08)
    level -= about(50) * _step((-0.75 - _Y) / 0.08) * (1 - _bell(_X / 0.3))
    level += about(57) * _bell((_OUT - 0.2) / 0.1) * _bell(_Y / 0.2) * (0.5 + air)
    level += 9 * _step((_OUT - 0.88) / 0.03)
    for cells, strength in ((SIDE, 1.13), (SIDE // 4, 6.3), (SIDE // 16, 6.3)):
        level += strength * _enlarged(rng.normal(size=(cells, cells)))
    body = _step((0.964 - _OUT - 0.12 * (_Y + 0.2) ** 2) / 0.042)
    drawn: NDArray[np.uint8] = np.clip(level * body, 0, 255).astype(np.uint8)
    return drawn


def _step(t: Float64Array) -> Float64Array:
    """From 0 to 1 around t = 0."""
    return 1 / (1 + np.exp(-np.clip(t, -60, 60)))


def _bell(t: Float64Array) -> Float64Array:
    """1 at t = 0, falling to both sides as a normal density does."""
    bell: Float64Array = np.exp(-np.square(t) / 2)
    return bell


def _ellipse(x: float, y: float, half_width: float, half_height: float, tilt: float,
             soft: float) -> Float64Array:  # fmt: skip
    """1 inside, 0 outside, with a soft edge."""
    across = (_X - x + tilt * (_Y - y)) / half_width
    return _step((1 - np.hypot(across, (_Y - y) / half_height)) / soft)


def _enlarged(cells: Float64Array) -> Float64Array:
    """A square of random cells at 224 x 224, smooth between them."""
    size = len(cells)
    if size == SIDE:
        return cells
    place = np.linspace(0, size - 1, SIDE)
    low = np.minimum(place.astype(int), size - 2)
    share = place - low
    rows = cells[low] * (1 - share)[:, None] + cells[low + 1] * share[:, None]
    smooth: Float64Array = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    return smooth
