"""Geometry: what the numbers say is where the coordinates are."""

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.presentation import charts
from app.presentation.scales import NumberScale
from model import NumberModel
from model.contract.manifest import BINS

AMOUNTS = st.integers(-(10**15), 10**15).map(lambda thousandths: thousandths / 1000)


@pytest.fixture(scope="module")
def scale(house: NumberModel) -> NumberScale:
    return NumberScale(house.card)


def percent(place: object) -> float:
    return float(str(place))


def lay_out_strip(scale: NumberScale, own: float, low: float, high: float, **more: Any) -> Any:
    given = {"axis": (0.0, 100_000.0), "typical": 40_000.0, "others": (), **more}
    labels = ("this house", "typical", " $40,000")
    return charts.lay_out_strip(own=own, interval=(low, high), scale=scale, labels=labels, **given)


def list_labels(ticks: str) -> list[str]:
    return re.findall(">([^<]+)</text>", ticks)


def test_a_strip_places_the_range_and_the_bars_inside_it(scale: NumberScale) -> None:
    drawn = lay_out_strip(scale, 50_000, 25_000, 75_000)
    assert (drawn.bars_x, drawn.bars_width, drawn.low, drawn.width) == (
        "0.0", "100.0", "25.0", "50.0",
    )  # fmt: skip
    assert drawn.window == "100.0 0 200.0 100"
    assert drawn.own == ("50.0", "right")
    assert drawn.typical == ("40.0", "left")
    assert list_labels(drawn.ticks) == ["$20K", "$40K", "$60K", "$80K"]


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.lists(AMOUNTS, max_size=3))
def test_a_strip_holds_every_mark_at_any_scale(
    house: NumberModel, own: float, low: float, high: float, others: list[float]
) -> None:
    low, high = min(low, high), max(low, high)
    drawn = lay_out_strip(NumberScale(house.card), own, low, high, others=others)
    places = [drawn.own.x, drawn.typical.x, drawn.low, *(ring.x for ring in drawn.rings)]
    assert all(0 <= percent(place) <= 100 for place in places)
    assert percent(drawn.low) + percent(drawn.width) <= 100.5
    texts = list_labels(drawn.ticks)
    assert len(set(texts)) == len(texts)


def test_rings_at_one_place_stand_above_each_other(scale: NumberScale) -> None:
    drawn = lay_out_strip(scale, 1, 1, 1, others=(50_000, 50_000, 50_500, 90_000))
    heights = [float(ring.y) for ring in drawn.rings]
    assert heights[0] > heights[1] > heights[2]
    assert heights[3] == heights[0]


def test_a_label_without_room_on_its_side_leans_to_the_other(scale: NumberScale) -> None:
    assert lay_out_strip(scale, 98_000, 98_000, 98_000).own.side == "left"
    assert lay_out_strip(scale, 90_000, 1, 2, typical=2_000.0).typical.side == "right"


def test_the_flag_does_not_cross_the_label_of_the_typical_answer(scale: NumberScale) -> None:
    assert lay_out_strip(scale, 35_000, 1, 2, typical=20_000.0).typical.side == "left"


def test_the_labels_of_tiny_numbers_do_not_touch_on_a_narrow_phone(scale: NumberScale) -> None:
    tiny = copy.copy(scale)
    tiny.step = 1e-8
    tiny.format_tick = "{:.6f}".format
    texts = [tick.text for tick in charts.lay_out_axis(0.2e-6, 4.8e-6, tiny)]
    assert texts == ["0.000002", "0.000004"]


def test_the_highest_bar_is_the_largest_count() -> None:
    drawn = charts.draw_bars([0, 5, 10] + [0] * (BINS - 3))
    assert drawn == "M15 100V52M25 100V3"


@given(AMOUNTS, AMOUNTS, st.sampled_from([0.01, 1, 500]))
def test_ticks_are_few_round_and_inside(low: float, high: float, step: float) -> None:
    low, high = min(low, high), max(low, high) + 1
    ticks = charts.choose_ticks(low, high, 5, step)
    assert len(ticks) <= 7
    tolerance = 1e-6 * max(abs(low), abs(high))
    assert all(low - tolerance <= tick <= high + tolerance for tick in ticks)


