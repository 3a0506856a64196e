"""A number that stands for an unknown one is named; the form would take it for a number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from tests.model.making.conftest import add_fitted


def add(root: Path, cells: list[float]) -> str:
    """Add a model of one column, the first rows of which have these cells."""
    column = np.random.default_rng(0).integers(0, 60, 100).astype(float)
    column[: len(cells)] = cells
    table = pd.DataFrame({"age": column})
    table["price"] = column * 2
    table.to_csv(root / "data.csv", index=False)
    fitted = LinearRegression().fit(table[["age"]], table["price"])
    return add_fitted(root, "prices", fitted, "--data", root / "data.csv", "--target", "price")


@pytest.mark.parametrize("value", [-9, -999, 999, 99_999])
def test_a_number_of_nines_far_from_all_others_is_named(root: Path, value: float) -> None:
    said = add(root, [value] * 4)
    assert f"Note: age is {value} in 4 rows, and between 0 and 59 in all others." in said


@pytest.mark.parametrize(
    "cells",
    [[-999.0], [99.0] * 4, [-500.0] * 4, [-9.0, -9.0, -9.0, -2.0], [49.0, 99.0] * 50],
)
def test_numbers_that_may_be_meant_are_not(root: Path, cells: list[float]) -> None:
    assert "in all others" not in add(root, cells)
