"""A form as it comes over the wire: the same fields as the standard library reads."""

from io import BytesIO
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.exceptions import RequestEntityTooLarge

from app.http.forms import MAX_FIELDS, FormData, read_form

PAIRS = st.lists(st.text(st.sampled_from("ab=1.%2B+ é&"), max_size=8), max_size=6).map("&".join)


def posted(text: str) -> FormData:
    """The fields of a form with this body."""
    body = text.encode()
    return read_form(
        {
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
    )


@given(PAIRS)
def test_the_fields_of_a_form_are_those_that_the_standard_library_finds(text: str) -> None:
    assert posted(text) == parse_qs(text, keep_blank_values=True)


def test_a_form_with_hundreds_of_fields_is_refused() -> None:
    assert len(posted("a=1&" * (MAX_FIELDS - 1) + "a=1")["a"]) == MAX_FIELDS
    with pytest.raises(RequestEntityTooLarge):
        posted("a=1&" * MAX_FIELDS + "a=1")


def test_64_kb_are_the_longest_form_that_is_read() -> None:
    assert len(posted("a=" + "1" * 65_534)["a"][0]) == 65_534
    with pytest.raises(RequestEntityTooLarge):
        posted("a=" + "1" * 65_535)