def test_a_waterfall_leads_from_start_to_end() -> None:
    drawn = charts.lay_out_waterfall(100, [50, -20, 0])
    assert [bar[3] for bar in drawn.bars] == ["up", "less", "up"]
    places = [[percent(place) for place in bar[:3]] for bar in drawn.bars]
    (first, width, leads), (second, second_width, end), _ = places
    assert first == pytest.approx(percent(drawn.start), abs=0.2)
    assert first + width == pytest.approx(second + second_width, abs=0.2)
    assert leads == pytest.approx(first + width, abs=0.2)
    assert second == pytest.approx(percent(drawn.end), abs=0.2)
    assert end == pytest.approx(percent(drawn.end), abs=0.2)


def test_a_waterfall_without_any_step_is_drawn_too() -> None:
    drawn = charts.lay_out_waterfall(100, [])
    assert drawn.start == drawn.end


@given(AMOUNTS, st.lists(AMOUNTS, max_size=12))
def test_a_waterfall_stays_on_its_plot_at_any_scale(start: float, steps: list[float]) -> None:
    drawn = charts.lay_out_waterfall(start, steps)
    for x, width, _, _ in drawn.bars:
        assert percent(x) >= 0
        assert percent(x) + percent(width) <= 101


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_a_dot_stays_on_its_curve_s_plot(
    house: NumberModel, value: float, low: float, high: float, x: float, y: float
) -> None:
    curve = charts.lay_out_curve(
        [low, high], [x, y], [x, y], [x, y], [True, True], (value, value), NumberScale(house.card)
    )
    assert curve.dot is not None
    assert 0 <= percent(curve.dot.x) <= 100
    assert 0 <= percent(curve.dot.y) <= 100


def test_a_curve_breaks_where_there_is_no_support_and_misses_no_stretch(
    scale: NumberScale,
) -> None:
    values, answers, low, high = ([x, x + 1, x + 2, x + 3, x + 4] for x in (0.0, 1.0, 0.0, 2.0))
    drawn = charts.lay_out_curve(
        values, answers, low, high, [False, True, True, True, False], (2.0, 3.0), scale
    )
    assert drawn.line.count("M") == 1
    assert drawn.broken.count("M") == 2
    ends = re.findall(r"\d+ \d+", drawn.line)
    pieces = re.findall(r"\d+ \d+", drawn.broken)
    assert pieces[1] == ends[0]
    assert pieces[2] == ends[-1]
    assert drawn.dot == ("50.0", "50.0")
    assert drawn.band.count("L") == 9


def test_a_present_value_beyond_the_grid_widens_the_axis(scale: NumberScale) -> None:
    flat = [5.0, 5.0]
    drawn = charts.lay_out_curve([10.0, 20.0], flat, flat, flat, [True, True], (40.0, 5.0), scale)
    assert drawn.dot is not None
    assert drawn.dot.x == "100.0"
    assert (drawn.first, drawn.last) == (10, 40)
    assert drawn.line.endswith("333 500")


def test_a_flat_line_at_the_limit_of_its_scale_leaves_no_room_beyond(scale: NumberScale) -> None:
    narrow = copy.copy(scale)
    narrow.least_span, narrow.limits = 10_000.0, (0.0, 100_000.0)
    flat = [99_000.0] * 3
    drawn = charts.lay_out_curve([1, 2, 3], flat, flat, flat, [True] * 3, (2, 99_000.0), narrow)
    assert drawn.dot is not None
    assert percent(drawn.dot.y) == pytest.approx(13, abs=1)


def test_a_difference_too_small_to_be_shown_is_drawn_as_a_flat_line(scale: NumberScale) -> None:
    answers = [100_000.0, 100_001.0]
    drawn = charts.lay_out_curve([0, 1], answers, answers, answers, [True, True], None, scale)
    assert drawn.line == "M0 500L1000 500"
    texts = [tick.text for tick in drawn.ticks]
    assert len(set(texts)) == len(texts)


def test_bars_begin_at_zero_and_mark_the_present_choice() -> None:
    drawn = charts.lay_out_bars([("a", "$10", 10, False, True), ("b", "$5", 5, True, True),
                        ("c", "$0", 0, False, False)])  # fmt: skip
    assert [(bar.x, bar.width) for bar in drawn] == [("", "100.0"), ("", "50.0"), ("", "0.0")]
    assert [bar.mark for bar in drawn] == ["", "here", "pale"]


def test_bars_below_zero_end_where_the_others_begin() -> None:
    drawn = charts.lay_out_bars([("a", "2", 2, False, True), ("b", "-1", -1, False, True)])
    above, below = drawn
    assert percent(below.x) + percent(below.width) == pytest.approx(percent(above.x), abs=0.1)
    assert below.x == "0.0"
    assert percent(above.x) + percent(above.width) == pytest.approx(100, abs=0.1)
