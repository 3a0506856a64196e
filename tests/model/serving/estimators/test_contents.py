"""A file that holds several things gives each of them."""

import pickle
import warnings
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import (
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, RadiusNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    LabelEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    SplineTransformer,
    StandardScaler,
)
from sklearn.semi_supervised import LabelSpreading
from sklearn.svm import SVC

from model.contract.pickles import PickleError, Record, read_pickle
from model.serving.estimators import Refused, UnknownNameError, revive, revive_all
from tests.model.serving.estimators.saved import read_saved

ROWS = np.random.default_rng(0).normal(size=(20, 2))


class Own:
    """A class that only these tests have."""


def read(value: object, folder: Path) -> Any:
    """The value after it was saved and read."""
    path = folder / "bundle.pkl"
    path.write_bytes(value if isinstance(value, bytes) else pickle.dumps(value))
    return revive_all(read_pickle(path).root)


def test_a_step_of_no_columns_was_never_fitted_and_does_nothing(tmp_path: Path) -> None:
    table = pd.DataFrame(ROWS, columns=["a", "b"])
    steps = make_column_transformer(
        (OneHotEncoder(), make_column_selector(dtype_include="object")),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )
    model = make_pipeline(steps, Ridge()).fit(table, ROWS[:, 0])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    read_again = revive(read_pickle(path).root)
    assert read_again.predict(table).tolist() == model.predict(table).tolist()


@pytest.mark.parametrize(
    "columns",
    [
        slice("b", "d"), slice(None, "c"), slice("c", None), slice(1, 3), slice(0, 4, 2),
        slice(-2, None), slice(3, None, -1),
    ],
    ids=str,
)  # fmt: skip
def test_columns_that_are_chosen_as_a_range_are_those(columns: slice, tmp_path: Path) -> None:
    table = pd.DataFrame(ROWS[:, [0, 1, 0, 1]] * (1, 2, 3, 4), columns=list("abcd"))
    steps = make_column_transformer((StandardScaler(), columns), remainder="passthrough")
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(steps.fit(table)))
    read_again = revive(read_pickle(path).root)
    np.testing.assert_allclose(read_again.transform(table), steps.transform(table))


def test_columns_that_are_chosen_by_a_flag_each_are_those(tmp_path: Path) -> None:
    model = make_column_transformer((StandardScaler(), [False, True])).fit(ROWS)
    assert read(model, tmp_path).transform(ROWS).tolist() == model.transform(ROWS).tolist()


def test_each_step_says_where_its_columns_stand(tmp_path: Path) -> None:
    steps = [
        ("bins", OneHotEncoder(), [2]),
        ("scaled", StandardScaler(), [0, 1]),
    ]
    table = np.column_stack([ROWS, np.arange(20) % 3])
    for remainder in ("drop", "passthrough"):
        model = ColumnTransformer(steps, remainder=remainder).fit(table)
        expected = dict(model.output_indices_)
        assert read(model, tmp_path).output_indices_ == expected
        del vars(model)["output_indices_"]  # which 1.0 began to keep
        assert read(model, tmp_path).output_indices_ == expected


@pytest.mark.parametrize(
    ("version", "state", "is_checked"),
    [
        ("0.21.3", {}, True),
        ("0.21.3", {"validate": None}, True),
        ("0.21.3", {"validate": False}, False),
        ("0.22.1", {}, False),
        ("0.22.1", {"validate": True}, True),
    ],
)
def test_rows_of_a_function_were_checked_by_default_until_0_21(
    version: str, state: dict[str, object], is_checked: bool
) -> None:
    path = "sklearn.preprocessing._function_transformer.FunctionTransformer"
    record = Record(path, state={"_sklearn_version": version, "func": None, **state})
    assert revive(record).validate is is_checked


