"""A model of a table in ONNX as an estimator: parts in other files can stand around it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper

from model.contract.outputs import MOST_CLASSES
from model.making.onnx.graphs import OPSETS, prune_graph
from model.making.onnx.signatures import FLOAT_TYPES, find_last_operator
from model.making.sources.onnx_sources import read_onnx
from model.serving.network import NetworkClassifier, NetworkRegressor


def read_network(path: Path) -> NetworkRegressor | NetworkClassifier | None:
    """Read an ONNX file of one matrix of numbers in, and one out, by operators that are known.

    Returns:
        The model, as one that answers numbers where it does not name its classes; None for one of
        another form, such as one input for each column, or the name of a class alone.

    Raises:
        AddError: if it is no ONNX file, or takes no rows of a table.
    """
    source = read_onnx(path)
    given, *others = source.inputs
    is_plain = source.meaning in ("value", "probabilities")
    if others or given.type not in FLOAT_TYPES or not source.count or not is_plain:
        return None
    if any(node.domain not in (*OPSETS, "ai.onnx") for node in source.model.graph.node):
        return None
    network = NetworkRegressor()
    network.n_features_in_ = source.count
    network.content_ = _keep_output(source.model, source.output)
    if source.classes:
        return _answer_classes(network, source.classes, "identity")
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
        return [_answer_classes(fitted, range(width), "identity" if are_shares else "softmax")]
    if len(distinct) != 2:
        return [fitted]
    shares, logits = (_answer_classes(fitted, (0, 1), link) for link in ("identity", "logistic"))
    if last == "Sigmoid":
        return [shares]
    if distinct == {0, 1}:
        return [logits, fitted]  # a regression, which stays one
    return [logits, shares, fitted] if are_numbers else [logits, shares]


def _answer_classes(
    network: NetworkRegressor, classes: Sequence[Any], link: str
) -> NetworkClassifier:
    """The network as one that answers these classes."""
    made = NetworkClassifier()
    made.content_, made.n_features_in_ = network.content_, network.n_features_in_
    made.classes_ = np.array(classes)
    made.link_ = link
    return made


def _keep_output(model: onnx.ModelProto, output: str) -> bytes:
    """The model with one output, for any number of rows: exporters often keep 1 of their example"""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    kept = [item for item in made.graph.output if item.name == output]  # none before a ZipMap
    kept = kept or [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["rows", None])]
    del made.graph.value_info[:], made.graph.output[:]
    made.graph.output.extend(kept)
    prune_graph(made.graph, output)
    for item in (*made.graph.input, *made.graph.output):
        dims = item.type.tensor_type.shape.dim
        if dims:
            dims[0].dim_param = "rows"
    content: bytes = made.SerializeToString(deterministic=True)
    return content
