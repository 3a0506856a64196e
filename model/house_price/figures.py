"""How good the model is: figures from predictions of rows that no model had seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.contract.arrays import Float64Array
from model.house_price.facts import OPTIONAL
from model.house_price.fitting import COVERAGE, SUBSETS, HeldOut
from model.making.conformal import (
    calibrate,
    median_width,
    percentage_error,
    share_inside,
    splits,
)

THREE, ALL = 0, len(SUBSETS) - 1
"""The groups that know no optional fact, and every one."""


@dataclass(frozen=True)
class Figure:
    """One figure of the whole model; all are shares, and errors and widths are medians."""

    name: str
    value: float


@dataclass(frozen=True)
class GroupFigures:
    """What cross-validation says of one group of known facts; width is relative to the value."""

    known: tuple[str, ...]
    error: float
    coverage: float
    width: float


def measure_groups(held_out: HeldOut, price: Float64Array) -> list[GroupFigures]:
    """Return the figures of each of the 128 groups, for prices [N] in dollars."""
    low, high = _ranges(held_out, price)
    error = np.median(percentage_error(held_out.value, price), axis=1)
    return [
        GroupFigures(
            known=tuple(np.array(OPTIONAL)[subset].tolist()),
            error=float(error[group]),
            coverage=share_inside(low[group], high[group], price),
            width=median_width(low[group], high[group], held_out.value[group]),
        )
        for group, subset in enumerate(SUBSETS)
    ]


def measure(held_out: HeldOut, price: Float64Array) -> list[Figure]:
    """Return the figures of the model as a whole, for prices [N] in dollars.

    `error` is relative to the price, `width` to the value, and `coverage` is the share of prices
    inside ranges that were calibrated on the other folds; each with `three` facts, with `all`, and
    over all subsets of the optional facts alike (`random`).
    """
    low, high = _ranges(held_out, price)
    error = percentage_error(held_out.value, price)
    truths = np.broadcast_to(price, held_out.value.shape)
    figures = []
    for kind, groups in (
        ("three", slice(THREE, THREE + 1)),
        ("all", slice(ALL, ALL + 1)),
        ("random", slice(None)),
    ):
        value, truth = held_out.value[groups], truths[groups]
        inside = share_inside(low[groups], high[groups], truth)
        width = median_width(low[groups], high[groups], value)
        figures += [
            Figure(f"error_{kind}", float(np.median(error[groups]))),
            Figure(f"coverage_{kind}", inside),
            Figure(f"width_{kind}", width),
        ]
    return figures


def _ranges(held_out: HeldOut, price: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return both ends [128, N] of the range of each row, by bounds made without its fold."""
    scores = held_out.scores(price)
    low, high = np.empty_like(scores), np.empty_like(scores)
    group = np.arange(len(scores))[:, None]
    for learn, hold in splits(held_out.fold):
        bounds = calibrate(scores[:, learn], COVERAGE)
        low[:, hold], high[:, hold] = bounds.interval(
            held_out.value[:, hold], held_out.spread[:, hold], group
        )
    return low, high
