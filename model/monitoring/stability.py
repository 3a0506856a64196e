"""Compares what is asked with the training data, field by field, from counts alone.

The population stability index sums (p - q) ln(p / q) over the bins of a field, with the shares p of
what was asked and q of the training rows (Yurdakul and Naranjo, "Statistical properties of the
population stability index", Journal of Risk Model Validation, 2020). It is large by chance alone
where little was asked, so the fixed limits of practice, 0.1 and 0.25, say nothing: the limit here
is what one of a hundred samples of that size exceeds, drawn from the training data.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np

from model.contract.arrays import Float64Array, FloatArray
from model.contract.fields import BaseField
from model.contract.manifest import FieldBins

T = TypeVar("T")

BINS = 10

EMPTY = "empty"
OUTSIDE = "outside"

LEAST_ASKED = 100
"""Forms below which nothing is said of a difference."""

_LEVEL = 0.01
_DRAWS = 4000
_STEPS_PER_DOUBLING = 16
_HALF = 0.5
"""What is added to each count (Jeffreys), so that no share is 0."""


def list_bins(bins: FieldBins) -> tuple[str, ...]:
    """List the names of the bins, under which they are counted."""
    return (*map(str, range(len(bins.counts) - 2)), EMPTY, OUTSIDE)


def find_bin(bins: FieldBins, code: float) -> str:
    """Find the name of the bin of a value's code, NaN where there is none."""
    if math.isnan(code):
        return EMPTY
    code = float(np.float32(code))  # as the training rows have it
    if code in bins.choices:
        return str(bins.choices.index(code))
    if code in bins.others:
        return str(len(bins.choices))
    if not bins.edges or not bins.edges[0] <= code <= bins.edges[-1]:
        return OUTSIDE
    return str(bisect_right(bins.edges, code, 1, len(bins.edges) - 1) - 1)


def count_fields(fields: Sequence[BaseField], rows: FloatArray) -> dict[str, FieldBins]:
    """Count the training rows in bins of each field; none of free texts.

    Args:
        fields: in the order of the columns.
        rows: their codes, shape (rows, fields), NaN where unknown.
    """
    found = {
        field.name: make_bins(codes, bool(field.categories))
        for field, codes in zip(fields, rows.T, strict=True)
        if not field.is_text
    }
    return {name: bins for name, bins in found.items() if bins is not None}


def make_bins(codes: FloatArray, is_choice: bool) -> FieldBins | None:
    """Make the bins of a field from the codes of the training rows; None where all are unknown.

    ``codes`` have the shape (rows,), NaN where unknown.
    """
    codes = np.asarray(codes, dtype=np.float32)  # as a predictor gets them
    known = codes[~np.isnan(codes)].astype(np.float64)
    if not len(known):
        return None
    empty = len(codes) - len(known)
    values, counts = np.unique(known, return_counts=True)
    if is_choice:
        order = np.argsort(-counts, kind="stable")
        own, rest = (order, order[:0]) if len(order) <= BINS else np.split(order, [BINS - 1])
        inside = counts[own].tolist() + ([int(counts[rest].sum())] if len(rest) else [])
        choices, others = tuple(values[own].tolist()), tuple(values[rest].tolist())
        return FieldBins(choices=choices, others=others, counts=(*inside, empty, 0))
    few = len(values) <= BINS and bool((np.round(values) == values).all())
    quantiles = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])
    step = _find_step(float(quantiles[-1] - quantiles[0]))
    # A model may not hold what one row has, so the outermost values are rounded to the outside.
    below, above = (max(step, _find_step(abs(float(end)))) for end in (values[0], values[-1]))
    first, last = math.floor(values[0] / below) * below, math.ceil(values[-1] / above) * above
    if few:
        inner = (values[1:] + values[:-1]) / 2
    else:
        inner = np.unique(np.round(quantiles / step) * step)
        inner = inner[(inner > first) & (inner < last)]
    inside = np.bincount(np.searchsorted(inner, known, "right"), minlength=len(inner) + 1).tolist()
    edges = tuple(float(f"{edge:.12g}") for edge in (first, *inner, last))
    choices = tuple(values.tolist()) if few else ()
    return FieldBins(edges=edges, choices=choices, counts=(*inside, empty, 0))


def _find_step(size: float) -> float:
    """A hundredth of a size or less, as a power of ten; tiny for 0."""
    return float(10.0 ** (math.floor(math.log10(max(size, 1e-30))) - 2))


def drop_empty(counts: Sequence[T]) -> tuple[T, ...]:
    """Leave out those without a value: a form that may stay empty is not like data that do not."""
    return (*counts[:-2], counts[-1])


def compute_psi(asked: Sequence[int], trained: Sequence[int]) -> float:
    """Compute the population stability index of what was asked, as counts in the same bins."""
    return float(_compute_psi(np.array(asked, dtype=np.float64), tuple(trained)))


def find_limit(trained: Sequence[int], asked: int) -> float:
    """Find the index that one of a hundred samples of the training data exceeds, by simulation.

    Args:
        trained: training rows in each bin.
        asked: how many forms a sample has. The limit is that of a few less, never of more.
    """
    steps = math.floor(math.log2(max(asked, 1)) * _STEPS_PER_DOUBLING + 1e-9)
    return _simulate_limit(tuple(trained), math.ceil(2 ** (steps / _STEPS_PER_DOUBLING) - 1e-9))


@lru_cache(maxsize=4096)
def _simulate_limit(trained: tuple[int, ...], asked: int) -> float:
    shares = np.array(trained, dtype=np.float64) / sum(trained)
    samples = np.random.default_rng(0).multinomial(asked, shares, _DRAWS).astype(np.float64)
    return float(np.quantile(_compute_psi(samples, trained), 1 - _LEVEL))


def _compute_psi(asked: Float64Array, trained: tuple[int, ...]) -> Float64Array:
    """The index of counts, shape (..., bins)."""
    first, second = asked + _HALF, np.array(trained) + _HALF
    first = first / first.sum(axis=-1, keepdims=True)
    second = second / second.sum()
    found: Float64Array = ((first - second) * np.log(first / second)).sum(axis=-1)
    return found
