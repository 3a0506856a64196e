"""Numbers are formatted exactly as Babel formats them."""

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
