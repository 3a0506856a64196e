"""X-rays as people send them by mistake: turned, mirrored, with black as white, or half of one."""

from collections.abc import Callable

import cv2
import numpy as np

from model.chest_xray.arrays import GreyArray, Rng


def turn(picture: GreyArray, rng: Rng) -> GreyArray:
    """Turn a picture uint8 [S, S] by 90 degrees either way."""
    return np.ascontiguousarray(np.rot90(picture, int(rng.choice([1, 3]))))


def turn_over(picture: GreyArray, _: Rng) -> GreyArray:
    """Turn a picture uint8 [S, S] upside down."""
    return np.ascontiguousarray(picture[::-1, ::-1])


def mirror(picture: GreyArray, _: Rng) -> GreyArray:
    """Mirror a picture uint8 [S, S], left for right."""
    return np.ascontiguousarray(picture[:, ::-1])


def invert(picture: GreyArray, _: Rng) -> GreyArray:
    """Show black as white, uint8 [S, S]."""
    return 255 - picture


def halve(picture: GreyArray, rng: Rng) -> GreyArray:
    """Keep one half of a picture uint8 [S, S], as an upload of that half arrives: stretched."""
    half = np.rot90(picture, side := int(rng.integers(4)))[: len(picture) // 2]
    kept = np.ascontiguousarray(np.rot90(half, -side))
    return np.asarray(
        cv2.resize(kept, picture.shape[::-1], interpolation=cv2.INTER_LINEAR), dtype=np.uint8
    )


REFUSED: dict[str, Callable[[GreyArray, Rng], GreyArray]] = {
    "turned by 90°": turn,
    "upside down": turn_over,
    "black as white": invert,
    "one half": halve,
}
"""Mistakes that the gate learns to refuse. A mirrored picture is answered like the upright one."""

MISTAKES = REFUSED | {"mirrored": mirror}
"""Every mistake that is measured, by its words."""
