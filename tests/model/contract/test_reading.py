"""Numbers as people type them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.reading import NotANumberError, read_number

UNITS = ("sq ft", "sqft", "ft²")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1850", "1850"),
        ("1,850", "1850"),
        ("1 850", "1850"),
        ("1\u202f850", "1850"),
        ("1'850", "1850"),
        (" 1850 sq ft ", "1850"),
        ("1850SQ. FT.", "1850"),
        ("1850 ft²", "1850"),
        ("$1,850", "1850"),
        ("2.5", "2.5"),
        (".5", "0.5"),
        ("2½", "2.5"),
        ("2 ½", "2.5"),
        ("½", "0.5"),
        ("2 1/2", "2.5"),
        ("2¼", "2.25"),
        ("１８５０", "1850"),
        ("١٨٥٠", "1850"),
        ("٢٫٥", "2.5"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("1,234,567.25", "1234567.25"),
    ],
)
def test_what_a_person_means_is_read(text: str, number: str) -> None:
    assert read_number(text, UNITS) == Decimal(number)


def test_forty_characters_are_the_longest_number_that_is_read() -> None:
    assert read_number(" " * 36 + "1850") == 1850
    with pytest.raises(NotANumberError):
        read_number(" " * 37 + "1850")


@pytest.mark.parametrize("text", [
    "", " ", "abc", "nan", "inf", "Infinity", "1e309", "1e3", "1_850", "0x10", "5²", "3\x00",
    "12abc3e", "1,85", "1,8500", "1.2.3", "2 3", "$", "-", ".", "1/0", "3/2", "2.5 1/2", "9" * 41,
    "①", "Ⅷ", "1850 acres", "--3", "3-",
])  # fmt: skip
def test_what_could_mean_something_else_is_refused(text: str) -> None:
    with pytest.raises(NotANumberError):
        read_number(text, UNITS)


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_come_back_with_and_without_separators(number: int) -> None:
    assert read_number(str(number)) == number
    assert read_number(f"{number:,}") == number


@given(st.text(max_size=50))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    try:
        number = read_number(text, UNITS)
    except NotANumberError:
        return
    assert number.is_finite()
