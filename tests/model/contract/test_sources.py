"""Numbers from data come back as they were typed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract.sources import Source, widen


@given(st.integers(-999_999, 999_999), st.integers(0, 3))
def test_a_float32_gives_back_the_decimal_number_of_six_digits(digits: int, places: int) -> None:
    typed = float(f"{digits}e-{places}")
    assert widen(np.array([[typed]], np.float32)).item() == typed


@given(st.floats(-(2.0**90), 2.0**90, width=32))
def test_a_number_that_was_a_float32_in_the_data_stays_the_same_float32(number: float) -> None:
    assert np.float32(widen(np.array([[number]], np.float32)).item()) == np.float32(number)


def test_what_has_no_digits_stays_as_it_is() -> None:
    matrix = np.array([0.0, np.nan, np.inf, -np.inf, 1e-30, 3e38], np.float32)
    assert np.array_equal(widen(matrix), matrix.astype(np.float64), equal_nan=True)


@pytest.mark.parametrize(
    ("kind", "values", "spelling", "codes", "cells"),
    [
        ("float", (), "", [1.5, np.nan], [1.5, np.nan]),
        ("integer", (), "", [3, -1], [3, -1]),
        ("integer", (), "", [3, np.nan], [3, np.nan]),  # pandas has floats where one is missing
        ("boolean", (), "", [0, 1], [False, True]),
        ("integer", (5, 7), "", [1, 0, np.nan], [7, 5, np.nan]),
        ("text", ("a", "b"), "", [1, 0, np.nan], ["b", "a", np.nan]),
        ("date", (), "%d.%m.%Y", [0, 18293, np.nan], ["01.01.1970", "01.02.2020", np.nan]),
        (
            "timestamp",
            (),
            "",
            [0, 18293, np.nan],
            [pd.Timestamp(1970, 1, 1), pd.Timestamp(2020, 2, 1), pd.NaT],
        ),
    ],
)
def test_a_column_has_the_cells_of_its_codes_and_gives_these_back(
    kind: Any, values: Any, spelling: str, codes: list[float], cells: list[Any]
) -> None:
    source = Source(column="x", type=kind, values=values, spelling=spelling)
    found = pd.Series(source.decode(np.array(codes, float)))
    pd.testing.assert_series_equal(found, pd.Series(cells, dtype=found.dtype))
    if kind == "boolean":
        assert found.dtype == np.bool_
    np.testing.assert_array_equal(source.encode(found), codes)
    assert source.is_text == (kind in ("text", "date", "timestamp"))
    assert source.is_date == (kind in ("date", "timestamp"))
