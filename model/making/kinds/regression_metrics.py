"""A model of numbers on held-out rows: its figures, and its calibrated intervals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from sklearn.metrics import r2_score

from model.contract.arrays import BoolArray, Float64Array
from model.contract.manifest import Calibration, CalibrationGroup, Metric
from model.making.conformal import (
    assign_folds,
    calibrate,
    calibrate_out_of_fold,
    count_needed_rows,
    coverage_score,
    mask_features,
)
from model.making.kinds.output_kind import FOLDS, make_metric, make_share, round_digits
from model.making.prepared import PredictFloat64
from model.serving.intervals import compute_bounds

EVERY_SUBSET = 6
"""Optional facts up to which each set of known ones gets its own interval."""

_METHOD = (
    "{share} of 100 rows should fall into their range. It is a conformal range: its width was set "
    "on {rows} rows that the model had not seen{groups}."
)


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
        group = _calibrate_group(predict(masked), truth[rows], coverage, log)
        groups.append(group.model_copy(update={"known": known, "unknown": unknown}))
    values = predict(matrix.astype(np.float32))
    metrics = [
        make_metric("error", "Median error", float(np.median(np.abs(values - truth)))),
        make_metric("r2", "R²: share of the variance explained", float(r2_score(truth, values))),
    ]
    fold = assign_folds(len(truth), FOLDS, np.random.default_rng(0))
    if np.bincount(fold, minlength=FOLDS).max() <= len(truth) - count_needed_rows(coverage):
        scores = _signed_errors(values, truth, log)[None, :]
        share = coverage_score(*calibrate_out_of_fold(scores, fold, coverage), scores)
        label = f"Rows inside their range ({coverage:.0%} is the aim)"
        metrics.append(make_share("coverage", label, share))
    by_group = ""
    if optional:
        by_group = ", separately for each " + (
            "combination of facts"
            if len(optional) <= EVERY_SUBSET
            else "number of facts that are left empty"
        )
    method = _METHOD.format(share=round(coverage * 100), rows=len(truth), groups=by_group)
    return tuple(metrics), Calibration(
        method=method,
        coverage=coverage,
        scale="log" if log else "linear",
        groups=tuple(groups),
    )


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


def _calibrate_group(
    values: Float64Array, truth: Float64Array, coverage: float, log: bool
) -> CalibrationGroup:
    bounds = calibrate(_signed_errors(values, truth, log)[None, :], coverage)
    below, above = -bounds.low, bounds.high
    low, high = compute_bounds(np.ones(1), 1.0, below, above, log)
    errors = np.abs(values / truth - 1) if log else np.abs(values - truth)
    return CalibrationGroup(
        low=round_digits(below.item()),
        high=round_digits(above.item()),
        width=max(round_digits((high - low).item()), 1e-9),
        error=round_digits(float(np.median(errors))),
    )


def _signed_errors(values: Float64Array, truth: Float64Array, log: bool) -> Float64Array:
    scores: Float64Array = np.log(truth) - np.log(values) if log else truth - values
    return scores
