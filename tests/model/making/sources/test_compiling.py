"""Which classifiers without probabilities compile, and what is said of models that do not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import AdaBoostClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC

from model.contract.sources import Frame
from model.making.columns.describing import infer_columns
from model.making.kinds.number import NumberKind
from model.making.onnx.converting import convert_columns
from model.making.onnx.graphs import CompileError, finish_model
from model.making.rows.prepared import load_compiled
from model.making.sources.compiling import compile_estimator
from model.making.sources.estimator_sources import describe_estimator
from model.serving.predictors import OnnxPredictor
from tests.models import penguins

TEXTS = ["island", "Sex (m/f)"]
NUMBERS = ["bill length mm", "bill_depth_mm"]


def compiled_labels(model: Any, columns: list[str], classes: dict[str, Any]) -> int:
    """Compile a model of penguins; the number of rows whose label differs."""
    table = penguins().dropna().reset_index(drop=True)
    with warnings.catch_warnings(action="ignore"):  # that some have not converged
        model.fit(table[columns], table["species"].map(classes))
    kind = describe_estimator(model, "it").kind
    sources = tuple(column.source for column in infer_columns(table, columns, set(), {}))
    frame = Frame(columns=sources, named=True)
    matrix = frame.read(table)
    compiled = compile_estimator(model, kind, frame, lambda model: None)
    said = load_compiled(compiled, "probabilities")(matrix.astype(np.float32))
    assert set(np.unique(said)) == {0, 1}
    wanted = model.predict(table[columns])
    return int((np.asarray(kind.classes)[said.argmax(axis=1)] != wanted).sum())


WITHOUT_PROBABILITIES: list[Callable[[], Any]] = [
    LinearSVC,
    RidgeClassifier,
    lambda: Perceptron(random_state=0),
    lambda: SGDClassifier(loss="hinge", random_state=0),
]


@pytest.mark.parametrize("make", WITHOUT_PROBABILITIES)
@pytest.mark.parametrize(
    "classes",
    [
        {"Adelie": "Adelie", "Chinstrap": "Chinstrap", "Gentoo": "Gentoo"},
        {"Adelie": 0, "Chinstrap": 2, "Gentoo": 1},
        {"Adelie": "no", "Chinstrap": "no", "Gentoo": "yes"},
    ],
    ids=["texts", "numbers", "two"],
)
def test_a_classifier_without_probabilities_compiles_wherever_it_stands(
    make: Callable[[], Any], classes: dict[str, Any]
) -> None:
    prepare = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), TEXTS), (StandardScaler(), NUMBERS)
    )
    assert compiled_labels(make(), NUMBERS, classes) == 0
    assert compiled_labels(make_pipeline(prepare, make()), [*TEXTS, *NUMBERS], classes) == 0
    searched = make_pipeline(StandardScaler(), GridSearchCV(make(), {}, cv=2))
    assert compiled_labels(searched, NUMBERS, classes) == 0
    nested = make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), make()))
    assert compiled_labels(nested, NUMBERS, classes) == 0


def reason_for(model: Any, classes: tuple[Any, ...] = ("no", "yes")) -> str:
    """Why a model of two numbers does not compile."""
    rows = np.random.default_rng(0).normal(size=(60, 2))
    model.fit(rows, np.asarray(classes)[(rows[:, 0] > 0).astype(int)])
    kind = describe_estimator(model, "it").kind
    with pytest.raises(CompileError) as raised:
        compile_estimator(model, kind, infer_numbers(), lambda model: None)
    return str(raised.value)


def infer_numbers() -> Frame:
    table = penguins().dropna()
    sources = tuple(column.source for column in infer_columns(table, NUMBERS, set(), {}))
    return Frame(columns=sources, named=False)


def test_what_has_no_onnx_form_is_named_once() -> None:
    assert reason_for(NearestCentroid()) == "skl2onnx has no ONNX form of NearestCentroid."


def test_a_fault_in_a_converter_is_no_reason_in_its_own_words() -> None:
    said = reason_for(AdaBoostClassifier(n_estimators=3), (False, True))
    assert "its converter fails (AttributeError)" in said
    assert "encode" not in said


def test_what_was_frozen_at_the_end_of_a_pipeline_compiles() -> None:
    rows = np.random.default_rng(0).normal(size=(60, 2))
    truth = np.where(rows[:, 0] > 0, "yes", "no")
    frozen = FrozenEstimator(LogisticRegression().fit(rows, truth))
    model = make_pipeline(StandardScaler(), frozen).fit(rows, truth)
    kind = describe_estimator(model, "it").kind
    compiled = compile_estimator(model, kind, infer_numbers(), lambda model: None)
    said = load_compiled(compiled, "probabilities")(rows.astype(np.float32))
    assert np.abs(said - model.predict_proba(rows)).max() < 1e-5


def test_a_support_vector_machine_compiles_without_a_warning_about_its_library() -> None:
    """The tests end at a warning, which ``model add`` would print."""
    rows = np.random.default_rng(0).normal(size=(60, 2))
    model = make_pipeline(StandardScaler(), SVC()).fit(rows, rows[:, 0] > 0)
    kind = describe_estimator(model, "it").kind
    compiled = compile_estimator(model, kind, infer_numbers(), lambda model: None)
    said = load_compiled(compiled, "probabilities")(rows.astype(np.float32))
    assert (said.argmax(axis=1) == model.predict(rows)).all()


def test_columns_with_blanks_and_with_names_like_those_of_nodes_compile() -> None:
    table = pd.DataFrame(
        {
            "bill length (mm)": np.linspace(0, 1, 60),
            "bill_length__mm_": np.linspace(3, 1, 60),
            "sex code": ["female", "male", "other"] * 20,
            "sex_code_code": np.linspace(0, 5, 60) ** 2,
        }
    )
    steps = make_column_transformer(
        (OneHotEncoder(), ["sex code"]),
        (StandardScaler(), [name for name in table if name != "sex code"]),
    )
    fitted = make_pipeline(steps, Ridge()).fit(table, table["sex_code_code"] * 3)
    choices = {"sex code": ("female", "male", "other")}
    names = tuple(table)
    model = convert_columns(fitted, names, choices, [])
    kind = NumberKind()
    kind.append_answer(model.graph, [output.name for output in model.graph.output])
    served = finish_model(model, kind.output, len(names), *kind.shape).SerializeToString()
    codes = table.assign(**{"sex code": [0, 1, 2] * 20}).to_numpy(dtype=np.float32)
    answers, _ = OnnxPredictor(served).predict(codes)
    assert answers == pytest.approx(fitted.predict(table), rel=1e-4, abs=1e-4)


class OtherwiseInCompany(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """As one at a split is whose last digit depends on how many rows are asked at once."""

    def fit(self, rows: pd.DataFrame, target: object) -> Self:
        self.feature_names_in_ = np.array(rows.columns, dtype=object)
        self.n_features_in_ = rows.shape[1]
        return self

    def predict(self, rows: pd.DataFrame) -> Any:
        return np.asarray(rows["size"], dtype=float) + (len(rows) > 100)


def test_a_model_that_answers_otherwise_in_company_is_compared_with_as_many_rows(
    tmp_path: Path,
) -> None:
    table = pd.DataFrame({"size": np.arange(60) % 7 + 0.5, "age": np.arange(60) % 11 + 0.25})
    source = describe_estimator(OtherwiseInCompany().fit(table, None), "it")
    prepared = source.prepare(table, infer_columns(table, ["size", "age"], set(), {}), tmp_path)
    assert prepared.served == "model.joblib"
    assert prepared.kept.all()
