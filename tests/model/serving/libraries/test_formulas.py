"""The columns of a design are read as the formula made them."""

import numpy as np
import pytest

from model.contract.pickles import PickleError, Record
from model.serving.libraries.formulas import parse_term
from model.serving.libraries.links import FUNCTIONS
from model.serving.libraries.statsmodels_results import read_statsmodels

COLUMNS = {"age": [1.0, 4.0], "pool": [0.0, 1.0], "a:b": [2.0, 3.0]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Intercept", [1, 1]),
        ("age", [1, 4]),
        ("pool[T.True]", [0, 1]),
        ("pool[False]", [1, 0]),
        ("np.log2(age)", [0, 2]),
        ("np.sqrt(age):pool[T.True]", [0, 2]),
        ("I(age ** 2)", [1, 16]),
        ("I(age ** 3)", [1, 64]),
        ("Q('a:b'):age", [2, 12]),
    ],
)
def test_a_column_of_a_design_is_the_product_of_its_factors(
    name: str, expected: list[float]
) -> None:
    found = np.ones(2)
    for factor in parse_term(name):
        assert factor.level is None
        found = found * FUNCTIONS[factor.function](np.array(COLUMNS[factor.column]))
    assert found.tolist() == expected


@pytest.mark.parametrize("name", ["C(city, Sum)[S.a]", "np.cosh(age)", "age +"])
def test_what_is_not_known_is_refused(name: str) -> None:
    with pytest.raises(PickleError, match="not known"):
        parse_term(name)


def test_a_series_is_no_model_of_rows() -> None:
    results = Record("statsmodels.tsa.arima.model.ARIMAResults", state={"params": np.ones(2)})
    with pytest.raises(PickleError, match="a form asks for the facts of one row"):
        read_statsmodels(results)
