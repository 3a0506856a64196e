"""The plots of what held-out rows showed: places and words."""

import datetime as dt

import pytest

from app.presentation.plots import HEIGHT, WIDTH, plot_coverage, plot_reliability, plot_truth
from app.presentation.track_record import TrackWords, draw_plots
from model.contract.manifest import ReliabilityBin, TruthBin
from model.monitoring.track_record import Period, TrackRecord

BINS = [
    TruthBin(estimate=10, low=0, middle=10, high=20),
    TruthBin(estimate=50, low=40, middle=50, high=70),
    TruthBin(estimate=90, low=60, middle=95, high=100),
]


def test_estimates_and_truths_have_one_scale() -> None:
    plot = plot_truth(BINS, "rent", "{:.0f}".format)
    assert plot.dots == ((30, 180), (150, 100), (270, 10))
    assert plot.strokes == "M30.0 160.0V200.0M150.0 60.0V120.0M270.0 0.0V80.0"
    assert plot.line == f"M0 {HEIGHT}L{WIDTH} 0"
    assert "Both axes go from 0 to 100." in plot.words


def test_the_coverage_of_each_fifth_stands_beside_the_aim() -> None:
    plot = plot_coverage([0.88, 0.9, 1.0, 0.75, 0.92], 0.9)
    assert "88, 90, 100, 75 and 92 of 100 ranges held what it was" in plot.words
    assert plot.line == f"M0 40.0H{WIDTH}"
    assert [y for _, y in plot.dots] == [48, 40, 0, 100, 32]
    assert [tick.text for tick in plot.across_ticks] == [
        "lowest",
        "low",
        "middle",
        "high",
        "highest",
    ]
    below = plot_coverage([0.2, 0.9, 1.0, 0.75, 0.92], 0.9)
    assert max(y for _, y in below.dots) == HEIGHT


def test_what_is_as_right_as_it_is_sure_lies_on_the_line() -> None:
    shares = (0.55, 0.75, 0.95)
    bins = [ReliabilityBin(probability=share, right=share, rows=20) for share in shares]
    plot = plot_reliability(bins)
    for x, y in plot.dots:
        assert y == pytest.approx(HEIGHT - x * HEIGHT / WIDTH, abs=0.1)
    assert "55% sure, 55% right; 75% sure, 75% right; 95% sure, 95% right" in plot.words
    lower = plot_reliability([ReliabilityBin(probability=0.33, right=0.2, rows=9), *bins])
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in lower.dots)


def test_errors_by_month_are_drawn_from_zero_also_where_the_largest_is_one() -> None:
    months = (
        Period(dt.date(2026, 1, 1), 50, 45, 0.25, None),
        Period(dt.date(2026, 2, 1), 50, 45, 1.0, None),
    )
    record = TrackRecord(100, None, 0.5, 0, 0, (), (), months, 90, None, None, None)
    (drawn,) = draw_plots(record, TrackWords("Off by", "{:.2f}".format, str), "en_US")
    assert [label.text for label in drawn.up_ticks] == ["0.00", "0.50", "1.00"]
    assert [height for _, height in drawn.dots] == [0.75 * HEIGHT, 0]
