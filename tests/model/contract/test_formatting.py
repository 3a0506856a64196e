"""Numbers are formatted exactly as Babel formats them."""

import datetime as dt

import pytest
from babel import Locale
from babel.numbers import format_currency, format_decimal
from hypothesis import given, settings
from hypothesis import strategies as st

from model.contract import formatting

LOCALES = ("en_US", "de_DE", "fr_FR", "de_CH", "es_ES", "hi_IN", "ar_EG", "sv_SE", "pl_PL")
VALUES = st.one_of(
    st.integers(-(10**9), 10**9),
    st.integers(0, 10**12),
    st.integers(0, 10**9).map(float),
    st.tuples(st.floats(-1e9, 1e9), st.integers(0, 5)).map(lambda pair: round(*pair) or 0.0),
    st.tuples(st.floats(-2, 2), st.integers(1, 5)).map(lambda pair: round(*pair) or 0.0),
)


@settings(max_examples=300)
@given(locale=st.sampled_from(LOCALES), value=VALUES)
def test_a_number_is_spelled_as_babel_spells_it(locale: str, value: float) -> None:
    assert formatting.format_number(value, locale) == format_decimal(value, locale=locale)
    plain = format_decimal(value, locale=locale, group_separator=False)
    assert formatting.format_number(value, locale, grouping=False) == plain


@settings(max_examples=300)
@given(
    locale=st.sampled_from(LOCALES),
    code=st.sampled_from(["USD", "EUR", "JPY"]),
    amount=st.integers(-(10**9), 10**12),
)
def test_whole_amounts_are_spelled_as_babel_spells_them(
    locale: str, code: str, amount: int
) -> None:
    spelling = Locale.parse(locale).currency_formats["standard"].pattern.replace(".00", "")
    expected = format_currency(amount, code, spelling, locale, currency_digits=False)
    assert formatting.format_currency(amount, code, locale) == expected


def test_amounts_are_in_whole_units() -> None:
    assert formatting.format_currency(183500, "USD", "en_US") == "$183,500"
    assert formatting.format_currency(183500.0, "EUR", "de_DE") == "183.500\u00a0€"
    assert formatting.format_currency(-1200, "USD", "en_US") == "-$1,200"


def test_a_zero_has_no_sign_whichever_zero_came_first() -> None:
    formatting.format_number.cache_clear()
    assert formatting.format_number(-0.0, "en_US") == "0"
    assert formatting.format_currency(-0.0, "USD", "en_US") == "$0"


def test_all_rows_are_not_a_percentage_and_nearly_all_are_not_all() -> None:
    assert formatting.format_share(1.0, 67, "en_US") == "all 67"
    assert formatting.format_share(0.9999, 12_000, "en_US") == "99.9% of 12,000"
    assert formatting.format_share(0.821, 240, "de_DE") == "82,1% of 240"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, ["0", "0", "0"]),
        (0.123456, ["0.1235", "0.123456", "0.1235"]),
        (-0.123456, ["-0.1235", "-0.123456", "-0.1235"]),
        (1.23456, ["1.235", "1.23456", "1.235"]),
        (0.99999, ["1", "0.99999", "1"]),
        (12345.6789, ["12,345.679", "12,345.6789", "12,350"]),
        (1234567.891234, ["1,234,567.891", "1,234,567.891", "1,235,000"]),
    ],
)
def test_a_number_has_the_digits_that_its_place_has_room_for(
    value: float, written: list[str]
) -> None:
    writers = formatting.format_short, formatting.format_exact, formatting.format_figure
    assert [write(value, "en_US") for write in writers] == written
    assert formatting.format_short(1995, "en_US", grouping=False) == "1995"


@pytest.mark.parametrize(
    ("value", "currency", "text"),
    [
        (999, "USD", "$999"),
        (1000, "USD", "$1K"),
        (-1500, "", "-1.5K"),
        (183_500, "USD", "$183.5K"),
        (0.5, "", "0.5"),
        (1_234_567, "", "1.23M"),
    ],
)
def test_the_end_of_an_axis_is_short(value: float, currency: str, text: str) -> None:
    assert formatting.format_compact(value, "en_US", currency) == text


def test_words_around_numbers_are_those_of_their_language() -> None:
    assert formatting.format_date(dt.date(2026, 11, 22), "en_US") == "November 22, 2026"
    assert [formatting.plural_form(value, "en_US") for value in (0, 1, 2, 2.5)] == [
        "other", "one", "other", "other",
    ]  # fmt: skip
    assert formatting.format_percent(0.0612, "en_US") == "6%"
    assert formatting.format_percent(0.0612, "en_US", digits=1) == "6.1%"


@pytest.mark.parametrize(
    ("noun", "plural"),
    [
        ("stars", True),
        ("beds", True),
        ("bus", False),
        ("gas", False),
        ("class", False),
        ("analysis", False),
        ("series", False),
        ("number of rooms", False),
        ("hours to solve", True),
        ("cost of goods", False),
        ("time in days", False),
        ("rooms per house", True),
        ("price per days", False),
        ("price", False),
    ],
)
def test_an_english_noun_is_in_the_plural_as_far_as_its_spelling_tells(
    noun: str, plural: bool
) -> None:
    assert formatting.is_plural(noun) == plural


@pytest.mark.parametrize(
    ("label", "locale", "inside"),
    [
        ("Living area", "en_US", "living area"),
        ("BMI of a person", "en_US", "BMI of a person"),
        ("Area in USA", "en_US", "area in USA"),
        ("N of a leaf", "en_US", "N of a leaf"),
        ("Wohnfläche", "de_DE", "Wohnfläche"),
        ("", "en_US", ""),
    ],
)
def test_a_label_is_written_small_inside_a_sentence(label: str, locale: str, inside: str) -> None:
    assert formatting.lower_first(label, locale) == inside


@pytest.mark.parametrize(
    ("text", "ended"), [("5\u00a0kg", "5\u00a0kg."), ("5\u00a0pcs.", "5\u00a0pcs.")]
)
def test_a_sentence_has_one_full_stop(text: str, ended: str) -> None:
    assert formatting.end_sentence(text) == ended


def test_hundredths_are_written_as_the_locale_writes_them() -> None:
    written = [formatting.format_hundredths(1234.5, locale) for locale in ("en_US", "de_DE")]
    assert written == ["1,234.50", "1.234,50"]


@pytest.mark.parametrize(("share", "shown"), [(0.99, "99.0%"), (0.99967, "99.97%")])
def test_a_limit_below_all_is_not_written_as_all(share: float, shown: str) -> None:
    assert formatting.format_limit(share, "en_US") == shown
