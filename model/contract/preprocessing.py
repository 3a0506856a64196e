"""How a picture becomes the input of a network: size, colours, numbers and their order."""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field, PositiveFloat, model_validator

from model.contract.arrays import ByteArray, Float32Array
from model.contract.strict import StrictModel

Layout = Literal["NCHW", "NHWC", "NHW"]
"""The order of the input's dimensions; the first is that of the pictures."""

Channels = Literal["grey", "RGB", "BGR"]
"""The channels, in their order."""

LevelScale = Literal[
    "bytes", "unit", "inverted", "signed", "imagenet", "caffe", "picture", "normalized"
]
"""What numbers the levels 0 to 255 become, see ``Preprocessing.describe_scale``."""

Levels = tuple[tuple[float, ...], tuple[float, ...]]
"""The mean and the spread of each channel, by which levels from 0 to 1 are normalized."""

Resize = Literal["squash", "crop", "center", "letterbox"]
"""How a picture of another shape is made to fit: squashed, cut at two sides, cut to the middle of a
size 8/7 times as large, or with black bars."""

Interpolation = Literal["bicubic", "bilinear", "nearest"]
"""What a pixel of the resized picture is made of: all pixels around its place, as in Pillow and
torchvision; four of them, as in OpenCV and TensorFlow; or one, as in ``load_img`` of Keras."""

_SAMPLED: dict[Interpolation, str] = {
    "bicubic": "",
    "bilinear": ", bilinearly",
    "nearest": ", by the nearest pixel",
}

_SCALES: dict[LevelScale, str] = {
    "bytes": "0 to 255",
    "unit": "0 to 1",
    "inverted": "1 for black to 0 for white",
    "signed": "−1 to 1",
    "imagenet": "0 to 1, less the mean of ImageNet, divided by its spread",
    "caffe": "0 to 255, less the mean of ImageNet",
    "picture": "less the picture's own mean, divided by its own spread",
}
"""Each scale in words; the normalized one has its numbers in them."""

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
_MIDDLE = 224 / 256
"""Of the shorter side, what torchvision's ``Resize(256)`` and ``CenterCrop(224)`` leave."""

_LEAST_SIDE = 256
"""Read for this many pixels, a picture of up to 1,000 keeps its own: to average them first would
change what ``nearest`` and ``bilinear`` find."""

_CAFFE_MEAN = np.array([123.68, 116.779, 103.939], np.float32)
"""Of the pictures of ImageNet: red, green and blue."""


