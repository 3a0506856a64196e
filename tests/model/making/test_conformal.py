"""Masks, groups, folds and conformal bounds."""

from __future__ import annotations

import numpy as np
import pytest

from model.making.conformal import (
    assign_folds,
    calibrate,
    calibrate_out_of_fold,
    coverage_score,
    find_groups,
    iterate_folds,
    list_subsets,
    mask_features,
    sample_known,
)


def test_a_group_is_found_again_in_the_rows_masked_for_it() -> None:
    """Numbering a subset and masking by it are inverses."""
    for group, subset in enumerate(list_subsets(3)):
        masked = mask_features(np.ones((5, 4)), np.broadcast_to(subset, (5, 3)), [1, 2, 3])
        assert (find_groups(masked, [1, 2, 3]) == group).all()


def test_masks_hold_their_share_of_extremes() -> None:
    """The shares asked for, plus what falls there by chance."""
    known = sample_known(np.random.default_rng(1), 4000, 2, 7, none=0.2, every=0.3)
    # A number of known facts that is uniform over 0 to 7 adds an eighth of the other half.
    assert np.mean(~known.any(axis=-1)) == pytest.approx(0.2 + 0.5 / 8, abs=0.02)
    assert np.mean(known.all(axis=-1)) == pytest.approx(0.3 + 0.5 / 8, abs=0.02)


def test_each_row_is_held_out_once() -> None:
    """Folds are a partition, and no row is learned from and held out at once."""
    fold = assign_folds(23, 5, np.random.default_rng(0))
    held = [hold for _learn, hold in iterate_folds(fold)]
    assert sorted(np.concatenate(held)) == list(range(23))
    assert all(not set(learn) & set(hold) for learn, hold in iterate_folds(fold))


def test_new_rows_fall_inside_as_often_as_promised() -> None:
    """Whatever the shape of the errors."""
    rng = np.random.default_rng(3)
    inside = []
    for _ in range(200):
        scores = rng.gamma(2, 1, (1, 99)) - 1.5
        bounds = calibrate(scores, 0.9)
        inside.append(coverage_score(*bounds, rng.gamma(2, 1, 200) - 1.5))
    assert np.mean(inside) == pytest.approx(0.9, abs=0.01)


def test_a_range_always_holds_its_prediction() -> None:
    """Even when every error has one sign."""
    bounds = calibrate(np.linspace(1, 2, 50)[None], 0.9)
    assert bounds.low[0] == 0.0
    assert bounds.high[0] > 1.9


def test_too_few_rows_are_refused() -> None:
    """19 rows are the least for 90 %."""
    calibrate(np.zeros((1, 19)), 0.9)
    with pytest.raises(ValueError, match="at least 19"):
        calibrate(np.zeros((1, 18)), 0.9)


def test_bounds_out_of_fold_do_not_know_the_row_that_they_hold_for() -> None:
    """They are those of the other folds alone, for each group."""
    rng = np.random.default_rng(5)
    scores, fold = rng.normal(size=(2, 80)), assign_folds(80, 4, rng)
    low, high = calibrate_out_of_fold(scores, fold, 0.8)
    others = calibrate(scores[:, fold != 2], 0.8)
    assert (low[:, fold == 2] == others.low[:, None]).all()
    assert (high[:, fold == 2] == others.high[:, None]).all()
