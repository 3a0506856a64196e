"""Geometry: what the numbers say is where the coordinates are."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.presentation import charts

AMOUNTS = st.integers(-(10**15), 10**15).map(lambda thousandths: thousandths / 1000)


def test_a_gauge_keeps_order_and_stays_on_its_axis() -> None:
    drawn = charts.lay_out_gauge(150, 100, 250, (100, 200))
    assert drawn == ("0.0", "320.0", "160.0")
    assert float(charts.lay_out_gauge(5, 5, 5, (100, 200)).width) > 0


def test_a_waterfall_leads_from_start_to_end() -> None:
    drawn = charts.lay_out_waterfall(100, [50, -20, 0])
    assert [direction for _, _, direction in drawn.bars] == ["up", "down", "up"]
    places = [[float(place) for place in bar[:2]] for bar in drawn.bars]
    (first, width), (second, second_width), _ = places
    assert first == pytest.approx(float(drawn.start), abs=0.2)
    assert first + width == pytest.approx(second + second_width, abs=0.2)
    assert second == pytest.approx(float(drawn.end), abs=0.2)


def test_a_waterfall_without_any_step_is_drawn_too() -> None:
    drawn = charts.lay_out_waterfall(100, [])
    assert drawn.start == drawn.end


@given(AMOUNTS, st.lists(AMOUNTS, max_size=12))
def test_a_waterfall_stays_on_its_plot_at_any_scale(start: float, steps: list[float]) -> None:
    drawn = charts.lay_out_waterfall(start, steps)
    for x, width, _ in drawn.bars:
        assert float(x) >= 0
        assert float(x) + float(width) <= charts.WIDTH + 1.5


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_a_gauge_and_a_dot_stay_on_theirs(
    value: float, low: float, high: float, x: float, y: float
) -> None:
    drawn = charts.lay_out_gauge(value, low, max(low, high), (min(x, y), max(x, y)))
    assert 0 <= float(drawn.dot) <= charts.WIDTH
    curve = charts.lay_out_curve([low, high], [x, y], [x, y], [x, y], [True, True], (value, value))
    assert curve.dot is not None
    assert 0 <= float(curve.dot.x) <= charts.WIDTH
    assert 0 <= float(curve.dot.y) <= charts.HEIGHT


def test_a_curve_breaks_where_there_is_no_support_and_misses_no_stretch() -> None:
    values, answers, low, high = ([x, x + 1, x + 2, x + 3, x + 4] for x in (0.0, 1.0, 0.0, 2.0))
    drawn = charts.lay_out_curve(
        values, answers, low, high, [False, True, True, True, False], (2.0, 3.0)
    )
    assert drawn.line.count("M") == 1
    assert drawn.broken.count("M") == 2
    ends = re.findall(r"\d+ \d+", drawn.line)
    pieces = re.findall(r"\d+ \d+", drawn.broken)
    assert pieces[1] == ends[0]
    assert pieces[2] == ends[-1]
    assert drawn.dot == ("160.0", "66.0")
    assert drawn.band.count("L") == 9


def test_a_present_value_beyond_the_grid_widens_the_axis() -> None:
    flat = [5.0, 5.0]
    drawn = charts.lay_out_curve([10.0, 20.0], flat, flat, flat, [True, True], (40.0, 5.0))
    assert drawn.dot is not None
    assert drawn.dot.x == str(charts.WIDTH)
    assert drawn.line.endswith("107 0")


def test_bars_begin_at_zero_and_mark_the_present_choice() -> None:
    drawn = charts.lay_out_bars([("a", "$10", 10, False, True), ("b", "$5", 5, True, True),
                        ("c", "$0", 0, False, False)])  # fmt: skip
    assert [(bar.x, bar.width) for bar in drawn] == [(150, 102), (150, 51), (150, 0)]
    assert [bar.mark for bar in drawn] == ["seen", "here", "pale"]


def test_bars_below_zero_end_where_the_others_begin() -> None:
    drawn = charts.lay_out_bars([("a", "2", 2, False, True), ("b", "-1", -1, False, True)])
    above, below = drawn
    assert below.x + below.width == above.x == 184
    assert (below.x, above.x + above.width) == (charts.BAR_LEFT, charts.BAR_RIGHT)
