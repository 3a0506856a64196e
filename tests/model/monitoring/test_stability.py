"""What is asked against the training data: bins, the index, and the limit by simulation."""

import math

import numpy as np
import pytest

from model.contract.manifest import FieldBins
from model.monitoring.stability import (
    EMPTY,
    OUTSIDE,
    compute_psi,
    find_bin,
    find_limit,
    list_bins,
    make_bins,
)


def bins_of(codes: object, is_choice: bool = False) -> FieldBins:
    found = make_bins(np.asarray(codes, dtype=np.float32), is_choice)
    assert found is not None
    return found


def test_a_number_has_ten_bins_of_about_as_many_training_rows_each() -> None:
    codes = np.random.default_rng(0).normal(1500, 400, 2000)
    codes[:100] = np.nan

    bins = bins_of(codes)

    assert len(bins.counts) == 12
    assert bins.counts[:10] == pytest.approx([190] * 10, abs=20)
    assert bins.counts[10:] == (100, 0)
    assert find_bin(bins, math.nan) == EMPTY
    assert find_bin(bins, 1.1 * float(np.nanmax(codes))) == find_bin(bins, -1e6) == OUTSIDE
    assert find_bin(bins, float(np.float64(np.nanmax(codes)))) == "9"
    assert find_bin(bins, bins.edges[0]) == "0"


def test_every_training_row_is_found_in_the_bin_in_which_it_was_counted() -> None:
    drawn = np.random.default_rng(1)
    for codes, is_choice in (
        (drawn.lognormal(3, 2, 500), False),
        (drawn.integers(0, 4, 500), False),
        (np.repeat([0, 7, 1.1], [480, 12, 8]), False),
        (np.full(50, 2.5), False),
        (drawn.zipf(1.5, 500) % 30, True),
        (drawn.integers(0, 10, 500), True),
        (drawn.integers(0, 11, 500), True),
    ):
        bins = bins_of(codes, is_choice)
        found = [find_bin(bins, code) for code in codes.tolist()]
        assert [found.count(name) for name in list_bins(bins)] == list(bins.counts)


def test_a_choice_that_no_training_row_has_is_outside() -> None:
    bins = bins_of(np.repeat(np.arange(14), np.arange(20, 6, -1)), is_choice=True)

    assert len(bins.counts) == 12
    assert find_bin(bins, 0) == "0"
    assert find_bin(bins, 13) == "9"
    assert find_bin(bins, 20) == OUTSIDE


def test_a_field_without_a_known_value_has_no_bins() -> None:
    assert make_bins(np.full(5, np.nan, np.float32), False) is None


def test_the_index_is_near_zero_for_the_same_shares_and_large_for_others() -> None:
    trained = [200] * 10 + [0, 0]

    assert compute_psi([20] * 10 + [0, 0], trained) < 0.02
    # Half of what was asked in the last bin: 0.4 ln 5 there, and 9 times 0.0444 ln 1.8.
    exact = 0.4 * math.log(5) + 0.4 * math.log(0.1 / (0.5 / 9))
    assert compute_psi([5556] * 9 + [50000, 0, 0], [10**6] * 10 + [0, 0]) == pytest.approx(
        exact, rel=0.01
    )


@pytest.mark.parametrize(("asked", "limit"), [(100, 0.27), (300, 0.094), (1000, 0.028)])
def test_the_limit_is_what_one_of_a_hundred_samples_exceeds(asked: int, limit: float) -> None:
    trained = [9500] * 10 + [5000, 0]
    shares = np.array(trained) / sum(trained)
    samples = np.random.default_rng(9).multinomial(asked, shares, 4000)

    found = find_limit(trained, asked)

    assert found == pytest.approx(limit, rel=0.08)
    over = np.mean([compute_psi(sample, trained) > found for sample in samples.tolist()])
    assert 0.003 < over < 0.015


def test_no_edge_is_a_value_of_one_row() -> None:
    codes = np.random.default_rng(2).gamma(1, 9000, 400).astype(np.float32)
    bins = bins_of(codes)

    assert len(bins.edges) == 11
    assert not set(bins.edges) & set(codes.tolist())
    assert bins.edges[0] <= codes.min()
    assert codes.max() <= bins.edges[-1] < 1.02 * codes.max()
