"""How durations and percentages are written, and which numbers are taken for them."""

from typing import Any

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
        (172_799, 1, "47 h 59 min 59 s"),
        (172_740, 60, "47 h 59 min"),
        (90_061, 1, "25 h 1 min 1 s"),
        (263_106, 1, "3 d 1 h 5 min 6 s"),
        (5400, 3600, "2 h"),
        (7200, 7200, "2 h"),
        (59.5, 0.5, "59.5 s"),
        (0.25, 0.25, "0.2 s"),
        (0, 86_400, "0 days"),
        (7, 10, "7 s"),
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
    ("round_to", "unit", "share", "points"),
    [
        (1, "%", "23%", "23\xa0points"),
        (0.1, "%", "23.4%", "23.4\xa0points"),
        (0.5, "%", "23.4%", "23.4\xa0points"),
        (10, "%", "23%", "23\xa0points"),
        (0.01, "", "23%", "23\xa0points"),
        (0.001, "", "23.4%", "23.4\xa0points"),
        (0.00001, "", "23.400%", "23.4\xa0points"),
    ],
)
def test_a_percentage_has_as_many_decimals_as_its_step(
    round_to: float, unit: str, share: str, points: str
) -> None:
    output = NumberOutput(label="x", noun="x", format="percent", round_to=round_to, unit=unit)
    value = 23.4 if unit else 0.234
    assert make_writer(output, "en_US")(value) == share
    assert make_difference_writer(output, "en_US")(value) == points


@pytest.mark.parametrize(
    ("changes", "value", "text"),
    [
        ({"format": "currency", "unit": "USD"}, 1234.0, "$1,234"),
        ({"format": "number", "unit": "m²"}, 1234.5, "1,234.5\xa0m²"),
        ({"format": "number"}, 0.00012345, "0"),
        ({"format": "number", "round_to": 0.001}, 0.00012345, "0"),
        ({"format": "number", "round_to": 0.0009}, 0.00012345, "0.00012345"),
        ({"format": "duration", "unit": "hours", "round_to": 0.25}, 2.5, "2\xa0h 30\xa0min"),
    ],
)
def test_a_value_is_written_in_its_unit(changes: dict[str, Any], value: float, text: str) -> None:
    output = NumberOutput.model_validate({"label": "x", "noun": "x", **changes})
    assert make_writer(output, "en_US")(value) == text
    assert make_difference_writer(output, "en_US")(value) == text


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
