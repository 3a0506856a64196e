"""What a card may say of the model's answer."""

import math
import re
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from model.contract.outputs import ClassOutput, ClusterOutput, MultiOutput, OutputBase

SAID = {"label": "Kind", "noun": "kind"}
NUMBER = SAID | {"format": "number", "name": "first"}
OPTIONS = [{"value": f"n{place}", "label": f"Kind {place}"} for place in range(51)]
ORDERED = ["n2", "n0", "n1"]
NUMBERS = [NUMBER | {"name": option["value"]} for option in OPTIONS]


@pytest.mark.parametrize(
    ("output", "values", "key", "items", "least", "most"),
    [
        (ClassOutput, SAID, "classes", OPTIONS, 2, 50),
        (ClusterOutput, SAID, "clusters", OPTIONS, 2, 50),
        (MultiOutput, NUMBER, "others", NUMBERS, 1, 20),
    ],
)
def test_a_card_of_fewer_or_more_answers_is_refused(
    output: type[OutputBase],
    values: dict[str, Any],
    key: str,
    items: list[Any],
    least: int,
    most: int,
) -> None:
    for count in (least, most):
        assert len(getattr(output.model_validate(values | {key: items[:count]}), key)) == count
    for count in (least - 1, most + 1):
        with pytest.raises(ValidationError, match=f"\n{key}\n"):
            output.model_validate(values | {key: items[:count]})


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"coverage": 0.51}, ""),
        ({"coverage": 0.99}, ""),
        ({"coverage": 0.5}, "\ncoverage\n"),
        ({"coverage": 1}, "\ncoverage\n"),
        ({"round_to": 0}, "\nround_to\n"),
        ({"min": 0, "max": 1}, ""),
        ({"min": 1, "max": 1}, "min = 1 must be below max = 1"),
        ({"format": "percent", "unit": "%"}, ""),
        ({"format": "percent", "unit": "m"}, "a percentage has the unit"),
        ({"format": "duration", "unit": "minutes"}, ""),
        ({"format": "duration", "unit": "m²"}, 'unit = "m²" is no unit of time'),
        ({"range_text": "In {share} cases {low} to {high}"}, ""),
        ({"range_text": "{low} to {high}"}, "range_text must have {share}, {low}, {high} once"),
        ({"range_text": "{share}: {high} to {low}"}, "{low} before {high}"),
        ({"range_text": "{share}: {low}, {low} to {high}"}, "once each"),
        ({"outside_text": "A guess: {low} to {high}"}, ""),
        ({"outside_text": "A guess: {low}"}, "outside_text must have {low}, {high} once each"),
        ({"outside_text": "{high} or {low}"}, "{low} before {high}"),
        ({"others": [NUMBER]}, "two outputs have one name: first, first"),
    ],
)
def test_a_number_says_what_fits_together(changes: dict[str, Any], problem: str) -> None:
    values = NUMBER | {"others": NUMBERS[:1]} | changes
    if problem:
        with pytest.raises(ValidationError, match=re.escape(problem)):
            MultiOutput.model_validate(values)
    else:
        assert MultiOutput.model_validate(values).name == "first"


def test_a_number_that_says_no_more_is_whole_and_has_a_range_for_9_of_10() -> None:
    found = MultiOutput.model_validate(NUMBER | {"others": NUMBERS[:1]})
    assert (found.round_to, found.coverage) == (1, 0.9)


@pytest.mark.parametrize(
    ("least", "most", "expected"),
    [
        (None, None, [-5, 0.5, 7]),
        (0, None, [0, 0.5, 7]),
        (None, 1, [-5, 0.5, 1]),
        (0, 1, [0, 0.5, 1]),
    ],
)
def test_an_answer_stays_within_the_ends_that_the_card_gives(
    least: float | None, most: float | None, expected: list[float]
) -> None:
    values = NUMBER | {"others": NUMBERS[:1], "min": least, "max": most}
    found = MultiOutput.model_validate(values)
    assert found.limit(np.array([-5, 0.5, 7])).tolist() == expected
    assert [found.limit_one(value) for value in (-5, 0.5, 7)] == expected


@pytest.mark.parametrize(
    ("format_", "unit", "whole", "seconds"),
    [
        ("percent", "%", 100, None),
        ("percent", "", 1, None),
        ("number", "m²", 1, None),
        ("duration", "hours", 1, 3600),
    ],
)
def test_a_unit_says_what_all_of_it_and_a_second_are(
    format_: str, unit: str, whole: float, seconds: float | None
) -> None:
    values = NUMBER | {"others": NUMBERS[:1], "format": format_, "unit": unit}
    found = MultiOutput.model_validate(values)
    assert (found.measured_in, found.whole) == (unit, whole)
    assert math.isnan(found.seconds) if seconds is None else found.seconds == seconds


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"risk": "n1"}, ""),
        ({"risk": "n3"}, 'risk = "n3" is no class'),
        ({"risk": "n1", "probabilities": False}, "a risk needs a model that gives probabilities"),
        ({"order": ORDERED}, ""),
        ({"order": ORDERED[:2]}, "order must have each class once: n0, n1, n2"),
        ({"order": ORDERED, "risk": "n1"}, "a risk is about one class, so it has no order"),
        ({"classes": [*OPTIONS[:3], OPTIONS[1]]}, "classes has n1 twice"),
    ],
)
def test_classes_say_what_fits_together(changes: dict[str, Any], problem: str) -> None:
    values = SAID | {"classes": OPTIONS[:3]} | changes
    if problem:
        with pytest.raises(ValidationError, match=re.escape(problem)):
            ClassOutput.model_validate(values)
    else:
        shown = [option.value for option in ClassOutput.model_validate(values).shown]
        assert shown == changes.get("order", ["n0", "n1", "n2"])


def test_a_cluster_is_named_once() -> None:
    with pytest.raises(ValidationError, match="clusters has n0 twice"):
        ClusterOutput.model_validate(SAID | {"clusters": [*OPTIONS[:2], OPTIONS[0]]})
