"""Conformal intervals that hold where the prediction is low and where it is high.

Residuals are taken on a scale that evens them out: of square roots where no truth is below 0, else
as they are. Around each prediction two quantiles of the residuals of similar predictions give a
first interval, of its own width below and above (kernel-weighted quantiles over the rank of the
prediction). A conformal correction then widens or narrows it until it holds (conformalized quantile
regression: Romano, Patterson and Candès, NeurIPS 2019), with a correction of its own in each bin of
predictions (Mondrian conformal prediction: Vovk, Gammerman and Shafer, Algorithmic Learning in a
Random World, 2005, section 4.5). Where the rows suffice, its rank is raised until the coverage of a
bin is above the aim less `_ALLOWANCE` with probability 1 - `_RISK`, by the law of conformal
coverage, which is a beta distribution (Vovk, "Conditional validity of inductive conformal
predictors", ACML 2012). The ends are kept at a few predictions; a second correction widens them
where what is interpolated in between falls short of the rows.
"""

from typing import NamedTuple

import numpy as np
from scipy.stats import beta, rankdata

from model.contract.arrays import Float64Array, IntArray
from model.contract.manifest import ResidualScale
from model.making.rows.subsets import assign_folds, iterate_folds
from model.serving.intervals import apply_scale, compute_bounds

# `python -m tests.studies.honesty` measures what each of these is worth.
KNOTS = 33
"""Predictions at which an interval is kept; between two of them it is interpolated."""

FIFTHS = 5

_MOST_ROWS = 2500
"""Rows that set the intervals: the time grows with their square."""

_TAIL = 0.7
"""Share of what an interval may miss that each of its first two quantiles leaves out."""

_BACKGROUND = 6.0
"""Weight of all rows together, however far their predictions are; that of a near row is 1."""

_MOST_BINS = 5
_ROWS_PER_BIN = 30
_LEAST_FOR_BINS = 100

_LEAST_FOR_RISK = 400
_ALLOWANCE = 0.06
_RISK = 0.03

_FOLDS = 5
_OUTWARD = 1 + 6e-6
"""By which an end grows, so that the sixth digit never rounds it below itself."""
_BLOCK = 512


class LocalIntervals(NamedTuple):
    """The ends of intervals, from the prediction, on the scale of the residuals.

    `knots` are predictions, ascending; `lows` <= 0 <= `highs` are the ends there. All have the
    shape (knots,).
    """

    knots: Float64Array
    lows: Float64Array
    highs: Float64Array


