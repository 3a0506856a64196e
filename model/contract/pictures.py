"""Reads uploaded pictures: refuses those that cannot be used, and scales the others to the network.

Size, format and number of pixels are checked from the first bytes, before anything is decoded.
Nothing here writes to disk or keeps an upload.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from typing import Any, ClassVar, Literal

import numpy as np
from PIL import AvifImagePlugin, Image, MpoImagePlugin, PngImagePlugin, WebPImagePlugin
from PIL.JpegImagePlugin import JpegImageFile
from pydantic import Field
from pydantic_core import PydanticCustomError

from model.contract.arrays import ByteArray
from model.contract.fields import BaseField, make_error

SIDE = 224
MEGABYTES = 10
MEGAPIXELS = 40
MAX_BYTES = MEGABYTES * 1024 * 1024
MAX_PIXELS = MEGAPIXELS * 1_000_000

MAX_DECODED_BYTES = 80 * 1024 * 1024
"""Bytes that decoding may take. Pillow decodes a whole PNG at four bytes per pixel in colour: this
is enough for 40 megapixels of grey, also of 16 bits, or for 20 of colour."""

LARGE_BYTES = 8 * 1024 * 1024
"""Bytes of decoding from which a picture should be decoded alone. Photographs need less, because a
JPEG is decoded at a fraction of its size."""

MAX_CHUNKS = 20_000
"""Chunks of a PNG. libpng writes 8 KB chunks, so a file of 10 MB has 1,300; each costs Pillow some
microseconds."""

MAX_SEGMENTS = 2_000
"""Segments of a JPEG before its first scan; a colour profile has up to 255."""

MAX_SCANS = 100
"""Scans of a JPEG; a progressive one has about ten, and each covers the whole picture."""

# Pillow's own guard is the second one: it warns above this, and refuses above twice as much.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
# Texts in a PNG are compressed, and grow a thousandfold.
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024 * 1024

_DECODERS = threading.BoundedSemaphore(2)
"""At most two pictures are decoded at a time, however many are sent."""

_SHORTER_SIDES = 2
"""The shorter side to which a large picture is reduced first, in sides of the network's input."""

_LONGER_SIDES = 8
"""The longer side of a reduced picture, at most, in the same; a very long one loses its shape."""

_PIXELS_AT_ONCE = 1_000_000
"""Pixels of 16-bit grey that are in memory as an array at a time."""

_STRIP_ROWS = 64
"""Rows of the reduced picture that are computed at a time."""

_BYTES_PER_PIXEL = {"1": 1, "L": 1, "P": 1, "I;16": 2}
"""Bytes by mode in Pillow; all other modes take 4."""

_CANVAS_BYTES_PER_PIXEL = {"WEBP": 17, "AVIF": 10}
"""Bytes by format that decoding took at 12 megapixels: canvas, frame, and Pillow's copy."""

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
"""The formats that are opened, by Pillow's names."""

