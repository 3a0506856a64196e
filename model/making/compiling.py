"""A fitted estimator, whatever its columns are called, to one ONNX model.

The model takes `features` float32 [N, K], the codes of the card's fields, and answers `value` [N]
or `probabilities` [N, C]. Which of three ways succeeds depends on the estimator; the fastest to
serve is tried first, and each is compared with the estimator before it is believed.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline

from model.contract.sources import Frame
from model.making.estimators import Estimator, unwrap
from model.making.onnx.compile import (
    CODES,
    INPUT,
    CompileError,
    column_nodes,
    convert_codes,
    convert_regressor,
    convert_strings,
    merge,
    own_names,
    prepend,
)
from model.making.onnx.converting import to_onnx, why_not

Convert = Callable[[Any, Sequence[str], Any], onnx.ModelProto]


def compile_estimator(
    estimator: Estimator, frame: Frame, check: Callable[[bytes], object]
) -> bytes:
    """Return the estimator as a serialized ONNX model.

    Args:
        estimator: what to compile.
        frame: the columns that it was fitted to, and their codes.
        check: compares a compiled model with the estimator; raises a CompileError where it differs.

    Raises:
        CompileError: no way leads to a model that answers alike; says why for each.
    """
    inner = _prepared(estimator.fitted)
    names: list[str] = frame.names
    choices: Any = frame.choices
    ways: list[tuple[str, Convert]] = [
        ("choices as codes", convert_codes),
        ("an input for each column", convert_strings),
    ]
    if not any(isinstance(values[0], str) for values in choices.values()):
        ways.append(("one matrix", _convert_numbers))
    reasons: dict[str, str] = {}
    for way, convert in ways:
        try:
            if estimator.classes:
                model = _classifier(estimator, inner, convert, names, choices)
            else:
                answer = convert_regressor("value", inner, convert, names, choices)
                model = merge({"value": answer}, len(names))
            compiled: bytes = model.SerializeToString(deterministic=True)
            check(compiled)
        except CompileError as error:
            reasons.setdefault(str(error).removeprefix("value: "), way)
        except Exception as error:  # converters raise whatever they happen to raise
            reasons.setdefault(why_not(error), way)
        else:
            return compiled
    if len(reasons) == 1:
        raise CompileError(*reasons)
    raise CompileError("\n".join(f"With {way}: {said}" for said, way in reasons.items()))


def _prepared(fitted: Any) -> Any:
    """The estimator without what its converter refuses and no answer depends on."""
    fitted = unwrap(fitted)
    if isinstance(fitted, Pipeline):
        name, last = fitted.steps[-1]
        if (prepared := _prepared(last)) is last:
            return fitted
        copied = copy.copy(fitted)
        copied.steps = [*fitted.steps[:-1], (name, prepared)]
        return copied
    if isinstance(fitted, VotingClassifier):
        copied = copy.copy(fitted)
        copied.flatten_transform = False
        return copied
    return fitted


def _convert_numbers(fitted: Any, names: Sequence[str], choices: Any) -> onnx.ModelProto:
    """Convert an estimator of plain numbers, with what makes its matrix of INPUT before it."""
    model = to_onnx(fitted, [(CODES, FloatTensorType([None, len(names)]))])
    graph = model.graph
    nodes: list[onnx.NodeProto] = []
    for position, name in enumerate(names):
        nodes += column_nodes(f"column_{position}", position, choices.get(name), graph)
    parts = [f"column_{position}" for position in range(len(names))]
    nodes.append(helper.make_node("Concat", parts, [CODES], axis=1))
    prepend(nodes, graph)
    return model


def _classifier(
    estimator: Estimator,
    inner: Any,
    convert: Convert,
    names: Sequence[str],
    choices: Any,
) -> onnx.ModelProto:
    """Convert a classifier: the matrix of its probabilities, or 1 for the class that it says."""
    model = convert(inner, names, choices)
    graph = model.graph
    label, *others = [output.name for output in graph.output]
    if estimator.probabilities:
        if not others:
            raise CompileError("its converter gives no probabilities")
        graph.node.append(helper.make_node("Cast", [others[0]], ["answer"], to=1))
    else:
        one_hot(graph, label, estimator.classes)
    keep_what_leads_to(graph, "answer")
    classes = len(estimator.classes)
    return merge({"probabilities": own_names(model, "probabilities")}, len(names), classes)


def one_hot(graph: onnx.GraphProto, label: str, classes: Sequence[Any]) -> None:
    """Append to the graph what makes "answer" [N, C] of a label [N]."""
    texts = isinstance(classes[0], str)
    keys = [str(item) for item in classes] if texts else [int(item) for item in classes]
    attributes: dict[str, Any] = {"keys_strings" if texts else "keys_int64s": keys}
    graph.node.append(
        helper.make_node(
            "LabelEncoder",
            [label],
            ["label_place"],
            domain="ai.onnx.ml",
            values_floats=[float(place) for place in range(len(classes))],
            default_float=-1.0,
            **attributes,
        )
    )
    column, places = np.array([-1, 1], np.int64), np.arange(len(classes), dtype=np.float32)
    graph.initializer.append(numpy_helper.from_array(column, "as_column"))
    graph.initializer.append(numpy_helper.from_array(places[None, :], "places"))
    graph.node.extend(
        [
            helper.make_node("Reshape", ["label_place", "as_column"], ["label_column"]),
            helper.make_node("Equal", ["label_column", "places"], ["is_class"]),
            helper.make_node("Cast", ["is_class"], ["answer"], to=1),
        ]
    )


def keep_what_leads_to(graph: onnx.GraphProto, output: str) -> None:
    """Remove every node that the output does not need."""
    needed, kept = {output}, []
    for node in reversed(graph.node):
        if needed & set(node.output):
            inner = [
                name
                for attribute in node.attribute
                if attribute.HasField("g")
                for part in attribute.g.node
                for name in part.input
            ]
            needed |= {*node.input, *inner}
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))


__all__ = ["INPUT", "CompileError", "compile_estimator", "keep_what_leads_to", "one_hot"]
