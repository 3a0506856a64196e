"""Spellings of units, and what one is in another."""

from decimal import Decimal

import pytest
from babel import localedata
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from model.contract.reading import normalize_unit
from model.contract.units import (
    convert,
    list_spellings,
    mentions_currency,
    read_multiple,
    read_words,
)


@pytest.mark.parametrize(
    ("locale", "unit", "others"),
    [
        ("en_US", "sq ft", ["sqft", "Sq. Ft.", "square feet", "square foot", "ft²", "ft2", "sf"]),
        ("en_US", "m²", ["m2", "sqm", "sq m", "square metres", "square meters", "㎡"]),
        ("de_DE", "m²", ["Quadratmeter", "qm"]),
        ("fr_FR", "km", ["kilomètres", "kilometers", "kilometres"]),
        ("en_US", "kg", ["kilograms", "kilos", "KG"]),
        ("en_US", "years", ["yr", "year", "yrs"]),
        ("en_US", "%", ["percent", "pct", "％"]),
        ("en_US", "cm", ["centimeters"]),
        ("en_US", "inches", ["in", "inch", '"', "″"]),
        ("pl_PL", "PLN", ["zł", "złotych polskich"]),
        ("de_DE", "EUR", ["€", "Euro"]),
    ],
)
def test_a_unit_has_its_usual_spellings(locale: str, unit: str, others: list[str]) -> None:
    spellings = list_spellings(unit, locale)
    assert spellings[0] == normalize_unit(unit)
    assert set(map(normalize_unit, others)) <= set(spellings)


@pytest.mark.parametrize(
    ("unit", "base", "factor"),
    [
        ("ft²", "m²", constants.foot**2),
        ("square yards", "m²", constants.yard**2),
        ("acres", "m²", constants.acre),
        ("hectares", "m²", constants.hectare),
        ("km²", "m²", 1e6),
        ("square miles", "m²", constants.mile**2),
        ("mm", "m", 1e-3),
        ("cm", "m", 1e-2),
        ("km", "m", 1e3),
        ("inches", "m", constants.inch),
        ("feet", "m", constants.foot),
        ("yards", "m", constants.yard),
        ("miles", "m", constants.mile),
        ("mg", "kg", 1e-6),
        ("grams", "kg", 1e-3),
        ("tonnes", "kg", 1e3),
        ("ounces", "kg", constants.oz),
        ("pounds", "kg", constants.lb),
        ("ml", "liters", 1e-3),
        ("cm³", "liters", 1e-3),
        ("m³", "liters", 1e3),
        ("cubic feet", "liters", constants.foot**3 * 1e3),
        ("gallons", "liters", constants.gallon * 1e3),
        ("minutes", "seconds", constants.minute),
        ("hours", "seconds", constants.hour),
        ("days", "seconds", constants.day),
        ("weeks", "seconds", constants.week),
        ("months", "years", 1 / 12),
        ("years", "days", 365.2425),
        ("m/s", "km/h", 1 / constants.kmh),
        ("mph", "km/h", constants.mph / constants.kmh),
        ("watts", "kilowatts", 1e-3),
        ("horsepower", "kilowatts", constants.hp / 1e3),
        ("°F", "°C", 1 * constants.degree_Fahrenheit - 32 * 5 / 9),
        ("K", "°C", 1 - constants.zero_Celsius),
    ],
)
def test_a_unit_is_as_large_as_it_is_defined(unit: str, base: str, factor: float) -> None:
    assert convert(1, unit, base) == pytest.approx(factor, rel=2e-6)
    back = convert(factor, base, unit)
    assert back == pytest.approx(1, rel=2e-6)


def test_a_spelling_of_several_units_belongs_to_none() -> None:
    assert not {"min", "minutes", "months"} & set(list_spellings("m", "en_US"))
    assert list_spellings("°") == ("°",)
    assert list_spellings("widgets") == ("widgets",)
    assert convert(5, "min", "m") is None


@pytest.mark.parametrize(
    ("number", "unit", "other", "result"),
    [
        (172, "m²", "sq ft", 1851.39),
        (1, "acre", "m²", 4046.86),
        (180, "lbs", "kg", 81.65),
        (2, "years", "months", 24),
        (68, "°F", "°C", 20),
        (20, "°C", "K", 293.15),
        (60, "mph", "km/h", 96.56),
        (5, "€", "USD", None),
        (5, "kg", "m", None),
        (5, "", "m", None),
    ],
)
def test_a_unit_is_converted_within_its_dimension(
    number: float, unit: str, other: str, result: float | None
) -> None:
    found = convert(number, unit, other)
    assert found == (result if result is None else pytest.approx(result, abs=0.005))


@given(st.sampled_from(localedata.locale_identifiers()), st.floats(-1e6, 1e6))
def test_every_locale_spells_units_of_which_each_is_itself(locale: str, number: float) -> None:
    for unit in ("sq ft", "kg", "°F", "years"):
        spellings = list_spellings(unit, locale)
        assert len(spellings) > 1
        for spelling in spellings:
            assert convert(number, spelling, unit, locale) == pytest.approx(number)


def test_money_is_known_by_sign_and_code() -> None:
    assert all(map(mentions_currency, ("EUR", "1000 USD", "k€", "tys. PLN", "$")))
    assert not any(map(mentions_currency, ("sq ft", "", "kg", "THE")))


@pytest.mark.parametrize(
    ("text", "number"),
    [("three", 3), ("Twenty-five", 25), ("forty two", 42), ("1e3", 1000), ("1.5E-2", 0.015)],
)
def test_words_and_powers_are_numbers(text: str, number: float) -> None:
    assert float(read_words(text) or 0) == number


@pytest.mark.parametrize("text", ["", "x", "five twenty", "twenty zero", "1.500e3", "three x"])
def test_other_words_are_none(text: str) -> None:
    assert read_words(text) is None


def test_a_word_for_a_power_of_ten_multiplies() -> None:
    assert read_multiple(Decimal("1.5"), "k") == 1500
    assert read_multiple(Decimal(2), "million") == 2_000_000
    assert read_multiple(Decimal(2), "m") is None


ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
    fifteen sixteen seventeen eighteen nineteen"""
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def test_words_for_numbers_and_powers_of_ten_are_those_of_english() -> None:
    assert [read_words(word) for word in ONES.split()] == list(range(20))
    assert [read_words(word) for word in TENS.split()] == list(range(20, 100, 10))
    assert [read_words("Twenty-one"), read_words("ninety nine")] == [21, 99]
    for word in ("twenty zero", "twenty ten", "ten one", "nineteen one", "one two three", ""):
        assert read_words(word) is None
    powers = {"k": 3, "thousand": 3, "tsd": 3, "mio": 6, "mn": 6, "mln": 6, "million": 6}
    for word, power in (powers | {"millions": 6, "bn": 9, "billion": 9}).items():
        assert read_multiple(Decimal("1.5"), word) == Decimal("1.5") * 10**power