def fit_intervals(
    predictions: Float64Array,
    truth: Float64Array,
    coverage: float,
    scale: ResidualScale,
    spreads: Float64Array | None = None,
    of: int | None = None,
) -> LocalIntervals:
    """Fit the intervals of predictions to rows that fitted no model.

    Args:
        predictions: shape (rows,), in the unit of the truth.
        truth: shape (rows,).
        coverage: the share of rows to come that shall lie in their interval, like 0.9.
        scale: on which residuals are taken.
        spreads: the predicted scale of each row's error, shape (rows,); None counts as 1.
        of: the number of all rows, where these are a fold: its intervals are to hold as often as
            those of all, and not more often because fewer rows need a higher rank.

    Raises:
        ValueError: there are too few rows for the coverage.
    """
    if len(truth) < (needed := count_needed_rows(coverage)):
        raise ValueError(
            f"{len(truth)} rows can't give {coverage:.0%} coverage: at least {needed} do"
        )
    if len(truth) > _MOST_ROWS:
        drawn = np.random.default_rng(0).choice(len(truth), _MOST_ROWS, replace=False)
        predictions, truth = predictions[drawn], truth[drawn]
        spreads = None if spreads is None else spreads[drawn]
    residuals = apply_scale(truth, scale) - apply_scale(predictions, scale)
    if spreads is not None:
        residuals = residuals / spreads
    count = len(truth)
    total = min(of or count, _MOST_ROWS)
    ranks = (rankdata(predictions) - 0.5) / count
    least = _find_least_width(residuals)
    tail = _TAIL * (1 - coverage)
    order = np.argsort(residuals, kind="stable")
    low, high = _find_quantiles(ranks, ranks[order], residuals[order], tail, least, order)
    excess = np.maximum(low - residuals, residuals - high) / (high - low)
    centres, corrections = _correct_bins(ranks, excess, coverage, total)

    quantiles = np.quantile(predictions, np.linspace(0, 1, KNOTS)).tolist()
    knots = np.unique([float(f"{value:.7g}") for value in quantiles])
    ordered = np.sort(predictions)
    at = np.searchsorted(ordered, knots, "left") + np.searchsorted(ordered, knots, "right")
    at_ranks = at / 2 / count
    low, high = _find_quantiles(at_ranks, ranks[order], residuals[order], tail, least)
    margin = np.interp(at_ranks, centres, corrections) * (high - low)
    margin = np.maximum(margin, (least - (high - low)) / 2)
    low, high = np.minimum(low - margin, 0.0), np.maximum(high + margin, 0.0)
    # Between two knots an end may lie short of a residual that many rows have.
    shown_low, shown_high = (np.interp(predictions, knots, end) for end in (low, high))
    short = np.maximum(shown_low - residuals, residuals - shown_high) / (shown_high - shown_low)
    centres, corrections = _correct_bins(ranks, short, coverage, total)
    around = np.pad(np.maximum(corrections, 0.0), 1, "edge")
    place = np.searchsorted(centres, at_ranks)  # between two bins the larger correction counts
    margin = np.maximum(around[place], around[place + 1]) * (high - low)
    return LocalIntervals(knots, _round_outward(low - margin), _round_outward(high + margin))


def _round_outward(ends: Float64Array) -> Float64Array:
    """Round ends to six significant digits, away from 0.

    An end is often the residual of some rows. Where many rows have the same answer and the same
    truth, a little less would leave all of them outside.
    """
    return np.array([float(f"{end:.6g}") for end in (ends * _OUTWARD).tolist()])


def count_needed_rows(coverage: float) -> int:
    """Return the smallest number of rows that can calibrate intervals of this coverage."""
    return round_up((1 + coverage) / (1 - coverage))


def round_up(number: float) -> int:
    """Return the smallest integer that is no less, but for rounding errors of binary floats."""
    return int(np.ceil(np.round(number, 9)))  # the ceiling of 0.95 * 20 would be 20


def choose_scale(truth: Float64Array) -> ResidualScale:
    """Return the scale for residuals: that of roots where no truth, shape (rows,), is below 0."""
    return "sqrt" if truth.min() >= 0 else "linear"


def cross_validate(
    predictions: Float64Array,
    truth: Float64Array,
    coverage: float,
    scale: ResidualScale,
    spreads: Float64Array | None = None,
) -> tuple[Float64Array, Float64Array] | None:
    """Return the bounds of each row, both shape (rows,), by intervals fitted to other rows.

    None where these are too few. For the arguments see `fit_intervals`.

    Args:
        predictions: shape (rows,).
        truth: shape (rows,).
        coverage: the aim.
        scale: on which residuals are taken.
        spreads: shape (rows,), or None.
    """
    if len(truth) * (_FOLDS - 1) // _FOLDS < count_needed_rows(coverage):
        return None
    low, high = np.empty(len(truth)), np.empty(len(truth))
    for learn, hold in iterate_folds(assign_folds(len(truth), _FOLDS, np.random.default_rng(0))):
        own, others = (None if spreads is None else spreads[rows] for rows in (hold, learn))
        fitted = fit_intervals(
            predictions[learn], truth[learn], coverage, scale, others, of=len(truth)
        )
        low[hold], high[hold] = compute_bounds(predictions[hold], own, *fitted, scale)
    return low, high


