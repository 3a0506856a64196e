"""Intervals by which facts are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import NumberModel
from model.contract.manifest import Calibration, CalibrationGroup
from model.serving.intervals import ConformalIntervals

GROUPS = (
    CalibrationGroup(known=(), low=2, high=3, width=0.5, error=0.1),
    CalibrationGroup(known=("a",), low=1, high=1, width=0.3, error=0.08),
    CalibrationGroup(known=("b",), low=1, high=1, width=0.4, error=0.09),
    CalibrationGroup(known=("a", "b"), low=0.5, high=0.5, width=0.2, error=0.05),
)


def intervals(
    scale: str = "log", groups: tuple[CalibrationGroup, ...] = GROUPS
) -> ConformalIntervals:
    calibration = Calibration.model_validate(
        {"method": "x", "coverage": 0.9, "scale": scale, "groups": [g.model_dump() for g in groups]}
    )
    return ConformalIntervals(calibration, ("a", "b"))


ROWS = st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 3)), max_size=5)
"""Predictions and their spreads."""


@given(ROWS, st.sampled_from(GROUPS))
def test_a_range_is_as_many_spreads_wide_as_the_group_says_in_the_unit_of_the_spread(
    rows: list[tuple[float, float]], group: CalibrationGroup
) -> None:
    """From ``low`` spreads below to ``high`` above; on a log scale, of the logarithms."""
    values, spreads = [value for value, _ in rows], [spread for _, spread in rows]
    for scale in ("log", "linear"):
        at, back = (np.log, np.exp) if scale == "log" else (np.asarray, np.asarray)
        middle, spread = at(np.array(values)), np.array(spreads)
        low, high = back(middle - group.low * spread), back(middle + group.high * spread)
        lows, highs = intervals(scale).compute_bounds(np.array(values), spread, [group])
        assert lows == pytest.approx(low.tolist())
        assert highs == pytest.approx(high.tolist())


def test_the_fact_that_narrows_most_is_named_with_its_share() -> None:
    for known, name, share in (((), "a", 0.4), (("a",), "b", 1 / 3)):
        best = intervals().find_narrowing(frozenset(known))
        assert best is not None
        assert best[0] == name
        assert best[1] == pytest.approx(share)
    assert intervals().find_narrowing(frozenset({"a", "b"})) is None


def test_the_order_of_known_facts_does_not_matter() -> None:
    made = intervals()
    assert made.find_group(("b", "a")) is made.find_group(("a", "b"))
    assert made.find_group(("b", "a")).width == 0.2


def test_a_missing_group_is_counted() -> None:
    assert intervals().count_missing_groups() == 0
    assert intervals(groups=GROUPS[:3]).count_missing_groups() == 1


def test_groups_may_stand_for_a_number_of_unknown_facts() -> None:
    by_count = [
        CalibrationGroup(unknown=count, low=1, high=1, width=1 + count, error=0.1)
        for count in range(3)
    ]
    made = intervals(groups=tuple(by_count))
    assert made.count_missing_groups() == 0
    assert [made.find_group(known).unknown for known in ((), ("b",), ("a", "b"))] == [2, 1, 0]
    assert intervals(groups=tuple(by_count[:2])).count_missing_groups() == 1


def test_each_further_fact_narrows_the_interval_of_the_house_price(house: NumberModel) -> None:
    assert house.intervals is not None
    known: frozenset[str] = frozenset()
    widths = [house.intervals.find_group(known).width]
    while best := house.intervals.find_narrowing(known):
        known |= {best[0]}
        widths.append(house.intervals.find_group(known).width)
    assert widths == sorted(widths, reverse=True)
    full = house.intervals.find_group(house.card.optional).width
    assert full < 0.8 * widths[0]
