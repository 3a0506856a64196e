"""A field of free text: what it takes, and what it says of what it does not take."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from model.contract.fields import AnyField, TextField
from model.contract.texts import TextTable, decode_text, encode_text, shorten, text_codes
from tests.model.contract.refusals import refusal


def text_field(**changes: Any) -> TextField:
    block = {"kind": "text", "name": "message", "label": "Message", "noun": "message"}
    adapter: TypeAdapter[Any] = TypeAdapter(AnyField)
    field = adapter.validate_python({**block, "example": "Hello", "max_length": 20, **changes})
    assert isinstance(field, TextField)
    return field


@pytest.mark.parametrize("typed", ["one\r\ntwo", "one\rtwo", "one\ntwo"])
def test_ends_of_lines_arrive_as_the_data_have_them(typed: str) -> None:
    assert text_field().validate_value(typed) == "one\ntwo"


@pytest.mark.parametrize("typed", [" hi ", "🙂", "שלום", "e\u0301", "👩‍👩‍👧", "ﬁ", "a\tb"])
def test_a_text_stays_as_it_was_written(typed: str) -> None:
    assert text_field().validate_value(typed) == typed


def test_it_is_composed_only_where_the_card_says_so() -> None:
    assert text_field(nfc=True).validate_value("cafe\u0301") == "café"
    assert text_field().validate_value("cafe\u0301") == "cafe\u0301"


@pytest.mark.parametrize("typed", ["", "  ", "\r\n \t", None])
def test_a_blank_text_is_still_to_be_written(typed: str | None) -> None:
    assert refusal(text_field(), typed) == "Write the message"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("x" * 21, "Message can have 20 characters; this has 21. Remove 1"),
        ("x" * 10_000_000, "Message can have 20 characters; this has 10,000,000. Remove 9,999,980"),
        ("\u0301" * 1_000_000, "Message can have 20 characters; this has 1,000,000. "
         "Remove 999,980"),
        ("a\0b", "Message contains the character NUL, which no text has. Remove it"),
        ("a\ud800b", "Message contains half of a character. Remove it, or send the text as UTF-8"),
        (7, "Message must be a text"),
        (["a"], "Message must be a text"),
    ],
    ids=["long", "10 MB", "combining", "NUL", "surrogate", "number", "list"],
)  # fmt: skip
def test_what_is_no_text_gets_a_sentence(typed: object, said: str) -> None:
    assert refusal(text_field(), typed) == said


def test_letters_with_too_many_accents_are_refused() -> None:
    field = text_field(max_length=2000)
    assert field.validate_value("Z\u0351\u0351\u0351algo") == "Z\u0351\u0351\u0351algo"
    assert refusal(field, "a" + "\u0301" * 61) == (
        "Message has more than 60 accents on one letter. Remove some"
    )


def test_a_code_holds_for_one_call() -> None:
    with text_codes():
        codes = [encode_text(text) for text in ("", "one", "two", "one")]
        assert codes == [0, 1, 2, 1]
        assert [decode_text(float(np.float32(code))) for code in codes] == ["", "one", "two", "one"]
        with text_codes():
            assert encode_text("other") == 1
        assert decode_text(1) == "one"
    assert (encode_text(""), decode_text(0)) == (0, "")
    with pytest.raises(LookupError):
        encode_text("late")


def test_a_table_refuses_more_texts_than_float32_can_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.contract.texts.MOST_TEXTS", 2)
    table = TextTable()
    table.encode("one")
    with pytest.raises(OverflowError, match="more than 2 texts"):
        table.encode("two")


@pytest.mark.parametrize(
    ("text", "short"),
    [("one two", "one two"), ("one\n two", "one two"), ("one two three four", "one two…"),
     ("x" * 30, "x" * 11 + "…"), ("a" + " " * 90 + "b", "a…")],
)  # fmt: skip
def test_a_text_is_cut_at_a_word(text: str, short: str) -> None:
    assert shorten(text, 12) == short
