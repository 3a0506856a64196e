"""Ranges by which facts are known."""

import math

import pytest

from model import Regressor
from model.contract.card import Calibration, Group
from model.serving.intervals import ConformalIntervals

GROUPS = (
    Group(known=(), low=2, high=3, width=0.5, error=0.1),
    Group(known=("a",), low=1, high=1, width=0.3, error=0.08),
    Group(known=("b",), low=1, high=1, width=0.4, error=0.09),
    Group(known=("a", "b"), low=0.5, high=0.5, width=0.2, error=0.05),
)


def ranges(scale: str = "log", groups: tuple[Group, ...] = GROUPS) -> ConformalIntervals:
    calibration = Calibration.model_validate(
        {"method": "x", "coverage": 0.9, "scale": scale, "groups": [g.model_dump() for g in groups]}
    )
    return ConformalIntervals(calibration, ("a", "b"))


def test_the_ends_follow_the_scale() -> None:
    low, high = ranges("log").bounds([100.0, 50.0], [0.1, 0.0], GROUPS[0])
    assert (low[0], high[0]) == pytest.approx((100 * math.exp(-0.2), 100 * math.exp(0.3)))
    assert (low[1], high[1]) == (50, 50)
    low, high = ranges("linear").bounds([100.0], [5.0], GROUPS[0])
    assert (low, high) == ([90], [115])
    for scale in ("log", "linear"):
        found = ranges(scale).bounds([100.0], [0.7], GROUPS[0])
        both = found[0][0], found[1][0]
        assert ranges(scale).ends(100.0, 0.7, GROUPS[0]) == pytest.approx(both)


def test_the_fact_that_narrows_most_is_named_with_its_share() -> None:
    for known, name, share in (((), "a", 0.4), (("a",), "b", 1 / 3)):
        best = ranges().narrowing(frozenset(known))
        assert best is not None
        assert best[0] == name
        assert best[1] == pytest.approx(share)
    assert ranges().narrowing(frozenset({"a", "b"})) is None


def test_the_order_of_known_facts_does_not_matter() -> None:
    made = ranges()
    assert made.group(("b", "a")) is made.group(("a", "b"))
    assert made.group(("b", "a")).width == 0.2


def test_a_lacking_group_is_counted() -> None:
    assert ranges(groups=GROUPS[:3]).missing_groups() == 1


def test_each_further_fact_makes_the_house_price_surer_on_the_way_to_all(house: Regressor) -> None:
    assert house.ranges is not None
    known: frozenset[str] = frozenset()
    widths = [house.ranges.group(known).width]
    while best := house.ranges.narrowing(known):
        known |= {best[0]}
        widths.append(house.ranges.group(known).width)
    assert widths == sorted(widths, reverse=True)
    full = house.ranges.group(house.card.optional).width
    assert full < 0.8 * widths[0]
