"""Numbers from data come back as they were typed."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.contract.sources import widen


@given(st.integers(-999_999, 999_999), st.integers(0, 3))
def test_a_float32_gives_back_the_decimal_number_of_six_digits(digits: int, places: int) -> None:
    typed = float(f"{digits}e-{places}")
    assert widen(np.array([[typed]], np.float32)).item() == typed


def test_what_has_no_digits_stays_as_it_is() -> None:
    matrix = np.array([0.0, np.nan, np.inf, -np.inf, 1e-30, 3e38], np.float32)
    assert np.array_equal(widen(matrix), matrix.astype(np.float64), equal_nan=True)
