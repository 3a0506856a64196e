"""Conformal intervals: how often they hold, and where they end."""

from __future__ import annotations

import numpy as np
import pytest

from model.contract.arrays import Float64Array
from model.contract.manifest import ResidualScale
from model.making.kinds.conformal import (
    KNOTS,
    choose_scale,
    cross_validate,
    find_fifths,
    fit_intervals,
)
from model.making.kinds.regression_metrics import calibrate_group
from model.serving.intervals import compute_bounds


def draw(rng: np.random.Generator, rows: int) -> tuple[Float64Array, Float64Array]:
    """Predictions, and truths whose errors grow with them and lean to one side."""
    predictions = rng.gamma(2, 10, rows)
    return predictions, np.maximum(predictions + predictions * (rng.gamma(2, 0.2, rows) - 0.4), 0)


def bound(
    held: tuple[Float64Array, Float64Array], new: Float64Array, scale: ResidualScale = "sqrt"
) -> tuple[Float64Array, Float64Array]:
    return compute_bounds(new, None, *fit_intervals(*held, 0.9, scale), scale)


def test_a_range_holds_in_each_fifth_of_the_predictions_and_is_narrower_than_a_constant_one() -> (
    None
):
    rng = np.random.default_rng(3)
    enough, widths = [], []
    for _ in range(40):
        held, (new, truth) = draw(rng, 500), draw(rng, 4000)
        low, high = bound(held, new)
        inside, fifth = (low <= truth) & (truth <= high), find_fifths(new)
        enough.append(min(inside[fifth == number].mean() for number in range(5)) >= 0.84)
        constant = np.quantile(np.abs(held[1] - held[0]), 0.9)
        widths.append(np.mean(high - low) / (2 * constant))
        assert low.min() >= 0
    assert np.mean(enough) >= 0.88
    assert np.mean(widths) < 0.9


def test_what_is_measured_is_what_holds_and_not_what_folds_of_fewer_rows_need() -> None:
    """With a higher rank for fewer rows 60 and 300 rows said 2 and 1 of 100 too much."""
    rng, gaps = np.random.default_rng(7), []
    for rows, times in ((60, 80), (300, 30)):
        new, truths = draw(rng, 4000)
        for _ in range(times):
            predictions, truth = held = draw(rng, rows)
            measured = cross_validate(predictions, truth, 0.9, "sqrt")
            assert measured is not None
            low, high = bound(held, new)
            said = np.mean((measured[0] <= truth) & (truth <= measured[1]))
            gaps.append(said - np.mean((low <= truths) & (truths <= high)))
    assert abs(np.mean(gaps)) < 0.01


@pytest.mark.parametrize("rows", [24, 60, 150])
def test_few_rows_hold_over_all_of_them(rows: int) -> None:
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(100):
        held, (new, truth) = draw(rng, rows), draw(rng, 500)
        low, high = bound(held, new)
        shares.append(np.mean((low <= truth) & (truth <= high)))
    assert 0.88 <= np.mean(shares) <= 0.94


def test_what_is_measured_is_what_fresh_rows_show() -> None:
    rng = np.random.default_rng(5)
    held, (new, truth) = draw(rng, 600), draw(rng, 4000)
    low, high = bound(held, new)
    measured = cross_validate(*held, 0.9, "sqrt")
    assert measured is not None
    assert np.mean((measured[0] <= held[1]) & (held[1] <= measured[1])) == pytest.approx(
        np.mean((low <= truth) & (truth <= high)), abs=0.03
    )


def test_a_range_is_never_narrower_than_the_smallest_error_but_zero() -> None:
    truth = np.arange(200.0)
    predictions = truth.copy()
    predictions[::40] += 3
    low, high = bound((predictions, truth), truth, "linear")
    assert (high - low).min() >= 3
    assert ((low <= truth) & (truth <= high)).all()
    _, lows, highs = fit_intervals(truth, truth, 0.9, "linear")
    assert ((highs > lows) & (highs - lows < 1e-6)).all()


def test_equal_predictions_have_one_range() -> None:
    rng = np.random.default_rng(6)
    predictions = np.repeat([5.0, 6.0, 7.0], [20, 450, 30])
    ends = fit_intervals(predictions, rng.normal(6, 1, 500), 0.9, "linear")
    assert ends.knots.tolist() == [5, 6, 7]
    same = fit_intervals(np.full(500, 5.0), rng.normal(6, 1, 500), 0.9, "linear")
    assert same.knots.tolist() == [5]
    assert (same.lows <= 0).all()
    assert (same.highs > 1.5).all()


def test_many_rows_are_sampled_and_few_knots_kept() -> None:
    rng = np.random.default_rng(7)
    ends = fit_intervals(*draw(rng, 20_000), 0.9, "sqrt")
    assert len(ends.knots) == len(ends.lows) == len(ends.highs) == KNOTS
    assert (np.diff(ends.knots) > 0).all()


def test_errors_count_in_the_predicted_scale() -> None:
    rng = np.random.default_rng(8)
    spreads = rng.uniform(0.1, 3, 500)
    predictions = rng.uniform(50, 100, 500)
    truth = predictions + spreads * rng.normal(size=500)
    ends = fit_intervals(predictions, truth, 0.9, "linear", spreads)
    low, high = compute_bounds(np.array([75.0, 75.0]), np.array([0.5, 2.0]), *ends, "linear")
    assert (high - low)[1] == pytest.approx(4 * (high - low)[0])


def test_the_scale_of_roots_is_for_truths_that_are_never_negative() -> None:
    assert choose_scale(np.array([0.0, 3.0])) == "sqrt"
    assert choose_scale(np.array([-0.1, 3.0])) == "linear"


def test_too_few_rows_are_refused() -> None:
    """19 rows are the least for 90 %, and 24 to measure it."""
    rows = np.arange(30.0)
    fit_intervals(rows[:19], rows[:19], 0.9, "linear")
    assert cross_validate(rows[:23], rows[:23], 0.9, "linear") is None
    assert cross_validate(rows[:24], rows[:24], 0.9, "linear") is not None
    with pytest.raises(ValueError, match="at least 19"):
        fit_intervals(rows[:18], rows[:18], 0.9, "linear")


@pytest.mark.parametrize("scale", ["linear", "sqrt"])
def test_a_range_that_ends_at_a_truth_of_many_rows_holds_it(scale: ResidualScale) -> None:
    truth = np.repeat(np.array([1.0, 7.0, 13.0, 22.0]), 10)
    values = np.full(40, 10.877551081)
    group = calibrate_group(values, truth, 0.9, scale)
    ends = np.array(group.knots), np.array(group.lows), np.array(group.highs)
    low, high = compute_bounds(values, None, *ends, scale)
    assert ((low <= truth) & (truth <= high)).all()
    assert (low[0], high[0]) == pytest.approx((1, 22), abs=1e-3)


def test_a_truth_that_most_low_rows_have_is_held_between_two_knots() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.choice([35.1, 36.5, 37.9, 40.2], 120), rng.uniform(50, 1600, 310)])
    zero = rng.random(430) < np.where(values < 45, 0.95, 0.3)
    truth = np.where(zero, 0.0, values * rng.uniform(0.5, 1.8, 430))
    group = calibrate_group(values, truth, 0.9, "sqrt")
    ends = np.array(group.knots), np.array(group.lows), np.array(group.highs)
    low, high = compute_bounds(values, None, *ends, "sqrt")
    inside = (low <= truth) & (truth <= high)
    assert inside[values < 45].mean() >= 0.88
    assert inside.mean() >= 0.9
