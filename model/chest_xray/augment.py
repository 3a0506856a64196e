"""Training pictures made harder by changes that have nothing to do with the lungs.

The training split differs from the pictures that the model will meet in exposure, contrast,
sharpness, crop, borders and letters. In this set such traits even separate the classes (the fine
detail alone has an AUC of 0.82), so the network would learn them. Each function here changes such
a trait at random, in the same way for both classes.
"""

from collections.abc import Callable

import cv2
import numpy as np

from model.chest_xray.arrays import GreyArray, Rng
from model.contract.arrays import FloatArray

# One process trains one fold on one core; threads of OpenCV would compete for it.
cv2.setNumThreads(0)

_BORDERS = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE, cv2.BORDER_REFLECT)

_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX)

_GRAIN = np.random.default_rng(7).standard_normal((512, 512), dtype=np.float32)


def augment(picture: GreyArray, donor: GreyArray, rng: Rng) -> GreyArray:
    """Return a random training view of a picture, both uint8 [S, S]; `donor` lends its grey values.

    A donor is a picture of either class, uint8 [S, S].
    """
    if rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
    if rng.random() < 0.9:
        picture = apply_affine(picture, rng)
    if rng.random() < 0.45:
        picture = match_histogram(picture, donor, rng.uniform(0.3, 1.0))
    for probability, change in _STEPS:
        if rng.random() < probability:
            picture = change(picture, rng)
    return picture


def apply_affine(
    picture: GreyArray,
    rng: Rng,
    *,
    degrees: float = 12.0,
    zoom: tuple[float, float] = (0.88, 1.35),
    aspect: float = 0.12,
    shift: float = 0.08,
    shear: float = 0.06,
) -> GreyArray:
    """Turn, zoom, stretch, shear and shift a picture uint8 [S, S] about its centre.

    Args:
        picture: grey, uint8 [S, S].
        rng: draws the amounts.
        degrees: most rotation either way.
        zoom: least and most zoom.
        aspect: most log of the stretch.
        shift: most shift, as a share of the side.
        shear: most shear.

    Returns:
        The changed picture, uint8 [S, S].
    """
    size = picture.shape[0]
    angle = np.deg2rad(rng.uniform(-degrees, degrees))
    scale = _log_uniform(rng, *zoom)
    stretch = np.exp(rng.uniform(-aspect, aspect) / 2)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    skew = np.array([[1.0, rng.uniform(-shear, shear)], [0.0, 1.0]])
    linear = turn @ skew @ np.diag([scale * stretch, scale / stretch])
    centre = np.full(2, (size - 1) / 2)
    # A zoomed picture may shift further before it leaves the frame.
    reach = (shift + max(0.0, (scale - 1) / 3)) * size
    offset = centre - linear @ centre + rng.uniform(-reach, reach, 2)
    border = _BORDERS[rng.integers(len(_BORDERS))]
    return cv2.warpAffine(
        picture,
        np.column_stack([linear, offset]),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=border,
    )


def match_histogram(picture: GreyArray, donor: GreyArray, weight: float) -> GreyArray:
    """Give a picture uint8 [S, S] the grey values of a donor, uint8 of any shape.

    With donors of either class this weakens exposure as a shortcut the most (histogram matching:
    Gonzalez and Woods, Digital Image Processing, section 3.3). `weight` 0 keeps, 1 replaces.
    """
    source_share = np.cumsum(np.bincount(picture.ravel(), minlength=256)) / picture.size
    donor_share = np.cumsum(np.bincount(donor.ravel(), minlength=256)) / donor.size
    target = np.interp(source_share, donor_share, np.arange(256))
    return cv2.LUT(picture, clip_to_grey((1 - weight) * np.arange(256) + weight * target))


def change_tone(picture: GreyArray, rng: Rng, *, strength: float = 1.0) -> GreyArray:
    """Change gamma, contrast, brightness and S-curve of a picture uint8 [S, S] at random."""
    level = np.arange(256) / 255.0
    level = level ** _log_uniform(rng, 1.9**-strength, 1.9**strength)
    contrast = _log_uniform(rng, 1.8**-strength, 1.4**strength)
    level = (level - 0.5) * contrast + 0.5 + rng.uniform(-0.1, 0.1) * strength
    if rng.random() < 0.3:
        slope = rng.uniform(2.0, 7.0)
        level = 1 / (1 + np.exp(-slope * (level - rng.uniform(0.35, 0.65))))
    return cv2.LUT(picture, clip_to_grey(level * 255))


