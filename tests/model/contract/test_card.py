"""A row of plain numbers is read at once, and as field by field."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from model import NumberCard, read_card
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
        NumberCard.model_validate(card.model_dump() | {key: value})
    with pytest.raises(ValidationError, match=f"\n{key}\n"):
        NumberCard.model_validate(card.model_dump() | {key: refused})
