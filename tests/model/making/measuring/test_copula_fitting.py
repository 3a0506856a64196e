"""The joint distribution is fitted with holes, and fires where it should and hardly elsewhere."""

import numpy as np
import pytest
from scipy.stats import norm

from model.contract.arrays import Float64Array
from model.making.measuring.copula_fitting import LEAST_ROWS, fit_copula
from model.serving.copula import GaussianCopula
from tests.model.making.conftest import AddedModels
from tests.model.serving.test_copula import score

HOLES = (0.0, 0.3, 0.6)


def draw(rows: int, rng: np.random.Generator) -> Float64Array:
    """Facts of flats: area, rooms and rent go together, age and floor do not."""
    size = rng.normal(size=rows)
    area = np.exp(4.2 + 0.4 * size)
    rooms = np.clip(np.round(area / 25 + rng.normal(0, 0.5, rows)), 1, 9)
    rent = area * np.exp(2.3 + rng.normal(0, 0.15, rows))
    age, floor = rng.gamma(2, 20, rows), rng.integers(0, 6, rows)
    return np.stack([area, rooms, rent, age, floor], axis=1)


def forget(rows: Float64Array, share: float, rng: np.random.Generator) -> Float64Array:
    unknown = rng.random(rows.shape) < share
    unknown[:, 0] = False
    return np.where(unknown, np.nan, rows)


def check(copula: GaussianCopula, rows: Float64Array) -> list[set[int] | None]:
    """The culprits in each row; None where it is like the data."""
    found: list[set[int] | None] = []
    for row in rows:
        facts = copula.select(tuple(np.flatnonzero(~np.isnan(row)).tolist()))
        assert facts is not None
        scores = facts.compute_scores([row.tolist()])
        fires = facts.find_outliers(scores)[0]
        found.append(set(facts.find_culprits(scores)[0][0]) if fires else None)
    return found


@pytest.mark.parametrize("share", HOLES)
def test_with_holes_it_fires_for_few_fresh_rows_and_for_what_is_absurd(share: float) -> None:
    rng = np.random.default_rng(3)
    copula = fit_copula(forget(draw(600, rng), share, rng), {})
    assert copula is not None
    fresh = draw(400, rng)
    fired = [found is not None for found in check(copula, forget(fresh, share, rng))]
    assert np.mean(fired) < 0.08
    assert None not in check(copula, forget(fresh[:50] * 1000, share, rng))
    contradicting = fresh[:50].copy()
    contradicting[:, 0], contradicting[:, 2] = 30, 2500
    contradicting[:, 1] = np.nan
    culprits = check(copula, contradicting)
    assert culprits == [{0, 2}] * 50


def test_it_fires_where_all_facts_are_at_their_maximum_although_they_go_together() -> None:
    rng = np.random.default_rng(8)
    rows = rng.normal(size=(500, 1)) + 0.3 * rng.standard_t(4, size=(500, 12))
    copula = fit_copula(rows, {})
    assert copula is not None
    assert check(copula, rows.max(axis=0)[None]) == [set()]


def test_scores_are_those_of_the_ranks_and_equal_rows_share_theirs() -> None:
    rows = np.stack([np.arange(101.0), np.repeat([0.0, 1.0], [51, 50])], axis=1)
    copula = fit_copula(rows, {})
    assert copula is not None
    assert score(copula, 0, 50) == pytest.approx(0, abs=0.02)
    assert score(copula, 0, 0) == pytest.approx(norm.ppf(0.5 / 101))
    assert score(copula, 1, 1) == pytest.approx(norm.ppf(76 / 101))


def test_the_correlation_is_found_through_the_holes() -> None:
    rng = np.random.default_rng(4)
    covariance = np.array([[1, 0.8, 0], [0.8, 1, 0.3], [0, 0.3, 1]])
    rows = rng.multivariate_normal(np.zeros(3), covariance, 2000)
    copula = fit_copula(np.where(rng.random(rows.shape) < 0.3, np.nan, rows), {})
    assert copula is not None
    assert copula.correlation == pytest.approx(covariance, abs=0.08)


def test_a_choice_that_no_row_has_is_unlike_the_data_by_itself() -> None:
    rng = np.random.default_rng(5)
    rows = np.column_stack([draw(200, rng), rng.integers(0, 2, 200)])
    copula = fit_copula(rows, {5: 3})
    assert copula is not None
    seen, unseen = rows[:1].copy(), rows[:1].copy()
    unseen[0, 5] = 2
    assert check(copula, seen) == [None]
    assert check(copula, unseen) == [{5}]
    choices = fit_copula(rows[:, 5:], {0: 3})
    assert choices is not None
    assert check(choices, unseen[:, 5:]) == [{0}]


def test_without_enough_to_tell_there_is_no_distribution() -> None:
    rng = np.random.default_rng(6)
    rows = draw(LEAST_ROWS, rng)
    assert fit_copula(rows[1:], {}) is None
    assert fit_copula(rows, {}) is not None
    assert fit_copula(np.ones((LEAST_ROWS, 2)), {}) is None
    assert fit_copula(np.full((LEAST_ROWS, 1), np.nan), {}) is None
    assert fit_copula(rng.integers(0, 2, (LEAST_ROWS, 1)).astype(float), {0: 2}) is None


def test_equal_facts_and_rare_ones_can_be_fitted() -> None:
    rng = np.random.default_rng(7)
    rows = draw(200, rng)
    rare = (np.arange(200) == 7).astype(float)
    copula = fit_copula(np.column_stack([rows, rows[:, 0], rare, np.full(200, 3.0)]), {})
    assert copula is not None
    assert copula.columns == (0, 1, 2, 3, 4, 5, 6)
    assert np.isfinite(copula.correlation).all()


def test_an_added_model_says_which_facts_do_not_go_together(added_models: AddedModels) -> None:
    model = added_models.load("passengers")
    assert model.copula is not None
    names = {model.card.names[column] for column in model.copula.columns}
    assert "embarked" not in names  # three ports have no order
    assert {"pclass", "age", "fare", "adult_male", "alone", "is_child"} <= names
    row = {**model.card.examples[0].values, "age": 60, "is_child": True}
    features, errors = model.card.validate_row(row)
    assert features is not None, errors
    (explained,) = model.explain([features])
    assert explained.mismatch is not None
    assert set(explained.mismatch.facts) == {"age", "is_child"}
