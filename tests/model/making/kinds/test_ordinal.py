"""Which classes look like steps of a scale, and how a range of likely ones grows."""

import numpy as np
import pytest

from model.contract.manifest import OrdinalCalibration, OrdinalGroup
from model.making.kinds.ordinal import find_order
from model.serving.ordinal import LikelyRanges, compute_masses, find_ends


@pytest.mark.parametrize(
    ("values", "target", "order", "is_sure"),
    [
        ("high low medium", "risk", "low medium high", True),
        ("High,Very high,Low", "risk", "Low,High,Very high", True),
        ("10 7 8 9", "points", "7 8 9 10", True),
        ("3.0 4.0 5.0", "y", "3.0 4.0 5.0", True),
        ("0 1 2", "species", "0 1 2", False),
        ("0 1 2 3", "quality", "0 1 2 3", True),
        ("1 star,2 stars,3 stars", "y", "1 star,2 stars,3 stars", True),
        ("Stage II,Stage I,Stage III", "y", "", False),
        ("1 2 4", "stars", "", False),
        ("1 2", "stars", "", False),
        ("amber birch cedar", "quality", "", False),
        ("low high amber", "y", "", False),
        ("small medium fast", "y", "", False),
        ("1a 2b 3c", "y", "", False),
    ],
)
def test_steps_are_recognised_by_words_and_by_numbers_in_a_row(
    values: str, target: str, order: str, is_sure: bool
) -> None:
    sign = "," if "," in values else " "
    found = find_order(values.split(sign), target)
    assert found == (tuple(order.split(sign)) if order else (), is_sure)


def test_a_range_grows_to_the_more_probable_neighbour_and_holds_the_best() -> None:
    probabilities = np.array([[0.1, 0.5, 0.3, 0.1], [0.4, 0.1, 0.1, 0.4]])
    masses = compute_masses(probabilities)
    assert masses[0] == pytest.approx([0.9, 0.5, 0.8, 1.0])
    assert masses[1] == pytest.approx([0.4, 0.5, 0.6, 1.0])
    low, high = find_ends(masses, np.array([0.85, 0.1]))
    assert low.tolist() == [1, 0]
    assert high.tolist() == [2, 0]


def test_a_range_ends_by_its_group_s_threshold_and_without_one_there_is_none() -> None:
    few = OrdinalGroup(unknown=0, rows=3, close=1)
    some = OrdinalGroup(unknown=1, rows=99, close=1, threshold=0.85)
    calibration = OrdinalCalibration(order=("1", "2", "3", "4"), coverage=0.9, groups=(few, some))
    ranges = LikelyRanges(calibration, [2, 0, 1, 3], ())
    probabilities = np.array([[0.5, 0.3, 0.1, 0.1]] * 2)
    assert ranges.find(probabilities, [few, some]) == [None, (0, 1)]
