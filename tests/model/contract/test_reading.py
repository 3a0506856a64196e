"""Numbers as people type them, and whole columns of them."""

from decimal import Decimal

import pytest
from babel import Locale, localedata, numbers
from hypothesis import example, given
from hypothesis import strategies as st

from model.contract import formatting
from model.contract.reading import (
    PLAIN,
    AmbiguousColumnError,
    DecimalSign,
    NotANumberError,
    Notation,
    clean_text,
    decide_decimal_sign,
    find_decimal_sign,
    list_readings,
    read_column,
    read_number,
)
from model.contract.units import list_spellings

AREA = Notation(units=(*list_spellings("sq ft"), "sf"))
LOCALES = [name for name in localedata.locale_identifiers() if not name.startswith("tok")]
"""Every locale but Toki Pona, which groups in pairs and writes 1,850 as "18 50"."""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1850", "1850"),
        ("1 850", "1850"),
        ("1\u202f850", "1850"),
        ("1\u2009850", "1850"),
        ("1'850", "1850"),
        ("1\u2019850", "1850"),
        (" 1850 sq ft ", "1850"),
        ("1850SQ. FT.", "1850"),
        ("1850 ft²", "1850"),
        ("1850 square feet", "1850"),
        ("$1850", "1850"),
        ("1850 €", "1850"),
        ("-$5", "-5"),
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
        ("١٬٨٥٠", "1850"),
        ("-3", "-3"),
        ("−3", "-3"),
        ("–3", "-3"),
        ("\ufeff1850\u200b", "1850"),
        ("\u200e1850\u200f", "1850"),
        ("1,234,567.25", "1234567.25"),
        ("1.234.567,25", "1234567.25"),
        ("1 234 567,25", "1234567.25"),
        ("12,34,567", "1234567"),
        ("1234.567", "1234.567"),
        ("0.125", "0.125"),
        ("1.2340", "1.234"),
    ],
)
def test_what_a_person_means_is_read(text: str, number: str) -> None:
    assert list_readings(text, AREA) == (Decimal(number),)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("1,850", ("1850", "1.85")),
        ("1.850", ("1.85", "1850")),
        ("150.000 sq ft", ("150", "150000")),
        ("１，８５０", ("1850", "1.85")),
        ("$1,850", ("1850", "1.85")),
    ],
)
def test_three_digits_after_one_separator_have_two_readings(
    text: str, readings: tuple[str, ...]
) -> None:
    found = tuple(map(Decimal, readings))
    assert list_readings(text, AREA) == found
    assert list_readings(text, AREA._replace(decimal=",")) == found[::-1]


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("2,5", "2.5", ""),
        ("1,85", "1.85", ""),
        ("172 m²", "172", "m2"),
        ("1.5k", "1.5", "k"),
        ("1850 acres", "1850", "acres"),
    ],
)
def test_what_was_meant_is_told_with_the_refusal(text: str, number: str, unit: str) -> None:
    with pytest.raises(NotANumberError) as refused:
        list_readings(text, AREA)
    assert (refused.value.number, refused.value.unit) == (Decimal(number), unit)


def test_a_lone_decimal_comma_is_read_where_the_locale_has_it() -> None:
    assert list_readings("2,5", Notation(",")) == (Decimal("2.5"),)
    assert list_readings("2.5", Notation(",")) == (Decimal("2.5"),)


def test_money_in_a_unit_of_its_own_takes_no_other_currency() -> None:
    dollars = Notation(units=list_spellings("USD"), any_currency=False)
    for text in ("$5", "5 USD", "USD 5", "US$ 5", "5 dollars"):
        assert list_readings(text, dollars) == (Decimal(5),)
    with pytest.raises(NotANumberError):
        list_readings("5 €", dollars)


def test_forty_characters_are_the_longest_number_that_is_read() -> None:
    assert list_readings(" " * 36 + "1850") == (Decimal(1850),)
    with pytest.raises(NotANumberError):
        list_readings(" " * 37 + "1850")


@pytest.mark.parametrize("text", [
    "", " ", "abc", "nan", "inf", "Infinity", "1e309", "1e3", "1_850", "0x10", "5²", "3\x00",
    "12abc3e", "1,8500", "1.2.3", "2 3", "$", "-", ".", "1/0", "3/2", "2.5 1/2", "9" * 41,
    "①", "Ⅷ", "1850 acres", "--3", "3-", "1850/2", "1851/2", "5'11", "1,850.5.5", "1'850,500.5",
    "1,850'000", "\u200b",
])  # fmt: skip
def test_what_could_mean_something_else_is_refused(text: str) -> None:
    with pytest.raises(NotANumberError):
        list_readings(text, AREA)


