"""Fits what tells a picture that is unlike all training pictures, and its false alarm rate."""

from dataclasses import dataclass, replace

import numpy as np

from model.contract.arrays import Float64Array
from model.making.rows.subsets import assign_folds, iterate_folds
from model.serving.picture_statistics import PictureStatistics, ReducedGaussian

MOST_FALSE_ALARMS = 0.03
"""Share of held-out pictures that may be refused before it is said that they are others."""

_LEAST = 40
_FOLDS = 5
_LEAST_HELD_OUT = 50
_QUANTILES = (0.9, 0.99)
_TAIL = 0.25
"""How far the limit lies beyond the second quantile, in steps from the first to it: five of 1,000
scores are above it, be they normal or their tail exponential. A quantile as far out would rest on
a single picture."""

Described = tuple[Float64Array, Float64Array | None]
"""Thumbnails and embeddings of pictures, as ``PictureStatistics.score`` takes them."""


@dataclass(frozen=True, eq=False)
class FittedStatistics:
    """The statistics, and the share of such pictures that they refuse wrongly."""

    statistics: PictureStatistics
    false_alarms: float


def fit_statistics(
    thumbnails: Float64Array, embeddings: Float64Array | None, held_out: Described | None
) -> FittedStatistics | None:
    """Fit the statistics on the pictures of the data; None where there are too few.

    Args:
        thumbnails: of the data, shape (pictures, numbers).
        embeddings: of the data, shape (pictures, numbers).
        held_out: of pictures that the network has not seen.
    """
    if len(thumbnails) < _LEAST:
        return None
    statistics, scores = _cross_fit(thumbnails, embeddings)
    limit = _find_limit(scores)
    if held_out is None:
        alarms = _count_alarms(scores, -np.inf)
    elif len(others := statistics.score(*held_out)) < _LEAST_HELD_OUT:
        alarms = float(np.mean(others > limit))
    else:  # a network knows the pictures that it learned from better than any others
        alarms = _count_alarms(others, limit)
        limit = max(limit, _find_limit(others))
    return FittedStatistics(replace(statistics, threshold=limit), alarms)


def _find_limit(scores: Float64Array) -> float:
    near, far = np.quantile(scores, _QUANTILES)
    return float(far + _TAIL * (far - near))


def _count_alarms(scores: Float64Array, least: float) -> float:
    """The share of scores above a limit that the other half of them sets."""
    halves = scores[::2], scores[1::2]
    limits = [max(least, _find_limit(half)) for half in reversed(halves)]
    return sum(int(np.sum(half > limit)) for half, limit in zip(halves, limits, strict=True)) / len(
        scores
    )


def _cross_fit(
    thumbnails: Float64Array, embeddings: Float64Array | None
) -> tuple[PictureStatistics, Float64Array]:
    """The statistics without a limit, and the score of each picture by others' statistics."""
    parts = [thumbnails] if embeddings is None else [thumbnails, embeddings]
    folds = assign_folds(len(thumbnails), _FOLDS, np.random.default_rng(0))
    made, measured = [], []
    for values in parts:
        distances = np.empty(len(values))
        for others, own in iterate_folds(folds):
            distances[own] = ReducedGaussian.fit(values[others]).measure(values[own])
        location, scale = float(distances.mean()), max(float(distances.std()), 1e-3)
        made.append(replace(ReducedGaussian.fit(values), location=location, scale=scale))
        measured.append((distances - location) / scale)
    statistics = PictureStatistics(made[0], made[1] if len(made) > 1 else None)
    return statistics, statistics.combine(measured[0], measured[1] if len(made) > 1 else None)
