"""Calibrated intervals, probabilities and figures on held-out rows."""

from __future__ import annotations

import numpy as np
import pytest

from model.contract.arrays import Float32Array, Float64Array, IntArray
from model.making.kinds.classification_metrics import (
    calibration_error,
    describe_excess,
    fit_calibration,
    log_loss,
    measure_classifier,
)
from model.making.kinds.regression_metrics import measure_regressor
from model.serving.intervals import ConformalIntervals
from model.serving.probabilities import apply_calibration


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


def sharpen(probabilities: Float64Array, by: float) -> Float64Array:
    """Make probabilities surer than they are."""
    powers = probabilities**by
    sharpened: Float64Array = powers / powers.sum(axis=1, keepdims=True)
    return sharpened


def draw_classes(rng: np.random.Generator, rows: int) -> tuple[Float64Array, IntArray]:
    """Right probabilities of three classes, and true classes."""
    right = rng.dirichlet([1, 1, 1], rows)
    return right, np.array([rng.choice(3, p=row) for row in right])


def test_a_model_that_is_too_sure_is_cooled_down() -> None:
    right, truth = draw_classes(np.random.default_rng(1), 4000)
    too_sure = sharpen(right, 2.5)
    figures, calibration, reliability = measure_classifier(too_sure, truth, True)
    assert calibration is not None
    named = {metric.name: metric.value for metric in figures}
    assert calibration.temperature == pytest.approx(2.5, rel=0.1)
    assert named["log_loss"] < named["log_loss_before"]
    assert named["off"] < 0.03 < named["off_before"]
    assert sum(item.rows for item in reliability) == 4000
    for item in reliability:
        assert item.right == pytest.approx(item.probability, abs=0.06)


def test_classes_that_a_fit_weighed_come_as_often_as_they_should_where_a_risk_is_asked_for() -> (
    None
):
    rng = np.random.default_rng(5)
    risk = rng.beta(0.5, 4, 1000)
    right = np.stack([1 - risk, risk], axis=1)
    truth = (rng.random(1000) < risk).astype(np.int64)
    weighed = right * [1, 10] / (right * [1, 10]).sum(axis=1, keepdims=True)
    calibration = fit_calibration(weighed, truth, weighted=True)
    shown = apply_calibration(weighed, calibration)
    assert calibration.weights == pytest.approx((1, 0.1), rel=0.3)
    assert shown[:, 1].mean() == pytest.approx(truth.mean(), abs=0.02)
    assert np.abs(shown - right).max() < 0.12
    assert fit_calibration(right, truth, weighted=True).weights == ()
    assert fit_calibration(weighed, truth).weights == ()
    found = describe_excess(weighed, truth, ["No", "Yes"], "en_US")
    assert found.startswith("Its probabilities take Yes for more frequent than it is: ")
    assert describe_excess(right, truth, ["No", "Yes"], "en_US") == ""


@pytest.mark.parametrize("rows", [5, 60, 150])
def test_a_holdout_that_is_classified_wholly_right_makes_nothing_certain(rows: int) -> None:
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, rows)
    hesitant = np.where(np.arange(2) == truth[:, None], 0.53, 0.47)
    calibration = fit_calibration(hesitant, truth)
    shown = apply_calibration(hesitant, calibration)
    assert calibration.most <= (rows + 0.5) / (rows + 1)
    assert shown.max() < 0.9
    certain = apply_calibration(np.eye(2)[truth], calibration)
    assert certain.max() <= (rows + 0.5) / (rows + 1)


@pytest.mark.parametrize("rows", [60, 150, 500])
def test_calibrated_probabilities_are_never_much_worse_than_given_ones(rows: int) -> None:
    rng = np.random.default_rng(3)
    for by in (0.5, 1.0, 3.0):
        changes = []
        for _ in range(20):
            held, truth = draw_classes(rng, rows)
            fresh, others = draw_classes(rng, 1000)
            calibration = fit_calibration(sharpen(held, by), truth)
            shown = apply_calibration(sharpen(fresh, by), calibration)
            changes.append(log_loss(shown, others) - log_loss(sharpen(fresh, by), others))
        assert np.mean(changes) < 0.01


@pytest.mark.parametrize("rows", [60, 365])
def test_a_model_that_is_always_sure_and_often_wrong_is_shown_as_unsure(rows: int) -> None:
    truth = np.arange(rows) % 2
    answers = np.where(np.arange(2) == (np.arange(rows) % 20 > 8)[:, None], 1 - 1e-7, 1e-7)
    right = np.mean(answers.argmax(axis=1) == truth)
    shown = apply_calibration(answers, fit_calibration(answers, truth))
    assert shown.max(axis=1).mean() == pytest.approx(right, abs=0.05)


def test_what_the_surest_rows_got_wrong_limits_what_is_shown() -> None:
    truth = np.zeros(500, dtype=np.int64)
    truth[:10] = 1
    sure = np.tile([0.9999, 0.0001], (500, 1))
    calibration = fit_calibration(sure, truth)
    assert calibration.most == pytest.approx(490.5 / 501, abs=1e-5)


def test_figures_of_probabilities_are_those_of_the_textbook() -> None:
    probabilities = np.array([[0.8, 0.2], [0.4, 0.6]])
    truth = np.array([0, 0])
    assert log_loss(probabilities, truth) == pytest.approx(-(np.log(0.8) + np.log(0.4)) / 2)
    assert calibration_error(probabilities[:, 0], truth == 0) == pytest.approx((0.2 + 0.6) / 2)
