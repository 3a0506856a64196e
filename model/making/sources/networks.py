"""A network of a table in ONNX as an estimator: parts in other files can stand around it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd

from model.making.onnx.signatures import FLOAT_TYPES
from model.making.sources.onnx_sources import read_onnx
from model.serving.network import NetworkClassifier, NetworkRegressor

_SHAPES = ("Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Unsqueeze")
"""Operators that change no value."""


def read_network(path: Path) -> NetworkRegressor | None:
    """Read an ONNX file of a network: one matrix of numbers in, one out, by ONNX's own operators.

    Returns:
        The network, as one that answers numbers; None for a model of another form, such as one that
        scikit-learn's converter wrote, which has its steps and its classes in it.

    Raises:
        AddError: if it is no ONNX file, or takes no rows of a table.
    """
    source = read_onnx(path)
    given, *others = source.inputs
    is_plain = source.meaning in ("value", "probabilities") and not source.classes
    if others or given.type not in FLOAT_TYPES or not source.count or not is_plain:
        return None
    graph = source.model.graph
    if len(graph.output) > 1 or any(node.domain not in ("", "ai.onnx") for node in graph.node):
        return None
    network = NetworkRegressor()
    network.n_features_in_ = source.count
    network.content_ = _free_rows(source.model)
    return network


def settle_network(fitted: Any, truths: pd.DataFrame) -> Any:
    """The network as one that answers classes, where its outputs and the target say so.

    Classes are numbered; files beside it, or the data, tell what they are called. Without a
    ``Softmax`` or a ``Sigmoid`` at its end, a network answers logits, as after ``CrossEntropyLoss``
    and ``BCEWithLogitsLoss`` of PyTorch.

    Args:
        fitted: any estimator; one that is no network stays as it is.
        truths: the columns of the target, shape (rows, targets).
    """
    if not isinstance(fitted, NetworkRegressor) or truths.shape[1] != 1:
        return fitted
    graph = onnx.load_model_from_string(fitted.content_).graph
    width = fitted.compute(np.zeros((1, fitted.n_features_in_))).shape[1]
    distinct = set(truths.iloc[:, 0].dropna())
    are_numbers = all(isinstance(item, int | float) for item in distinct)
    if width == 1 and (len(distinct) != 2 or (are_numbers and distinct != {0, 1})):
        return fitted
    made = NetworkClassifier()
    made.content_, made.n_features_in_ = fitted.content_, fitted.n_features_in_
    made.classes_ = np.arange(max(width, 2))
    is_settled = _find_end(graph) in ("Sigmoid", "Softmax")
    made.link_ = "identity" if is_settled else "logistic" if width == 1 else "softmax"
    return made


def _find_end(graph: onnx.GraphProto) -> str:
    """The last operator that changes a value; "" for none."""
    makers = {name: node for node in graph.node for name in node.output}
    node = makers.get(graph.output[0].name)
    while node is not None and node.op_type in _SHAPES:
        node = makers.get(node.input[0])
    return "" if node is None else str(node.op_type)


def _free_rows(model: onnx.ModelProto) -> bytes:
    """The model for any number of rows: exporters keep that of their example, which is often 1."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.value_info[:]
    for item in (*made.graph.input, *made.graph.output):
        dims = item.type.tensor_type.shape.dim
        if dims:
            dims[0].dim_param = "rows"
    content: bytes = made.SerializeToString(deterministic=True)
    return content
