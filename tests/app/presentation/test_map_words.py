"""The map of a picture in words."""

import numpy as np
import pytest

from app.presentation.map_words import describe_map, describe_place
from model.contract.arrays import Float32Array


def weigh(side: int, *cells: tuple[int, int]) -> Float32Array:
    weight = np.zeros((side, side), np.float32)
    for cell in cells:
        weight[cell] = 1
    return weight


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([(4, 4)], "mostly the lower right of the picture"),
        ([(0, 1), (1, 0)], "mostly the upper left of the picture"),
        ([(2, 4), (2, 3)], "mostly the right half of the picture"),
        ([(0, 0), (0, 4)], "mostly the upper half of the picture"),
        ([(2, 2)], "mostly the middle of the picture"),
        ([(0, 0), (4, 4), (0, 4), (4, 0)], "the whole picture"),
        ([], ""),
    ],
)
def test_a_place_is_named(cells: list[tuple[int, int]], words: str) -> None:
    assert describe_place(weigh(5, *cells)) == words


def test_a_map_of_any_shape_is_described() -> None:
    assert describe_place(np.ones((1, 1), np.float32)) == "the whole picture"
    assert describe_place(np.eye(2, 7, dtype=np.float32)) == "mostly the left half of the picture"


def test_what_speaks_for_the_class_and_what_against_it_is_told_apart() -> None:
    heat = weigh(7, (6, 6)) - weigh(7, (0, 0), (0, 1))
    assert describe_map(heat, "pneumonia") == (
        "Mostly the lower right of the picture speaks for pneumonia, "
        "mostly the upper left of the picture against it."
    )
    assert describe_map(weigh(5, (2, 2)), "a cat") == (
        "Mostly the middle of the picture speaks for a cat, nothing against it."
    )
    assert describe_map(-weigh(5, (4, 0)), "a cat") == (
        "Nothing speaks for a cat; mostly the lower left of the picture speaks against it."
    )
    assert describe_map(weigh(5), "a cat") == (
        "No part of the picture speaks for a cat or against it."
    )
