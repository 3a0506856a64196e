"""A model of numbers on held-out rows: its figures, and its calibrated intervals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.metrics import r2_score

from model.contract.arrays import BoolArray, Float64Array
from model.contract.manifest import Calibration, CalibrationGroup, Metric, ResidualScale, TruthBin
from model.making.conformal import (
    FIFTHS,
    count_needed_rows,
    cross_validate,
    find_fifths,
    fit_intervals,
)
from model.making.kinds.output_kind import make_metric, make_share, round_digits
from model.making.prepared import PredictFloat64
from model.making.subsets import mask_features
from model.serving.intervals import compute_bounds

EVERY_SUBSET = 6
"""Optional facts up to which each set of known ones gets its own interval."""

_METHOD = (
    "{share} of 100 rows should fall into their range. It is a conformal range: its width was set "
    "on {rows} rows that the model had not seen, by rows with answers like this one{groups}. How "
    "many fall into it was measured on rows that had no part in setting it."
)

_BINS = 20
_LEAST_IN_BIN = 10


def measure_regressor(
    predict: PredictFloat64,
    matrix: Float64Array,
    truth: Float64Array,
    optional: Sequence[tuple[int, str]],
    coverage: float,
    scale: ResidualScale,
) -> tuple[tuple[Metric, ...], Calibration]:
    """Measure a model of numbers and calibrate its intervals.

    Args:
        predict: the served model.
        matrix: the held-out rows, shape (rows, fields); NaN where unknown.
        truth: their true values, shape (rows,), in the answer's unit.
        optional: column and name of each optional fact.
        coverage: of the intervals, like 0.9.
        scale: on which their ends count.

    Raises:
        ValueError: if the rows cannot give that coverage.
    """
    columns = [column for column, _ in optional]
    has = ~np.isnan(matrix[:, columns])
    groups = []
    for known, unknown, kept in _list_groups(has, [name for _, name in optional]):
        # Rows that lack one of these facts take part only where there are too few others.
        rows = np.flatnonzero((has | ~kept).all(axis=1))
        if len(rows) < max(count_needed_rows(0.95), len(matrix) // 10):
            rows = np.arange(len(matrix))
        masked = mask_features(matrix[rows], kept[rows], columns).astype(np.float32)
        group = calibrate_group(predict(masked), truth[rows], coverage, scale)
        groups.append(group.model_copy(update={"known": known, "unknown": unknown}))
    values = predict(matrix.astype(np.float32))
    metrics = [
        make_metric("error", "Median error", float(np.median(np.abs(values - truth)))),
        make_metric("r2", "R²: share of the variance explained", float(r2_score(truth, values))),
    ]
    every = find_fullest_group(groups)
    if every.inside is not None:
        label = f"Rows inside their range ({coverage:.0%} is the aim)"
        metrics.append(make_share("coverage", label, every.inside))
        metrics.append(make_metric("width", "Typical width of the range", every.width))
    by_group = ""
    if optional:
        by_group = ", and separately for each " + (
            "combination of facts"
            if len(optional) <= EVERY_SUBSET
            else "number of facts that are left empty"
        )
    method = _METHOD.format(share=round(coverage * 100), rows=len(truth), groups=by_group)
    return tuple(metrics), Calibration(
        method=method, coverage=coverage, scale=scale, groups=tuple(groups)
    )


def find_fullest_group(groups: Sequence[CalibrationGroup]) -> CalibrationGroup:
    """Return the group of rows in which most facts are known."""
    return max(groups, key=lambda group: len(group.known) - (group.unknown or 0))


def calibrate_group(
    values: Float64Array,
    truth: Float64Array,
    coverage: float,
    scale: ResidualScale,
    spreads: Float64Array | None = None,
) -> CalibrationGroup:
    """Calibrate the intervals of rows in which the same facts are known, and measure them.

    Args:
        values: predicted by a model that has not seen the rows, shape (rows,).
        truth: shape (rows,), in the same unit.
        coverage: of the intervals, like 0.9.
        scale: on which their ends count.
        spreads: the predicted scales of the errors, shape (rows,); None counts as 1.

    Raises:
        ValueError: if the rows cannot give that coverage.
    """
    ends = fit_intervals(values, truth, coverage, scale, spreads)
    measured = cross_validate(values, truth, coverage, scale, spreads)
    low, high = measured or compute_bounds(values, spreads, *ends, scale)
    widths, errors = high - low, np.abs(values - truth)
    if scale == "log":
        widths, errors = widths / values, errors / truth
    lows, highs = (tuple(map(round_digits, end.tolist())) for end in (ends.lows, ends.highs))
    group = CalibrationGroup(
        knots=tuple(ends.knots.tolist()),
        lows=lows,
        highs=highs,
        width=max(round_digits(float(np.median(widths))), 1e-9),
        error=round_digits(float(np.median(errors))),
        rows=len(truth),
    )
    if measured is None:
        return group
    inside, fifth = (low <= truth) & (truth <= high), find_fifths(values)
    shares = [round(float(inside[fifth == number].mean()), 4) for number in range(FIFTHS)]
    return group.model_copy(
        update={"inside": round(float(inside.mean()), 4), "fifths": tuple(shares)}
    )


def bin_truth(values: Float64Array, truth: Float64Array) -> tuple[TruthBin, ...]:
    """Sum up the truth over bins of rows with similar predictions, for a plot.

    Args:
        values: the predictions, shape (rows,).
        truth: shape (rows,).
    """
    count = max(min(_BINS, len(values) // _LEAST_IN_BIN), 1)
    bins = []
    for rows in np.array_split(np.argsort(values, kind="stable"), count):
        low, middle, high = map(round_digits, np.quantile(truth[rows], (0.1, 0.5, 0.9)).tolist())
        estimate = round_digits(float(np.median(values[rows])))
        bins.append(TruthBin(estimate=estimate, low=low, middle=middle, high=high))
    return tuple(bins)


def _list_groups(
    has: BoolArray, names: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], int | None, BoolArray]]:
    """Every set of known facts; where these are too many, every number of unknown ones.

    Args:
        has: which of the optional facts each row has, shape (rows, optional).
        names: of these facts.

    Yields:
        The known facts, or the number of unknown ones; and the facts to keep, shaped as ``has``.
    """
    if len(names) <= EVERY_SUBSET:
        for size in range(len(names) + 1):
            for known in itertools.combinations(names, size):
                keep = np.array([name in known for name in names], dtype=bool)
                yield known, None, np.tile(keep, (len(has), 1))
        return
    for unknown in range(len(names) + 1):
        order = np.random.default_rng(unknown).random(has.shape)
        order[~has] = -1  # the facts that are unknown anyway are left out first
        yield (), unknown, np.argsort(np.argsort(order, axis=1), axis=1) >= unknown