READERS = (AvifImagePlugin, JpegImageFile, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
"""Imported here, because Pillow would import forty of them while the first visitor waits. On a busy
machine a first upload was given up after 20 s three times; why it took so long is not known."""

FORMATS_TEXT = "a JPEG, PNG, WebP or AVIF file"
"""The same in words."""

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp", "image/avif")
"""The same for browsers and programs."""

Transparency = Literal["black", "ignored"]

_SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_ORIENTATION = 0x0112
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = tuple(_TRANSPOSES[orientation] for orientation in (5, 6, 7, 8))


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded upload: ``image`` is upright, of mode L or RGB, and reduced where it was large.

    ``width`` and ``height`` are those of the upright upload, in pixels; ``colourfulness`` is 0 for
    grey, about 15 for a slight tint, above 30 for photographs.
    """

    image: Image.Image
    width: int
    height: int
    colourfulness: float

    @cached_property
    def square(self) -> ByteArray:
        """The picture in grey, stretched to a square, uint8 [224, 224]."""
        return to_square(to_grey(self.image))


class ImageField(BaseField):
    """A picture's file; read in memory, at most 10 MB and 40 megapixels."""

    kind: Literal["image"]
    """The kind of field."""

    side: int = Field(default=SIDE, ge=8, le=2048)
    """The longer side of what the network sees, in pixels: a large picture is reduced to about
    twice that as it is read."""

    transparency: Transparency = "black"
    """What transparent parts become: black, the background of an X-ray, or the colours that the
    file has there, as for nearly every program that trains a network."""

    verb: ClassVar[str] = "Choose"

    example: ClassVar[str] = ""
    """No picture stands for the others."""

    @property
    def accepted_text(self) -> str:
        """Which files the field accepts, in words."""
        return f"{FORMATS_TEXT} of at most {MEGABYTES} MB and {MEGAPIXELS} megapixels"

    def read(self, value: object) -> Picture:
        """Decode a file's bytes; see ``BaseField.read``.

        Returns:
            The picture.

        Raises:
            PydanticCustomError: if the file is no picture that can be used; its message is for
                visitors.
        """
        if not isinstance(value, bytes) or not value:
            raise self._refused("empty", "is empty: choose another file")
        if len(value) > MAX_BYTES:
            raise self._refused("bytes", f"must be {MEGABYTES} MB or less")
        with _DECODERS, self._open(value) as image:
            self._check_memory(image, value)
            try:
                return _decode(image, self.side, self.transparency == "ignored")
            except Exception as error:  # a decoder raises anything for a damaged file
                raise self._broken() from error

    def estimate_memory(self, value: object) -> int:
        """Bytes that decoding a file will take, from its first bytes; 0 if ``read`` refuses it."""
        if not isinstance(value, bytes) or not 0 < len(value) <= MAX_BYTES:
            return 0
        try:
            with self._open(value) as image:
                return self._check_memory(image, value)
        except PydanticCustomError:
            return 0

    def _check_memory(self, image: Image.Image, data: bytes) -> int:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise self._too_many_pixels()
        # A JPEG may hold a second picture (MPO: depth, exposure) without being animated.
        if image.format != "MPO" and getattr(image, "is_animated", False):
            raise self._refused("animated", "must be a still picture, not an animation")
        needed = estimate_decoded_bytes(image, data, self.side)
        if needed > MAX_DECODED_BYTES:
            raise self._refused(
                "decoded", "is too large to be opened: save it smaller, or in plain grey"
            )
        return needed

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/jpeg"}

    @contextmanager
    def _open(self, data: bytes) -> Iterator[Image.Image]:
        """Read the picture's header, and decode nothing."""
        if has_too_many_parts(data):
            raise self._broken()
        try:
            image = Image.open(BytesIO(data), formats=FORMATS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise self._too_many_pixels() from error
        except Exception as error:
            if data.startswith(_SIGNATURES) or data[8:12] in (b"WEBP", b"avif"):
                raise self._broken() from error
            raise self._refused("format", f"must be {FORMATS_TEXT}") from error
        with image:
            yield image

    def _refused(self, kind: str, words: str) -> PydanticCustomError:
        return make_error(kind, f"{self.label} {words}")

    def _broken(self) -> PydanticCustomError:
        return self._refused("broken", "is damaged or cut short: choose another file")

    def _too_many_pixels(self) -> PydanticCustomError:
        return self._refused("pixels", f"must have {MEGAPIXELS} megapixels or less")


def has_too_many_parts(data: bytes) -> bool:
    """Whether a file has more chunks, segments or scans than any program writes.

    Such a file is made to keep its reader busy.
    """
    if data.startswith(_SIGNATURES[1]):
        return data.count(b"\xff\xda") > MAX_SCANS or _find_scan(data)[0] > MAX_SEGMENTS
    offset = len(_SIGNATURES[0])
    for _ in range(MAX_CHUNKS):
        if offset + 8 > len(data):
            return False
        offset += 12 + int.from_bytes(data[offset : offset + 4])
    return data.startswith(_SIGNATURES[0])


def _find_scan(data: bytes) -> tuple[int, int | None]:
    """The number of segments before the first scan of a JPEG, and the scan's offset."""
    offset, count = 2, 0
    while count <= MAX_SEGMENTS and data[offset : offset + 1] == b"\xff":
        if data[offset + 1 : offset + 2] == b"\xda":
            return count, offset
        offset += 2 + int.from_bytes(data[offset + 2 : offset + 4])
        count += 1
    return count, None


def estimate_decoded_bytes(image: Image.Image, data: bytes, side: int = SIDE) -> int:
    """Bytes that the opened picture takes once it is decoded for a network of ``side`` pixels."""
    pixels = image.width * image.height
    bytes_per_pixel = _BYTES_PER_PIXEL.get(image.mode, 4)
    bytes_per_pixel = _CANVAS_BYTES_PER_PIXEL.get(str(image.format), bytes_per_pixel)
    if not isinstance(image, JpegImageFile):
        return pixels * bytes_per_pixel
    coefficients = 0
    if _has_several_scans(image, data):
        # libjpeg keeps two bytes for each sample until it has read the last scan.
        layers = [(horizontal, vertical) for _, horizontal, vertical, _ in image.layer]
        largest = max(across for across, _ in layers) * max(down for _, down in layers)
        # 0 is no sampling factor: libjpeg refuses such a file as soon as it decodes it.
        coefficients = sum(2 * pixels * across * down // max(1, largest) for across, down in layers)
    # Pillow's draft will choose this fraction; it cannot be asked without decoding.
    fraction = max(
        n for n in (1, 2, 4, 8) if n <= max(1, min(image.size) // (_SHORTER_SIDES * side))
    )
    return coefficients + pixels // fraction**2 * bytes_per_pixel


def _has_several_scans(image: JpegImageFile, data: bytes) -> bool:
    if image.info.get("progressive"):
        return True
    _, offset = _find_scan(data)
    return offset is None or data[offset + 4] < len(image.layer)


def _decode(image: Image.Image, side: int, is_opaque: bool) -> Picture:
    width, height = image.size
    # A JPEG is decoded at an eighth of its size in an eighth of the time, where that is enough.
    image.draft(image.mode, (_SHORTER_SIDES * side, _SHORTER_SIDES * side))
    image.load()
    transpose = _find_transpose(image)
    image = _flatten(_reduce(image, side, is_opaque))
    colourfulness = measure_colourfulness(image)
    if transpose is not None:
        image = image.transpose(transpose)
        if transpose in _SIDEWAYS:
            width, height = height, width
    return Picture(image, width, height, colourfulness)


def _find_transpose(image: Image.Image) -> Image.Transpose | None:
    """How to turn the picture upright; None if it is, or if its EXIF data cannot be read."""
    try:
        return _TRANSPOSES.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return None


def _reduce(image: Image.Image, side: int, is_opaque: bool) -> Image.Image:
    """Shrink a large picture by whole factors, and give it a mode that can be averaged.

    Works in strips, because the picture in that mode would take several times its memory.
    """
    width, height = image.size
    factor = max(1, min(image.size) // (_SHORTER_SIDES * side))
    across, down = (max(factor, -(-length // (_LONGER_SIDES * side))) for length in image.size)
    levels = _find_levels(image) if image.mode.startswith("I") else None
    if across == down == 1:
        return _to_averageable(image, levels, is_opaque)
    step = down * _STRIP_ROWS
    strips = [
        _to_averageable(
            image.crop((0, top, width, min(top + step, height))), levels, is_opaque
        ).reduce((across, down))
        for top in range(0, height, step)
    ]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for index, strip in enumerate(strips):
        whole.paste(strip, (0, index * _STRIP_ROWS))
    return whole


def _find_levels(image: Image.Image) -> tuple[int, int]:
    """The lowest and the highest value of 16-bit grey."""
    width, height = image.size
    rows = max(1, _PIXELS_AT_ONCE // width)
    strips = (
        np.asarray(image.crop((0, top, width, min(top + rows, height))))
        for top in range(0, height, rows)
    )
    levels = [(int(strip.min()), int(strip.max())) for strip in strips]
    return min(low for low, _ in levels), max(high for _, high in levels)


def _stretch(image: Image.Image, low: int, high: int) -> Image.Image:
    """16-bit grey in 8 bits, ``low`` black and ``high`` white."""
    scale = np.float32(255.0 / max(high - low, 1))
    return Image.fromarray(((np.asarray(image) - low) * scale).astype(np.uint8))


def _to_averageable(
    image: Image.Image, levels: tuple[int, int] | None, is_opaque: bool
) -> Image.Image:
    """The picture with its colours as numbers, and as a channel its transparent parts, if any.

    16-bit grey is stretched between its own lowest and highest value, because scanners use 10 to 16
    of the bits.
    """
    if levels is not None:
        return _stretch(image, *levels)
    if not is_opaque and ("transparency" in image.info or image.mode == "PA"):
        return image.convert("RGBA")
    modes = {"P": "RGB", "1": "RGB"}
    if is_opaque:
        modes |= {"PA": "RGB", "RGBA": "RGB", "LA": "L"}
    mode = modes.get(image.mode)
    return image if mode is None else image.convert(mode)


def _flatten(image: Image.Image) -> Image.Image:
    """A decoded picture in 8 bits, of mode L or RGB; transparent parts become black."""
    if image.mode.startswith("I"):
        image = _stretch(image, *_find_levels(image))
    if image.mode in ("RGBA", "LA"):
        mode = image.mode.removesuffix("A")
        image = image.convert("RGBA")
        black = Image.new("RGBA", image.size, (0, 0, 0, 255))
        image = Image.alpha_composite(black, image).convert("RGB").convert(mode)
    return image if image.mode == "L" else image.convert("RGB")


def to_grey(image: Image.Image) -> Image.Image:
    """A decoded picture in 8-bit grey, mode L; transparent parts become black."""
    return _flatten(image).convert("L")


def to_square(grey: Image.Image) -> ByteArray:
    """The grey picture as uint8 [224, 224], stretched to a square as the training set is.

    Bicubic with antialiasing, like the training files. A picture of 224 x 224 stays as it is.
    """
    if grey.size != (SIDE, SIDE):
        grey = grey.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(grey, dtype=np.uint8)


def measure_colourfulness(image: Image.Image) -> float:
    """The colourfulness of a picture, 0 for grey.

    Hasler and Suesstrunk, "Measuring colourfulness in natural images", SPIE 5007, 2003, without
    their term for the mean: a scan with an even tint, blue or sepia, still counts as grey.
    """
    if image.mode in ("L", "LA") or image.mode.startswith("I"):
        return 0.0
    small = image.convert("RGB").resize((64, 64), Image.Resampling.BOX)
    red, green, blue = np.moveaxis(np.asarray(small, dtype=np.float64), 2, 0)
    return float(np.hypot((red - green).std(), (0.5 * (red + green) - blue).std()))
