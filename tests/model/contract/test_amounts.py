"""How durations and percentages are written, and which numbers are taken for them."""

import numpy as np
import pytest

from model.contract.amounts import format_duration, make_difference_writer, make_writer
from model.contract.outputs import NumberOutput
from model.making.kinds.measures import find_measure


@pytest.mark.parametrize(
    ("seconds", "finest", "text"),
    [
        (9300, 60, "2 h 35 min"),
        (9290, 60, "2 h 35 min"),
        (7200, 60, "2 h"),
        (0, 60, "0 min"),
        (45, 1, "45 s"),
        (3.14159, 0.01, "3.14 s"),
        (90_000, 60, "25 h"),
        (172_800, 60, "2 days"),
        (180_000, 60, "2 d 2 h"),
        (86_400 * 412, 86_400, "412 days"),
        (86_400, 86_400, "1 day"),
        (-600, 60, "−10 min"),
        (3599.99, 60, "1 h"),
    ],
)
def test_a_duration_is_told_by_its_parts(seconds: float, finest: float, text: str) -> None:
    assert format_duration(seconds, finest, "en_US").replace("\u00a0", " ") == text


def test_a_share_is_told_in_percent_and_its_difference_in_points() -> None:
    output = NumberOutput(label="x", noun="x", format="percent", round_to=0.001)
    assert make_writer(output, "en_US")(0.234) == "23.4%"
    assert make_difference_writer(output, "en_US")(0.031) == "3.1\u00a0points"
    hundred = NumberOutput(label="x", noun="x", format="percent", unit="%", round_to=1)
    assert make_writer(hundred, "en_US")(23) == "23%"
    assert make_difference_writer(hundred, "en_US")(1) == "1\u00a0point"


@pytest.mark.parametrize(
    ("column", "unit", "low", "high", "format_", "of"),
    [
        ("click_share", "", 0.0, 0.7, "percent", ""),
        ("conversionRate", "", 0.0, 0.7, "percent", ""),
        ("heart_rate", "", 55.0, 98.0, "number", None),
        ("humidity", "%", 12.0, 98.0, "percent", "%"),
        ("growth_pct", "%", -12.0, 98.0, "number", None),
        ("markup_percent", "", 12.0, 240.0, "number", None),
        ("price", "", 0.1, 0.9, "number", None),
        ("travel", "minutes", 3.0, 300.0, "duration", None),
        ("delay", "minutes", -3.0, 300.0, "number", None),
        ("age", "years", 3.0, 30.0, "number", None),
        ("weight", "kg", 3.0, 30.0, "number", None),
    ],
)
def test_names_and_values_say_what_a_number_measures(
    column: str, unit: str, low: float, high: float, format_: str, of: str | None
) -> None:
    found = find_measure(column, unit, np.array([low, high, (low + high) / 2]))
    assert (found.format, found.unit) == (format_, of)
