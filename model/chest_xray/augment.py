"""Pictures made harder: what training sees, and what evaluation tests against.

The training split differs from the pictures that the model will meet in ways that have nothing to
do with the lungs: exposure, contrast, sharpness, crop, borders, letters. In this set such traits
even separate the classes (the fine detail alone has an AUC of 0.82), so the network would learn
them. Every operation here changes such a trait at random, alike for both classes.

All functions take and return a grey picture, uint8, [224, 224] (any square size works).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

# uint8; OpenCV's stubs promise any number and would refuse a closer word.
Picture: TypeAlias = NDArray[Any]
Rng: TypeAlias = np.random.Generator

# One process trains one fold on one core: OpenCV's own threads would only fight over it.
cv2.setNumThreads(0)

_BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT)
_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)

_GRAIN = np.random.default_rng(7).standard_normal((512, 512), dtype=np.float32)


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _clip(values: NDArray[np.floating]) -> Picture:
    clipped: Picture = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return clipped


def affine(
    picture: Picture,
    rng: Rng,
    *,
    degrees: float = 12.0,
    zoom: tuple[float, float] = (0.88, 1.35),
    aspect: float = 0.12,
    shift: float = 0.08,
    shear: float = 0.06,
) -> Picture:
    """Turn, zoom, stretch, shear and shift about the middle.

    `degrees` bounds the rotation, `aspect` the log of the stretch, `shift` the share of the side.
    """
    size = picture.shape[0]
    angle = np.deg2rad(rng.uniform(-degrees, degrees))
    scale = _log_uniform(rng, *zoom)
    stretch = np.exp(rng.uniform(-aspect, aspect) / 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    skew = np.array([[1.0, rng.uniform(-shear, shear)], [0.0, 1.0]])
    linear = turn @ skew @ np.diag([scale * stretch, scale / stretch])
    middle = np.full(2, (size - 1) / 2)
    # A zoomed picture may move further before it leaves the frame.
    reach = (shift + max(0.0, (scale - 1) / 3)) * size
    offset = middle - linear @ middle + rng.uniform(-reach, reach, 2)
    border = _BORDERS[rng.integers(len(_BORDERS))]
    return cv2.warpAffine(
        picture,
        np.column_stack([linear, offset]),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
    )


def match_histogram(picture: Picture, donor: Picture, weight: float) -> Picture:
    """Give the picture the grey values of another one, blended by `weight` (0 keeps, 1 replaces).

    With donors of either class this is the strongest cure for exposure as a shortcut
    (histogram matching: Gonzalez and Woods, Digital Image Processing, section 3.3).
    """
    own = np.cumsum(np.bincount(picture.ravel(), minlength=256)) / picture.size
    other = np.cumsum(np.bincount(donor.ravel(), minlength=256)) / donor.size
    target = np.interp(own, other, np.arange(256))
    return cv2.LUT(picture, _clip((1 - weight) * np.arange(256) + weight * target))


def tone(picture: Picture, rng: Rng, *, strength: float = 1.0) -> Picture:
    """Bend the grey values by gamma, contrast, brightness and an S-curve, each at random."""
    level = np.arange(256) / 255.0
    level = level ** _log_uniform(rng, 1.9**-strength, 1.9**strength)
    contrast = _log_uniform(rng, 1.8**-strength, 1.4**strength)
    level = (level - 0.5) * contrast + 0.5 + rng.uniform(-0.1, 0.1) * strength
    if rng.random() < 0.3:
        slope = rng.uniform(2.0, 7.0)
        level = 1 / (1 + np.exp(-slope * (level - rng.uniform(0.35, 0.65))))
    return cv2.LUT(picture, _clip(level * 255))


def shade(picture: Picture, rng: Rng) -> Picture:
    """Lay an uneven exposure over the picture: a smooth random field of gains."""
    field = cv2.resize(
        rng.uniform(0.7, 1.3, (3, 3)).astype(np.float32),
        picture.shape[::-1],
        interpolation=cv2.INTER_CUBIC,
    )
    return cv2.multiply(picture, field, dtype=cv2.CV_8U)


def detail(picture: Picture, rng: Rng) -> Picture:
    """Scale the detail finer than a random width: from smooth to over-sharpened.

    Normal pictures of this set are sharper than those with pneumonia; after this they are not.
    """
    smooth = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 5.0))
    gain = _log_uniform(rng, 0.35, 2.2)
    return cv2.addWeighted(picture, gain, smooth, 1 - gain, 0)


def blur(picture: Picture, rng: Rng, *, sigma: tuple[float, float] = (0.5, 2.0)) -> Picture:
    """Blur by a Gaussian of a random width in pixels of the 224 grid."""
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(*sigma))


def coarsen(picture: Picture, rng: Rng) -> Picture:
    """Shrink and enlarge again: the trace of a small original."""
    size = picture.shape[0]
    small = int(size * rng.uniform(0.35, 0.8))
    shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR)


def noise(picture: Picture, rng: Rng, *, sigma: tuple[float, float] = (2.0, 12.0)) -> Picture:
    """Add Gaussian noise of a random strength in grey levels."""
    # A window of one stored field instead of fresh numbers: drawing them costs more than all else.
    height, width = picture.shape
    top, left = rng.integers(0, _GRAIN.shape[0] - height), rng.integers(0, _GRAIN.shape[1] - width)
    grain = _GRAIN[top : top + height, left : left + width]
    return cv2.add(picture, grain * rng.uniform(*sigma), dtype=cv2.CV_8U)


def jpeg(picture: Picture, rng: Rng, *, quality: tuple[int, int] = (20, 90)) -> Picture:
    """Save as JPEG of a random quality and read again."""
    level = int(rng.integers(quality[0], quality[1] + 1))
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, level])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def local_equalise(picture: Picture, rng: Rng) -> Picture:
    """CLAHE (Zuiderveld, Graphics Gems IV, 1994) with a random limit and grid."""
    grid = int(rng.integers(2, 9))
    return cv2.createCLAHE(rng.uniform(1.0, 4.0), (grid, grid)).apply(picture)


def borders(picture: Picture, rng: Rng) -> Picture:
    """Black, grey or white bars on some of the four sides."""
    out = picture.copy()
    size = picture.shape[0]
    value = (0, 0, 0, int(rng.integers(0, 60)), 255)[rng.integers(5)]
    for side in range(4):
        if rng.random() < 0.5:
            width = int(rng.uniform(0.01, 0.12) * size)
            np.rot90(out, side)[:width] = value
    return out


def letters(picture: Picture, rng: Rng) -> Picture:
    """Write one or two markers such as the R and L of a radiographer, near the edges."""
    out = picture.copy()
    size = picture.shape[0]
    for _ in range(int(rng.integers(1, 3))):
        text = "".join("RLPA1234"[at] for at in rng.integers(0, 8, int(rng.integers(1, 3))))
        x = int(rng.choice([rng.uniform(0.0, 0.2), rng.uniform(0.75, 0.92)]) * size)
        y = int(rng.uniform(0.08, 0.95) * size)
        cv2.putText(
            out,
            text,
            (x, y),
            _FONTS[rng.integers(len(_FONTS))],
            rng.uniform(0.3, 0.8),
            int(rng.integers(120, 256)),
            int(rng.integers(1, 3)),
            cv2.LINE_AA,
        )
    return out


def cutout(picture: Picture, rng: Rng) -> Picture:
    """Hide a rectangle (DeVries and Taylor, 2017): no single place may decide."""
    out = picture.copy()
    size = picture.shape[0]
    for _ in range(int(rng.integers(1, 3))):
        height, width = (rng.uniform(0.08, 0.3, 2) * size).astype(int)
        top, left = (rng.uniform(0, 1, 2) * (size - height, size - width)).astype(int)
        out[top : top + height, left : left + width] = rng.integers(0, 256)
    return out


#: What training does to a picture, in this order, each with its probability.
_STEPS: tuple[tuple[float, Callable[[Picture, Rng], Picture]], ...] = (
    (0.60, tone),
    (0.25, shade),
    (0.12, local_equalise),
    (0.55, detail),
    (0.15, blur),
    (0.10, coarsen),
    (0.20, borders),
    (0.30, letters),
    (0.30, cutout),
    (0.30, noise),
    (0.25, jpeg),
)


def augment(picture: Picture, donor: Picture, rng: Rng) -> Picture:
    """One random training view of a picture; `donor` lends its grey values now and then."""
    if rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
    if rng.random() < 0.9:
        picture = affine(picture, rng)
    if rng.random() < 0.45:
        picture = match_histogram(picture, donor, rng.uniform(0.3, 1.0))
    for probability, change in _STEPS:
        if rng.random() < probability:
            picture = change(picture, rng)
    return picture


def _contrast(picture: Picture, rng: Rng) -> Picture:
    return tone(picture, rng, strength=1.0)


def _crop(picture: Picture, rng: Rng) -> Picture:
    return affine(picture, rng, degrees=0, zoom=(1.1, 1.4), aspect=0.15, shift=0.02, shear=0)


def _rotation(picture: Picture, rng: Rng) -> Picture:
    return affine(picture, rng, degrees=15, zoom=(1.0, 1.0), aspect=0, shift=0, shear=0)


def _blur(picture: Picture, rng: Rng) -> Picture:
    return blur(picture, rng, sigma=(1.0, 2.5))


def _jpeg(picture: Picture, rng: Rng) -> Picture:
    return jpeg(picture, rng, quality=(10, 40))


def _together(picture: Picture, rng: Rng) -> Picture:
    for change in (_crop, _rotation, _contrast, _blur, _jpeg):
        picture = change(picture, rng)
    return picture


#: The strong augmentations under which the model is measured, by name.
CORRUPTIONS: dict[str, Callable[[Picture, Rng], Picture]] = {
    "contrast": _contrast,
    "crop": _crop,
    "rotation": _rotation,
    "blur": _blur,
    "jpeg": _jpeg,
    "together": _together,
}


def other_style(picture: Picture, rng: Rng, *, normal: bool) -> Picture:
    """Give a picture the look of the other class: the hardest honest test for shortcuts.

    Normal pictures become soft, flat and closely cropped; those with pneumonia become sharp and
    rich in contrast. What the lungs show stays.
    """
    if normal:
        picture = affine(picture, rng, degrees=4, zoom=(1.1, 1.3), aspect=0.1, shift=0.02, shear=0)
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(1.0, 1.8))
        return _clip((picture - 128.0) * rng.uniform(0.6, 0.85) + rng.uniform(118, 150))
    smooth = cv2.GaussianBlur(picture, (0, 0), 3.0)
    gain = rng.uniform(1.3, 1.8)
    picture = cv2.addWeighted(picture, gain, smooth, 1 - gain, 0)
    return _clip((picture - 128.0) * rng.uniform(1.05, 1.3) + rng.uniform(110, 128))
