"""Geometry: what the numbers say is where the coordinates are."""

import re

import numpy as np
import pytest

from app import charts


def test_a_gauge_keeps_order_and_stays_on_its_axis() -> None:
    made = charts.gauge(150, 100, 250, (100, 200))
    assert (made.low, made.dot, made.low + made.width) == (0, 160, 320)
    assert charts.gauge(5, 5, 5, (100, 200)).width > 0


def test_a_waterfall_leads_from_start_to_end() -> None:
    made = charts.waterfall(100, [50, -20, 0])
    assert [bar.way for bar in made.bars] == ["up", "down", "up"]
    first, second, _ = made.bars
    assert first.x == pytest.approx(made.start, abs=0.2)
    assert first.x + first.width == pytest.approx(second.x + second.width, abs=0.2)
    assert second.x == pytest.approx(made.end, abs=0.2)
    assert made.height == made.end_y + charts.ROW


def test_a_waterfall_without_any_step_is_drawn_too() -> None:
    made = charts.waterfall(100, [])
    assert made.start == made.end


def test_a_curve_breaks_where_there_is_no_support_and_misses_no_stretch() -> None:
    values = np.arange(5, dtype=np.float32)
    answers = np.array([1.0, 2, 3, 4, 5])
    supported = np.array([False, True, True, True, False])
    made = charts.curve(values, answers, answers - 1, answers + 1, supported, (2.0, 3.0))
    assert made.line.count("M") == 1
    assert made.broken.count("M") == 2
    ends = re.findall(r"\d+ \d+", made.line)
    pieces = re.findall(r"\d+ \d+", made.broken)
    assert pieces[1] == ends[0]
    assert pieces[2] == ends[-1]
    assert made.dot == (160, 66)
    assert made.band.count("L") == 9


def test_a_present_value_beyond_the_grid_widens_the_axis() -> None:
    values = np.array([10, 20], dtype=np.float32)
    flat = np.array([5.0, 5.0])
    made = charts.curve(values, flat, flat, flat, np.array([True, True]), (40.0, 5.0))
    assert made.dot is not None
    assert made.dot[0] == charts.WIDTH
    assert made.line.endswith("107 0")


def test_bars_begin_at_zero_and_mark_the_present_choice() -> None:
    made = charts.bars([("a", "$10", 10, False, True), ("b", "$5", 5, True, True),
                        ("c", "$0", 0, False, False)])  # fmt: skip
    assert [(bar.x, bar.width) for bar in made.bars] == [(150, 102), (150, 51), (150, 0)]
    assert [bar.mark for bar in made.bars] == ["seen", "here", "pale"]


def test_bars_below_zero_end_where_the_others_begin() -> None:
    made = charts.bars([("a", "2", 2, False, True), ("b", "-1", -1, False, True)])
    above, below = made.bars
    assert below.x + below.width == above.x == 184
    assert (below.x, above.x + above.width) == (charts.BAR_LEFT, charts.BAR_RIGHT)


def test_a_long_label_of_a_curve_gets_the_room_that_it_needs() -> None:
    assert charts.labels("0", "9", "$183,500", "$275,500").margin == 70
    assert charts.labels("0", "9", "$183,500", "$2,111,000").margin == 86
