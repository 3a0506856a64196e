"""Pipelines of several shapes become ONNX, or say why they can't."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    StandardScaler,
)

from model.making.onnx.compile import INPUT, CompileError, compare, compile_pipelines, open_session
from model.serving.frames import to_frame

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
    assert compare(model, pipelines, FIELDS, CHOICES, rows) < 1e-5


def network(columns: ColumnTransformer, activation: str, *hidden: int) -> Pipeline:
    """A small network after some preparation."""
    last = MLPRegressor(
        hidden_layer_sizes=hidden, activation=activation, max_iter=30, random_state=0
    )
    return Pipeline([("columns", columns), ("network", last)])


def prepared(*, choices: bool = True) -> ColumnTransformer:
    """A scaled number with its mean for unknown, and a choice, of which none is unknown."""
    number = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0))
    place = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("n", number, ["size"]), ("c", place, ["place"])]
    return ColumnTransformer(parts if choices else parts[:1])


@pytest.mark.parametrize(
    ("pipelines", "nodes"),
    [
        ({"value": network(prepared(), "tanh", 9, 5)}, 13),
        ({"value": network(prepared(), "relu", 9), "spread": network(prepared(), "relu", 4)}, 12),
        ({"value": network(prepared(choices=False), "logistic", 7)}, 11),
        ({"value": TransformedTargetRegressor(
            network(prepared(), "tanh", 9), func=np.log1p, inverse_func=np.expm1)}, 13),
    ],
    ids=["two layers", "two networks", "no choices used", "expm1"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_become_one_graph_of_few_nodes(
    pipelines: dict[str, Any], nodes: int, rows: np.ndarray
) -> None:
    """Unknown numbers and choices, too."""
    rows[::7, 0] = np.nan
    kept = np.nan_to_num(rows, nan=40)
    made = {
        name: pipeline.fit(to_frame(rows, FIELDS, CHOICES), target(kept))
        for name, pipeline in pipelines.items()
    }
    model = compile_pipelines(made, FIELDS, CHOICES, rows)
    assert compare(model, made, FIELDS, CHOICES, rows) < 1e-4
    assert len(onnx.load_from_string(model).graph.node) == nodes


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_on_products_of_columns_is_left_to_the_general_converter(
    rows: np.ndarray,
) -> None:
    """Its first layer is no sum over the columns, which the comparison finds."""
    columns = ColumnTransformer([("n", PolynomialFeatures(2), ["size", "other"])])
    matrix = np.column_stack([rows[:, 0], rows[::-1, 0]])
    frame = to_frame(matrix, ("size", "other"), {})
    pipeline = network(columns, "tanh", 6).fit(frame / 90, 3 + target(rows) / 90)
    model = compile_pipelines({"value": pipeline}, ("size", "other"), {}, matrix / 90)
    assert "Tanh" in {node.op_type for node in onnx.load_from_string(model).graph.node}
    assert compare(model, {"value": pipeline}, ("size", "other"), {}, matrix / 90) < 1e-4


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
        compare(model, other, FIELDS, CHOICES, rows)