class Preprocessing(StrictModel):
    """How a picture becomes a network's input."""

    width: int = Field(default=224, ge=1, le=2048)
    height: int = Field(default=224, ge=1, le=2048)
    layout: Layout = "NCHW"
    colour: Channels = "grey"
    type: Literal["float32", "uint8"] = "float32"
    scale: LevelScale = "unit"
    mean: tuple[float, ...] = ()
    """With the scale ``normalized``: of grey, or of red, green and blue, between 0 and 1."""
    spread: tuple[PositiveFloat, ...] = ()
    """With the same: what is divided by after that."""
    resize: Resize = "squash"
    interpolation: Interpolation = "bicubic"

    @model_validator(mode="after")
    def _check_normalization(self) -> Self:
        needed = (1 if self.colour == "grey" else 3) if self.scale == "normalized" else 0
        if not len(self.mean) == len(self.spread) == needed:
            raise ValueError(
                "the scale normalized has a mean and a spread for each channel, and no other has"
            )
        return self

    @property
    def read_side(self) -> int:
        """The side for which a picture is read, see ``ImageField.side``."""
        return max(self.width, self.height, _LEAST_SIDE)

    def fit(self, image: Image.Image) -> ByteArray:
        """Return what the network sees of a picture: uint8 [height, width], or with 3 channels RGB.

        Args:
            image: of mode L or RGB, of any size.
        """
        image = image.convert("L" if self.colour == "grey" else "RGB")
        if image.size != (self.width, self.height):
            image = self._resize(image)
        return np.asarray(image, dtype=np.uint8)

    def _resize(self, image: Image.Image) -> Image.Image:
        size = (self.width, self.height)
        if self.resize == "squash":
            return self._sample(image, size, (0, 0, *image.size))
        factors = self.width / image.width, self.height / image.height
        factor = min(factors) if self.resize == "letterbox" else max(factors)
        if self.resize != "letterbox":
            factor /= _MIDDLE if self.resize == "center" else 1
            # The box is cut while it is scaled: a very long picture would take much memory.
            across, down = self.width / factor, self.height / factor
            # Half a rounding error beyond the picture would be refused by Pillow.
            left, top = max(0.0, image.width - across) / 2, max(0.0, image.height - down) / 2
            right, bottom = min(left + across, image.width), min(top + down, image.height)
            return self._sample(image, size, (left, top, right, bottom))
        inner = tuple(max(1, round(side * factor)) for side in image.size)
        whole = Image.new(image.mode, size)
        offset = (self.width - inner[0]) // 2, (self.height - inner[1]) // 2
        whole.paste(self._sample(image, (inner[0], inner[1]), (0, 0, *image.size)), offset)
        return whole

    def _sample(
        self, image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float]
    ) -> Image.Image:
        """The part of a picture in a box, at a size."""
        if self.interpolation == "bilinear":  # Pillow's ``resize`` takes all pixels for it
            extent = Image.Transform.EXTENT
            return image.transform(size, extent, box, Image.Resampling.BILINEAR)
        nearest = self.interpolation == "nearest"
        method = Image.Resampling.NEAREST if nearest else Image.Resampling.BICUBIC
        return image.resize(size, method, box)

    def to_input(self, seen: ByteArray) -> NDArray[Any]:
        """Return the network's input for one picture, its first dimension 1.

        Args:
            seen: uint8 [height, width] or [height, width, 3], as ``fit`` returns it.
        """
        values: NDArray[Any] = seen if seen.ndim == 3 else seen[:, :, None]
        if self.type == "float32":
            values = self._scale(values.astype(np.float32))
        if self.colour == "BGR":
            values = values[:, :, ::-1]
        if self.layout == "NCHW":
            values = values.transpose(2, 0, 1)
        elif self.layout == "NHW":
            values = values[:, :, 0]
        return np.ascontiguousarray(values[None])

    def _scale(self, values: Float32Array) -> Float32Array:
        match self.scale:
            case "unit":
                scaled = values / np.float32(255)
            case "inverted":
                # With all digits, as NumPy does it: trees compare such levels to the last one.
                scaled = (1 - values.astype(np.float64) / 255).astype(np.float32)
            case "signed":
                scaled = values / np.float32(127.5) - np.float32(1)
            case "imagenet":
                mean, spread = (_MEAN, _SPREAD) if values.shape[2] == 3 else (0.449, 0.226)
                scaled = (values / np.float32(255) - mean) / spread
            case "normalized":
                mean, spread = (np.array(each, np.float32) for each in (self.mean, self.spread))
                scaled = (values / np.float32(255) - mean) / spread
            case "caffe":
                scaled = values - (_CAFFE_MEAN if values.shape[2] == 3 else 114.8)
            case "picture":
                scaled = (values - values.mean()) / max(float(values.std()), 1e-3)
            case _:
                scaled = values
        return scaled.astype(np.float32, copy=False)

    def describe_scale(self) -> str:
        """Say in words what numbers the levels become."""
        if self.scale != "normalized":
            return _SCALES[self.scale]
        if not any(self.mean) and len(set(self.spread)) == 1:
            return f"0 to {1 / self.spread[0]:g}"
        mean, spread = (" ".join(map(str, each)) for each in (self.mean, self.spread))
        return f"0 to 1, less {mean}, divided by {spread}"

    def describe(self) -> str:
        """Say in words how pictures are prepared."""
        shape = {
            "squash": "squashed",
            "crop": "cut",
            "center": "cut to the middle 7/8 and scaled",
            "letterbox": "fitted with black bars",
        }
        begin = "each" if self.scale == "picture" else "numbers from"
        numbers = "bytes" if self.type == "uint8" else f"{begin} {self.describe_scale()}"
        colour = "grey" if self.colour == "grey" else f"in {self.colour}"
        return (
            f"{shape[self.resize]} to {self.width} × {self.height} pixels"
            f"{_SAMPLED[self.interpolation]}, {colour}, {self.layout}, {numbers}"
        )
