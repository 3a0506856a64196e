"""A model of numbers on held-out rows: its figures, and its calibrated intervals."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from sklearn.metrics import r2_score

from model.contract.arrays import Float64Array, IntArray
from model.contract.manifest import Calibration, CalibrationGroup, Metric
from model.making.conformal import (
    assign_folds,
    calibrate,
    count_needed_rows,
    iterate_folds,
    mask_features,
)
from model.making.metrics import FOLDS, make_metric, make_share, round_digits
from model.making.predicting import PredictFloat64

EVERY_SUBSET = 6
"""Optional facts up to which each set of known ones gets its own interval."""

_METHOD = (
    "{share} of 100 rows should fall into their range. It is a conformal range: its width was set "
    "on {rows} rows that the model had not seen{groups}."
)


class TooFewRowsError(Exception):
    """There are too few held-out rows for an interval; the message says how many it needs."""


def measure_regressor(
    predict: PredictFloat64,
    matrix: Float64Array,
    truth: Float64Array,
    optional: Sequence[tuple[int, str]],
    coverage: float,
    log: bool,
) -> tuple[tuple[Metric, ...], Calibration]:
    """Measure a model of numbers and calibrate its intervals.

    Args:
        predict: the served model.
        matrix: the held-out rows, shape (rows, fields); NaN where unknown.
        truth: their true values, shape (rows,), in the answer's unit.
        optional: column and name of each optional fact.
        coverage: of the intervals, like 0.9.
        log: whether errors are shares of the answer rather than in its unit.

    Raises:
        TooFewRowsError: if the rows cannot give that coverage.
    """
    if len(truth) < (needed := count_needed_rows(coverage)):
        raise TooFewRowsError(
            f"A range that holds {coverage:.0%} of rows needs at least {needed} held-out rows, and "
            f"a few hundred to be precise; there are {len(truth)}."
        )
    values = predict(matrix.astype(np.float32))
    groups = []
    for known, unknown in _list_groups(optional):
        masked, rows = _mask_for_group(matrix, optional, known, unknown)
        groups.append(_calibrate_group(predict, masked, truth[rows], coverage, log, known, unknown))
    metrics = [
        make_metric("error", "Median error", float(np.median(np.abs(values - truth)))),
        make_metric("r2", "R²: share of the variance explained", float(r2_score(truth, values))),
    ]
    measured = _cross_validate_coverage(values, truth, coverage, log)
    if measured is not None:
        label = f"Rows inside their range ({coverage:.0%} is the aim)"
        metrics.append(make_share("coverage", label, measured))
    by_group = ""
    if optional:
        by_group = (
            ", separately for each combination of facts"
            if len(optional) <= EVERY_SUBSET
            else ", separately for each number of facts that are left empty"
        )
    method = _METHOD.format(share=round(coverage * 100), rows=len(truth), groups=by_group)
    return tuple(metrics), Calibration(
        method=method,
        coverage=coverage,
        scale="log" if log else "linear",
        groups=tuple(groups),
    )


def _list_groups(
    optional: Sequence[tuple[int, str]],
) -> list[tuple[tuple[str, ...], int | None]]:
    """Every set of known facts; where these are too many, every number of unknown ones."""
    names = [name for _, name in optional]
    if len(names) > EVERY_SUBSET:
        return [((), unknown) for unknown in range(len(names) + 1)]
    return [
        (known, None)
        for size in range(len(names) + 1)
        for known in itertools.combinations(names, size)
    ]


def _mask_for_group(
    matrix: Float64Array,
    optional: Sequence[tuple[int, str]],
    known: tuple[str, ...],
    unknown: int | None,
) -> tuple[Float64Array, IntArray]:
    """The held-out rows with just these facts known, and their indices.

    Rows that lack one of these facts take part only where there are too few others.
    """
    columns = [column for column, _ in optional]
    has = ~np.isnan(matrix[:, columns])
    if unknown is None:
        keep = np.array([name in known for _, name in optional], dtype=bool)
        kept = np.tile(keep, (len(matrix), 1))
        fits = (has | ~keep).all(axis=1)
    else:
        rng = np.random.default_rng(unknown)
        order = rng.random(has.shape)
        order[~has] = -1  # the facts that are unknown anyway are left out first
        kept = np.argsort(np.argsort(order, axis=1), axis=1) >= unknown
        fits = (has | ~kept).all(axis=1)
    rows = np.flatnonzero(fits)
    if len(rows) < max(count_needed_rows(0.95), len(matrix) // 10):
        rows = np.arange(len(matrix))
    return mask_features(matrix[rows], kept[rows], columns), rows


def _calibrate_group(
    predict: PredictFloat64,
    rows: Float64Array,
    truth: Float64Array,
    coverage: float,
    log: bool,
    known: tuple[str, ...],
    unknown: int | None,
) -> CalibrationGroup:
    values = predict(rows.astype(np.float32))
    bounds = calibrate(_signed_errors(values, truth, log)[None, :], coverage)
    low, high = -float(bounds.low[0]), float(bounds.high[0])
    if log:
        width = float(np.median(np.exp(high) - np.exp(-low)))
        error = float(np.median(np.abs(values / truth - 1)))
    else:
        width, error = low + high, float(np.median(np.abs(values - truth)))
    return CalibrationGroup(
        known=known,
        unknown=unknown,
        low=round_digits(low),
        high=round_digits(high),
        width=max(round_digits(width), 1e-9),
        error=round_digits(error),
    )


def _signed_errors(values: Float64Array, truth: Float64Array, log: bool) -> Float64Array:
    scores: Float64Array = np.log(truth) - np.log(values) if log else truth - values
    return scores


def _cross_validate_coverage(
    values: Float64Array, truth: Float64Array, coverage: float, log: bool
) -> float | None:
    """The share of rows inside an interval that was calibrated on the other folds.

    None where these have too few rows.
    """
    scores = _signed_errors(values, truth, log)
    inside = []
    fold = assign_folds(len(truth), FOLDS, np.random.default_rng(0))
    for others, held_out in iterate_folds(fold):
        if len(others) < count_needed_rows(coverage):
            return None
        bounds = calibrate(scores[others][None, :], coverage)
        inside.append((bounds.low[0] <= scores[held_out]) & (scores[held_out] <= bounds.high[0]))
    return float(np.mean(np.concatenate(inside)))
