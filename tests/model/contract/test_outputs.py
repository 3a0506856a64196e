"""What a card may say of the model's answer."""

from typing import Any

import pytest
from pydantic import ValidationError

from model.contract.outputs import ClassOutput, ClusterOutput, MultiOutput, OutputBase

SAID = {"label": "Kind", "noun": "kind"}
NUMBER = SAID | {"format": "number", "name": "first"}
OPTIONS = [{"value": f"n{place}", "label": f"Kind {place}"} for place in range(51)]
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
    ],
)
def test_a_number_says_what_fits_together(changes: dict[str, Any], problem: str) -> None:
    values = NUMBER | {"others": NUMBERS[:1]} | changes
    if problem:
        with pytest.raises(ValidationError, match=problem):
            MultiOutput.model_validate(values)
    else:
        assert MultiOutput.model_validate(values).name == "first"


def test_a_number_that_says_no_more_is_whole_and_has_a_range_for_9_of_10() -> None:
    found = MultiOutput.model_validate(NUMBER | {"others": NUMBERS[:1]})
    assert (found.round_to, found.coverage) == (1, 0.9)