@pytest.mark.parametrize("classes", [2, 3])
def test_what_others_read_of_a_support_vector_machine_is_as_it_was(
    tmp_path: Path, classes: int
) -> None:
    model = SVC(kernel="linear").fit(ROWS, np.arange(len(ROWS)) % classes)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    read_again = revive(read_pickle(path).root)
    names = ["coef_", "dual_coef_", "intercept_", "support_", "n_support_", "class_weight_"]
    for name in (*names, "fit_status_", "_probA", "_probB"):
        np.testing.assert_array_equal(getattr(read_again, name), getattr(model, name), name)


def test_splines_without_the_first_of_each_column_are_as_they_were(tmp_path: Path) -> None:
    model = SplineTransformer(n_knots=4, include_bias=False).fit(ROWS)
    read_again = read(model, tmp_path)
    assert read_again.transform(ROWS).tolist() == model.transform(ROWS).tolist()


def test_splines_of_a_column_with_one_value_are_as_they_were(tmp_path: Path) -> None:
    rows = ROWS * [0, 1]
    model = SplineTransformer(n_knots=4).fit(rows)
    assert read(model, tmp_path).transform(ROWS).tolist() == model.transform(ROWS).tolist()


def test_an_encoder_that_left_some_columns_as_they_are_is_refused() -> None:
    """Until 0.21 it could be told which to encode."""
    state = {"categorical_features": np.array([0, 2]), "feature_indices_": np.array([0, 2, 5])}
    with pytest.raises(PickleError, match="encodes some of its columns alone"):
        revive(Record("sklearn.preprocessing.data.OneHotEncoder", state=state))


def test_a_bundle_gives_its_estimators_and_its_names(tmp_path: Path) -> None:
    scaler = StandardScaler().fit(ROWS)
    model = Ridge().fit(scaler.transform(ROWS), ROWS[:, 0])
    given = {
        "model": model,
        "scalers": [scaler, scaler],
        "encoders": {"town": LabelEncoder().fit(["a", "b"])},
        "cells": np.array([scaler, "text"], dtype=object),
        "columns": pd.Index(["age", "size"]),
        "old": pd.Index(["age", "size"], dtype=object),
        "numbered": pd.RangeIndex(2),
        "own": Own(),
        "means": (ROWS.mean(axis=0), 3),
    }
    found = read(given, tmp_path)
    answers = found["model"].predict(found["scalers"][1].transform(ROWS))
    np.testing.assert_allclose(answers, model.predict(scaler.transform(ROWS)))
    assert found["scalers"][0] is found["scalers"][1] is found["cells"][0]
    assert found["encoders"]["town"].classes_.tolist() == ["a", "b"]
    assert found["columns"].tolist() == found["old"].tolist() == ["age", "size"]
    assert found["numbered"].tolist() == [0, 1]
    assert isinstance(found["own"], Refused)
    assert isinstance(found["own"].error, UnknownNameError)
    assert found["means"][1] == 3


KEEPING_ROWS = [
    KNeighborsClassifier(3),
    KNeighborsRegressor(3, algorithm="brute"),
    RadiusNeighborsClassifier(1e6),
    KernelRidge(),
    LabelSpreading(),
]


@pytest.mark.parametrize(
    ("model", "cells"),
    [
        *product(KEEPING_ROWS, ["int64", "bool", "uint8", "float16", "sparse"]),
        (GaussianProcessRegressor(), "int64"),
    ],
)
def test_rows_that_a_model_keeps_may_be_whole_numbers_or_flags(
    tmp_path: Path, model: Any, cells: str
) -> None:
    drawn = np.random.default_rng(0).integers(0, 9, (40, 3))
    rows = scipy.sparse.csr_matrix(drawn) if cells == "sparse" else drawn.astype(cells)
    target = (drawn[:, 0] > 4).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # how good it is does not matter
        model.fit(rows, target)
    np.testing.assert_allclose(read(model, tmp_path).predict(rows), model.predict(rows))


