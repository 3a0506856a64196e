"""Pipelines that end in small networks become one small ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, PolynomialFeatures, StandardScaler

from model.house_price.onnx_networks import convert_networks
from model.making.onnx import compile as compiler
from model.making.onnx.compile import compare_answers, compile_pipelines
from model.serving.frames import to_frame

CONVERTERS = {"as networks": convert_networks, **compiler.CONVERTERS}
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
    model = compile_pipelines(made, FIELDS, CHOICES, rows, CONVERTERS)
    assert compare_answers(model, made, FIELDS, CHOICES, rows) < 1e-4
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
    pipelines, fields = {"value": pipeline}, ("size", "other")
    model = compile_pipelines(pipelines, fields, {}, matrix / 90, CONVERTERS)
    assert "Tanh" in {node.op_type for node in onnx.load_from_string(model).graph.node}
    assert compare_answers(model, pipelines, fields, {}, matrix / 90) < 1e-4
