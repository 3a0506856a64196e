"""Ranges: how often they hold, also among low and high predictions, and how wide they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.manifest import ResidualScale
from model.making.kinds.conformal import FIFTHS, find_fifths, fit_intervals, round_up
from model.serving.intervals import compute_bounds
from tests.studies.honesty.data import Pair, iterate_numbers

COVERAGE = 0.9
ENOUGH = 0.84
"""The coverage that no fifth shall be below."""

SIZES = (60, 150, 500)
_HOLDOUTS = 12
_LEAST_FRESH = 400 * FIFTHS

Bounds = tuple[Float64Array, Float64Array]
Method = Callable[[Float64Array, Float64Array, Float64Array, bool], Bounds]
"""Bounds of new predictions, from held-out predictions and truths."""


def ours(held: Float64Array, truth: Float64Array, new: Float64Array, nonnegative: bool) -> Bounds:
    """Bounds by this project's method."""
    scale: ResidualScale = "sqrt" if nonnegative else "linear"
    return compute_bounds(new, None, *fit_intervals(held, truth, COVERAGE, scale), scale)


def plain(held: Float64Array, truth: Float64Array, new: Float64Array, _: bool) -> Bounds:
    """Bounds by plain split conformal prediction: one width, to both sides."""
    rank = min(round_up(COVERAGE * (len(held) + 1)), len(held))
    width = np.sort(np.abs(truth - held))[rank - 1]
    return new - width, new + width


def mondrian(held: Float64Array, truth: Float64Array, new: Float64Array, low: bool) -> Bounds:
    """Bounds by crepes: Mondrian in five bins of the prediction, scaled by nothing."""
    from crepes import ConformalRegressor
    from crepes.extras import binning

    bins, edges = binning(held, bins=FIFTHS if len(held) >= 100 else 1)
    fitted = ConformalRegressor().fit(truth - held, bins=bins)
    found = fitted.predict_int(
        new, bins=binning(new, bins=edges), confidence=COVERAGE, y_min=0.0 if low else -np.inf
    )
    return found[:, 0], found[:, 1]


def predictive(held: Float64Array, truth: Float64Array, new: Float64Array, low: bool) -> Bounds:
    """Bounds by crepes: its conformal predictive system in five bins of the prediction."""
    from crepes import ConformalPredictiveSystem
    from crepes.extras import binning

    bins, edges = binning(held, bins=FIFTHS if len(held) >= 100 else 1)
    fitted = ConformalPredictiveSystem().fit(truth - held, bins=bins)
    found = fitted.predict_int(
        new, bins=binning(new, bins=edges), confidence=COVERAGE, y_min=0.0 if low else -np.inf
    )
    return found[:, 0], found[:, 1]


METHODS: dict[str, Method] = {
    "plain": plain,
    "crepes Mondrian": mondrian,
    "crepes predictive": predictive,
    "ours": ours,
}


def winkler(low: Float64Array, high: Float64Array, truth: Float64Array) -> float:
    """The mean width, plus 20 times what is missed: Winkler, JASA 67, 1972."""
    missed = np.maximum(low - truth, 0) + np.maximum(truth - high, 0)
    return float(np.mean(high - low + 2 / (1 - COVERAGE) * missed))


class Outcome(NamedTuple):
    """What the holdouts of one size showed of a method, for one pair.

    `fifths` (5,) is the mean coverage of each fifth, `held` the share of holdouts in which each
    fifth is covered enough, `below` the share of low ends below 0 where no truth is.
    """

    coverage: float
    fifths: Float64Array
    held: float
    width: float
    winkler: float
    below: float


def _measure(pair: Pair, method: Method, size: int) -> Outcome:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(_HOLDOUTS):
        order = rng.permutation(len(pair.truth))
        held, fresh = order[:size], order[size:]
        truth, new = pair.truth[fresh], pair.answers[fresh]
        low, high = method(pair.answers[held], pair.truth[held], new, pair.nonnegative)
        inside, fifth = (low <= truth) & (truth <= high), find_fifths(new)
        fifths = [inside[fifth == number].mean() for number in range(FIFTHS)]
        below = float(np.mean(low < 0)) if pair.nonnegative else 0.0
        found.append((inside.mean(), fifths, np.mean(high - low), winkler(low, high, truth), below))
    coverage, parts, width, score, below_zero = zip(*found, strict=True)
    every = np.array(parts)
    return Outcome(
        float(np.mean(coverage)),
        every.mean(axis=0),
        float(np.mean(every.min(axis=1) >= ENOUGH)),
        float(np.mean(width)),
        float(np.mean(score)),
        float(np.mean(below_zero)),
    )


def main() -> None:
    """Print a table for each size of the holdout."""
    pairs = [pair for pair in iterate_numbers() if len(pair.truth) >= max(SIZES) + _LEAST_FRESH]
    print(f"Ranges: {len(pairs)} pairs of data and model, {_HOLDOUTS} holdouts of each size")
    for size in SIZES:
        outcomes = {
            name: [_measure(pair, method, size) for pair in pairs]
            for name, method in METHODS.items()
        }
        print(
            f"\n{size} held-out rows  | all   | worst fifth | {ENOUGH:.0%} in each fifth: pairs, "
            "holdouts | width | Winkler, worst pair | below 0"
        )
        for name, rows in outcomes.items():
            width, score = (_compare(rows, outcomes["plain"], key) for key in ("width", "winkler"))
            print(
                f"{name:19} | {np.mean([row.coverage for row in rows]):5.1%} | "
                f"{min(row.fifths.min() for row in rows):11.1%} | "
                f"{np.mean([row.fifths.min() >= ENOUGH for row in rows]):26.0%} "
                f"{np.mean([row.held for row in rows]):9.0%} | {_mean(width):5.2f} | "
                f"{_mean(score):7.3f} {score.max():11.2f} | {max(row.below for row in rows):6.1%}"
            )
        for name in ("crepes Mondrian", "crepes predictive"):
            score = _compare(outcomes["ours"], outcomes[name], "winkler")
            print(f"Winkler, ours against {name}: {_mean(score):.3f}, worst {score.max():.2f}")


def _compare(rows: list[Outcome], others: list[Outcome], key: str) -> Float64Array:
    """The ratio of a figure to that of another method, pair by pair."""
    mine, theirs = ([getattr(row, key) for row in found] for found in (rows, others))
    ratios: Float64Array = np.array(mine) / np.array(theirs)
    return ratios


def _mean(ratios: Float64Array) -> float:
    return float(np.exp(np.mean(np.log(ratios))))
