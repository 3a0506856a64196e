"""Scalers of their own files, put before an ONNX model: each is one multiplication and addition."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from model.contract.arrays import Float64Array
from model.making.onnx.graphs import CompileError, prepend_nodes
from model.making.onnx.signatures import FLOAT_TYPES, list_inputs
from model.making.steps.fitted_steps import SCALERS

UNSCALED = "before_scaling"
"""The name of the input that the scalers take."""


def prepend_scalers(model: onnx.ModelProto, scalers: Sequence[Any]) -> onnx.ModelProto:
    """Copy a model of one matrix of numbers, float [N, K], with fitted scalers before it.

    They compute with float64, as they did when the model was fitted.

    Raises:
        CompileError: if the model takes something else, or one of them is no scaler of K columns.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    inputs = list_inputs(graph)
    if len(inputs) != 1 or inputs[0].type.tensor_type.elem_type not in FLOAT_TYPES:
        raise CompileError("it does not take one matrix of numbers, which a scaler could change")
    (given,) = inputs
    dims = given.type.tensor_type.shape.dim
    width = dims[-1].dim_value if dims else 0
    nodes = [helper.make_node("Cast", [UNSCALED], [f"{UNSCALED}_0"], to=TensorProto.DOUBLE)]
    for place, scaler in enumerate(scalers):
        factors, terms = _read_scaler(scaler)
        if width not in (0, len(factors)):
            raise CompileError(
                f"it takes {width} columns, and a {type(scaler).__name__} was fitted on "
                f"{len(factors)}"
            )
        names = [f"{UNSCALED}_{place}_{role}" for role in ("factors", "terms", "scaled")]
        for name, values in zip(names, (factors, terms), strict=False):
            graph.initializer.append(numpy_helper.from_array(values, name))
        nodes += [
            helper.make_node("Mul", [f"{UNSCALED}_{place}", names[0]], [names[2]]),
            helper.make_node("Add", [names[2], names[1]], [f"{UNSCALED}_{place + 1}"]),
        ]
    last = f"{UNSCALED}_{len(scalers)}"
    nodes.append(
        helper.make_node("Cast", [last], [given.name], to=given.type.tensor_type.elem_type)
    )
    prepend_nodes(nodes, graph)
    given.name = UNSCALED
    return made


def _read_scaler(scaler: Any) -> tuple[Float64Array, Float64Array]:
    """What each column is multiplied by and what is added to it, shape (columns,) each."""
    if not isinstance(scaler, SCALERS) or getattr(scaler, "clip", False):
        raise CompileError(
            f"a {type(scaler).__name__} cannot be put before an ONNX file, only a scaler can"
        )
    ends = np.vstack([np.zeros(scaler.n_features_in_), np.ones(scaler.n_features_in_)])
    terms, sums = np.asarray(scaler.transform(ends), dtype=np.float64)
    return sums - terms, terms
