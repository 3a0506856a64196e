"""A long list of choices, of which the visitor types one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from model.contract.fields import MOST_CHOICES, MOST_SUGGESTED, AnyField, Option, SearchField
from model.contract.fields.base import Sample
from tests.model.contract.refusals import refusal

TOWNS = ["München", "Berlin", "Bern", "Bad Aibling", "Hamburg", "hamburg (Land)", "Ulm"]


def search(names: list[str], **changes: Any) -> SearchField:
    block = {
        "kind": "search",
        "name": "town",
        "label": "Town",
        "noun": "town",
        "example": "0",
        "choices": [{"value": str(code), "label": name} for code, name in enumerate(names)],
    }
    adapter: TypeAdapter[Any] = TypeAdapter(AnyField)
    field = adapter.validate_python({**block, **changes})
    assert isinstance(field, SearchField)
    return field


@pytest.mark.parametrize("typed", ["Berlin", "berlin", "  BERLIN ", "1"])
def test_it_takes_a_label_in_any_case_and_a_value(typed: str) -> None:
    assert search(TOWNS).validate_value(typed) == "1"


def test_what_could_be_two_names_is_asked_for_and_typed_exactly_is_taken() -> None:
    field = search(["Bo", "BO", "Al"])
    assert [field.read("Bo"), field.read("BO")] == ["0", "1"]
    assert refusal(field, "bo") == "Choose the town from the list. Did you mean Bo or BO?"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Berlim", " Did you mean Berlin or Bern?"),
        ("Munchen", " Did you mean München?"),
        ("aibling", " Did you mean Bad Aibling?"),
        ("hamburg ", ""),
        ("xyz", ""),
    ],
)
def test_an_error_names_the_nearest(typed: str, meant: str) -> None:
    field = search(TOWNS)
    if typed.strip() == "hamburg":
        assert field.read(typed) == "4"
    else:
        said = refusal(field, typed)
        assert said == "Choose the town from the list" + (f".{meant}" if meant else "")


@pytest.mark.parametrize("typed", [5, True, ["Berlin"], "x" * 5000, "\ud800", "\0"])
def test_what_is_no_name_is_refused(typed: object) -> None:
    assert refusal(search(TOWNS), typed) == "Choose the town from the list"


def test_a_part_of_a_name_can_still_become_one() -> None:
    field = search(TOWNS)
    assert [field.is_incomplete(typed) for typed in ("Ber", "aib", "Berx")] == [True, True, False]


def test_the_input_shows_the_label_of_a_value() -> None:
    assert [search(TOWNS).format_input(typed) for typed in ("1", "berl")] == ["Berlin", "berl"]


def test_it_holds_20_000_names_and_suggests_the_first_1_000() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [
        "".join(part) for part in itertools.islice(itertools.product(letters, repeat=4), 20_001)
    ]
    field = search(names[:MOST_CHOICES])
    assert field.suggestions == tuple(names[:MOST_SUGGESTED])
    assert field.encode(field.read(names[19_999])) == 19_999
    assert field.accepted_text == "one of 20,000"
    assert "Did you mean" in refusal(field, "aabcd")
    with pytest.raises(ValidationError):
        search(names)


def test_two_equal_labels_are_refused() -> None:
    with pytest.raises(ValidationError, match="a label twice"):
        search(["Bo", "Bo", "Al"])


def test_one_wrong_letter_in_a_number_finds_the_name_and_not_its_anagrams() -> None:
    field = search([f"Town of {number:05d}" for number in range(5000)])
    assert " Did you mean Town of 00071" in refusal(field, "Tovn of 00071")


@pytest.mark.parametrize(
    ("count", "hint"),
    [
        (MOST_SUGGESTED, "Type a part of the name, and pick it from the list."),
        (MOST_SUGGESTED + 1, "Type the name. The list suggests 1,000 of 1,001."),
    ],
)
def test_a_drafted_hint_says_so_where_not_all_names_are_suggested(count: int, hint: str) -> None:
    options = tuple(Option(value=str(place), label=f"Town {place}") for place in range(count))
    keys = {"name": "town", "label": "Town", "noun": "town", "kind": "search"}
    drafted = SearchField.draft(Sample(keys, "", np.arange(float(count)), options))
    assert drafted.help == hint
