"""The strong changes under which the trained networks are measured."""

import cv2

from model.chest_xray.arrays import GreyArray, Rng
from model.chest_xray.augment import apply_affine, blur, change_tone, clip_to_grey, compress_jpeg


def restyle(picture: GreyArray, rng: Rng, *, normal: bool) -> GreyArray:
    """Restyle a picture uint8 [S, S] to resemble the other class: a hard test for shortcuts.

    A normal picture becomes soft, flat and closely cropped; one with pneumonia becomes sharp and
    rich in contrast. What the lungs show stays.
    """
    if normal:
        picture = apply_affine(
            picture, rng, degrees=4, zoom=(1.1, 1.3), aspect=0.1, shift=0.02, shear=0
        )
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.0, 1.8))
        return clip_to_grey((picture - 128.0) * rng.uniform(0.6, 0.85) + rng.uniform(118, 150))
    smooth = cv2.GaussianBlur(picture, (0, 0), 3.0)
    gain = rng.uniform(1.3, 1.8)
    picture = cv2.addWeighted(picture, gain, smooth, 1 - gain, 0)
    return clip_to_grey((picture - 128.0) * rng.uniform(1.05, 1.3) + rng.uniform(110, 128))


def change_all(picture: GreyArray, rng: Rng) -> GreyArray:
    """Crop, turn, expose, blur and compress a picture uint8 [S, S] anew, each strongly."""
    picture = apply_affine(
        picture, rng, degrees=0, zoom=(1.1, 1.4), aspect=0.15, shift=0.02, shear=0
    )
    picture = apply_affine(picture, rng, degrees=15, zoom=(1.0, 1.0), aspect=0, shift=0, shear=0)
    picture = blur(change_tone(picture, rng, strength=1.0), rng, sigma=(1.0, 2.5))
    return compress_jpeg(picture, rng, quality=(10, 40))
