"""A chest drawn by code: the golden picture of networks for X-rays.

It contains no X-ray, and nothing taken from one: soft ellipses for lungs and heart, bands for
spine, ribs and collar bones, grain. Its numbers were searched for until the bundled network's
out-of-distribution score accepted the drawing. They say nothing about anatomy.
"""

import numpy as np
from numpy.typing import NDArray

from model.contract.arrays import Float64Array
from model.contract.pictures import SIDE

_AXIS = (np.arange(SIDE) - (SIDE - 1) / 2) / (SIDE / 2)
_X, _Y = np.meshgrid(_AXIS, _AXIS)
_ABS_X = np.abs(_X)


def draw_chest(seed: int) -> NDArray[np.uint8]:
    """Draw a frontal chest, grey, uint8 [224, 224]; another seed moves everything a little."""
    rng = np.random.default_rng(seed)

    def jitter(value: float) -> float:
        return float(value * (1 + 0.02 * rng.uniform(-1, 1)))

    lungs = np.maximum(_ellipse(-0.62, -0.07, jitter(0.22), 0.98, 0.075, 0.146),
                       _ellipse(0.62, -0.07, jitter(0.22), 0.98, -0.075, 0.146))  # fmt: skip
    belly = _step((_Y - jitter(0.54) - 0.51 * (_ABS_X - 0.62) ** 2) / 0.032)
    heart = _ellipse(jitter(0.41), 0.32, 3.9, jitter(1.22), 0.4, 0.29)
    air = lungs * (1 - belly) * (1 - 0.85 * heart)
    level = jitter(75) - jitter(68) * air + 35 * heart + 23 * belly + 21 * _Y
    level += jitter(36) * _bell(_X / 0.17)
    bands = np.cos(np.pi * 7.94 * (_Y + 0.156 * (_ABS_X - 0.1) ** 2 - 0.3 * _ABS_X))
    level += jitter(5) * bands * (0.4 + air) * np.clip(_ABS_X * 4, 0, 1)
    collar = _bell((_Y + 0.91 + 0.43 * (_ABS_X - 0.4)) / 0.05)
    level += 20 * collar * (_ABS_X > 0.1) * (_ABS_X < 0.85)
    level += jitter(32) * _step((-0.5 - _Y) / 0.08) * _step((_ABS_X - 0.6) / 0.08)
    level -= jitter(50) * _step((-0.75 - _Y) / 0.08) * (1 - _bell(_X / 0.3))
    level += jitter(57) * _bell((_ABS_X - 0.2) / 0.1) * _bell(_Y / 0.2) * (0.5 + air)
    level += 9 * _step((_ABS_X - 0.88) / 0.03)
    for cells, strength in ((SIDE, 1.13), (SIDE // 4, 6.3), (SIDE // 16, 6.3)):
        level += strength * _enlarge(rng.normal(size=(cells, cells)))
    body = _step((0.964 - _ABS_X - 0.12 * (_Y + 0.2) ** 2) / 0.042)
    drawn: NDArray[np.uint8] = np.clip(level * body, 0, 255).astype(np.uint8)
    return drawn


def _step(t: Float64Array) -> Float64Array:
    """Rise from 0 to 1 around t = 0."""
    return 1 / (1 + np.exp(-np.clip(t, -60, 60)))


def _bell(t: Float64Array) -> Float64Array:
    """Fall from 1 at t = 0 to both sides, as a normal density does."""
    bell: Float64Array = np.exp(-np.square(t) / 2)
    return bell


def _ellipse(x: float, y: float, half_width: float, half_height: float, tilt: float,
             soft: float) -> Float64Array:  # fmt: skip
    """Return 1 inside and 0 outside, with a soft edge."""
    across = (_X - x + tilt * (_Y - y)) / half_width
    return _step((1 - np.hypot(across, (_Y - y) / half_height)) / soft)


def _enlarge(cells: Float64Array) -> Float64Array:
    """Enlarge a square of cells to 224 x 224, linear between them."""
    size = len(cells)
    if size == SIDE:
        return cells
    position = np.linspace(0, size - 1, SIDE)
    low = np.minimum(position.astype(int), size - 2)
    share = position - low
    rows = cells[low] * (1 - share)[:, None] + cells[low + 1] * share[:, None]
    smooth: Float64Array = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    return smooth
