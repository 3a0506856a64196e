"""A network of a table in ONNX as an estimator: parts in other files can stand around it."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd

from model.contract.outputs import MOST_CLASSES
from model.making.onnx.signatures import FLOAT_TYPES, find_last_operator
from model.making.sources.onnx_sources import read_onnx
from model.serving.network import NetworkClassifier, NetworkRegressor


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


def list_readings(fitted: Any, truths: pd.DataFrame) -> list[Any]:
    """What a network's outputs can mean, for the target; rows of the data tell which it is.

    Classes are numbered; files beside it, or the data, tell what they are called. A network that
    ends otherwise than in shares answers logits, as after ``CrossEntropyLoss`` and
    ``BCEWithLogitsLoss`` of PyTorch. One output for two classes may be a probability all the same,
    as after ``MSELoss``, and for numbers it may be one.

    Args:
        fitted: any estimator; one that is no network stays as it is.
        truths: the columns of the target, shape (rows, targets).
    """
    if not isinstance(fitted, NetworkRegressor) or truths.shape[1] != 1:
        return [fitted]
    graph = onnx.load_model_from_string(fitted.content_).graph
    last = find_last_operator(graph, graph.output[0].name)
    answers = fitted.compute(np.outer([0, 0.5, 1], np.ones(fitted.n_features_in_)))
    width = answers.shape[1]
    distinct = set(truths.iloc[:, 0].dropna())
    are_numbers = all(isinstance(item, int | float) for item in distinct)
    if width > 1:
        if len(distinct) > MOST_CLASSES:
            return [fitted]
        are_shares = last == "Sigmoid" or (
            answers.min() >= 0 and np.allclose(answers.sum(axis=1), 1, atol=1e-3)
        )
        return [_answer_classes(fitted, width, "identity" if are_shares else "softmax")]
    if len(distinct) != 2:
        return [fitted]
    shares, logits = (_answer_classes(fitted, 2, link) for link in ("identity", "logistic"))
    if last == "Sigmoid":
        return [shares]
    if distinct == {0, 1}:
        return [logits, fitted]  # a regression, which stays one
    return [logits, shares, fitted] if are_numbers else [logits, shares]


def _answer_classes(network: NetworkRegressor, count: int, link: str) -> NetworkClassifier:
    """The network as one that answers so many classes."""
    made = NetworkClassifier()
    made.content_, made.n_features_in_ = network.content_, network.n_features_in_
    made.classes_ = np.arange(count)
    made.link_ = link
    return made


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
