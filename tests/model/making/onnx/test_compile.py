"""Pipelines of several shapes become ONNX, or say why they can't."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
)

from model.making.onnx.compile import compare_answers, compile_pipelines
from model.making.onnx.graphs import INPUT, CompileError
from model.serving.frames import to_frame
from model.serving.predictors import open_session

FIELDS = ("size", "place")
CHOICES = {"place": ("north", "east", "south")}


@pytest.fixture
def rows() -> np.ndarray:
    """400 rows, of whose choices a quarter is unknown."""
    rng = np.random.default_rng(7)
    place = rng.integers(0, 3, 400).astype(float)
    place[rng.random(400) < 0.25] = np.nan
    return np.column_stack([rng.integers(1, 90, 400), place])


def target(rows: np.ndarray) -> np.ndarray:
    """A positive target that depends on both columns."""
    made: np.ndarray = 10 + rows[:, 0] + 7 * np.nan_to_num(rows[:, 1], nan=5)
    return made


def one_hot_linear() -> Pipeline:
    """A linear regression on a number and a one-hot choice."""
    one_hot = OneHotEncoder(
        categories=[list(CHOICES["place"])], handle_unknown="ignore", sparse_output=False
    )
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
    return pipeline.fit(to_frame(rows, FIELDS, CHOICES), target(rows))


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
def test_a_compiled_pipeline_answers_every_row_alike(pipeline: object, rows: np.ndarray) -> None:
    """Numbers, choices and unknown choices."""
    pipelines = {"value": fitted(pipeline, rows)}
    model = compile_pipelines(pipelines, FIELDS, CHOICES, rows)
    assert compare_answers(model, pipelines, FIELDS, CHOICES, rows) < 1e-5


def test_two_pipelines_share_what_they_have_in_common(rows: np.ndarray) -> None:
    """The second copy of a pipeline costs no nodes but its output."""
    pipeline = fitted(one_hot_linear(), rows)
    session = open_session(
        compile_pipelines({"value": pipeline, "spread": pipeline}, FIELDS, CHOICES, rows)
    )
    value, spread = session.run(["value", "spread"], {INPUT: rows.astype(np.float32)})
    assert value.shape == (400,)
    assert (value == spread).all()


def test_the_same_pipeline_gives_the_same_bytes(rows: np.ndarray) -> None:
    """Nothing random or dated gets into the model."""
    pipelines = {"value": fitted(one_hot_linear(), rows)}
    first, second = (compile_pipelines(pipelines, FIELDS, CHOICES, rows) for _ in range(2))
    assert first == second


def test_a_function_without_onnx_form_is_refused(rows: np.ndarray) -> None:
    """The message names the output and the reason."""
    numbers = make_pipeline(SimpleImputer(), FunctionTransformer(np.sqrt))
    columns = ColumnTransformer([("n", numbers, ["size"])])
    pipeline = fitted(Pipeline([("columns", columns), ("line", LinearRegression())]), rows)
    with pytest.raises(
        CompileError, match="value: skl2onnx says: FunctionTransformer is not supported"
    ):
        compile_pipelines({"value": pipeline}, FIELDS, CHOICES, rows)


def test_another_inverse_is_refused(rows: np.ndarray) -> None:
    """Only exp and expm1 are known."""
    model = TransformedTargetRegressor(one_hot_linear(), func=np.sqrt, inverse_func=np.square)
    with pytest.raises(CompileError, match=r"np\.exp"):
        compile_pipelines({"value": fitted(model, rows)}, FIELDS, CHOICES, rows)


def test_rows_that_differ_are_shown(rows: np.ndarray) -> None:
    """A model compiled from something else does not pass for the pipeline."""
    model = compile_pipelines({"value": fitted(one_hot_linear(), rows)}, FIELDS, CHOICES, rows)
    other = {"value": fitted(ordinal_trees(), rows)}
    with pytest.raises(CompileError, match=r"of 400 rows differ.*\n  row \d+: .* became .*'size'"):
        compare_answers(model, other, FIELDS, CHOICES, rows)
