"""Masks, groups and folds."""

from __future__ import annotations

import numpy as np
import pytest

from model.making.rows.subsets import (
    assign_folds,
    find_groups,
    iterate_folds,
    mask_features,
    sample_known,
)
from model.serving.explain import list_coalitions


def test_a_group_is_found_again_in_the_rows_masked_for_it() -> None:
    """Numbering a subset and masking by it are inverses."""
    for group, subset in enumerate(list_coalitions(3)):
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
