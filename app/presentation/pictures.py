"""A picture as the model saw it, with the map of what counted, as ``kinds/pictures.html`` shows.

Numbers are texts, so that they fill a cached template.
"""

import base64
import hashlib
from io import BytesIO
from typing import NamedTuple

import numpy as np
from PIL import Image

from app.presentation.result import ClassView
from model.contract.arrays import ByteArray, Float32Array

LONGER_SIDE = 320
"""Units of the view box for the longer side of the picture."""

MIN_ASPECT = 0.4
"""The least ratio of the shorter side to the longer one; a narrower strip is shown wider."""

KEPT_URL = 100_000
"""Characters of the largest data URL that a report sends back."""

_PREFIX = "data:image/jpeg;base64,"

MAX_OPACITY = 0.65
"""Opacity of the cell that weighs most."""


class HeatCell(NamedTuple):
    """One cell of the map, in units of the view box; ``direction`` is "for" or "against"."""

    x: str
    y: str
    width: str
    height: str
    direction: str
    opacity: str


class PictureView(NamedTuple):
    """The classes, the picture in its own shape, and the map over it, as far as there is one.

    ``kept`` is the picture for a report, "" where it is too large to be kept. ``rest`` stands below
    the classes; ``sample`` is the number of the sample, "" for an upload,
    and ``truth`` says what that sample shows.
    """

    classes: tuple[ClassView, ...]
    url: str
    width: int
    height: int
    title: str
    cells: tuple[HeatCell, ...]
    words: str
    rest: str
    sample: str
    truth: str
    kept: str


def fit_picture(width: int, height: int) -> tuple[int, int]:
    """Return width and height of a picture in units of the view box; both are in pixels before."""
    longer = max(width, height)
    across, down = (round(LONGER_SIDE * max(side / longer, MIN_ASPECT)) for side in (width, height))
    return across, down


def encode_data_url(square: ByteArray) -> str:
    """Encode a picture as a small JPEG in a data URL.

    Args:
        square: uint8 [height, width] in grey or [height, width, 3] in RGB, 0 is black.
    """
    file = BytesIO()
    # It is also what a report keeps: at 70 the answer to it is another one by up to 3 points.
    Image.fromarray(square).save(file, "JPEG", quality=85)
    return write_data_url(file.getvalue())


def write_data_url(content: bytes) -> str:
    """Write a JPEG as a data URL."""
    return _PREFIX + base64.b64encode(content).decode()


def read_data_url(url: str) -> bytes:
    """Read a JPEG that this module has written as a data URL."""
    return base64.b64decode(url.removeprefix(_PREFIX))


def hash_data_url(url: str) -> str:
    """Hash a data URL, for the receipt of an answer."""
    return hashlib.sha256(url.encode("utf-8", "replace")).hexdigest()[:32]


def lay_out_cells(heat: Float32Array, width: int, height: int) -> tuple[HeatCell, ...]:
    """Lay out the map over a picture, one cell for each value.

    Args:
        heat: float32 [rows, columns], the class activation map in logits.
        width: the picture's width, in units of the view box.
        height: its height.
    """
    rows, columns = heat.shape
    highest = float(np.abs(heat).max()) or 1.0
    cell_width, cell_height = width / columns, height / rows
    return tuple(
        HeatCell(
            str(round(column * cell_width, 1)),
            str(round(row * cell_height, 1)),
            str(round(cell_width, 1)),
            str(round(cell_height, 1)),
            "for" if value > 0 else "against",
            str(round(abs(value) / highest * MAX_OPACITY, 2)),
        )
        for row, values in enumerate(heat.tolist())
        for column, value in enumerate(values)
    )
