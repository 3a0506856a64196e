"""How good the model is, from predictions of rows that no model had seen."""

from __future__ import annotations

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.manifest import CalibrationGroup, Metric
from model.house_price.features import OPTIONAL
from model.house_price.fitting import COVERAGE, SUBSETS, FittedModel
from model.making.conformal import calibrate, calibrate_out_of_fold, coverage_score
from model.making.kinds.output_kind import make_share
from model.serving.intervals import compute_bounds

_GIVEN = {
    "three": ("three facts", slice(0, 1)),
    "all": ("all ten facts", slice(len(SUBSETS) - 1, None)),
    "random": ("averaged over which facts were given", slice(None)),
}
"""The groups that know no optional feature, every one, and all groups together."""


def measure(
    fitted: FittedModel, price: Float64Array
) -> tuple[tuple[Metric, ...], tuple[CalibrationGroup, ...]]:
    """Measure the model, for prices [N] in dollars.

    Returns:
        The metrics, all as shares: medians of the error of the price and of the width of the range
        in units of the value, and how many prices lie inside ranges that were calibrated on the
        other folds. Each is computed with three features, with all, and over all subsets. And the
        calibration of each of the 128 groups, with its own error and width.
    """
    bounds = calibrate_out_of_fold(fitted.score, fitted.fold, COVERAGE)
    low, high = compute_bounds(fitted.value, fitted.scale, -bounds.low, bounds.high, relative=True)
    error, width = np.abs(fitted.value / price - 1), (high - low) / fitted.value
    prices = np.broadcast_to(price, error.shape)
    metrics = []
    for name, (given, groups) in _GIVEN.items():
        inside = coverage_score(low[groups], high[groups], prices[groups])
        metrics += [
            make_share(
                f"error_{name}",
                f"Half the time off by less than, {given}",
                float(np.median(error[groups])),
            ),
            make_share(
                f"coverage_{name}", f"Sales inside their range (90% is the aim), {given}", inside
            ),
            make_share(
                f"width_{name}",
                f"Typical width of the range, {given}",
                float(np.median(width[groups])),
            ),
        ]
    final = calibrate(fitted.score, COVERAGE)
    return tuple(metrics), tuple(
        CalibrationGroup(
            known=tuple(np.array(OPTIONAL)[subset].tolist()),
            low=round(-float(final.low[group]), 6),
            high=round(float(final.high[group]), 6),
            width=round(float(np.median(width[group])), 4),
            error=round(float(np.median(error[group])), 4),
        )
        for group, subset in enumerate(SUBSETS)
    )
