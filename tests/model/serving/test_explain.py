"""Contributions: exact, efficient, symmetric; sampled where there are too many facts."""

import itertools
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import NumberModel
from model.contract.arrays import Float32Array, FloatArray
from model.serving.explain import LEADING, explain


def tangled(matrix: Float32Array) -> FloatArray:
    """A function with interactions, in which unknown counts as 1."""
    x = np.nan_to_num(matrix.astype(np.float64), nan=1.0)
    products = np.cumprod(1 + x / 10, axis=1)
    value: FloatArray = 100 + x.sum(axis=1) + 5 * products[:, -1] + 3 * x[:, 0] * x[:, -1]
    return value


def by_definition(row: Float32Array, reference: Float32Array) -> list[float]:
    """Shapley values as the mean gain over every order of the given facts."""
    given = [i for i in range(row.shape[1]) if not np.isnan(row[0, i])]
    shares = dict.fromkeys(given, 0.0)
    for order in itertools.permutations(given):
        at = row.copy()
        at[0, given] = reference[0, given]
        before = tangled(at)[0]
        for i in order:
            at[0, i] = row[0, i]
            after = tangled(at)[0]
            shares[i] += (after - before) / factorial(len(given))
            before = after
    return [shares[i] for i in given]


@pytest.mark.parametrize("unknown", [(), (1,), (0, 4)])
def test_they_are_the_mean_gain_over_every_order(unknown: tuple[int, ...]) -> None:
    row = np.array([[3, 1, 4, 1, 5]], dtype=np.float32)
    row[0, list(unknown)] = np.nan
    reference = np.array([[2, 7, 1, 1, 8]], dtype=np.float32)
    made = explain(tangled, row, reference)
    assert made.contributions == pytest.approx(by_definition(row, reference))
    assert made.base + sum(made.contributions) == pytest.approx(tangled(row)[0])
    assert made.columns == tuple(i for i in range(5) if i not in unknown)
    assert (made.others, made.joint) == ((), 0)


def test_a_fact_at_its_reference_value_contributes_nothing() -> None:
    row = np.array([[3, 1, 4]], dtype=np.float32)
    reference = np.array([[3, 2, 4]], dtype=np.float32)
    made = explain(tangled, row, reference)
    assert made.contributions[0] == made.contributions[2] == 0
    assert made.contributions[1] != 0


def test_of_twenty_facts_eight_are_exact_and_the_others_count_as_one() -> None:
    rng = np.random.default_rng(1)
    row = rng.integers(0, 9, (1, 20)).astype(np.float32)
    reference = row + rng.choice([-1, 1, 2], (1, 20)).astype(np.float32)
    reference[0, 7] = row[0, 7]
    made = explain(tangled, row, reference)
    assert sorted(made.columns + made.others) == list(range(20))
    assert 7 in made.columns
    assert made.contributions[made.columns.index(7)] == 0
    assert made.base + sum(made.contributions) + made.joint == pytest.approx(tangled(row)[0])

    # The same game by definition: the others move together.
    leading = [column for column in made.columns if column != 7]
    assert len(leading) == LEADING

    def join(matrix: Float32Array) -> FloatArray:
        rows = reference.repeat(len(matrix), axis=0)
        rows[:, leading] = matrix[:, :-1]
        rows[:, made.others] = np.where(
            matrix[:, -1:] == 1, row[:, made.others], reference[:, made.others]
        )
        return tangled(rows)

    few = explain(
        join, np.append(row[:, leading], [[1]], 1), np.append(reference[:, leading], [[0]], 1)
    )
    alone = [made.contributions[made.columns.index(column)] for column in leading]
    assert few.contributions == pytest.approx([*alone, made.joint])


def test_the_facts_that_do_most_have_a_contribution_of_their_own() -> None:
    weights = np.array([6, 9, 1, 8, 0, 7, 1, 0, 5, 0, 4, 3, 1, 2, 0], dtype=np.float32)

    def add(matrix: Float32Array) -> FloatArray:
        return matrix @ weights

    row = np.ones((1, 15), dtype=np.float32)
    made = explain(add, row, 0 * row)
    assert {0, 1, 3, 5, 8, 10, 11, 13} == set(made.columns)
    assert made.contributions == pytest.approx(weights[list(made.columns)])
    assert made.joint == pytest.approx(3)


@given(st.data())
def test_they_add_up_for_random_houses(house: NumberModel, data: st.DataObject) -> None:
    row = np.full((1, len(house.card.fields)), np.nan, dtype=np.float32)
    for i, field in enumerate(house.card.fields):
        if field.required or data.draw(st.booleans()):
            if field.kind == "choice":
                row[0, i] = data.draw(st.integers(0, len(field.choices) - 1))
            elif field.kind in ("integer", "number"):
                row[0, i] = data.draw(st.integers(int(field.min) + 1, int(field.max)))
    reference = house.card.encode(house.manifest.reference)
    value, _ = house.predictor.predict(row)
    made = explain(lambda rows: house.predictor.predict(rows)[0], row, reference)
    assert made.base + sum(made.contributions) == pytest.approx(value[0], abs=0.5)
