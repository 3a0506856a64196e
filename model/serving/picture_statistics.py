"""Tells pictures that are unlike all training pictures, by two Gaussian models.

One is of the network's own embedding, one of a thumbnail of 8 x 8 pixels with its residual, its
colours and the strengths of its edges at three scales. Each gives a Mahalanobis distance (Lee, Lee,
Lee and Shin, "A simple unified framework for detecting out-of-distribution samples", NeurIPS 2018).
Their logarithms are standardised on pictures that fitted neither, and the mean of both counts, or
the larger one where it stands out. Each alone is too weak: a network ignores what it never needed,
and a thumbnail does not know what a thing is.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from model.contract.arrays import ByteArray, Float64Array

_GRID = 8
_EDGE_SIDE = 64
"""Pixels of the side of the picture whose edges are measured."""

_ALONE = 0.5
"""What the larger distance counts for, beside the sum of both."""


def describe_thumbnail(seen: ByteArray) -> Float64Array:
    """Return numbers about a picture: its 8 x 8 thumbnail, its spread, colours and edges.

    Args:
        seen: uint8 [height, width] or [height, width, 3].
    """
    image = Image.fromarray(seen)
    small = np.asarray(image.resize((_GRID, _GRID), Image.Resampling.BOX), dtype=float)
    larger = np.asarray(
        image.resize((_EDGE_SIDE, _EDGE_SIDE), Image.Resampling.BILINEAR), dtype=float
    )
    spread = larger.std(axis=(0, 1)).reshape(-1)
    grey = larger if larger.ndim == 2 else larger.mean(axis=2)
    edges = []
    for factor in (1, 2, 4):
        side = _EDGE_SIDE // factor
        coarse = grey.reshape(side, factor, side, factor).mean(axis=(1, 3))
        edges += [np.abs(np.diff(coarse, axis=axis)).mean() for axis in (0, 1)]
    colours = np.zeros(0)
    if larger.ndim == 3:
        colours = np.array([(larger.max(axis=2) - larger.min(axis=2)).mean()])
    rest = np.log(np.concatenate([spread, edges, colours]) + 1.0)
    return np.concatenate([small.reshape(-1) / 64.0, rest])


@dataclass(frozen=True, eq=False)
class ReducedGaussian:
    """A Gaussian of principal components, with the log of the residual beside them.

    ``mean`` has the shape (numbers,), ``components`` (K, numbers), ``centre`` (K + 1,) and
    ``whitening`` (K + 1, K + 1). ``location`` and ``scale`` standardise the log of the squared
    distance.
    """

    mean: Float64Array
    components: Float64Array
    centre: Float64Array
    whitening: Float64Array
    location: float = 0.0
    scale: float = 1.0

    @classmethod
    def fit(cls, values: Float64Array, most: int = 16) -> Self:
        """Fit to values of shape (pictures, numbers)."""
        mean = values.mean(axis=0)
        _, strengths, axes = np.linalg.svd(values - mean, full_matrices=False)
        count = min(most, max(1, len(values) // 10), int((strengths > 1e-6 * strengths[0]).sum()))
        components = axes[: max(count, 1)]
        reduced = _reduce(values, mean, components)
        covariance = np.atleast_2d(np.cov(reduced.T))
        variances = covariance.diagonal()
        # The ridge keeps the inverse finite where a number never varies.
        ridge = np.diag(1e-3 * variances + 1e-6 * variances.max() + 1e-9)
        whitening = np.linalg.cholesky(np.linalg.inv(covariance + ridge))
        return cls(mean, components, reduced.mean(axis=0), whitening)

    def measure(self, values: Float64Array) -> Float64Array:
        """Return the standardised distance of values of shape (pictures, numbers)."""
        return (self._log_distance(values) - self.location) / self.scale

    def _log_distance(self, values: Float64Array) -> Float64Array:
        reduced = _reduce(values, self.mean, self.components)
        distances = np.square((reduced - self.centre) @ self.whitening).sum(axis=1)
        return np.asarray(np.log(distances + 1e-6))


def _reduce(values: Float64Array, mean: Float64Array, components: Float64Array) -> Float64Array:
    """The scores of pictures along the components, and what these leave: (pictures, scores + 1)."""
    centred = values - mean
    scores = centred @ components.T
    residual = np.square(centred - scores @ components).mean(axis=1)
    floor = 1e-6 * float(np.square(components).sum()) + 1e-9
    return np.column_stack([scores, np.log(residual + floor)])


@dataclass(frozen=True, eq=False)
class PictureStatistics:
    """What is known of the training pictures; a score above 0 is of a picture unlike all of them.

    ``of_embedding`` is None for a network that gives no embedding.
    """

    of_thumbnail: ReducedGaussian
    of_embedding: ReducedGaussian | None
    threshold: float = 0.0

    def score(self, thumbnails: Float64Array, embeddings: Float64Array | None) -> Float64Array:
        """Return the score of pictures, shape (pictures,).

        Args:
            thumbnails: of ``describe_thumbnail``, shape (pictures, numbers).
            embeddings: the network's own, shape (pictures, numbers).
        """
        first, second = self.of_thumbnail.measure(thumbnails), None
        if self.of_embedding is not None and embeddings is not None:
            second = self.of_embedding.measure(embeddings)
        return self.combine(first, second) - self.threshold

    @staticmethod
    def combine(first: Float64Array, second: Float64Array | None) -> Float64Array:
        """Combine the standardised distances of pictures, shape (pictures,)."""
        if second is None:
            return first
        return np.asarray((first + second) / 2 + _ALONE * np.maximum(first, second))

    def save(self, path: Path) -> None:
        """Write the file ``load`` reads."""
        parts = {"thumbnail": self.of_thumbnail, "embedding": self.of_embedding}
        arrays: dict[str, Any] = {
            f"{name}_{key}": np.asarray(value, dtype=np.float32)
            for name, part in parts.items()
            if part is not None
            for key, value in vars(part).items()
        }
        np.savez_compressed(path, threshold=np.array(self.threshold), **arrays)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file of ``save``.

        Raises:
            ValueError: if it is not one.
            KeyError: if a part is missing.
        """
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name].astype(float) for name in file.files}

        def make(name: str) -> ReducedGaussian:
            return ReducedGaussian(
                arrays[f"{name}_mean"],
                arrays[f"{name}_components"],
                arrays[f"{name}_centre"],
                arrays[f"{name}_whitening"],
                float(arrays[f"{name}_location"]),
                float(arrays[f"{name}_scale"]),
            )

        embedding = make("embedding") if "embedding_mean" in arrays else None
        return cls(make("thumbnail"), embedding, float(arrays["threshold"]))
