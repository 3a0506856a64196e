"""A message about a card names the line that is wrong."""

import pytest

from model.contract.lines import find_line

CARD = """title = "A"
kind = "number"

[output]
title = "B"
unit = "USD"

[[fields]]
name = "beds"
min = 1

[[fields]]
name = "baths"
max = 9
"""


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        (("title",), 1),
        (("kind",), 2),
        (("unit",), None),  # only a table has it
        (("output",), 4),
        (("output", "title"), 5),
        (("output", "unit"), 6),
        (("output", "min"), 4),
        (("fields", 0, "name"), 9),
        (("fields", 0, "max"), 8),
        (("fields", 1, "name"), 13),
        (("fields", 1, "max"), 14),
        (("fields", 2, "name"), None),
        (("fields", "name"), 9),
        (("examples", 0), None),
        ((), None),
    ],
)
def test_the_line_of_a_key_is_found(loc: tuple[int | str, ...], line: int | None) -> None:
    assert find_line(CARD, loc) == line
