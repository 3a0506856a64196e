"""Pictures as visitors send them: what is refused, in words, and what the network gets of the rest.

Size, kind and number of pixels are known from the first bytes and decided before anything is
decoded. Nothing here writes to disk or keeps what it was given.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin
from pydantic_core import PydanticCustomError

from model.contract.fields import BaseField, refusal

SIDE = 224
MEGABYTES = 10
MEGAPIXELS = 40
MOST_BYTES = MEGABYTES * 1024 * 1024
MOST_PIXELS = MEGAPIXELS * 1_000_000

MOST_DECODED = 80 * 1024 * 1024
"""Bytes that decoding may take. Pillow decodes a PNG as a whole, at four bytes a pixel in colour:
this is 40 megapixels of grey, of 16 bits, too, or 20 of colour."""

LARGE = 8 * 1024 * 1024
"""Bytes from which on a picture should be decoded alone. A photograph needs less: a JPEG is decoded
at a fraction of its size."""

MOST_PIECES = 20_000
"""Chunks of a PNG. libpng writes 8 KB into each, so that the largest file has 1,300; each costs
Pillow some microseconds, whatever is in it."""

MOST_SEGMENTS = 2_000
"""Segments of a JPEG before its picture; colour profiles have up to 255, a few others one each."""

MOST_SCANS = 100
"""Scans of a JPEG, about ten in a progressive one; each goes over the whole picture."""

# Pillow's own guard stands behind ours: from here on it warns, from twice as much on it refuses.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS
# Texts in a PNG are packed and grow a thousandfold.
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024 * 1024

_DECODING = threading.BoundedSemaphore(2)
"""Two large pictures may be in memory at once, however many are sent."""

_ENOUGH = 2 * SIDE
"""Pixels of the shorter side down to which a large picture is reduced before anything else."""

_LONGEST = 8 * SIDE
"""Pixels of the longer side of a reduced picture: one that is very long is made less so."""

_AT_A_TIME = 1_000_000
"""Pixels of 16-bit grey that are looked at at a time."""

_STRIP = 64
"""Rows of the reduced picture that are made at a time."""

_BYTES_A_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}
"""As Pillow keeps them; all other modes take 4."""

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Picture:
    """What is kept of an upload: ``square`` uint8 [224, 224], grey, its aspect ratio given up.

    ``width`` and ``height`` are those of the upload, upright, in pixels; ``colourfulness`` is 0 for
    grey, about 15 for a slight tint, above 30 for photographs.
    """

    square: NDArray[np.uint8]
    width: int
    height: int
    colourfulness: float


class ImageField(BaseField):
    """A JPEG or PNG file; read in memory, at most 10 MB and 40 megapixels."""

    kind: Literal["image"]

    @property
    def missing(self) -> str:
        return f"Choose {self.thing}"

    @property
    def takes(self) -> str:
        """What the field takes, in words."""
        return f"a JPEG or PNG file of at most {MEGABYTES} MB and {MEGAPIXELS} megapixels"

    def read(self, value: object) -> Picture:
        """Decode a file's bytes; see ``BaseField.read``."""
        if not isinstance(value, bytes) or not value:
            raise self._refused("empty", "is empty: choose another file")
        if len(value) > MOST_BYTES:
            raise self._refused("bytes", f"must be {MEGABYTES} MB or less")
        with _DECODING, self._opened(value) as image:
            self._weigh(image, value)
            try:
                return _picture(image)
            except Exception as error:  # a decoder that was fed nonsense raises anything
                raise self._broken() from error

    def weigh(self, value: object) -> int:
        """Bytes that decoding a file will take, from its first bytes; 0 where ``read`` refuses."""
        if not isinstance(value, bytes) or not 0 < len(value) <= MOST_BYTES:
            return 0
        try:
            with self._opened(value) as image:
                return self._weigh(image, value)
        except PydanticCustomError:
            return 0

    def _weigh(self, image: Image.Image, data: bytes) -> int:
        width, height = image.size
        if width * height > MOST_PIXELS:
            raise self._too_many_pixels()
        # A JPEG with a second picture behind the first (MPO: depth, exposure) is no animation.
        if image.format == "PNG" and getattr(image, "is_animated", False):
            raise self._refused("animated", "must be a still one, not an animation")
        needed = decoded_bytes(image, data)
        if needed > MOST_DECODED:
            raise self._refused(
                "decoded", "is too large to be opened: save it smaller, or in plain grey"
            )
        return needed

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/jpeg"}

    @contextmanager
    def _opened(self, data: bytes) -> Iterator[Image.Image]:
        """The picture with its header read and nothing decoded."""
        if has_too_many_pieces(data):
            raise self._broken()
        try:
            image = Image.open(BytesIO(data), formats=("PNG", "JPEG"))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise self._too_many_pixels() from error
        except Exception as error:
            if data.startswith(_SIGNATURES):
                raise self._broken() from error
            raise self._refused("format", "must be a JPEG or PNG file") from error
        with image:
            yield image

    def _refused(self, kind: str, words: str) -> PydanticCustomError:
        return refusal(kind, f"{self.subject} {words}")

    def _broken(self) -> PydanticCustomError:
        return self._refused("broken", "is damaged or cut short: choose another file")

    def _too_many_pixels(self) -> PydanticCustomError:
        return self._refused("pixels", f"must have {MEGAPIXELS} megapixels or less")

    @property
    def subject(self) -> str:
        return f"The {self.noun}"


