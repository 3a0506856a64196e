"""How a picture becomes the input of a network: size, colours, numbers and their order."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from model.contract.arrays import ByteArray, Float32Array
from model.contract.strict import StrictModel

Layout = Literal["NCHW", "NHWC", "NHW"]
"""The order of the input's dimensions; the first is that of the pictures."""

Channels = Literal["grey", "RGB", "BGR"]
"""The channels, in their order."""

LevelScale = Literal["bytes", "unit", "signed", "imagenet", "caffe", "picture"]
"""What numbers the levels 0 to 255 become, see ``SCALES``."""

Resize = Literal["squash", "crop", "letterbox"]
"""How a picture of another shape is made to fit: squashed, cut at two sides, or with black bars."""

SCALES: dict[LevelScale, str] = {
    "bytes": "0 to 255",
    "unit": "0 to 1",
    "signed": "−1 to 1",
    "imagenet": "0 to 1, less the mean of ImageNet, divided by its spread",
    "caffe": "0 to 255, less the mean of ImageNet",
    "picture": "less the picture's own mean, divided by its own spread",
}
"""Each scale in words."""

_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_SPREAD = np.array([0.229, 0.224, 0.225], np.float32)
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
    resize: Resize = "squash"

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
        size, method = (self.width, self.height), Image.Resampling.BICUBIC
        if self.resize == "squash":
            return image.resize(size, method)
        factors = self.width / image.width, self.height / image.height
        factor = max(factors) if self.resize == "crop" else min(factors)
        if self.resize == "crop":
            # The box is cut while it is scaled: a very long picture would take much memory.
            across, down = self.width / factor, self.height / factor
            # Half a rounding error beyond the picture would be refused by Pillow.
            left, top = max(0.0, image.width - across) / 2, max(0.0, image.height - down) / 2
            right, bottom = min(left + across, image.width), min(top + down, image.height)
            return image.resize(size, method, (left, top, right, bottom))
        inner = tuple(max(1, round(side * factor)) for side in image.size)
        whole = Image.new(image.mode, size)
        offset = (self.width - inner[0]) // 2, (self.height - inner[1]) // 2
        whole.paste(image.resize((inner[0], inner[1]), method), offset)
        return whole

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
            case "signed":
                scaled = values / np.float32(127.5) - np.float32(1)
            case "imagenet":
                mean, spread = (_MEAN, _SPREAD) if values.shape[2] == 3 else (0.449, 0.226)
                scaled = (values / np.float32(255) - mean) / spread
            case "caffe":
                scaled = values - (_CAFFE_MEAN if values.shape[2] == 3 else 114.8)
            case "picture":
                scaled = (values - values.mean()) / max(float(values.std()), 1e-3)
            case _:
                scaled = values
        return scaled.astype(np.float32, copy=False)

    def describe(self) -> str:
        """Say in words how pictures are prepared."""
        shape = {"squash": "squashed", "crop": "cut", "letterbox": "fitted with black bars"}
        numbers = "" if self.type == "uint8" else f", numbers from {SCALES[self.scale]}"
        if self.scale in ("picture",):
            numbers = f", each {SCALES[self.scale]}"
        colour = "grey" if self.colour == "grey" else f"in {self.colour}"
        return (
            f"{shape[self.resize]} to {self.width} × {self.height} pixels, {colour}, "
            f"{self.layout}{numbers or ', bytes'}"
        )
