"""What the steps of an estimator take."""

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    BaggingRegressor,
    HistGradientBoostingRegressor,
    StackingRegressor,
    VotingRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.multioutput import RegressorChain
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    StandardScaler,
)

from model.making.steps.fitted_steps import find_categories

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
    assert set(find_categories(fitted, ["code", "size"])) == {"code"}
    assert find_categories(fitted, ()) == {}


@pytest.mark.parametrize(
    "model",
    [
        CalibratedClassifierCV(make_pipeline(COLUMNS, LogisticRegression()), cv=2),
        FixedThresholdClassifier(make_pipeline(COLUMNS, LogisticRegression())),
        StackingRegressor([("one", make_pipeline(COLUMNS, Ridge())), ("two", Ridge())], cv=2),
        VotingRegressor([("one", Ridge()), ("two", make_pipeline(COLUMNS, Ridge()))]),
        BaggingRegressor(make_pipeline(COLUMNS, Ridge()), n_estimators=2, random_state=0),
        RegressorChain(make_pipeline(COLUMNS, Ridge())),
        make_pipeline(make_union(StandardScaler(), COLUMNS), Ridge()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_categories_are_found_in_the_estimators_of_an_estimator(model: Any) -> None:
    is_chain = isinstance(model, RegressorChain)
    fitted = model.fit(ROWS, ROWS if is_chain else ROWS[:, 0] > 0)
    assert find_categories(fitted, ["code", "size"]) == {"code": [0, 1, 2]}


def test_a_bag_on_some_of_the_columns_takes_the_categories_of_these() -> None:
    part = make_pipeline(OneHotEncoder(handle_unknown="ignore"), Ridge())
    model = BaggingRegressor(part, max_features=1, n_estimators=20, random_state=0)
    fitted = model.fit(ROWS, ROWS[:, 1])
    assert find_categories(fitted, ["code", "size"]).keys() == {"code", "size"}


def test_bins_that_are_encoded_are_no_categories_of_their_column() -> None:
    bins = KBinsDiscretizer(2, encode="ordinal", strategy="uniform")
    branches = [("bins", make_pipeline(bins, OneHotEncoder()), [1]), ("code", OneHotEncoder(), [0])]
    fitted = make_pipeline(ColumnTransformer(branches), Ridge()).fit(ROWS, ROWS[:, 1])
    assert find_categories(fitted, ["code", "size"]) == {"code": [0, 1, 2]}


def test_what_a_function_made_is_no_category_of_the_column_in_its_place() -> None:
    turned = FunctionTransformer(lambda rows: rows[:, ::-1])
    branches = [("code", OneHotEncoder(), [1])]
    fitted = make_pipeline(turned, ColumnTransformer(branches), Ridge()).fit(ROWS, ROWS[:, 1])
    assert find_categories(fitted, ["code", "size"]) == {}
