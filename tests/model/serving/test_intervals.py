"""Intervals by which facts are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import NumberModel
from model.contract.manifest import Calibration, CalibrationGroup
from model.serving.fact_groups import FactGroups
from model.serving.intervals import ConformalIntervals, describe_evidence


def group(*known: str, low: float = 1.0, high: float = 1.0, width: float = 0.5) -> CalibrationGroup:
    """Ends that are twice as far at 100 as at 0."""
    return CalibrationGroup(
        known=known, knots=(0, 100), lows=(-low, -2 * low), highs=(high, 2 * high), width=width,
        error=0.1,
    )  # fmt: skip


GROUPS = (
    group(low=2, high=3, width=0.5),
    group("a", width=0.3),
    group("b", width=0.4),
    group("a", "b", low=0.5, high=0.5, width=0.2),
)


def intervals(
    scale: str = "log", groups: tuple[CalibrationGroup, ...] = GROUPS
) -> ConformalIntervals:
    calibration = Calibration.model_validate(
        {"method": "x", "coverage": 0.9, "scale": scale, "groups": groups}
    )
    return ConformalIntervals(calibration, ("a", "b"))


ROWS = st.lists(
    st.tuples(st.floats(1, 1e6), st.floats(0, 3), st.sampled_from(GROUPS)), min_size=1, max_size=5
)
"""Predictions, their spreads, and their groups."""


@given(ROWS, st.sampled_from(["linear", "sqrt", "log"]))
def test_a_range_has_the_ends_of_its_group_at_its_prediction_on_the_scale(
    rows: list[tuple[float, float, CalibrationGroup]], scale: str
) -> None:
    """Ends are interpolated between knots and the same beyond them."""
    values, spreads = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    groups = [row[2] for row in rows]
    lows, highs = intervals(scale).compute_bounds(values, spreads, groups)
    apart = [
        tuple(end.item() for end in intervals(scale).compute_bounds(*one))
        for one in zip(values[:, None], spreads[:, None], [[item] for item in groups], strict=True)
    ]
    assert list(zip(lows.tolist(), highs.tolist(), strict=True)) == apart
    for value, spread, own, low, high in zip(values, spreads, groups, lows, highs, strict=True):
        share = 1 + min(value / 100, 1)
        below, above = share * spread * own.lows[0], share * spread * own.highs[0]
        if scale == "linear":
            expected = value + below, value + above
        elif scale == "log":
            expected = value * np.exp(below), value * np.exp(above)
        else:
            expected = max(value**0.5 + below, 0) ** 2, (value**0.5 + above) ** 2
        assert (low, high) == pytest.approx(expected)


def test_a_range_of_roots_never_goes_below_zero() -> None:
    low, high = intervals("sqrt").compute_bounds(np.array([-5.0, 0.0, 1.0]), None, GROUPS[:1])
    assert low.tolist() == [0, 0, 0]
    assert (high >= 9).all()


@pytest.mark.parametrize(
    ("rows", "inside", "said"),
    [
        (None, None, ""),
        (20, None, "The range was set on 20 cases it had not seen, too few to measure how "
         "often it holds."),
        (99, 0.95, "Measured on 99 cases it had not seen, too few to say how it is for low or "
         "for high answers."),
        (100, 0.9, "Measured on 100 cases it had not seen, for low and high answers only "
         "roughly: 87, 90, 93, 90 and 90 of 100 ranges held, from the lowest fifth of the answers "
         "to the highest."),
        (499, 0.9, "Measured on 499 cases it had not seen, for low and high answers only "
         "roughly: 87, 90, 93, 90 and 90 of 100 ranges held, from the lowest fifth of the answers "
         "to the highest."),
        (500, 0.9, "Measured on 500 cases it had not seen: among low and high answers, "
         "too, at least 87 of 100 ranges held."),
        (2344, 0.9, "Measured on 2,344 cases it had not seen: among low and high answers, "
         "too, at least 87 of 100 ranges held."),
    ],
)  # fmt: skip
def test_what_is_promised_depends_on_how_many_rows_were_held_out(
    rows: int | None, inside: float | None, said: str
) -> None:
    fifths = (0.867, 0.9, 0.93, 0.9, 0.9) if inside else ()
    measured = GROUPS[0].model_copy(update={"rows": rows, "inside": inside, "fifths": fifths})
    assert describe_evidence(measured, "en_US") == said


def test_each_unknown_fact_is_named_with_the_share_by_which_it_narrows() -> None:
    gains = intervals().measure_gains(frozenset())
    assert max(gains, key=gains.__getitem__) == "a"
    assert gains["a"] == pytest.approx(0.4)
    assert intervals().measure_gains(frozenset("a")) == pytest.approx({"b": 1 / 3})
    assert intervals().measure_gains(frozenset("ab")) == {}


def test_the_order_of_known_facts_does_not_matter() -> None:
    made = intervals()
    assert made.find_group(("b", "a")) is made.find_group(("a", "b"))
    assert made.find_group(("b", "a")).width == 0.2


def test_a_missing_group_is_counted() -> None:
    assert FactGroups(GROUPS, ("a", "b")).count_missing() == 0
    assert FactGroups(GROUPS[:3], ("a", "b")).count_missing() == 1


def test_groups_may_stand_for_a_number_of_unknown_facts() -> None:
    by_count = [group(width=1 + count).model_copy(update={"unknown": count}) for count in range(3)]
    made = intervals(groups=tuple(by_count))
    assert FactGroups(by_count, ("a", "b")).count_missing() == 0
    assert [made.find_group(known).unknown for known in ((), ("b",), ("a", "b"))] == [2, 1, 0]
    assert FactGroups(by_count[:2], ("a", "b")).count_missing() == 1


def test_each_further_fact_narrows_the_interval_of_the_house_price(house: NumberModel) -> None:
    assert house.intervals is not None
    known: frozenset[str] = frozenset()
    widths = [house.intervals.find_group(known).width]
    while gains := house.intervals.measure_gains(known):
        known |= {max(gains, key=gains.__getitem__)}
        widths.append(house.intervals.find_group(known).width)
    assert widths == sorted(widths, reverse=True)
    full = house.intervals.find_group(house.card.optional).width
    assert full < 0.8 * widths[0]
