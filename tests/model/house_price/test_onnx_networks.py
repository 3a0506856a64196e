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

from model.contract.sources import Frame
from model.house_price.onnx_networks import compile_networks
from model.making.onnx.graphs import CompileError
from tests.places import FRAME, make_rows, target


@pytest.fixture
def rows() -> np.ndarray:
    return make_rows()


def network(columns: ColumnTransformer, *hidden: int) -> TransformedTargetRegressor:
    """A small network of the logarithm, after some preparation."""
    last = MLPRegressor(hidden_layer_sizes=hidden, activation="tanh", max_iter=30, random_state=0)
    pipeline = Pipeline([("columns", columns), ("network", last)])
    return TransformedTargetRegressor(pipeline, func=np.log, inverse_func=np.exp)


def prepared(*, choices: bool = True) -> ColumnTransformer:
    """A scaled number with its mean for unknown, and a choice, of which none is unknown."""
    number = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0))
    place = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("n", number, ["size"]), ("c", place, ["place"])]
    return ColumnTransformer(parts if choices else parts[:1])


@pytest.mark.parametrize(
    ("pipelines", "nodes"),
    [
        ({"value": network(prepared(), 9, 5)}, 14),
        ({"value": network(prepared(), 9), "spread": network(prepared(), 4)}, 14),
        ({"value": network(prepared(choices=False), 7)}, 12),
    ],
    ids=["two layers", "two networks", "no choices used"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_networks_become_one_graph_of_few_nodes(
    pipelines: dict[str, Any], nodes: int, rows: np.ndarray
) -> None:
    """Unknown numbers and choices, too."""
    rows[::7, 0] = np.nan
    kept = np.nan_to_num(rows, nan=40)
    made = {
        name: pipeline.fit(FRAME.build(rows), target(kept)) for name, pipeline in pipelines.items()
    }
    model = compile_networks(made, FRAME, rows)  # compares every row
    assert len(onnx.load_from_string(model).graph.node) == nodes


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_on_products_of_columns_is_refused(rows: np.ndarray) -> None:
    """Its first layer is no sum over the columns, which the comparison finds."""
    columns = ColumnTransformer([("n", PolynomialFeatures(2), ["size", "other"])])
    matrix = np.column_stack([rows[:, 0], rows[::-1, 0]]) / 90
    frame = Frame.of_card(("size", "other"), {})
    pipeline = network(columns, 6).fit(frame.build(matrix), 3 + target(rows) / 90)
    with pytest.raises(CompileError, match=r"value: \d+ of 400 rows get another answer"):
        compile_networks({"value": pipeline}, frame, matrix)
