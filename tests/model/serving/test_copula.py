"""The joint distribution of the facts says which rows are unlike the data, and which facts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import Features, NumberModel
from model.contract.arrays import Float64Array
from model.serving.copula import (
    GaussianCopula,
    Limits,
    Marginal,
    compute_square_limit,
    standardize_squares,
)
from model.serving.mismatches import describe_mismatch
from model.serving.served_model import Mismatch


def make_copula(correlation: float, facts: int = 2) -> GaussianCopula:
    """Facts whose scores are a tenth of their codes up to 3, all with this correlation."""
    knots = np.linspace(-30, 30, 61)
    marginals = [Marginal(column, knots, knots / 10) for column in range(facts)]
    matrix = np.full((facts, facts), correlation)
    np.fill_diagonal(matrix, 1)
    return GaussianCopula(marginals, matrix, Limits(2.5, 3.5, 3.0))


def score(copula: GaussianCopula, column: int, code: float) -> float:
    """The normal score of one code of a fact."""
    facts = copula.select((column,))
    assert facts is not None
    return float(facts.compute_scores([[code] * (column + 1)])[0, 0])


@given(st.lists(st.floats(-1e6, 1e6), min_size=8, max_size=12))
def test_a_row_alone_has_the_scores_that_it_has_among_many(codes: list[float]) -> None:
    facts = make_copula(0.5).select((0, 1))
    assert facts is not None
    rows = [[code, -code] for code in codes]
    alone = [facts.compute_scores([row])[0].tolist() for row in rows]
    assert facts.compute_scores(rows) == pytest.approx(np.array(alone), rel=1e-9, abs=1e-9)


def make_many(facts: int = 14) -> GaussianCopula:
    """More facts than are scored one by one, each with other knots, of other steepness."""
    marginals = []
    for column in range(facts):
        knots = np.linspace(-30, 30, 5 + 3 * column) + column
        marginals.append(Marginal(column, knots, np.sign(knots) * np.abs(knots / 10) ** 1.1))
    matrix = np.full((facts, facts), 0.4)
    np.fill_diagonal(matrix, 1)
    return GaussianCopula(marginals, matrix, Limits(2.5, 3.5, 3.0))


@pytest.mark.parametrize("count", [12, 13, 14])
def test_many_facts_have_the_scores_that_each_has_alone(count: int) -> None:
    copula = make_many()
    columns = tuple(range(14 - count, 14))
    facts = copula.select(columns)
    assert facts is not None
    rows = np.random.default_rng(0).normal(0, 25, (9, 14))
    rows[0] = np.arange(14.0)  # knots
    expected = [
        [np.interp(row[column], *copula._knots[column]) for column in columns] for row in rows
    ]
    assert facts.compute_scores(rows) == pytest.approx(np.array(expected))
    for few in (1, 7):
        assert facts.compute_scores(rows[:few]) == pytest.approx(np.array(expected[:few]))
    (scores,) = facts.compute_scores(rows[:1])
    for place in (0, count - 1):
        moved = scores[None].repeat(26, axis=0)
        moved[1:, place] = values = np.linspace(-4, 4, 25)
        along = facts.find_outliers_along(scores, place, values)
        assert along.tolist() == facts.find_outliers(moved).tolist()
        assert {False, True} == set(along.tolist())


def test_the_hundred_pairs_that_correlate_best_are_compared() -> None:
    def find(first: float, second: float) -> tuple[tuple[int, ...], bool]:
        matrix = np.full((15, 15), 0.4)  # 105 pairs
        np.fill_diagonal(matrix, 1)
        matrix[0, 1] = matrix[1, 0] = first
        marginals = make_copula(0, 15).marginals
        facts = GaussianCopula(marginals, matrix, Limits(2.5, 3.5, 3.0)).select(range(15))
        assert facts is not None
        scores = np.zeros((1, 15))
        scores[0, :2] = 2, second
        return facts.find_culprits(scores)[0]

    assert find(0.5, -2) == ((0, 1), False)
    assert find(0.31, -2) != ((0, 1), False)
    assert find(0.29, -2) != ((0, 1), False)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_a_larger_code_has_a_larger_score_also_beyond_the_data(code: float, more: float) -> None:
    copula = make_copula(0)
    assert score(copula, 0, code) < score(copula, 0, code + more)


def test_scores_go_on_as_steeply_as_over_the_outer_tenth() -> None:
    # The last two rows are nearly equal: their own slope would be 60 times as steep.
    codes = np.array([0.0, 10.0, 20.0, 29.9, 30.0])
    copula = GaussianCopula(
        [Marginal(0, codes, np.array([-2.0, -1.0, 1.0, 1.5, 2.1]))],
        np.eye(1),
        Limits(2, 3, 3),
    )
    assert score(copula, 0, 40) == pytest.approx(2.1 + 10 * (2.1 - 1.0) / 10)
    assert score(copula, 0, -10) == pytest.approx(-2 - 10 * (-1.0 + 2) / 10)


def test_the_figures_are_those_of_the_normal_distribution() -> None:
    facts = make_copula(0.8).select((0, 1))
    assert facts is not None
    scores = np.array([[1.0, -1.0], [2.0, 2.0]])
    squares, largest, together = facts.measure(scores)
    assert squares == pytest.approx([2 / (1 - 0.8), 8 / (1 + 0.8)])
    # The difference of the two is larger than the residual of each, and in the other row it is 0.
    assert largest == pytest.approx([2 / 0.4**0.5, 0.4 / 0.36**0.5])
    assert together == pytest.approx([0, 4 / 3.6**0.5])


@pytest.mark.parametrize("facts", [1, 3, 10, 200])
def test_a_square_is_beyond_its_limit_where_its_score_is(facts: int) -> None:
    limit = compute_square_limit(2.5, facts)
    squares: Float64Array = np.array([limit * 0.999, limit, limit * 1.001])
    below, at, above = standardize_squares(squares, facts).tolist()
    assert at == pytest.approx(2.5)
    assert below < 2.5 < above


def test_two_facts_that_contradict_their_correlation_are_both_named() -> None:
    facts = make_copula(0.8, 3).select((0, 2))
    assert facts is not None
    (scores,) = facts.compute_scores([[20.0, 0.0, -20.0]])
    assert facts.find_outliers(scores[None]).tolist() == [True]
    assert facts.find_culprits(scores[None])[0] == ((0, 2), False)
    (scores,) = facts.compute_scores([[20.0, 0.0, 20.0]])
    assert facts.find_outliers(scores[None]).tolist() == [False]


def test_two_facts_of_which_one_falls_where_the_other_rises_contradict_where_both_rise() -> None:
    facts = make_copula(-0.8).select((0, 1))
    assert facts is not None
    scores = np.array([[2.0, 2.0], [2.0, -2.0]])
    assert facts.find_outliers(scores).tolist() == [True, False]
    assert facts.find_culprits(scores)[0] == ((0, 1), False)


def test_a_fact_far_beyond_the_data_is_named_alone() -> None:
    facts = make_copula(0.8).select((0, 1))
    assert facts is not None
    (scores,) = facts.compute_scores([[3000.0, -10.0]])
    assert facts.find_outliers(scores[None]).tolist() == [True]
    assert facts.find_culprits(scores[None])[0] == ((0,), True)


def test_a_fact_that_all_others_speak_against_is_named_with_no_other() -> None:
    facts = make_copula(0.29, 8).select(tuple(range(8)))
    assert facts is not None
    (scores,) = facts.compute_scores([[-24.0, *[24.0] * 7]])
    assert facts.find_outliers(scores[None]).tolist() == [True]
    assert facts.find_culprits(scores[None])[0] == ((0,), False)


def test_where_it_takes_all_facts_none_is_named() -> None:
    facts = make_copula(0, 12).select(tuple(range(12)))
    assert facts is not None
    (scores,) = facts.compute_scores([[22.0, -22.0] * 6])
    assert facts.find_outliers(scores[None]).tolist() == [True]
    assert facts.find_culprits(scores[None])[0] == ((), False)


@given(st.lists(st.floats(-40, 40), min_size=3, max_size=3), st.integers(0, 2))
def test_a_row_along_one_fact_is_judged_as_each_row_is_by_itself(
    codes: list[float], place: int
) -> None:
    facts = make_copula(0.8, 3).select((0, 1, 2))
    assert facts is not None
    (scores,) = facts.compute_scores([codes])
    values = np.linspace(-3, 3, 25)
    rows = scores[None].repeat(26, axis=0)
    rows[1:, place] = values
    limits = (compute_square_limit(2.5, 3), 3.5, 3.0)
    near = [abs(figure - limit) for figure, limit in zip(facts.measure(rows), limits, strict=True)]
    certain = (np.array(near) > 1e-9).all(axis=0)
    along = facts.find_outliers_along(scores, place, values)
    assert along[certain].tolist() == facts.find_outliers(rows)[certain].tolist()


def test_facts_that_go_together_are_unlike_the_data_where_all_are_far_out() -> None:
    facts = make_copula(0.8, 3).select((0, 1, 2))
    assert facts is not None
    scores = np.array([[2.6, 2.6, 2.6], [2.9, 2.9, 2.9]])
    _, largest, together = facts.measure(scores)
    assert largest.max() < 3.5
    assert together.max() < 3.5
    assert facts.find_outliers(scores).tolist() == [False, True]


def test_a_file_of_old_has_one_limit_for_all_projections(tmp_path: Path) -> None:
    copula = make_copula(0.8, 3)
    copula.save(tmp_path / "copula.npz")
    assert GaussianCopula.load(tmp_path / "copula.npz").limits == copula.limits
    with np.load(tmp_path / "copula.npz") as arrays:
        np.savez(tmp_path / "old.npz", **{**arrays, "limits": arrays["limits"][:2]})
    assert GaussianCopula.load(tmp_path / "old.npz").limits == Limits(2.5, 3.5, 3.5)


def test_facts_without_scores_tell_nothing() -> None:
    assert make_copula(0).select((5, 7)) is None
    assert make_copula(0).select(()) is None


def test_what_is_saved_is_read_again(tmp_path: Path, house: NumberModel) -> None:
    copula = house.copula
    assert copula is not None
    copula.save(tmp_path / "copula.npz")
    found = GaussianCopula.load(tmp_path / "copula.npz")
    assert (found.limits, found.columns) == (copula.limits, copula.columns)
    assert (found.correlation == copula.correlation).all()
    for marginal, other in zip(found.marginals, copula.marginals, strict=True):
        assert (marginal.codes == other.codes).all()
        assert (marginal.scores == other.scores).all()


def explain(house: NumberModel, **values: object) -> tuple[bool, Mismatch | None]:
    row: Features | None
    row, errors = house.card.validate_row(values)
    assert row is not None, errors
    (explained,) = house.explain([row], contributions=False)
    return explained.out_of_distribution, explained.mismatch


def test_the_house_model_names_bedrooms_that_do_not_fit_the_living_area(
    house: NumberModel,
) -> None:
    outside, mismatch = explain(house, beds=8, baths=1, sqft=700)
    assert outside
    assert mismatch == Mismatch({"beds": 8, "sqft": 700}, alone=False)
    assert explain(house, beds=3, baths=2, sqft=1850) == (False, None)


@pytest.mark.parametrize("alone", [True, False])
def test_a_unit_that_ends_in_a_full_stop_ends_the_sentence_that_names_it(
    house: NumberModel, alone: bool
) -> None:
    field = house.card.by_name["sqft"].model_copy(update={"unit": "pcs."})
    card = house.card.model_copy(update={"by_name": {"sqft": field}})
    text = describe_mismatch(card, Mismatch({"sqft": 700}, alone=alone))
    assert text.endswith(" area 700\u00a0pcs.")


def test_with_every_fact_it_finds_a_garage_too_large_for_the_year(house: NumberModel) -> None:
    values = dict(house.card.examples[0].values) | {"year_built": 1890, "garage_cars": 5}
    outside, mismatch = explain(house, **values)
    assert outside
    assert mismatch is not None
    assert "garage_cars" in mismatch.facts


def test_a_card_that_asks_nothing_with_scores_has_no_outliers(house: NumberModel) -> None:
    assert house.copula is not None
    places = [house.copula.columns.index(house.card.names.index("lot_area"))]
    marginals = [house.copula.marginals[place] for place in places]
    copula = GaussianCopula(marginals, np.eye(1), house.copula.limits)
    model = replace(house, copula=copula)
    assert explain(model, beds=8, baths=1, sqft=700) == (False, None)
    row, _ = house.card.validate_row({"beds": 8, "baths": 1, "sqft": 700})
    assert row is not None
    (explained,) = model.explain([row], "lot_area")
    assert explained.ice_curve is not None
    inside = list(explained.ice_curve.in_distribution)
    assert {False, True} == set(inside)
    (explained,) = model.explain([row], "sqft")
    assert explained.ice_curve is not None
    assert all(explained.ice_curve.in_distribution)
