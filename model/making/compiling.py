"""A fitted estimator with columns of any name, to one ONNX model.

The model takes `features` float32 [N, K], the codes of the card's fields, and answers `value` [N]
or `probabilities` [N, C]. Which of three ways succeeds depends on the estimator; the fastest to
serve is tried first, and every model is compared with the estimator before it is used.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import onnx
from onnx import helper
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline

from model.contract.sources import Frame
from model.making.estimators import Estimator, unwrap_estimator
from model.making.onnx.converting import (
    CODES,
    ConvertEstimator,
    convert_codes,
    convert_regressor,
    convert_strings,
)
from model.making.onnx.exporting import explain_failure, export_estimator
from model.making.onnx.graphs import (
    CompileError,
    append_one_hot,
    is_text,
    make_column_nodes,
    merge_models,
    prefix_names,
    prepend_nodes,
    prune_graph,
)


def compile_estimator(
    estimator: Estimator, frame: Frame, check: Callable[[bytes], object]
) -> bytes:
    """Return the estimator as a serialized ONNX model.

    Args:
        estimator: what to compile.
        frame: the columns that it was fitted to, and their codes.
        check: compares a compiled model with the estimator; raises a CompileError where it differs.

    Raises:
        CompileError: if no way gives a model with the same answers; says why for each.
    """
    fitted = _without_obstacles(estimator.fitted)
    names: list[str] = frame.names
    choices: Any = frame.choices
    ways: list[tuple[str, ConvertEstimator]] = [
        ("choices as codes", convert_codes),
        ("an input for each column", convert_strings),
    ]
    if not any(map(is_text, choices.values())):
        ways.append(("one matrix", _convert_numbers))
    reasons: dict[str, str] = {}
    for way, convert in ways:
        try:
            if estimator.classes:
                model = _convert_classifier(estimator, fitted, convert, names, choices)
            else:
                regressor = convert_regressor("value", fitted, convert, names, choices)
                model = merge_models({"value": regressor}, len(names))
            compiled: bytes = model.SerializeToString(deterministic=True)
            check(compiled)
        except CompileError as error:
            reasons.setdefault(str(error).removeprefix("value: "), way)
        except Exception as error:  # converters raise any type of error
            reasons.setdefault(explain_failure(error), way)
        else:
            return compiled
    if len(reasons) == 1:
        raise CompileError(*reasons)
    raise CompileError("\n".join(f"With {way}: {reason}" for reason, way in reasons.items()))


def _without_obstacles(fitted: Any) -> Any:
    """The estimator without what its converter refuses and no answer depends on."""
    fitted = unwrap_estimator(fitted)
    if isinstance(fitted, Pipeline):
        name, last = fitted.steps[-1]
        if (replaced := _without_obstacles(last)) is last:
            return fitted
        copied = copy.copy(fitted)
        copied.steps = [*fitted.steps[:-1], (name, replaced)]
        return copied
    if isinstance(fitted, VotingClassifier):
        copied = copy.copy(fitted)
        copied.flatten_transform = False
        return copied
    return fitted


def _convert_numbers(fitted: Any, names: Sequence[str], choices: Any) -> onnx.ModelProto:
    """Convert an estimator of plain numbers, with nodes before it that make its matrix of INPUT."""
    model = export_estimator(fitted, [(CODES, FloatTensorType([None, len(names)]))])
    graph = model.graph
    nodes: list[onnx.NodeProto] = []
    for position, name in enumerate(names):
        nodes += make_column_nodes(f"column_{position}", position, choices.get(name), graph)
    parts = [f"column_{position}" for position in range(len(names))]
    nodes.append(helper.make_node("Concat", parts, [CODES], axis=1))
    prepend_nodes(nodes, graph)
    return model


def _convert_classifier(
    estimator: Estimator,
    fitted: Any,
    convert: ConvertEstimator,
    names: Sequence[str],
    choices: Any,
) -> onnx.ModelProto:
    """Convert a classifier to the matrix of its probabilities, or of 1 for its label and 0 else."""
    model = convert(fitted, names, choices)
    graph = model.graph
    label, *others = [output.name for output in graph.output]
    if estimator.probabilities:
        if not others:
            raise CompileError("its converter gives no probabilities")
        graph.node.append(helper.make_node("Cast", [others[0]], ["answer"], to=1))
    else:
        append_one_hot(graph, label, estimator.classes)
    prune_graph(graph, "answer")
    classes = len(estimator.classes)
    return merge_models(
        {"probabilities": prefix_names(model, "probabilities")}, len(names), classes
    )
