"""The network: a small residual net whose logit is the mean of its own map.

The input is a grey picture, float32 in 0..1, [N, 1, 224, 224]. The graph itself halves it to
112 x 112 and standardises it, so the app does not need to know how.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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

    def __init__(self, kind: str = "both", window: int = 7) -> None:
        super().__init__()
        self.kind = kind
        self.window = window

    @property
    def channels(self) -> int:
        """How many channels come out of the one that goes in."""
        return 2 if self.kind == "both" else 1

    def _box(self, x: Tensor) -> Tensor:
        half = self.window // 2
        coarse = F.avg_pool2d(x, 4)
        smooth = F.avg_pool2d(coarse, self.window, 1, half, count_include_pad=False)
        return F.interpolate(smooth, scale_factor=4.0, mode="bilinear")

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, 1, 112, 112] in 0..1 into [N, channels, 112, 112]."""
        mean = x.mean((2, 3), keepdim=True)
        spread = (x - mean).square().mean((2, 3), keepdim=True).sqrt()
        whole = (x - mean) / (spread + 0.02)
        if self.kind == "global":
            return whole
        centred = x - self._box(x)
        spread = self._box(centred.square()).sqrt()
        local = centred / (spread + 0.3 * spread.mean((2, 3), keepdim=True) + 0.01)
        if self.kind == "local":
            return local
        return torch.cat([whole, local], 1)


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

    def __init__(
        self, widths: tuple[int, ...] = (24, 48, 96, 192), standardise: str = "both"
    ) -> None:
        super().__init__()
        self.standardise = Standardise(standardise)
        layers: list[nn.Module] = [_conv(self.standardise.channels, widths[0], 2), nn.ReLU()]
        inputs = widths[0]
        for index, outputs in enumerate(widths):
            layers.append(_Block(inputs, outputs, 2 if index else 1))
            inputs = outputs
        self.body = nn.Sequential(*layers)
        self.dropout = nn.Dropout2d(0.15)
        self.head = nn.Conv2d(inputs, 1, 1)
        # Virus or bacteria is a second task, for training only.
        self.cause = nn.Linear(inputs, 1)

    def features(self, x: Tensor) -> Tensor:
        """Turn [N, 1, 224, 224] in 0..1 into [N, C, 7, 7]."""
        grid: Tensor = self.body(self.standardise(F.avg_pool2d(x, 2)))
        return grid

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Turn [N, 1, 224, 224] in 0..1 into logit [N], map [N, 7, 7] and embedding [N, C]."""
        grid = self.features(x)
        pooled = grid.mean((2, 3))
        heat = self.head(self.dropout(grid))[:, 0]
        return heat.mean((1, 2)), heat, pooled
