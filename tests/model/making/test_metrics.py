"""Calibrated intervals, temperatures and figures on held-out rows."""

from __future__ import annotations

import numpy as np
import pytest

from model.contract.arrays import Float32Array
from model.making.kinds.classification_metrics import (
    calibration_error,
    fit_temperature,
    log_loss,
    measure_classifier,
)
from model.making.kinds.regression_metrics import measure_regressor
from model.serving.intervals import ConformalIntervals
from model.serving.temperature import apply_temperature


def test_a_range_holds_as_often_as_it_says_whichever_facts_are_known() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3000, 3))
    truth = rows @ [3.0, 2.0, 1.0] + rng.normal(0, 1, 3000)

    def answer(matrix: Float32Array) -> np.ndarray:
        known: np.ndarray = np.nan_to_num(matrix.astype(float)) @ [3.0, 2.0, 1.0]
        return known

    optional = [(1, "second"), (2, "third")]
    half = slice(0, 1500)
    _, calibration = measure_regressor(answer, rows[half], truth[half], optional, 0.9, "linear")
    assert [group.known for group in calibration.groups] == [
        (), ("second",), ("third",), ("second", "third"),
    ]  # fmt: skip
    intervals = ConformalIntervals(calibration, ("second", "third"))
    fresh, said = rows[1500:].copy(), truth[1500:]
    for group in calibration.groups:
        masked = fresh.copy()
        for column, name in optional:
            if name not in group.known:
                masked[:, column] = np.nan
        values = answer(masked.astype(np.float32))
        low, high = intervals.compute_bounds(values, None, [group])
        inside = (low <= said) & (said <= high)
        assert inside.mean() == pytest.approx(0.91, abs=0.025)
        assert group.inside == pytest.approx(0.91, abs=0.025)
        assert min(group.fifths) > 0.85
        assert group.rows == 1500
    assert calibration.groups[0].width > calibration.groups[-1].width


def test_a_model_that_is_too_sure_is_cooled_down() -> None:
    rng = np.random.default_rng(1)
    right = rng.dirichlet([1, 1, 1], 4000)
    truth = np.array([rng.choice(3, p=row) for row in right])
    too_sure = apply_temperature(right, 1 / 2.5)
    assert fit_temperature(too_sure, truth) == pytest.approx(2.5, rel=0.1)
    figures, temperature = measure_classifier(too_sure, truth, has_probabilities=True)
    named = {metric.name: metric.value for metric in figures}
    assert temperature == pytest.approx(2.5, rel=0.1)
    assert named["log_loss"] < named["log_loss_before"]
    assert named["off"] < 0.03 < named["off_before"]


def test_a_temperature_that_does_not_help_is_left_out() -> None:
    sure = np.tile([0.9, 0.1], (60, 1))
    truth = np.zeros(60, dtype=np.int64)
    truth[:6] = 1
    _, temperature = measure_classifier(sure, truth, has_probabilities=True)
    assert temperature is None


def test_figures_of_probabilities_are_those_of_the_textbook() -> None:
    probabilities = np.array([[0.8, 0.2], [0.4, 0.6]])
    truth = np.array([0, 0])
    assert log_loss(probabilities, truth) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert calibration_error(probabilities[:, 0], truth == 0) == pytest.approx((0.2 + 0.6) / 2)
