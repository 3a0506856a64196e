"""A network of a table in ONNX as an estimator: parts in other files can stand around it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
from scipy.special import logit

from model.contract.outputs import MOST_CLASSES
from model.making.onnx.signatures import FLOAT_TYPES, find_last_operator
from model.making.sources.onnx_sources import are_logits, read_onnx
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


def settle_network(fitted: Any, truths: pd.DataFrame) -> Any:
    """The network as one that answers classes, where its outputs and the target say so.

    Classes are numbered; files beside it, or the data, tell what they are called. A network that
    ends otherwise than in shares answers logits, as after ``CrossEntropyLoss`` and
    ``BCEWithLogitsLoss`` of PyTorch.

    Args:
        fitted: any estimator; one that is no network stays as it is.
        truths: the columns of the target, shape (rows, targets).
    """
    if not isinstance(fitted, NetworkRegressor) or truths.shape[1] != 1:
        return fitted
    graph = onnx.load_model_from_string(fitted.content_).graph
    answers = fitted.compute(np.outer([0, 0.5, 1], np.ones(fitted.n_features_in_)))
    width = answers.shape[1]
    distinct = set(truths.iloc[:, 0].dropna())
    are_classes = len(distinct) <= MOST_CLASSES if width > 1 else len(distinct) == 2
    if width == 1 and _are_numbers(distinct):
        are_classes = distinct == {0, 1}
    if not are_classes:
        return fitted
    made = NetworkClassifier()
    made.content_, made.n_features_in_ = fitted.content_, fitted.n_features_in_
    made.classes_ = np.arange(max(width, 2))
    last = find_last_operator(graph, graph.output[0].name)
    adds_up = answers.min() >= 0 and np.allclose(answers.sum(axis=1), 1, atol=1e-3)
    are_shares = last in ("Sigmoid", "Softmax") or (width > 1 and adds_up)
    made.link_ = "identity" if are_shares else "logistic" if width == 1 else "softmax"
    return made


def find_regressor(network: Any, truths: pd.DataFrame, assembled: Any, rows: Any) -> Any:
    """The network as one that answers a number after all; None where it answers classes.

    A regression on 0 and 1 has the outputs and the target of a network that answers a logit.

    Args:
        network: the one that ``settle_network`` returned.
        truths: the same columns of the target.
        assembled: the network with the parts around it.
        rows: some, as it takes them.
    """
    if getattr(network, "link_", "") != "logistic" or not _are_numbers(truths.iloc[:, 0].dropna()):
        return None
    if are_logits(logit(assembled.predict_proba(rows)[:, 1])):
        return None
    made = NetworkRegressor()
    made.content_, made.n_features_in_ = network.content_, network.n_features_in_
    return made


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(item, int | float) for item in values)


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