def has_too_many_pieces(data: bytes) -> bool:
    """Whether a file is in more pieces than any program makes, to keep its reader busy."""
    if data.startswith(_SIGNATURES[1]):
        return data.count(b"\xff\xda") > MOST_SCANS or _segments(data) > MOST_SEGMENTS
    place = len(_SIGNATURES[0])
    for _ in range(MOST_PIECES):
        if place + 8 > len(data):
            return False
        place += 12 + int.from_bytes(data[place : place + 4])
    return data.startswith(_SIGNATURES[0])


def _segments(data: bytes) -> int:
    """Segments of a JPEG before its picture, as far as they matter."""
    place, count = 2, 0
    while count <= MOST_SEGMENTS and data[place : place + 1] == b"\xff":
        if data[place + 1 : place + 2] == b"\xda":
            break
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
        count += 1
    return count


def decoded_bytes(image: Image.Image, data: bytes) -> int:
    """Bytes that the opened picture takes once it is decoded."""
    pixels = image.width * image.height
    if image.format == "PNG":
        return pixels * _BYTES_A_PIXEL.get(image.mode, 4)
    kept = 0
    if _in_several_scans(image, data):
        # libjpeg then holds two bytes for each sample until the last scan has come.
        layers = [(across, down) for _, across, down, _ in image.layer]  # type: ignore[attr-defined]
        most = max(across for across, _ in layers) * max(down for _, down in layers)
        kept = sum(2 * pixels * across * down // most for across, down in layers)
    # As Pillow's draft will choose it, which cannot be asked without being done.
    fraction = max(one for one in (1, 2, 4, 8) if one <= max(1, min(image.size) // _ENOUGH))
    return kept + pixels // fraction**2 * _BYTES_A_PIXEL.get(image.mode, 4)


def _in_several_scans(image: Image.Image, data: bytes) -> bool:
    """Whether the first scan is not the whole picture."""
    if image.info.get("progressive"):
        return True
    place = 2
    while data[place : place + 1] == b"\xff":
        if data[place + 1 : place + 2] == b"\xda":
            return data[place + 4] < len(image.layer)  # type: ignore[attr-defined]
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return True


def _picture(image: Image.Image) -> Picture:
    width, height = image.size
    # A JPEG is decoded at an eighth of its size in an eighth of the time, where that is enough.
    image.draft(image.mode, (_ENOUGH, _ENOUGH))
    image.load()
    way = _orientation(image)
    image = _reduced(image)
    square = to_square(to_grey(image))
    colour = colourfulness(image)
    if way is not None:
        square = np.asarray(Image.fromarray(square).transpose(way))
        if way in (_UPRIGHT[5], _UPRIGHT[6], _UPRIGHT[7], _UPRIGHT[8]):
            width, height = height, width
    return Picture(square, width, height, colour)


def _orientation(image: Image.Image) -> Image.Transpose | None:
    """How to turn the picture upright; nothing where its EXIF data cannot be read."""
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return None


def _reduced(image: Image.Image) -> Image.Image:
    """The picture in a mode that can be averaged, a large one shrunk by whole factors.

    In strips, for what stands between the two sizes would be several times the picture itself.
    """
    width, height = image.size
    factor = max(1, min(image.size) // _ENOUGH)
    across, down = (max(factor, -(-side // _LONGEST)) for side in image.size)
    levels = _levels(image) if image.mode.startswith("I") else None
    if across == down == 1:
        return _averageable(image, levels)
    step = down * _STRIP
    strips = [
        _averageable(image.crop((0, top, width, min(top + step, height))), levels).reduce(
            (across, down)
        )
        for top in range(0, height, step)
    ]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for number, strip in enumerate(strips):
        whole.paste(strip, (0, number * _STRIP))
    return whole


def _levels(image: Image.Image) -> tuple[int, int]:
    """The lowest and the highest value of 16-bit grey."""
    width, height = image.size
    rows = max(1, _AT_A_TIME // width)
    strips = (
        np.asarray(image.crop((0, top, width, min(top + rows, height))))
        for top in range(0, height, rows)
    )
    ends = [(int(strip.min()), int(strip.max())) for strip in strips]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _stretched(image: Image.Image, low: int, high: int) -> Image.Image:
    """16-bit grey in 8 bits, ``low`` black and ``high`` white."""
    scale = np.float32(255.0 / max(high - low, 1))
    return Image.fromarray(((np.asarray(image) - low) * scale).astype(np.uint8))


def _averageable(image: Image.Image, levels: tuple[int, int] | None) -> Image.Image:
    """The picture with its colours as numbers and its transparent parts as a channel.

    16-bit grey is stretched between its own lowest and highest value, because scanners use 10 to 16
    of the bits.
    """
    if levels is not None:
        return _stretched(image, *levels)
    if "transparency" in image.info or image.mode == "PA":
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode in ("P", "1") else image


def to_grey(image: Image.Image) -> Image.Image:
    """A decoded picture in 8-bit grey, mode L.

    Transparency is laid on black, the background of an X-ray.
    """
    if image.mode.startswith("I"):
        image = _stretched(image, *_levels(image))
    if image.mode in ("RGBA", "LA"):
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image)
    return image if image.mode == "L" else image.convert("RGB").convert("L")


def to_square(grey: Image.Image) -> NDArray[np.uint8]:
    """The grey picture at 224 x 224, its aspect ratio given up as in the training set; uint8.

    Bicubic with antialiasing, as the training files were made. One of 224 x 224 is not touched.
    """
    if grey.size != (SIDE, SIDE):
        grey = grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(grey, dtype=np.uint8)


def to_input(square: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 [224, 224] to the network's float32 [1, 1, 224, 224] in 0..1."""
    return square[None, None].astype(np.float32) / np.float32(255)


def colourfulness(image: Image.Image) -> float:
    """How coloured a picture is.

    Hasler and Suesstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003, less their
    term for the mean: a scan tinted evenly, blue or sepia, still counts as grey.
    """
    if image.mode in ("L", "LA") or image.mode.startswith("I"):
        return 0.0
    small = image.convert("RGB").resize((64, 64), Image.Resampling.BOX)
    red, green, blue = np.moveaxis(np.asarray(small, dtype=np.float64), 2, 0)
    return float(np.hypot((red - green).std(), (0.5 * (red + green) - blue).std()))
