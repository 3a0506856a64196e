"""What a field makes of a number that is typed: the number that was meant, or a question."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from model.contract.fields import AnyField, Meaning, NumberField, numeric
from model.contract.fields.base import Sample
from model.contract.fields.numeric import NumericField
from tests.model.contract.refusals import refusal

ADAPTER: TypeAdapter[Any] = TypeAdapter(AnyField)


def number_field(locale: str = "en_US", **block: Any) -> NumericField:
    """A number between 0 and 5,000, but for what ``block`` says."""
    words = {"kind": "number", "name": "size", "label": "Size", "noun": "size"}
    field: NumericField = ADAPTER.validate_python(
        {**words, "min": 0, "max": 5000, "example": 82.5, **block}
    )
    field.localise(locale)
    return field


AREA: dict[str, Any] = {"kind": "integer", "label": "Square feet", "unit": "sq ft", "min": 300,
                        "max": 6000, "example": 1850}  # fmt: skip
BATHS: dict[str, Any] = {"label": "Bathrooms", "min": 0.5, "max": 8, "example": 2.5,
         "count_text": {"one": "bath", "other": "baths"}}  # fmt: skip
YEAR = {"kind": "integer", "label": "Year", "min": 1870, "max": 2010, "example": 1995,
        "grouping": False}  # fmt: skip


@pytest.mark.parametrize(
    ("block", "keyboard"),
    [({}, "decimal"), (AREA, "numeric"), ({"min": -20}, "text"), ({**AREA, "min": -20}, "text")],
)
def test_a_number_that_may_be_below_0_gets_a_keyboard_with_a_minus(
    block: dict[str, Any], keyboard: str
) -> None:
    assert number_field(**block).input_attributes["inputmode"] == keyboard


@pytest.mark.parametrize(
    ("locale", "block", "typed", "value", "shown"),
    [
        ("en_US", AREA, "1,850", 1850, "1,850\xa0sq ft"),
        ("en_US", AREA, "1.850", 1850, "1,850\xa0sq ft"),
        ("de_DE", AREA, "1.850", 1850, "1.850\xa0sq ft"),
        ("de_DE", AREA, "1,850", 1850, "1.850\xa0sq ft"),
        ("en_US", AREA, "1850 square feet", 1850, "1,850\xa0sq ft"),
        ("en_US", BATHS, "1,500", 1.5, "1.5\xa0baths"),
        ("en_US", BATHS, "2.5 baths", 2.5, "2.5\xa0baths"),
        ("en_US", BATHS, "2½", 2.5, "2.5\xa0baths"),
        ("de_DE", {}, "82,5", 82.5, ""),
        ("de_DE", {"max": 500}, "82,500", 82.5, "82,5"),
        ("de_DE", {}, "82.5", 82.5, ""),
        ("en_US", {}, "0.125", 0.125, ""),
        ("en_US", YEAR, "1,995", 1995, "1995"),
        ("en_US", {"unit": "%", "max": 100}, "82.5 percent", 82.5, "82.5\xa0%"),
        ("en_US", BATHS, "3 bathrooms", 3, "3\xa0baths"),
        ("de_CH", AREA, "1’850", 1850, "1’850\xa0sq ft"),
    ],
)
def test_what_lies_in_the_bounds_is_taken_and_shown_back(
    locale: str, block: dict[str, Any], typed: str, value: float, shown: str
) -> None:
    field = number_field(locale, **block)
    assert field.validate_value(typed) == value
    assert field.describe_reading(typed) == shown
    assert field.list_meanings(typed) == ()


@pytest.mark.parametrize(
    ("locale", "typed", "question", "texts"),
    [
        ("en_US", "1.000", "Size: 1,000 or 1?", ("1000", "1")),
        ("en_US", "1,850", "Size: 1,850 or 1.85?", ("1850", "1.85")),
        ("de_DE", "1.850", "Size: 1.850 or 1,85?", ("1850", "1,85")),
        ("de_DE", "1.234", "Size: 1.234 or 1,234?", ("1234", "1,2340")),
    ],
)
def test_where_both_readings_are_possible_the_field_asks(
    locale: str, typed: str, question: str, texts: tuple[str, ...]
) -> None:
    field = number_field(locale)
    assert refusal(field, typed) == question
    meanings = field.list_meanings(typed)
    assert tuple(item.text for item in meanings) == texts
    assert f"Size: {meanings[0].label} or {meanings[1].label}?" == question
    values = [field.validate_value(item.text) for item in meanings]
    assert values[0] == pytest.approx(1000 * values[1])


def test_the_training_rows_tell_readings_apart() -> None:
    field = number_field()
    field.remember_codes(np.array([334, 4800], np.float32))
    assert field.validate_value("1,850") == 1850
    assert field.validate_value("1.850") == 1850
    assert refusal(field, "0.334 k") == "Size must be a plain number. Write 334"
    assert refusal(field, "5,000") == "Size: 5,000 or 5?"


@pytest.mark.parametrize(
    ("block", "typed", "problem", "meanings"),
    [
        (BATHS, "2,5", "Bathrooms must be a plain number. Write 2.5", [("2.5", "2.5")]),
        (BATHS, "three", "Bathrooms must be a plain number. Write 3", [("3", "3")]),
        (AREA, "1.5k", "Square feet must be a plain number. Write 1,500", [("1500", "1,500")]),
        (AREA, "1e3", "Square feet must be a plain number. Write 1,000", [("1000", "1,000")]),
        ({}, "1.5k", "Size must be a plain number. Write 1500", [("1500", "1,500")]),
        ({}, "twenty-five", "Size must be a plain number. Write 25", [("25", "25")]),
        (AREA, "172 m²", "Square feet must be in sq ft: 172 m² is 1,851", [("1851", "1,851")]),
        (AREA, "172 square  meters",
         "Square feet must be in sq ft: 172 square meters is 1,851", [("1851", "1,851")]),
        (AREA, "10 m²", "Square feet must be in sq ft: 10 m² is 108", []),
        ({"unit": "kg"}, "180 lbs", "Size must be in kg: 180 lbs is 81.65", [("81.65", "81.65")]),
        ({"unit": "°C", "max": 90}, "68 °F", "Size must be in °C: 68 °F is 20", [("20", "20")]),
        ({"unit": "months"}, "2 years", "Size must be in months: 2 years is 24", [("24", "24")]),
        (AREA, "1850 acre feet", "Square feet must be a number, like 1,850", []),
        (AREA, "x", "Square feet must be a number, like 1,850", []),
        *((AREA, "9" * length, "Square feet must be between 300 and 6,000", [])
          for length in (60, 400, 5000)),
        (AREA, "99k", "Square feet must be a number, like 1,850", []),
        ({"unit": "1000 USD"}, "$250", "Size must be a number, like 82.5", []),
        ({"unit": "EUR"}, "$250", "Size must be a number, like 82.5", []),
    ],
)  # fmt: skip
def test_an_error_says_what_to_write(
    block: dict[str, Any], typed: str, problem: str, meanings: list[tuple[str, str]]
) -> None:
    field = number_field(**block)
    assert refusal(field, typed) == problem
    assert list(field.list_meanings(typed)) == [Meaning(*item) for item in meanings]
    for item in field.list_meanings(typed):
        field.validate_value(item.text)


def test_the_sample_of_a_message_is_read_without_a_question() -> None:
    assert refusal(number_field(example=1850), "x") == "Size must be a number, like 1850"
    assert refusal(number_field("de_DE"), "x") == "Size must be a number, like 82,5"


def test_a_field_reads_numbers_without_a_question_where_the_sign_is_settled() -> None:
    field = number_field()
    german = field.settle_decimals(",")
    assert (german.validate_value("1.850"), german.validate_value("12,5")) == (1850, 12.5)
    assert field.settle_decimals(".").validate_value("1.850") == 1.85
    assert refusal(field, "1.850") == "Size: 1,850 or 1.85?"


TYPED = st.text(max_size=45) | st.text(
    st.sampled_from("0123456789.,'’ -+−$€%½/ek²m٫٬１ ​‎sqft"), max_size=42
)


@given(TYPED, st.sampled_from(("en_US", "de_DE")), st.sampled_from(("integer", "number")))
@example("9" * 40, "en_US", "integer")
@example("1e99", "en_US", "integer")
@example("9" * 12 + "bn", "de_DE", "integer")
def test_any_text_is_a_value_or_gets_a_sentence(typed: str, locale: str, kind: str) -> None:
    field = number_field(
        locale, kind=kind, unit="sq ft", min=-(10**20), max=10**20, example=1850, required=False
    )
    try:
        value = field.validate_value(typed)
    except PydanticCustomError:
        for item in field.list_meanings(typed):
            field.validate_value(item.text)
    else:
        assert value is None or -(10**20) <= value <= 10**20
        assert field.list_meanings(typed) == ()
        assert isinstance(field.describe_reading(typed), str)


LOCALES = ("en_US", "de_DE", "fr_FR", "de_CH", "hi_IN", "ar_EG", "pl_PL", "pt_BR", "sv_SE")
NUMBERS = st.integers(-9999, 9999) | st.decimals(-9999, 9999, places=3).map(float)


@given(st.sampled_from(LOCALES), st.booleans(), NUMBERS)
@example("de_DE", True, 82.5)
@example("en_US", True, 1.85)
def test_what_a_field_shows_or_spells_it_reads_as_the_same_or_asks(
    locale: str, has_unit: bool, number: float
) -> None:
    field = number_field(locale, min=-9999, max=9999, unit="kg" if has_unit else "")
    exact = Decimal(str(number))
    assert field.validate_value(field.format_typed(number)) == number
    for shown in (field.format_bare(number), field.format_value(number)):
        meanings = field.list_meanings(shown)
        if meanings:
            assert exact in {Decimal(str(field.validate_value(item.text))) for item in meanings}
        else:
            assert field.validate_value(shown) == pytest.approx(number, rel=1e-3, abs=1e-6)


@given(
    st.sampled_from(LOCALES),
    st.sampled_from(((",", "."), (".", ","), (" ", ","), ("'", "."))),
    NUMBERS,
    st.floats(-9999, 9999),
    st.floats(-9999, 9999),
)
def test_a_number_is_never_off_by_a_thousand_in_silence(
    locale: str, signs: tuple[str, str], number: float, low: float, high: float
) -> None:
    """Whoever types a number that the field takes gets it, a question, or sees another one."""
    low, high = sorted((low, high))
    if not low <= number <= high or low == high:
        return
    field = number_field(locale, min=low, max=high, example=low)
    typed = f"{number:,}".translate(str.maketrans(",.", "".join(signs)))
    try:
        value = field.validate_value(typed)
    except PydanticCustomError:
        return
    assert value == number


def test_a_column_of_plain_numbers_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numeric, "_IS_PLAIN", None)
    field = number_field(min=-9, max=9, example=1)
    cells = ["-0.1257", "1.5", "0.1250", "2"]
    assert field.read_plain_cells(cells).tolist() == [-0.1257, 1.5, 0.125, 2.0]


def test_a_difference_names_what_it_counts_once() -> None:
    assert number_field(**BATHS).format_difference(2.0, 3.0) == "1\xa0bath more"
    assert number_field().format_difference(3.0, 2.0) == "size 1 less"


@pytest.mark.parametrize(("span", "digits"), [(0.9, 3), (90.0, 1), (900.0, 0), (1000.0, -1)])
def test_what_is_asked_goes_from_one_round_number_of_the_data_to_another(
    span: float, digits: int
) -> None:
    known = np.array([0.123456, 0.123456 + span / 2, 0.123456 + span], np.float32).repeat(99)
    grid = number_field().make_grid(known)
    ends = round(0.123456, digits), round(0.123456 + span, digits)
    assert (grid.min(), grid.max()) == pytest.approx(ends, rel=1e-6)
    assert len(grid) > 9
    assert number_field().make_grid(np.full(9, 7.25, np.float32)).tolist() == [7.25]


@pytest.mark.parametrize(
    ("column", "bounds", "seen", "help_text"),
    [
        ([7.25] * 9, (6.2, 8.3), (7.25, 7.25), "Usually 7.25\xa0m²"),
        (
            np.linspace(0.123456, 1.023456, 200),
            (0.0, 1.4),
            (0.123, 1.024),
            "Usually 0.169 to 0.978\xa0m²",
        ),
        (np.linspace(-3, -1, 200), (-3.7, -0.3), (-3, -1), "Usually -2.9 to -1.1\xa0m²"),
        (
            [1000.01] * 9 + [1000.02] * 9,
            (1000.006, 1000.024),
            (1000.01, 1000.02),
            "Usually 1,000.01 to 1,000.02\xa0m²",
        ),
    ],
)
def test_a_field_is_drafted_with_round_numbers_that_leave_no_row_out(
    column: Any, bounds: tuple[float, float], seen: tuple[float, float], help_text: str
) -> None:
    keys = {"kind": "number", "name": "area", "label": "Area", "noun": "area"}
    field = NumberField.draft(Sample(keys, "m²", np.array(column, np.float64), ()))
    assert (field.min, field.max) == pytest.approx(bounds, rel=1e-12)
    assert (field.seen_min, field.seen_max) == seen
    assert field.help == help_text
    assert field.example in column or field.min < field.example < field.max