def find_fifths(predictions: Float64Array) -> IntArray:
    """Return the fifth, 0 to 4, of each prediction, shape (rows,), from the lowest."""
    rank = rankdata(predictions, "ordinal").astype(np.int64)
    fifth: IntArray = (rank - 1) * FIFTHS // len(predictions)
    return fifth


def _find_least_width(residuals: Float64Array) -> float:
    """The smallest residual but zero: no interval is narrower than what was seen to happen."""
    sizes = np.abs(residuals)
    noise = 1e-6 * float(sizes.max())  # of float32
    wrong = sizes[sizes > noise]
    return float(wrong.min()) if len(wrong) else 1e-9


def _find_quantiles(
    at: Float64Array,
    ranks: Float64Array,
    residuals: Float64Array,
    tail: float,
    least: float,
    order: IntArray | None = None,
) -> tuple[Float64Array, Float64Array]:
    """The weighted quantiles of residuals at some ranks, the lower <= 0 <= the upper.

    Args:
        at: the ranks, 0 to 1, shape (places,).
        ranks: those of the rows, by ascending residual, shape (rows,).
        residuals: ascending, shape (rows,).
        tail: the share of weight below the lower quantile and above the upper one.
        least: the smallest difference between the two.
        order: the place of each row among `at`, which leaves it out there, shape (rows,).
    """
    count = len(ranks)
    bandwidth = 1.3 * float(np.clip(0.9 * count**-0.4, 0.06, 0.25))
    low, high = np.empty(len(at)), np.empty(len(at))
    place = np.empty(count, dtype=np.int64)
    if order is not None:
        place[order] = np.arange(count)
    for start in range(0, len(at), _BLOCK):
        block = slice(start, start + _BLOCK)
        distance = (at[block, None] - ranks) / bandwidth
        weights = np.exp(distance * distance * -0.5)
        weights += _BACKGROUND / count
        if order is not None:
            weights[np.arange(len(weights)), place[block]] = 0.0
        total = np.cumsum(weights, axis=1, out=weights)
        for quantile, found in ((tail, low), (1 - tail, high)):
            found[block] = residuals[(total >= quantile * total[:, -1:]).argmax(axis=1)]
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    missing = np.maximum(least - (high - low), 0.0) / 2
    return low - missing, high + missing


def _correct_bins(
    ranks: Float64Array, excess: Float64Array, coverage: float, total: int
) -> tuple[Float64Array, Float64Array]:
    """The conformal correction of each bin, in widths, and the mean rank there; both (bins,).

    Args:
        ranks: of the predictions, 0 to 1, shape (rows,).
        excess: how far each truth is outside of its first interval, in its widths, shape (rows,).
        coverage: the aim.
        total: the number of all rows, of which these may be a fold.
    """
    count = len(ranks)
    per_bin = max(_ROWS_PER_BIN, round(3 * coverage / (1 - coverage)))
    bins = int(np.clip(total // per_bin, 1, _MOST_BINS)) if total >= _LEAST_FOR_BINS else 1
    order = np.argsort(ranks, kind="stable")
    by_rank, edges = ranks[order], [0]
    # Equal predictions stay together, so a bin may be larger, and others may be missing.
    for start in np.searchsorted(by_rank, by_rank[np.arange(1, bins) * count // bins]).tolist():
        if min(start - edges[-1], count - start) >= per_bin // 2:
            edges.append(start)
    parts = np.split(order, edges[1:])
    corrections = []
    for part in parts:
        size = round(len(part) * total / count)
        rank = min(round_up(coverage * (size + 1)), size)
        if total >= _LEAST_FOR_RISK:
            floor = coverage - _ALLOWANCE
            while rank < size and beta.cdf(floor, rank, size + 1 - rank) > _RISK:
                rank += 1
        place = rank * (len(part) + 1) / (size + 1) - 1  # a whole number, but in a fold
        corrections.append(np.interp(place, np.arange(len(part)), np.sort(excess[part])))
    return np.array([ranks[part].mean() for part in parts]), np.array(corrections)
