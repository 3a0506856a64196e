"""What the steps of an estimator take."""

from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from model.making.steps.fitted_steps import find_encoded_columns

ROWS = np.array([[0, 3.0], [1, 4.0], [2, 1.0], [0, 2.0]] * 5)
COLUMNS = ColumnTransformer([("code", OneHotEncoder(), [0])], remainder="passthrough")


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(COLUMNS, Ridge()),
        HistGradientBoostingRegressor(max_iter=1, categorical_features=[0]),
    ],
    ids=["columns", "histograms"],
)
def test_encoded_columns_are_found_by_name_and_none_without_names(model: Any) -> None:
    fitted = model.fit(ROWS, ROWS[:, 1])
    assert find_encoded_columns(fitted, ["code", "size"]) == {"code"}
    assert find_encoded_columns(fitted, ()) == set()
