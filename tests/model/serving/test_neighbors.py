"""The nearest rows, against a plain search of every row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import NumberModel
from model.contract.texts import encode_text, text_codes
from model.serving.neighbors import NEAREST, Neighbors
from model.serving.texts.analyzer import Analyzer
from model.serving.texts.similarity import TextIndex


def distances(house: NumberModel, codes: list[float], columns: list[int]) -> np.ndarray:
    """Every training row's distance in double precision, the slow way."""
    neighbors = house.neighbors
    assert neighbors is not None
    total = np.zeros(len(neighbors.rows))
    for column in columns:
        rows = neighbors.rows[:, column].astype(float)
        if column in neighbors.tables:
            total += neighbors.tables[column][int(codes[column])][rows.astype(int)]
        else:
            total += float(neighbors.weights[column]) * (rows - codes[column]) ** 2
    return np.sqrt(total)


@given(st.integers(0, 2_343), st.lists(st.integers(0, 9), unique=True, min_size=1))
def test_the_nearest_rows_are_those_that_a_search_through_all_finds(
    house: NumberModel, row: int, columns: list[int]
) -> None:
    neighbors = house.neighbors
    assert neighbors is not None
    codes = neighbors.rows[row].tolist()
    found, mean = neighbors.find_nearest(codes, columns)
    every = distances(house, codes, columns)
    assert every[found] == pytest.approx(np.sort(every)[:NEAREST], abs=1e-3)
    assert mean == pytest.approx(np.sort(every)[:NEAREST].mean(), abs=1e-3)


def test_the_first_of_equally_near_rows_are_found() -> None:
    rows = np.zeros((9, 1), dtype=np.float32)
    neighbors = Neighbors(rows, np.zeros(9), None, np.ones(1, dtype=np.float32), {})
    assert neighbors.find_nearest([0.0], [0]) == ([0, 1, 2], 0.0)


def test_a_text_counts_by_the_square_of_its_cosine_distance() -> None:
    texts = ["red house", "red green house", "blue sky"]
    rows = np.array([[0, 1], [1, 1], [2, 4]], np.float32)
    weights = np.array([9, 1], np.float32)
    neighbors = Neighbors(rows, np.zeros(3), None, weights, {}, {0: texts})
    apart = TextIndex(texts, Analyzer()).compute_distances("red house")
    assert 0.1 < apart[1] < 0.9
    with text_codes():
        found = neighbors.compute_squared_distances([encode_text("red house"), 1.0], [0, 1])
    np.testing.assert_allclose(found, 9 * apart.astype(float) ** 2 + [0, 0, 9], atol=1e-5)
