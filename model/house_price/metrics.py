"""How good the model is, from predictions of rows that no model had seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.contract.arrays import Float64Array
from model.house_price.features import OPTIONAL
from model.house_price.fitting import COVERAGE, SUBSETS, HeldOutPredictions
from model.making.conformal import (
    absolute_percentage_error,
    calibrate,
    coverage_score,
    iterate_folds,
    median_relative_width,
)

_GROUPS = {"three": slice(0, 1), "all": slice(len(SUBSETS) - 1, None), "random": slice(None)}
"""The groups that know no optional feature, every one, and all groups together."""


@dataclass(frozen=True)
class GroupMetrics:
    """Metrics of one group of known features, by cross-validation.

    `known` names the optional features; error (of the price) and width (of the value) are median
    shares, coverage is the share of prices inside their range.
    """

    known: tuple[str, ...]
    error: float
    coverage: float
    width: float


def compute_group_metrics(held_out: HeldOutPredictions, price: Float64Array) -> list[GroupMetrics]:
    """Return the metrics of each of the 128 groups, for prices [N] in dollars."""
    low, high = _compute_ranges(held_out, price)
    error = np.median(absolute_percentage_error(held_out.value, price), axis=1)
    return [
        GroupMetrics(
            known=tuple(np.array(OPTIONAL)[subset].tolist()),
            error=float(error[group]),
            coverage=coverage_score(low[group], high[group], price),
            width=median_relative_width(low[group], high[group], held_out.value[group]),
        )
        for group, subset in enumerate(SUBSETS)
    ]


def compute_metrics(held_out: HeldOutPredictions, price: Float64Array) -> dict[str, float]:
    """Return the metrics of the whole model, all as shares, for prices [N] in dollars.

    `error` (of the price) and `width` (of the value) are medians. `coverage` is the share of prices
    inside ranges that were calibrated on the other folds. Each is computed with three features,
    with all, and over all subsets of the optional ones (`random`).
    """
    low, high = _compute_ranges(held_out, price)
    error = absolute_percentage_error(held_out.value, price)
    prices = np.broadcast_to(price, held_out.value.shape)
    metrics = {}
    for given, groups in _GROUPS.items():
        value, true_price = held_out.value[groups], prices[groups]
        metrics[f"error_{given}"] = float(np.median(error[groups]))
        metrics[f"coverage_{given}"] = coverage_score(low[groups], high[groups], true_price)
        metrics[f"width_{given}"] = median_relative_width(low[groups], high[groups], value)
    return metrics


def _compute_ranges(
    held_out: HeldOutPredictions, price: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Return both bounds [128, N] of each row's range, calibrated without its fold."""
    scores = held_out.compute_scores(price)
    low, high = np.empty_like(scores), np.empty_like(scores)
    group = np.arange(len(scores))[:, None]
    for learn, hold in iterate_folds(held_out.fold):
        bounds = calibrate(scores[:, learn], COVERAGE)
        low[:, hold], high[:, hold] = bounds.interval(
            held_out.value[:, hold], held_out.scale[:, hold], group
        )
    return low, high
