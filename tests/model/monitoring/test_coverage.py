"""The promise of a range: how often sound ones are accused, and how soon broken ones are found.

Each is a simulation with a fixed seed; `python -m tests.studies.promises` prints the figures.
"""

import numpy as np
import pytest

from model.monitoring.coverage import CHANGE_LIMIT, Promise, find_alarm, weigh_evidence
from tests.studies.promises import draw, draw_sound, share_alarmed, share_too_sure

PATHS = 1000


@pytest.mark.parametrize("promise", [Promise(0.9, 100), Promise(0.9, 500), Promise(0.8, 2000)])
def test_sound_ranges_are_accused_in_at_most_five_of_a_hundred(promise: Promise) -> None:
    assert share_alarmed(draw_sound(promise, 1, PATHS), promise) <= 0.05


def test_against_the_promise_itself_sound_ranges_set_on_few_rows_would_be_accused() -> None:
    few = Promise(0.9, 100)
    certain = Promise(0.9, 10**9)  # as if nothing about the coverage were left to chance

    assert share_alarmed(draw_sound(few, 1, PATHS), certain) > 0.15


@pytest.mark.parametrize("rows", [500, 2000])
def test_a_coverage_of_eighty_percent_is_found_within_three_hundred_cases(rows: int) -> None:
    assert share_alarmed(draw(0.8, 300, 2), Promise(0.9, rows)) >= 0.95


def test_a_change_after_a_thousand_good_cases_is_found_within_two_hundred_more() -> None:
    promise = Promise(0.9, 1000)
    inside = np.concatenate([draw(0.9, 1000, 3, PATHS), draw(0.7, 200, 4, PATHS)], axis=1)

    late = (weigh_evidence(inside, promise).change >= CHANGE_LIMIT)[:, 1000:]

    assert late.any(axis=-1).mean() >= 0.95


def test_more_inside_than_promised_is_no_alarm() -> None:
    improved = np.concatenate([draw(1.0, 500, 5, PATHS), draw(0.92, 500, 6, PATHS)], axis=1)

    assert share_alarmed(improved, Promise(0.9, 500)) <= 0.05


def test_the_wealth_of_a_fair_game_does_not_grow() -> None:
    promise = Promise(0.9, 100)
    wealth = weigh_evidence(draw_sound(promise, 7, PATHS)[:, :20], promise).wealth

    assert wealth.mean() <= 1.05


def test_the_alarm_says_after_which_case_and_of_which_kind() -> None:
    promise = Promise(0.9, 500)
    steady = np.tile([True] * 9 + [False], 100)

    assert find_alarm(steady, promise) is None
    assert find_alarm(steady[:0], promise) is None
    broken = find_alarm(np.zeros(50, dtype=bool), promise)
    assert broken is not None
    assert broken.kind == "coverage"
    assert broken.cases < 5
    changed = find_alarm(np.concatenate([steady, np.zeros(50, dtype=bool)]), promise)
    assert changed is not None
    assert changed.kind == "change"
    assert len(steady) < changed.cases < len(steady) + 12


@pytest.mark.parametrize("rows", [100, 500])
def test_probabilities_that_are_as_right_as_they_say_are_seldom_called_too_sure(rows: int) -> None:
    """Half of the 5 % that a model's two tests share."""
    assert share_too_sure(rows, 3000, paths=300) <= 0.025


def test_probabilities_that_became_too_sure_are_found_though_as_many_are_right() -> None:
    assert share_too_sure(500, 300, times=2.0, paths=300) >= 0.75
    assert share_too_sure(2000, 300, times=2.0, paths=300) >= 0.9


@pytest.mark.parametrize(
    ("promise", "rank"),
    [
        (Promise(0.9, 99), 90),
        (Promise(0.95, 19), 19),
        (Promise(1.0, 60), 60),
        (Promise(0.0, 60), 1),
    ],
)
def test_the_rank_is_that_of_the_conformal_quantile(promise: Promise, rank: int) -> None:
    assert promise.rank == rank
    assert np.isfinite(weigh_evidence(np.array([True, False]), promise).wealth).all()
