"""The network: a small residual net whose logit is the mean of its own map.

The input is a grey picture, float32 in 0..1, [N, 1, 224, 224]. The graph itself halves it to
112 x 112 and standardises it, so the app does not need to know how.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.chest_xray.arrays import GreyArray

_WIDTHS = (24, 48, 96, 192)


def _conv(inputs: int, outputs: int, stride: int = 1, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Standardise(nn.Module):
    """Exposure removed by global standardisation and by local contrast normalisation, side by side.

    Local contrast normalisation follows Jarrett et al., "What is the best multi-stage architecture
    for object recognition?", ICCV 2009, with box windows instead of Gaussian ones, on a grid four
    times coarser: a wide window would cost more than the rest of the network.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, 1, 112, 112] in 0..1 into [N, 2, 112, 112]."""
        mean = x.mean((2, 3), keepdim=True)
        spread = (x - mean).square().mean((2, 3), keepdim=True).sqrt()
        whole = (x - mean) / (spread + 0.02)
        centred = x - _box(x)
        spread = _box(centred.square()).sqrt()
        local = centred / (spread + 0.3 * spread.mean((2, 3), keepdim=True) + 0.01)
        return torch.cat([whole, local], 1)


def _box(x: Tensor) -> Tensor:
    smooth = F.avg_pool2d(F.avg_pool2d(x, 4), 7, 1, 3, count_include_pad=False)
    return F.interpolate(smooth, scale_factor=4.0, mode="bilinear")


class _Block(nn.Module):
    """Two 3 x 3 convolutions around a shortcut (He et al., "Deep residual learning", CVPR 2016).

    The shortcut of a halving block pools before it projects (ResNet-D: He et al., "Bag of tricks",
    CVPR 2019).
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = _conv(inputs, outputs, stride)
        self.second = _conv(outputs, outputs)
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2) if stride == 2 else nn.Identity(),
            _conv(inputs, outputs, kernel=1) if inputs != outputs else nn.Identity(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class ChestNet(nn.Module):
    """A grey picture to logit, map and embedding.

    The logit is the mean of the map plus a bias, so the map says exactly what each position adds
    (class activation mapping: Zhou et al., CVPR 2016).
    """

    def __init__(self) -> None:
        super().__init__()
        self.standardise = Standardise()
        inputs = _WIDTHS[0]
        layers: list[nn.Module] = [_conv(2, inputs, 2), nn.ReLU()]
        for index, outputs in enumerate(_WIDTHS):
            layers.append(_Block(inputs, outputs, 2 if index else 1))
            inputs = outputs
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout2d(0.15)
        self.head = nn.Conv2d(inputs, 1, 1)
        # Virus or bacteria is a second task, for training only.
        self.cause = nn.Linear(inputs, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Turn [N, 1, 224, 224] in 0..1 into logit [N], map [N, 7, 7] and embedding [N, C]."""
        grid = self.body(self.standardise(F.avg_pool2d(x, 2)))
        pooled = grid.mean((2, 3))
        heat = self.head(self.dropout(grid))[:, 0]
        return heat.mean((1, 2)), heat, pooled


def iterate_batches(pictures: GreyArray) -> Iterator[Tensor]:
    """Yield grey pictures [N, 224, 224] as inputs of the network, 64 at a time."""
    for at in range(0, len(pictures), 64):
        yield torch.from_numpy(np.ascontiguousarray(pictures[at : at + 64, None])).float() / 255