def shade(picture: GreyArray, rng: Rng) -> GreyArray:
    """Multiply a picture uint8 [S, S] by a smooth random field, as uneven exposure does."""
    field = cv2.resize(
        rng.uniform(0.7, 1.3, (3, 3)).astype(np.float32),
        picture.shape[::-1],
        interpolation=cv2.INTER_CUBIC,
    )
    return cv2.multiply(picture, field, dtype=cv2.CV_8U)


def scale_detail(picture: GreyArray, rng: Rng) -> GreyArray:
    """Scale the fine detail of a picture uint8 [S, S]: from smooth to over-sharpened.

    Normal pictures of this set are sharper than those with pneumonia; this removes the difference.
    """
    smooth = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.8, 5.0))
    gain = _log_uniform(rng, 0.35, 2.2)
    return cv2.addWeighted(picture, gain, smooth, 1 - gain, 0)


def blur(picture: GreyArray, rng: Rng, *, sigma: tuple[float, float] = (0.5, 2.0)) -> GreyArray:
    """Blur a picture uint8 [S, S] by a Gaussian of a random width in pixels."""
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(*sigma))


def coarsen(picture: GreyArray, rng: Rng) -> GreyArray:
    """Shrink a picture uint8 [S, S] and enlarge it again, as from a small original."""
    size = picture.shape[0]
    small = int(size * rng.uniform(0.35, 0.8))
    shrunk = cv2.resize(picture, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR)


def add_noise(
    picture: GreyArray, rng: Rng, *, sigma: tuple[float, float] = (2.0, 12.0)
) -> GreyArray:
    """Add Gaussian noise of a random strength in grey levels to a picture uint8 [S, S]."""
    # Windows of one stored field: fresh random numbers cost more than all other steps together.
    height, width = picture.shape
    top, left = rng.integers(0, _GRAIN.shape[0] - height), rng.integers(0, _GRAIN.shape[1] - width)
    grain = _GRAIN[top : top + height, left : left + width]
    return cv2.add(picture, grain * rng.uniform(*sigma), dtype=cv2.CV_8U)


def compress_jpeg(
    picture: GreyArray, rng: Rng, *, quality: tuple[int, int] = (20, 90)
) -> GreyArray:
    """Save a picture uint8 [S, S] as JPEG of a random quality, and read it again."""
    level = int(rng.integers(quality[0], quality[1] + 1))
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, level])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def equalise_locally(picture: GreyArray, rng: Rng) -> GreyArray:
    """Apply CLAHE (Zuiderveld, Graphics Gems IV, 1994) to a picture uint8 [S, S]."""
    grid = int(rng.integers(2, 9))
    return cv2.createCLAHE(rng.uniform(1.0, 4.0), (grid, grid)).apply(picture)


def add_borders(picture: GreyArray, rng: Rng) -> GreyArray:
    """Draw black, grey or white bars on some sides of a picture uint8 [S, S]."""
    out = picture.copy()
    size = picture.shape[0]
    value = (0, 0, 0, int(rng.integers(0, 60)), 255)[rng.integers(5)]
    for side in range(4):
        if rng.random() < 0.5:
            width = int(rng.uniform(0.01, 0.12) * size)
            np.rot90(out, side)[:width] = value
    return out


def add_letters(picture: GreyArray, rng: Rng) -> GreyArray:
    """Write one or two radiographer's markers, such as R and L, on a picture uint8 [S, S]."""
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


def cut_out(picture: GreyArray, rng: Rng) -> GreyArray:
    """Hide one or two rectangles of a picture uint8 [S, S] (DeVries and Taylor, 2017)."""
    out = picture.copy()
    size = picture.shape[0]
    for _ in range(int(rng.integers(1, 3))):
        height, width = (rng.uniform(0.08, 0.3, 2) * size).astype(int)
        top, left = (rng.uniform(0, 1, 2) * (size - height, size - width)).astype(int)
        out[top : top + height, left : left + width] = rng.integers(0, 256)
    return out


_STEPS: tuple[tuple[float, Callable[[GreyArray, Rng], GreyArray]], ...] = (
    (0.60, change_tone),
    (0.25, shade),
    (0.12, equalise_locally),
    (0.55, scale_detail),
    (0.15, blur),
    (0.10, coarsen),
    (0.20, add_borders),
    (0.30, add_letters),
    (0.30, cut_out),
    (0.30, add_noise),
    (0.25, compress_jpeg),
)
"""What training changes, in this order, each with its probability."""


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def clip_to_grey(values: FloatArray) -> GreyArray:
    """Round values of any shape to grey levels, uint8 of the same shape."""
    clipped: GreyArray = np.clip(values + 0.5, 0, 255).astype(np.uint8)
    return clipped