@given(st.integers(-(10**9), 10**9))
def test_whole_numbers_come_back_with_and_without_separators(number: int) -> None:
    assert read_number(str(number), ".") == number
    assert read_number(f"{number:,}", ".") == number


@given(
    st.sampled_from(LOCALES),
    st.floats(-1e7, 1e7).filter(lambda number: not 0 < abs(number) < 1e-20)
    | st.integers(-(10**9), 10**9),
    st.booleans(),
)
@example("de_DE", 82.5, True)
@example("de_CH", 1850, True)
@example("ar_EG", -1850.25, True)
@example("hi_IN", 1234567, True)
def test_what_a_locale_shows_is_read_back(locale: str, number: float, grouping: bool) -> None:
    notation = Notation(find_decimal_sign(locale))
    shown = formatting.format_short(number, locale, grouping)
    read = list_readings(shown, notation)[0]
    assert float(read) == pytest.approx(number, rel=1e-3, abs=6e-4 if abs(number) >= 1 else 0)
    assert Decimal(format(number, ".10g")) in list_readings(
        formatting.format_exact(number, locale), notation
    )


@given(st.sampled_from(LOCALES), st.integers(-(10**9), 10**9))
def test_the_digits_and_signs_of_a_locale_are_read(locale: str, number: int) -> None:
    shown = numbers.format_decimal(number, locale=locale, numbering_system="default")
    assert number in list_readings(shown, Notation(find_decimal_sign(locale)))


@given(
    st.sampled_from((".", ",")),
    st.sampled_from((",", ".", " ", "'", "\u202f", "\u2019", "")),
    st.decimals(0, 10**7, places=3) | st.decimals(0, 10**7, places=1) | st.integers(0, 10**7),
)
def test_no_spelling_is_read_a_thousand_times_wrong(
    decimal: DecimalSign, group: str, number: Decimal | int
) -> None:
    """Whatever the person's own signs are, the number that was meant is among the readings."""
    if group == decimal:
        return
    whole, _, decimals = f"{number:,}".partition(".")
    text = whole.replace(",", group) + (decimal + decimals if decimals else "")
    for notation in (Notation("."), Notation(",")):
        try:
            assert number in list_readings(text, notation)
        except NotANumberError as error:
            assert error.number == number  # noqa: PT017 (it may be read or refused)


@given(st.text(max_size=50))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    try:
        readings = list_readings(text, AREA)
    except NotANumberError:
        return
    assert all(number.is_finite() for number in readings)
    assert 1 <= len(readings) <= 2


@given(st.text(max_size=50))
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    assert clean_text(clean_text(text)) == clean_text(text)


def test_every_locale_has_a_sign_for_decimals() -> None:
    for name in localedata.locale_identifiers():
        symbol = Locale.parse(name).number_symbols["latn"]["decimal"]
        assert symbol in (".", ",", "\u066b")
        assert find_decimal_sign(name) == ("," if symbol == "," else ".")


@pytest.mark.parametrize(
    ("texts", "sign"),
    [
        (["1850", "900"], "."),
        (["1.850", "2.5"], "."),
        (["1,850", "2,5"], ","),
        (["1.850", "1.234.567"], ","),
        (["1,850", "1,850.50"], "."),
        (["1.850", "x", "0.5"], "."),
        (["1.125", "2", "5"], "."),
        (["1.850", "900", "850"], ","),
        (["1.850", "616", "1"], "."),  # more than three times the largest
        (["1.850", "617", "500"], ","),
        (["1.850", "5550", "4000"], ","),
        (["1.850", "6", "5551"], ","),  # less than a third of the smallest
        (["-1.850", "-900"], ","),
        (["-1.850", "-2"], "."),
    ],
)
def test_one_text_of_a_column_decides_for_all(texts: list[str], sign: DecimalSign) -> None:
    assert decide_decimal_sign(texts) == sign


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["1.850", "1.900"], ("1.850",)),
        (["1,850", "850", "1"], ("1,850",)),
        (["1.850", "617", "5"], ("1.850",)),
        (["1.850", "5", "5551"], ("1.850",)),
        (["1.5", "2,5"], ("1.5", "2,5")),
        (["1.850", "1.5", "2,5"], ("1.850",)),
    ],
)
def test_a_column_that_does_not_tell_is_asked_about(
    texts: list[str], named: tuple[str, ...]
) -> None:
    with pytest.raises(AmbiguousColumnError) as refused:
        decide_decimal_sign(texts)
    assert refused.value.texts == named
    assert "nobody can tell" in str(refused.value)


def test_a_column_is_read_with_one_sign() -> None:
    texts = ["1.850", "12,5", "x", "1.850"]
    assert read_column(texts, ",") == [1850, Decimal("12.5"), None, 1850]
    assert read_column(["1.850", "1.900"], ".") == [Decimal("1.85"), Decimal("1.9")]
    assert PLAIN.decimal == "."
