"""Pipelines of several shapes become ONNX, or say why they can't."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from model import NumberModel, load_model
from model.making.kinds.number import NumberKind
from model.making.onnx.graphs import CompileError
from model.making.rows.prepared import load_compiled
from model.making.sources.compiling import compile_estimator
from tests.model.making.conftest import add
from tests.models import ModelFiles
from tests.places import FRAME, PLACES, make_rows, target


@pytest.fixture
def rows() -> np.ndarray:
    return make_rows()


def one_hot_linear() -> Pipeline:
    """A linear regression on a number and a one-hot choice."""
    one_hot = OneHotEncoder(categories=[list(PLACES)], handle_unknown="ignore", sparse_output=False)
    columns = ColumnTransformer([("n", "passthrough", ["size"]), ("c", one_hot, ["place"])])
    return Pipeline([("columns", columns), ("line", LinearRegression())])


def ordinal_trees() -> Pipeline:
    """Boosted trees on a number and an ordinal choice, missing as NaN."""
    # Not the card's order, so that codes have to be translated.
    ordinal = OrdinalEncoder(
        categories=[["south", "north", "east"]],
        handle_unknown="use_encoded_value",
        unknown_value=-1,
        encoded_missing_value=-1,
    )
    columns = ColumnTransformer([("n", "passthrough", ["size"]), ("c", ordinal, ["place"])])
    return Pipeline([("columns", columns), ("trees", HistGradientBoostingRegressor(max_iter=20))])


def fitted(pipeline: Any, rows: np.ndarray) -> Any:
    """The pipeline fitted to the rows."""
    return pipeline.fit(FRAME.build(rows), target(rows))


def compiled(pipeline: Any) -> bytes:
    """What is served of a fitted pipeline, not compared with it."""
    return compile_estimator(pipeline, NumberKind(), FRAME, lambda model: None)


@pytest.mark.parametrize(
    "pipeline",
    [
        one_hot_linear(),
        ordinal_trees(),
        TransformedTargetRegressor(one_hot_linear(), func=np.log, inverse_func=np.exp),
        TransformedTargetRegressor(ordinal_trees(), func=np.log1p, inverse_func=np.expm1),
    ],
    ids=["one-hot", "ordinal", "exp", "expm1"],
)
def test_a_compiled_pipeline_answers_every_row_alike(pipeline: Any, rows: np.ndarray) -> None:
    """Numbers, choices and unknown choices."""
    expected = fitted(pipeline, rows).predict(FRAME.build(rows))
    said = load_compiled(compiled(pipeline), "value")(rows.astype(np.float32))
    assert said == pytest.approx(expected, rel=1e-5)
    assert NumberKind().count_differing(said, expected) == 0


def test_the_same_pipeline_gives_the_same_bytes(rows: np.ndarray) -> None:
    """Nothing random or dated gets into the model."""
    pipeline = fitted(one_hot_linear(), rows)
    assert compiled(pipeline) == compiled(pipeline)


def test_a_function_without_onnx_form_is_refused(rows: np.ndarray) -> None:
    """The message names the reason."""
    numbers = make_pipeline(SimpleImputer(), FunctionTransformer(np.sqrt))
    columns = ColumnTransformer([("n", numbers, ["size"])])
    pipeline = fitted(Pipeline([("columns", columns), ("line", LinearRegression())]), rows)
    with pytest.raises(CompileError, match="skl2onnx says: FunctionTransformer is not supported"):
        compiled(pipeline)


def test_another_inverse_is_refused(rows: np.ndarray) -> None:
    """Only a few are known."""
    model = TransformedTargetRegressor(
        one_hot_linear(), func=np.cbrt, inverse_func=np.positive, check_inverse=False
    )
    with pytest.raises(CompileError, match=r"np\.exp"):
        compiled(fitted(model, rows))


def test_a_model_that_fails_the_check_is_not_served(rows: np.ndarray) -> None:
    """A model compiled from something else does not pass for the pipeline."""

    def check(model: bytes) -> None:
        said = load_compiled(model, "value")(rows.astype(np.float32))
        raise CompileError(f"{NumberKind().count_differing(said, said + 1)} rows differ")

    with pytest.raises(CompileError, match="400 rows differ"):
        compile_estimator(fitted(ordinal_trees(), rows), NumberKind(), FRAME, check)


def test_what_answers_otherwise_between_two_numbers_of_the_data_is_served_as_it_was_saved(
    tmp_path: Path,
) -> None:
    """A scaled number on a split, which lies in the middle between two, falls on either side."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.integers(0, 50, 400) * 2.0 + 0.2, "b": rng.uniform(0, 9, 400)})
    table["price"] = (table["a"] * 3 + table["b"].round(1)).round(2)
    table["b"] = table["b"].round(1)
    for steps, served in (([], "model.onnx"), ([StandardScaler()], "model.joblib")):
        trees = HistGradientBoostingRegressor(min_samples_leaf=2, max_leaf_nodes=60)
        model = make_pipeline(*steps, trees).fit(table[["a", "b"]], table["price"])
        joblib.dump(model, tmp_path / "model.joblib")
        table.to_csv(tmp_path / "data.csv", index=False)
        given = ModelFiles(tmp_path / "model.joblib", tmp_path / "data.csv", "price")
        result = add(given, "mine", tmp_path, "--force")
        assert result.exit_code == 0, result.output
        loaded = load_model(tmp_path / "mine")
        assert isinstance(loaded, NumberModel)
        assert loaded.manifest.served == served
        asked = table[["a", "b"]].assign(a=table["a"] + 1).head(50)
        rows = [loaded.card.validate_row(row)[0] for row in asked.to_dict("records")]
        found = [item.value for item in loaded.predict([row for row in rows if row is not None])]
        np.testing.assert_allclose(found, model.predict(asked), rtol=1e-4)


def test_numbers_that_were_float32_before_they_were_written_get_the_same_answers(
    tmp_path: Path,
) -> None:
    """As in files of Stata: 5.2349996566772461, which a tree tells from 5.235."""
    rng = np.random.default_rng(0)
    wages = rng.uniform(5, 40, 300).astype(np.float32).astype(float)
    table = pd.DataFrame({"wage": wages, "price": np.sin(wages * 50)})
    model = make_pipeline(
        StandardScaler(), HistGradientBoostingRegressor(min_samples_leaf=2, max_leaf_nodes=100)
    ).fit(table[["wage"]], table["price"])
    joblib.dump(model, tmp_path / "model.joblib")
    table.to_csv(tmp_path / "data.csv", index=False)
    given = ModelFiles(tmp_path / "model.joblib", tmp_path / "data.csv", "price")
    result = add(given, "mine", tmp_path)
    assert "where numbers have seven digits" not in result.output
    loaded = load_model(tmp_path / "mine")
    assert isinstance(loaded, NumberModel)
    found = [item.value for item in loaded.predict(table[["wage"]].to_dict("records"))]
    np.testing.assert_allclose(found, model.predict(table[["wage"]]), rtol=1e-5)
