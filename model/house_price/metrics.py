"""How good the model is, from predictions of rows that no model had seen."""

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.manifest import CalibrationGroup, Metric
from model.house_price.features import OPTIONAL
from model.house_price.fitting import COVERAGE, SUBSETS, FittedModel
from model.making.kinds.output_kind import make_share
from model.making.kinds.regression_metrics import calibrate_group

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
        in units of the value, and how many prices lie inside ranges that other sales set. Each is
        given with three features, with all, and averaged over all subsets. And the calibration of
        each of the 128 groups, with its own figures.
    """
    groups = tuple(
        calibrate_group(value, price, COVERAGE, "log", scale).model_copy(
            update={"known": tuple(np.array(OPTIONAL)[subset].tolist())}
        )
        for value, scale, subset in zip(fitted.value, fitted.scale, SUBSETS, strict=True)
    )
    metrics = []
    for name, (given, chosen) in _GIVEN.items():
        mean = {
            key: float(np.mean([getattr(group, key) for group in groups[chosen]]))
            for key in ("error", "inside", "width")
        }
        metrics += [
            make_share(f"error_{name}", f"Half the time off by less than, {given}", mean["error"]),
            make_share(
                f"coverage_{name}",
                f"Sales inside their range (90% is the aim), {given}",
                mean["inside"],
            ),
            make_share(f"width_{name}", f"Typical width of the range, {given}", mean["width"]),
        ]
    return tuple(metrics), groups
