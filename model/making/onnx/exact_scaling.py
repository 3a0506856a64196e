"""Scalers and boosted trees as ONNX, for comparisons to the last bit.

A tree's threshold lies between two rows of the data, and often on another row. skl2onnx scales with
seven digits, and then such rows may fall on the other side. Here the number that was typed is
restored from its seven digits, as ``widen`` does, scaled with 16, and rounded as trees round it.
Boosted trees compare doubles: their thresholds are rounded so that such numbers stay on their side.
"""

import copy
from functools import partial
from typing import Any

import numpy as np
from onnx import TensorProto
from skl2onnx import update_registered_converter
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from model.contract.arrays import Float64Array
from model.making.onnx.additive import NodeWriter, round_down
from model.making.steps.fitted_steps import SCALERS

_SMALLEST = 1e-30
"""Stands for 0, which has no logarithm; as a scaled number it is 0 again."""

_DIGITS = 7
"""Digits of a float32."""

ScalingStep = tuple[str, Float64Array]
"""An operator of ONNX, and what it takes beside the numbers, shape (features,)."""


class ExactScaler(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A fitted scaler as its ``steps``, one operation after another; it only becomes ONNX."""

    def __init__(self, steps: tuple[ScalingStep, ...], n_features_in_: int) -> None:
        self.steps = steps
        self.n_features_in_ = n_features_in_


def replace_scalers(fitted: Any) -> Any:
    """Copy a fitted estimator with exact scalers and thresholds; itself if it has none."""
    if isinstance(fitted, HistGradientBoostingClassifier | HistGradientBoostingRegressor):
        return _round_thresholds(fitted)
    if isinstance(fitted, SCALERS):
        steps = _list_steps(fitted)
        return ExactScaler(steps, fitted.n_features_in_) if steps else fitted
    attribute = {Pipeline: "steps", FeatureUnion: "transformer_list"}.get(type(fitted), "")
    if isinstance(fitted, ColumnTransformer):
        attribute = "transformers_"
    if not attribute:
        return fitted
    found = [(name, replace_scalers(step), *rest) for name, step, *rest in vars(fitted)[attribute]]
    if all(new[1] is old[1] for new, old in zip(found, vars(fitted)[attribute], strict=True)):
        return fitted
    copied = copy.copy(fitted)
    setattr(copied, attribute, found)
    return copied


def _round_thresholds(boosted: Any) -> Any:
    copied = copy.copy(boosted)
    copied._predictors = [[copy.copy(tree) for tree in stage] for stage in boosted._predictors]
    for tree in (tree for stage in copied._predictors for tree in stage):
        tree.nodes = tree.nodes.copy()
        threshold = round_down(tree.nodes["num_threshold"], are_doubles=True)
        tree.nodes["num_threshold"] = threshold
    return copied


def _list_steps(scaler: Any) -> tuple[ScalingStep, ...]:
    """List what a scaler does, in its order; none where that is more than arithmetic."""
    if isinstance(scaler, MinMaxScaler):
        return () if scaler.clip else (("Mul", scaler.scale_), ("Add", scaler.min_))
    center = getattr(scaler, "mean_" if isinstance(scaler, StandardScaler) else "center_", None)
    if isinstance(scaler, StandardScaler) and not scaler.with_mean:
        center = None
    steps = (("Sub", center), ("Div", scaler.scale_))
    return tuple((operator, values) for operator, values in steps if values is not None)


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of an exact scaler for skl2onnx."""
    graph = NodeWriter(scope, container)
    keep = partial(graph.keep, dtype=np.float64)
    given = operator.inputs[0].full_name
    wide = graph.add("Cast", given, to=TensorProto.DOUBLE)
    size = graph.add("Max", graph.add("Abs", wide), keep(_SMALLEST))
    magnitude = graph.add("Floor", graph.add("Div", graph.add("Log", size), keep(np.log(10.0))))
    digits = graph.add("Max", graph.add("Sub", keep(_DIGITS - 1.0), magnitude), keep(0.0))
    power = graph.add("Pow", keep(10.0), digits)
    decimals = graph.add("Div", graph.add("Round", graph.add("Mul", wide, power)), power)
    same = graph.add("Equal", graph.add("Cast", decimals, to=TensorProto.FLOAT), given)
    last = graph.add("Where", same, decimals, wide)
    for name, values in operator.raw_operator.steps:
        last = graph.add(name, last, keep(values))
    graph.add_output(graph.add("Cast", last, to=TensorProto.FLOAT), operator.outputs[0].full_name)


def _calculate_shape(operator: Any) -> None:
    rows = operator.inputs[0].get_first_dimension()
    operator.outputs[0].type = FloatTensorType([rows, operator.raw_operator.n_features_in_])


update_registered_converter(ExactScaler, "FormcastExactScaler", _calculate_shape, _convert)