def test_a_search_answers_whatever_it_searched_around(tmp_path: Path) -> None:
    search = GridSearchCV(RandomForestRegressor(3, random_state=0), {"max_depth": [1, 2]}, cv=2)
    search.fit(ROWS, ROWS[:, 0])
    np.testing.assert_array_equal(read(search, tmp_path).predict(ROWS), search.predict(ROWS))


def laugh() -> list[Any]:
    """A short list of lists that would take for ever to walk."""
    value: list[Any] = []
    for _ in range(20):
        value = [value] * 6
    return value


@pytest.mark.parametrize(
    ("value", "reason"), [(b"]q\x00h\x00a.", "holds itself"), (laugh(), "far more values")]
)
def test_what_would_never_end_is_refused(tmp_path: Path, value: object, reason: str) -> None:
    with pytest.raises(PickleError, match=reason):
        read(value, tmp_path)


def test_a_pipeline_that_draws_other_rows_to_fit_answers_like_one_that_does_not() -> None:
    """The pipeline of imbalanced-learn leaves its samplers out when it predicts."""
    steps = [("draw", Record("imblearn.over_sampling._smote.base.SMOTE", state={}))]
    pipeline = read_saved("1.5.2", "pipeline")
    pipeline.path = "imblearn.pipeline.Pipeline"
    pipeline.state["steps"] = steps + pipeline.state["steps"]
    made = revive(pipeline)
    assert made.steps[0] == ("draw", "passthrough")
    assert made.predict(np.zeros((1, 4))).shape == (1,)
    pipeline.state["steps"][0] = ("draw", Record("imblearn.base.FunctionSampler", state={}))
    with pytest.raises(UnknownNameError, match="FunctionSampler"):
        revive(pipeline)


def test_parameters_may_be_a_dictionary_or_a_list(tmp_path: Path) -> None:
    weights = {0: 1.0, 1: 2.0}
    model = RandomForestClassifier(3, class_weight=[weights, weights], random_state=0)
    labels = np.column_stack([ROWS[:, 0] > 0, ROWS[:, 1] > 0]).astype(int)
    fitted = [model.fit(ROWS, labels), SVC(class_weight=weights).fit(ROWS, labels[:, 0])]
    found = read(fitted, tmp_path)
    assert [item.class_weight for item in found] == [[weights, weights], weights]


@pytest.mark.parametrize("cells", [["a", None, "b"], [1.0, np.nan, 2.0]])
def test_a_missing_category_has_the_code_that_was_chosen_for_it(
    tmp_path: Path, cells: list[Any]
) -> None:
    table = pd.DataFrame({"cell": cells})
    encoder = OrdinalEncoder(encoded_missing_value=-9).fit(table)
    found = read(encoder, tmp_path).transform(table)
    assert found.tolist() == encoder.transform(table).tolist() == [[0], [-9], [1]]


def test_polynomials_of_no_degree_are_a_constant(tmp_path: Path) -> None:
    found = read(PolynomialFeatures(0).fit(ROWS), tmp_path)
    assert found.transform(ROWS).tolist() == [[1.0]] * len(ROWS)


@pytest.mark.parametrize(
    ("kind", "ways"), [(VotingClassifier, {"voting": "soft"}), (StackingClassifier, {"cv": 2})]
)
def test_estimators_that_were_pipelines_answer_also_when_they_are_saved_again(
    kind: Any, ways: dict[str, Any], tmp_path: Path
) -> None:
    rows = np.random.default_rng(0).normal(size=(80, 3))
    columns = make_column_transformer((StandardScaler(), [0, 2]), remainder="passthrough")
    parts = [("line", make_pipeline(columns, LogisticRegression())), ("net", GaussianNB())]
    fitted = kind(parts, **ways).fit(rows, rows[:, 0] > 0)
    again = read(read(fitted, tmp_path), tmp_path)
    np.testing.assert_array_equal(again.predict_proba(rows), fitted.predict_proba(rows))
