"""Is this a chest X-ray at all? The measure that refuses other pictures, as a part of the graph.

Two Gaussian models of what X-rays look like, fitted on X-rays alone: one of the network's own
pooled features, one of a 16 x 16 thumbnail (the principal components, what they leave over, the
spread, and the strength of the edges at three scales). Each gives a Mahalanobis distance (Lee et
al., "A simple unified framework for detecting out-of-distribution samples", NeurIPS 2018); their
logarithms, standardised on held-out patients, are added. Neither is enough alone: the network is
blind to what it never needed, and the thumbnail takes a drawn hand for a chest.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from model.chest_xray import augment
from model.chest_xray.network import ChestNet

COMPONENTS = 16


class Thumbnail(nn.Module):
    """Grey picture to 24 numbers: components, residual, spread and edge strengths."""

    mean: Tensor
    components: Tensor

    def __init__(self, mean: Tensor, components: Tensor) -> None:
        """`mean` [256] and `components` [K, 256] are those of standardised 16 x 16 thumbnails."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("components", components)

    @staticmethod
    def measure(x: Tensor) -> tuple[Tensor, Tensor]:
        """[N, 1, 224, 224] in 0..1 to thumbnails [N, 256] and, by log, spread and edges [N, 7]."""
        x = x * 255
        small = F.avg_pool2d(x, 14).flatten(1)
        centred = small - small.mean(1, keepdim=True)
        spread = centred.square().mean(1, keepdim=True).sqrt() + 0.5
        edges = []
        for factor in (2, 4, 8):
            coarse = F.avg_pool2d(x, factor)
            across = (coarse[..., 1:] - coarse[..., :-1]).abs().mean((2, 3))
            down = (coarse[..., 1:, :] - coarse[..., :-1, :]).abs().mean((2, 3))
            edges += [across, down]
        strength = torch.log((torch.cat(edges, 1) + 0.3) / (spread + 3))
        return centred / (spread + 3), torch.cat([torch.log(spread + 1), strength], 1)

    def describe(self, flat: Tensor, rest: Tensor) -> Tensor:
        """What `measure` gives to [N, K + 8]."""
        centred = flat - self.mean
        scores = centred @ self.components.T
        left = (centred - scores @ self.components).square().mean(1, keepdim=True)
        return torch.cat([scores, torch.log(left + 1e-3), rest], 1)

    def forward(self, x: Tensor) -> Tensor:
        """[N, 1, 224, 224] in 0..1 to [N, K + 8]."""
        return self.describe(*self.measure(x))


class Gaussian(nn.Module):
    """Log Mahalanobis distance, in standard deviations above the mean of held-out X-rays."""

    mean: Tensor
    whitening: Tensor
    middle: Tensor
    spread: Tensor

    def __init__(self, values: Tensor) -> None:
        """Fit mean and covariance to `values` [M, D]; `centre` sets the scale afterwards."""
        super().__init__()
        mean = values.double().mean(0)
        covariance = torch.cov(values.double().T)
        # A ridge of the mean variance's share: features that never vary must not explode.
        ridge = 1e-4 * covariance.diagonal().mean() * torch.eye(len(mean), dtype=torch.float64)
        whitening = torch.linalg.cholesky(torch.linalg.inv(covariance + ridge))
        self.register_buffer("mean", mean.float())
        self.register_buffer("whitening", whitening.float())
        self.register_buffer("middle", torch.zeros(()))
        self.register_buffer("spread", torch.ones(()))

    def distance(self, values: Tensor) -> Tensor:
        """Log of the squared distance, [N]."""
        return torch.log(((values - self.mean) @ self.whitening).square().sum(1) + 1e-6)

    def centre(self, held_out: Tensor) -> None:
        """Measure in standard deviations of the distances of `held_out` [M, D]."""
        distances = self.distance(held_out)
        self.middle, self.spread = distances.mean(), distances.std()

    def forward(self, values: Tensor) -> Tensor:
        """[N, D] to [N]."""
        return (self.distance(values) - self.middle) / self.spread


class Support(nn.Module):
    """Thumbnail and features of one or more networks to one score: above 0 is no chest X-ray."""

    def __init__(self, thumbnail: Thumbnail, shape: Gaussian, features: list[Gaussian]) -> None:
        super().__init__()
        self.thumbnail = thumbnail
        self.shape = shape
        self.by_member = nn.ModuleList(features)
        self.threshold = 0.0

    def forward(self, x: Tensor, features: list[Tensor]) -> Tensor:
        """[N, 1, 224, 224] in 0..1 and the features [N, C] of each member to [N]."""
        known = [one(own) for one, own in zip(self.by_member, features, strict=True)]
        looks: Tensor = self.shape(self.thumbnail(x))
        return looks + torch.stack(known).mean(0) - self.threshold


def mild(picture: augment.Picture, rng: augment.Rng) -> augment.Picture:
    """A view as another hospital might send it: a little moved, exposed, softened, compressed."""
    if rng.random() < 0.5:
        picture = augment.affine(
            picture, rng, degrees=6, zoom=(0.92, 1.2), aspect=0.1, shift=0.03, shear=0.02
        )
    if rng.random() < 0.5:
        picture = augment.tone(picture, rng, strength=0.4)
    if rng.random() < 0.3:
        picture = augment.blur(picture, rng, sigma=(0.5, 1.2))
    if rng.random() < 0.3:
        picture = augment.jpeg(picture, rng, quality=(30, 90))
    return picture


def _batches(pictures: NDArray[np.uint8]) -> Iterator[Tensor]:
    for at in range(0, len(pictures), 64):
        yield torch.from_numpy(np.ascontiguousarray(pictures[at : at + 64, None])).float() / 255


@torch.no_grad()
def features(net: ChestNet, pictures: NDArray[np.uint8]) -> Tensor:
    """The pooled features of pictures [N, 224, 224], [N, C]."""
    return torch.cat([net(x)[2] for x in _batches(pictures)])


@torch.no_grad()
def looks(pictures: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    """What `Thumbnail.measure` gives for pictures [N, 224, 224]."""
    flat, rest = zip(*(Thumbnail.measure(x) for x in _batches(pictures)), strict=True)
    return torch.cat(flat), torch.cat(rest)


@torch.no_grad()
def fit_looks(flat: Tensor, rest: Tensor) -> tuple[Thumbnail, Gaussian]:
    """The model of the thumbnail, from what `looks` gave and the mirror images of it."""
    mirrored = flat.reshape(-1, 16, 16).flip(2).reshape(-1, 256)
    flat, rest = torch.cat([flat, mirrored]), torch.cat([rest, rest])
    _, vectors = torch.linalg.eigh(torch.cov(flat.T))
    thumbnail = Thumbnail(flat.mean(0), vectors[:, -COMPONENTS:].T.contiguous())
    return thumbnail, Gaussian(thumbnail.describe(flat, rest))


@torch.no_grad()
def score(
    support: Support, nets: list[ChestNet], pictures: NDArray[np.uint8]
) -> NDArray[np.floating]:
    """The score of each picture, [N]."""
    parts = [support(x, [net(x)[2] for net in nets]) for x in _batches(pictures)]
    return torch.cat(parts).double().numpy()
