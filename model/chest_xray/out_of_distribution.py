"""The out-of-distribution score, a part of the graph: it refuses what is no upright chest X-ray.

It is the larger of two scores. For the first, two Gaussian models are fitted to X-rays alone: one
of what the network's frozen layers see in each place of the picture, and one of a 16 x 16 thumbnail
(principal components, residual, spread, and edge strengths at three scales). Each gives a
Mahalanobis distance (Lee et al., "A simple unified framework for detecting out-of-distribution
samples", NeurIPS 2018). Their logarithms, standardised on held-out patients, are added. The second
is a logistic regression on what the frozen layers see: it tells upright whole X-rays from those
that are turned, inverted or halved.

The frozen layers are the same in all networks, so the score depends on none of them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.chest_xray.arrays import GreyArray, Rng
from model.chest_xray.augment import apply_affine, blur, change_tone, compress_jpeg
from model.chest_xray.network import ChestNet, iterate_batches

COMPONENTS = 16
LAYOUT_COMPONENTS = 64


class Thumbnail(nn.Module):
    """A module that turns a grey picture into 24 numbers: components, residual, spread, edges."""

    mean: Tensor
    components: Tensor

    def __init__(self, mean: Tensor, components: Tensor) -> None:
        """Take mean [256] and components [K, 256] of standardised 16 x 16 thumbnails."""
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("components", components)

    @staticmethod
    def measure(x: Tensor) -> tuple[Tensor, Tensor]:
        """Turn [N, 1, 224, 224] in 0..1 to thumbnails [N, 256] and log spread and edges [N, 7]."""
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
        """Turn what `measure` returns, [N, 256] and [N, 7], into [N, K + 8]."""
        centred = flat - self.mean
        scores = centred @ self.components.T
        residual = (centred - scores @ self.components).square().mean(1, keepdim=True)
        return torch.cat([scores, torch.log(residual + 1e-3), rest], 1)

    def forward(self, x: Tensor) -> Tensor:
        """Turn [N, 1, 224, 224] in 0..1 into [N, K + 8]."""
        return self.describe(*self.measure(x))


class Gaussian(nn.Module):
    """A log Mahalanobis distance, in standard deviations above the mean of held-out X-rays."""

    mean: Tensor
    whitening: Tensor
    location: Tensor
    scale: Tensor

    def __init__(self, values: Tensor) -> None:
        """Fit mean and covariance to values [M, D]; `standardise` sets the scale afterwards."""
        super().__init__()
        mean = values.double().mean(0)
        covariance = torch.cov(values.double().T)
        # The ridge keeps the inverse finite where a feature never varies.
        ridge = 1e-4 * covariance.diagonal().mean() * torch.eye(len(mean), dtype=torch.float64)
        whitening = torch.linalg.cholesky(torch.linalg.inv(covariance + ridge))
        self.register_buffer("mean", mean.float())
        self.register_buffer("whitening", whitening.float())
        self.register_buffer("location", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))

    def distance(self, values: Tensor) -> Tensor:
        """Return the log of the squared distance [N] of values [N, D]."""
        return torch.log(((values - self.mean) @ self.whitening).square().sum(1) + 1e-6)

    def standardise(self, held_out: Tensor) -> None:
        """Measure in standard deviations of the distances of held-out values [M, D]."""
        distances = self.distance(held_out)
        self.location, self.scale = distances.mean(), distances.std()

    def forward(self, values: Tensor) -> Tensor:
        """Turn values [N, D] into standardised distances [N]."""
        return (self.distance(values) - self.location) / self.scale


class PlacedFeatures(nn.Module):
    """What is seen where: principal components of [N, 1000], and the residual."""

    mean: Tensor
    components: Tensor

    def __init__(self, values: Tensor) -> None:
        """Fit to values [M, D]."""
        super().__init__()
        _, vectors = torch.linalg.eigh(torch.cov(values.double().T))
        self.register_buffer("mean", values.mean(0))
        self.register_buffer("components", vectors[:, -LAYOUT_COMPONENTS:].float().contiguous())

    @staticmethod
    def measure(seen: Tensor) -> Tensor:
        """Turn what frozen layers saw, [N, 40, 20, 20], to its mean in 5 x 5 places, [N, 1000]."""
        return F.avg_pool2d(seen, 4).flatten(1)

    def forward(self, values: Tensor) -> Tensor:
        """Turn [N, 1000] into [N, K + 1]."""
        centred = values - self.mean
        scores = centred @ self.components
        residual = (centred - scores @ self.components.T).square().mean(1, keepdim=True)
        return torch.cat([scores, torch.log(residual + 1e-6)], 1)


class Mistaken(nn.Module):
    """A logistic regression: above 0 are X-rays that are turned, inverted or halved."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        """Take weight [D] and bias []."""
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)

    def forward(self, values: Tensor) -> Tensor:
        """Turn [N, D] into logits [N]."""
        return values @ self.weight + self.bias


class OutOfDistributionScore(nn.Module):
    """The score of a picture: above 0 is no upright chest X-ray."""

    def __init__(
        self,
        thumbnail: Thumbnail,
        thumbnail_model: Gaussian,
        layout: PlacedFeatures,
        layout_model: Gaussian,
        mistaken: Mistaken,
        thresholds: tuple[float, float],
    ) -> None:
        """Take the fitted parts, and the thresholds of distance and of logit."""
        super().__init__()
        self.thumbnail = thumbnail
        self.thumbnail_model = thumbnail_model
        self.layout = layout
        self.layout_model = layout_model
        self.mistaken = mistaken
        self.thresholds = thresholds

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """Turn [N, 1, 224, 224] in 0..1 and what frozen layers saw of it into scores [N]."""
        values = PlacedFeatures.measure(seen)
        distance = self.thumbnail_model(self.thumbnail(x)) + self.layout_model(self.layout(values))
        return torch.maximum(
            distance - self.thresholds[0], self.mistaken(values) - self.thresholds[1]
        )


def change_mildly(picture: GreyArray, rng: Rng) -> GreyArray:
    """Change a picture uint8 [S, S] a little, as if it came from another hospital."""
    if rng.random() < 0.5:
        picture = apply_affine(
            picture, rng, degrees=6, zoom=(0.92, 1.2), aspect=0.1, shift=0.03, shear=0.02
        )
    if rng.random() < 0.5:
        picture = change_tone(picture, rng, strength=0.4)
    if rng.random() < 0.3:
        picture = blur(picture, rng, sigma=(0.5, 1.2))
    if rng.random() < 0.3:
        picture = compress_jpeg(picture, rng, quality=(30, 90))
    return picture


@torch.no_grad()
def measure_layouts(net: ChestNet, pictures: GreyArray) -> Tensor:
    """Return what `PlacedFeatures.measure` gives for pictures [N, 224, 224]."""
    return torch.cat([PlacedFeatures.measure(net.see(x)) for x in iterate_batches(pictures)])


@torch.no_grad()
def measure_thumbnails(pictures: GreyArray) -> tuple[Tensor, Tensor]:
    """Return what `Thumbnail.measure` gives for pictures [N, 224, 224]."""
    flat, rest = zip(*(Thumbnail.measure(x) for x in iterate_batches(pictures)), strict=True)
    return torch.cat(flat), torch.cat(rest)


@torch.no_grad()
def fit_thumbnail(flat: Tensor, rest: Tensor) -> tuple[Thumbnail, Gaussian]:
    """Fit thumbnail and Gaussian to what `measure_thumbnails` gave and to its mirror images."""
    mirrored = flat.reshape(-1, 16, 16).flip(2).reshape(-1, 256)
    flat, rest = torch.cat([flat, mirrored]), torch.cat([rest, rest])
    _, vectors = torch.linalg.eigh(torch.cov(flat.T))
    thumbnail = Thumbnail(flat.mean(0), vectors[:, -COMPONENTS:].T.contiguous())
    return thumbnail, Gaussian(thumbnail.describe(flat, rest))


@torch.no_grad()
def fit_layout(layouts: Tensor) -> tuple[PlacedFeatures, Gaussian]:
    """Fit components and Gaussian to what `measure_layouts` gave."""
    layout = PlacedFeatures(layouts)
    return layout, Gaussian(layout(layouts))
