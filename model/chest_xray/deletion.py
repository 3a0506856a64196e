"""Whether the map names the cells that count: what deleting them does to the answer.

The deletion test of Samek et al., "Evaluating the visualization of what a deep neural network has
learned", IEEE TNNLS 2017, on the cells of the map.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from model.chest_xray.arrays import GreyArray, Rng
from model.chest_xray.manifest import SEED
from model.contract.arrays import Float32Array, IntArray
from model.serving.kinds.pictures import OnnxPicturePredictor, PicturePredictor

if TYPE_CHECKING:  # it needs OpenCV, which only training has
    from model.chest_xray.data import XRays

CELLS = 5
"""Cells that are deleted at once, of 25."""


def measure_deletion(
    predictor: PicturePredictor, picture: GreyArray, rng: Rng
) -> tuple[float, float]:
    """Return by how much the probability of the answer falls without some cells of the map.

    Args:
        predictor: answers pictures.
        picture: grey, uint8 [S, S].
        rng: draws the other cells.

    Returns:
        The fall without the cells that speak most for the answer, and the fall without as many
        others.
    """
    output = predictor.predict(picture)
    assert output.heat is not None
    sign = 1 if output.probability >= 0.5 else -1
    order = np.argsort(-sign * output.heat.ravel(), kind="stable")
    others = rng.choice(order[CELLS:], CELLS, replace=False)
    falls = [
        sign
        * (output.probability - predictor.predict(_delete(picture, output.heat, cells)).probability)
        for cells in (order[:CELLS], others)
    ]
    return falls[0], falls[1]


def _delete(picture: GreyArray, heat: Float32Array, cells: IntArray) -> GreyArray:
    """Fill cells, numbered row by row, with the picture's mean."""
    deleted = picture.copy()
    rows, columns = (
        np.linspace(0, side, count + 1).round().astype(int)
        for side, count in zip(picture.shape, heat.shape, strict=True)
    )
    for row, column in zip(*np.unravel_index(cells, heat.shape), strict=True):
        deleted[rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = picture.mean()
    return deleted


def measure_map(artifact: Path, data: XRays, count: int = 100) -> dict[str, float]:
    """Return the mean falls of `measure_deletion` over some pictures.

    Args:
        artifact: the exported network.
        data: the pictures to choose from.
        count: how many are chosen.
    """
    rng = np.random.default_rng(SEED)
    predictor = OnnxPicturePredictor(artifact)
    chosen = data.pictures[rng.choice(len(data), min(count, len(data)), replace=False)]
    falls = np.array([measure_deletion(predictor, picture, rng) for picture in chosen])
    named, others = falls.mean(0).tolist()
    more = float((np.abs(falls[:, 0]) > np.abs(falls[:, 1])).mean())
    return {"named": named, "others": others, "share_where_named_counts_more": more}
