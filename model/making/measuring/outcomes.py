"""Counts of outcomes in bins, so that a page can draw the data without holding any row of it."""

import numpy as np

from model.contract.arrays import Float64Array, IntArray
from model.contract.manifest import BINS, HeldOut, HeldOutCell, Outcomes

_CLOSE = 0.1


def count_outcomes(truth: Float64Array, axis: tuple[float, float]) -> Outcomes:
    """Count outcomes, shape (rows,), in bins of the axis; all are in the outcome's unit."""
    counts = np.bincount(_find_bins(truth, axis), minlength=BINS + 2).tolist()
    return Outcomes(counts=tuple(counts[1:-1]), below=counts[0], above=counts[-1])


def count_held_out(
    truth: Float64Array, predictions: Float64Array, axis: tuple[float, float]
) -> HeldOut:
    """Count held-out rows by their truth and their prediction.

    Args:
        truth: shape (rows,), in the outcome's unit.
        predictions: by a model that had not seen the rows, of the same shape and unit.
        axis: the ends of the bins.
    """
    pairs = np.stack([_find_bins(truth, axis), _find_bins(predictions, axis)], axis=1) - 1
    inside = ((pairs >= 0) & (pairs < BINS)).all(axis=1)
    places, counts = np.unique(pairs[inside], axis=0, return_counts=True)
    return HeldOut(
        rows=len(truth),
        close=round(float(np.mean(np.abs(predictions - truth) <= _CLOSE * np.abs(truth))), 4),
        cells=tuple(
            HeldOutCell(truth=row, prediction=column, count=count)
            for (row, column), count in zip(places.tolist(), counts.tolist(), strict=True)
        ),
    )


def _find_bins(values: Float64Array, axis: tuple[float, float]) -> IntArray:
    """The bin of each value, shape (rows,): 1 to BINS, 0 below the axis, BINS + 1 above it."""
    low, high = axis
    bins: IntArray = np.clip(
        np.floor((values - low) / (high - low) * BINS) + 1, 0, BINS + 1
    ).astype(np.int64)
    bins[values == high] = BINS
    return bins
