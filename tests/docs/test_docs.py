"""The documentation: what is generated is current, and nothing is left out."""

import re
from itertools import pairwise

import pytest

from docs.generate import card_models, generated
from docs.picture import (
    WIDTH,
    arrows_of,
    direct,
    draw_rooms,
    places_of,
    room_imports,
    rows_of,
)
from tests.tools import ROOT

DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", ["architecture.svg", "card.md", "settings.md"])
def test_a_generated_file_is_what_the_generator_makes(name: str) -> None:
    assert (DOCS / name).read_text() == generated()[name], "run make docs"


def test_every_key_of_a_card_is_documented() -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", (DOCS / "card.md").read_text(), re.MULTILINE))
    keys = {name for model in card_models() for name in model.model_fields}
    assert {"title", "fields", "coverage", "choices", "samples"} <= keys
    assert rows == keys


def test_in_the_picture_every_room_stands_above_those_that_it_imports() -> None:
    imports = room_imports("app", "model")
    row = rows_of(imports)
    assert all(row[room] < row[target] for room, found in imports.items() for target in found)
    picture = draw_rooms("app", "model")
    assert all(f">{room}</text>" in picture for room in imports)


def test_the_picture_leaves_out_only_imports_that_follow_from_others() -> None:
    imports = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": set()}
    arrows = {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert direct(imports) == arrows
    row = rows_of(imports)
    assert row == {"a": 0, "b": 1, "c": 2, "d": 2}
    assert [(0, "a"), (1, "a>d"), (2, "d")] in arrows_of(arrows, row)


def test_no_two_boxes_of_the_picture_overlap() -> None:
    imports = room_imports("app", "model")
    row = rows_of(imports)
    place = places_of({(row[room], room) for room in row}, arrows_of(direct(imports), row))
    for number in set(row.values()):
        middles = sorted(place[number, room] for room in row if row[room] == number)
        assert all(right - left > WIDTH for left, right in pairwise(middles))
