"""A model of numbers on held-out rows: its figures, and its calibrated intervals."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import r2_score

from model.contract.arrays import Float64Array
from model.contract.manifest import Calibration, CalibrationGroup, Metric, ResidualScale, TruthBin
from model.making.kinds.conformal import FIFTHS, cross_validate, find_fifths, fit_intervals
from model.making.kinds.output_kind import find_fullest_group, make_metric, make_share, round_digits
from model.making.rows.prepared import PredictFloat64
from model.making.rows.subsets import EVERY_SUBSET, iterate_groups
from model.serving.intervals import compute_bounds

_METHOD = (
    "{share} of 100 rows should fall into their range. Its width was set on {rows} rows that the "
    "model had not seen, by rows with answers like this one{groups}. How many fall into it was "
    "measured on rows that had no part in setting it (conformal prediction)."
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
    groups = [
        calibrate_group(predict(masked), truth[rows], coverage, scale).model_copy(
            update={"known": known, "unknown": unknown}
        )
        for known, unknown, rows, masked in iterate_groups(matrix, optional)
    ]
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
    group = CalibrationGroup(
        knots=tuple(ends.knots.tolist()),
        lows=tuple(ends.lows.tolist()),
        highs=tuple(ends.highs.tolist()),
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
