"""A row of plain numbers is read at once, and as field by field."""

from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from model import NumberCard, read_card
from model.contract.card import CardError
from tests.tools import ROOT

TEXTS = st.one_of(
    st.integers(-3, 12).map(str),
    st.floats(-1, 11).map(lambda number: f"{number:.2f}"),
    st.sampled_from(
        ["", " ", "+4", "1.500", "2,5", "x", "3 m", "007", "1e1", "5.00000000000001", "٣"]
    ),
    st.sampled_from([4, 4.5, True, None]),
)
ROWS = st.dictionaries(st.sampled_from(["a", "b", "c", "further"]), TEXTS)


@pytest.fixture(scope="module")
def card() -> NumberCard:
    """Three numbers from 0 to 10, of which the last is optional."""
    house = read_card(ROOT / "model" / "house_price" / "card.toml")
    fields = [
        {"kind": "number", "name": name, "label": name, "noun": name, "min": 0, "max": 10,
         "example": 5, "required": name != "c"}
        for name in "abc"
    ]  # fmt: skip
    examples = [{"title": "One", "values": {"a": 1, "b": 2}}]
    changes = {"fields": fields, "examples": examples, "what_if": ""}
    return NumberCard.model_validate(house.model_dump() | changes)


@given(ROWS)
@example({"a": "1", "b": "2.25"})
@example({"c": "3", "b": "10", "a": "0"})
@example({"a": "1", "b": "2", "further": "3"})
def test_it_is_what_the_fields_make_of_it(card: NumberCard, row: dict[str, object]) -> None:
    features, errors = card.validate_row(row)
    expected, problems = None, {}
    try:
        expected = card.input_model.model_validate(row).__dict__
    except ValidationError as error:
        problems = {item["loc"][0]: item["msg"] for item in error.errors()}
    assert errors == problems
    assert repr(features) == repr(expected)


@pytest.mark.parametrize(
    ("key", "taken", "refused"),
    [
        ("case_noun", ["x" * 24], "x" * 25),
        ("rows_noun", ["x" * 24], "x" * 25),
        ("limits", [["One."]], []),
        ("not_for", [["One."]], []),
        ("fields", [], []),
        ("examples", [], []),
    ],
)
def test_the_ends_of_what_a_card_may_say(
    card: NumberCard, key: str, taken: list[object], refused: object
) -> None:
    for value in taken:
        assert getattr(NumberCard.model_validate(card.model_dump() | {key: value}), key)
    with pytest.raises(ValidationError, match=f"\n{key}\n"):
        NumberCard.model_validate(card.model_dump() | {key: refused})


FIELDS = [
    {"kind": "number", "name": name, "label": name, "noun": name, "min": 0, "max": 10, "example": 5}
    for name in "abc"
]
SEARCH = {
    "kind": "search", "name": "a", "label": "a", "noun": "a", "example": "v0",
    "choices": [{"value": f"v{place}", "label": f"Place {place}"} for place in range(200)],
}  # fmt: skip
OPTIONAL = FIELDS[2] | {"required": False}
VALUES = {"a": 1, "b": 2, "c": 3}
EXAMPLE = {"title": "One", "values": VALUES}


@pytest.mark.parametrize(
    ("changes", "place", "problem"),
    [
        ({"fields": [*FIELDS, FIELDS[1]]}, ("fields", 3, "name"), "two fields are named b"),
        (
            {"fields": [*FIELDS, OPTIONAL | {"name": "what_if"}]},
            ("fields", 3, "name"),
            "no field can be named what_if: the address uses that name",
        ),
        (
            {"fields": [*FIELDS, OPTIONAL | {"name": "form"}]},
            ("fields", 3, "name"),
            "no field can be named form: a part of the page has that id",
        ),
        ({"what_if": "d"}, ("what_if",), 'what_if = "d" is no field'),
        (
            {
                "fields": [SEARCH, *FIELDS[1:]],
                "what_if": "a",
                "examples": [EXAMPLE | {"values": VALUES | {"a": "v1"}}],
            },
            ("what_if",),
            'what_if = "a" has too many values for a picture',
        ),
        (
            {"fields": [*FIELDS[:2], FIELDS[2] | {"default": 3}]},
            ("fields", 2, "default"),
            "c has a default, so it needs required = false",
        ),
        (
            {"fields": [*FIELDS[:2], OPTIONAL | {"default": 11}]},
            ("fields", 2, "default"),
            "default of c: c must be between 0 and 10",
        ),
        (
            {"examples": [EXAMPLE, EXAMPLE | {"values": VALUES | {"d": 1, "e": 1}}]},
            ("examples", 1),
            'example "One" has no such field: d',
        ),
        (
            {"examples": [EXAMPLE | {"values": VALUES | {"b": 11}}]},
            ("examples", 0),
            'example "One", b: b must be between 0 and 10',
        ),
    ],
)
def test_parts_that_contradict_each_other_are_named_with_their_place(
    card: NumberCard, changes: dict[str, Any], place: tuple[Any, ...], problem: str
) -> None:
    agreeing = card.model_dump() | {"fields": FIELDS, "examples": [EXAMPLE]}
    NumberCard.model_validate(agreeing | {"what_if": "c"})
    with pytest.raises(ValidationError) as refused:
        NumberCard.model_validate(agreeing | changes)
    error = refused.value.errors()[0]["ctx"]["error"]
    assert isinstance(error, CardError)
    assert error.problems[0] == (place, problem)


def test_what_stands_in_for_an_empty_field_is_its_default(card: NumberCard) -> None:
    given = card.model_dump() | {"fields": [*FIELDS[:2], OPTIONAL | {"default": "2.5"}]}
    made = NumberCard.model_validate(given)
    assert made.default_codes[2] == 2.5
    assert np.isnan(made.default_codes[:2]).all()


@pytest.mark.parametrize(("name", "is_known"), [("pt_BR", True), ("xx_YY", False), ("!", False)])
def test_a_locale_is_one_that_is_known(card: NumberCard, name: str, is_known: bool) -> None:
    refused = pytest.raises(ValidationError, match=f'locale = "{name}" is not known')
    with nullcontext() if is_known else refused:
        assert NumberCard.model_validate(card.model_dump() | {"locale": name}).locale == name
