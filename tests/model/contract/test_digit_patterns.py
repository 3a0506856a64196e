"""The pattern of a number's text says what the field takes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from model.contract.fields.digit_patterns import build_pattern

BOUND = st.integers(-12000, 12000)


@given(BOUND, BOUND, st.integers(-15000, 15000))
def test_it_takes_the_whole_numbers_between_the_bounds_and_no_others(
    low: int, high: int, number: int
) -> None:
    low, high = sorted((low, high))
    pattern = build_pattern(low, high, whole=True)
    for tried in (number, low, high, low - 1, high + 1):
        assert bool(re.search(pattern, str(tried))) == (low <= tried <= high)


@given(BOUND, BOUND, st.integers(-15000, 15000), st.integers(0, 99))
def test_with_decimals_it_takes_nothing_outside(
    low: int, high: int, number: int, cents: int
) -> None:
    low, high = sorted((low, high))
    text = f"{number}.{cents:02}"
    taken = bool(re.search(build_pattern(low, high, whole=False), text))
    if taken:
        assert low <= float(text) <= high
    elif number >= 0 and low <= number < high:
        raise AssertionError(text)


def test_bounds_without_a_whole_number_between_them_have_none() -> None:
    assert build_pattern(0.2, 0.8, whole=False) == ""
    assert re.search(build_pattern(0, 1, whole=False), "0.75")
    assert not re.search(build_pattern(0, 1, whole=False), "1.5")
