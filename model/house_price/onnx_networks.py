"""Pipelines that end in a small neural network as one ONNX graph of few nodes, at training time.

skl2onnx converts a pipeline step by step, and ONNX Runtime spends more time on each node of so
small a graph than on its numbers. The steps before the network sum a part for each column, so the
first layer sums over the columns, too: a line for a number, a row of a table for a choice, a
constant for an unknown value. Asking the fitted steps column by column gives these parts, and
`compile_pipelines` compares the graph with the pipelines on every row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline

from model.contract.arrays import Float64Array
from model.making.onnx.converting import FittedRegressor, unwrap_regressor
from model.making.onnx.graphs import INPUT, CompileError, build_model
from model.serving.frames import Choices, to_frame

_MOST_COMBINATIONS = 4096
"""Combinations of choices for which a table is small: 1.3 MB at 80 units."""

_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "logistic": "Sigmoid"}


def convert_networks(
    pipelines: Mapping[str, FittedRegressor],
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
) -> onnx.ModelProto:
    """Convert pipelines that end in networks to one graph from INPUT [N, K] to outputs [N, 1].

    Args:
        pipelines: by name of their output.
        fields: the columns in the card's order.
        choices: the card's choices of each column of strings.
        rows: shape [M, K]; the numbers' lines go through their mean, so that float32 is precise.

    Raises:
        CompileError: if they do not end in networks of one activation, have too many combinations
            of choices, or a step fails.
    """
    inner = {name: unwrap_regressor(name, pipeline) for name, pipeline in pipelines.items()}
    if not _are_networks([regressor for regressor, _ in inner.values()]):
        raise CompileError("they do not end in networks of one activation and one output")
    try:
        nodes, constants = _build_networks(inner, fields, choices, rows)
    except Exception as error:  # the steps before the networks raise whatever they happen to raise
        raise CompileError(f"{type(error).__name__}: {error}") from error
    return build_model(nodes, constants, list(pipelines), len(fields), 1)


def _are_networks(regressors: Sequence[Any]) -> bool:
    """Whether all are pipelines that end in networks of one output and the same activation."""
    for regressor in regressors:
        if not (isinstance(regressor, Pipeline) and isinstance(regressor[-1], MLPRegressor)):
            return False
        if regressor[-1].n_outputs_ != 1:
            return False
    activations = {regressor[-1].activation for regressor in regressors}
    return len(activations) == 1 and activations <= set(_ACTIVATIONS)


def _build_networks(
    regressors: Mapping[str, tuple[Pipeline, Sequence[str]]],
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Make the nodes and constants, each pipeline with the operators that undo its target."""
    graph = _Graph()
    centre = np.zeros(len(fields))
    numbers = [index for index, name in enumerate(fields) if name not in choices]
    centre[numbers] = np.nanmean(rows[:, numbers], axis=0).astype(np.float32)
    pipelines = [pipeline for pipeline, _ in regressors.values()]
    has_unknown = [bool(np.isnan(column).any()) for column in rows.T]
    parts = [_first_layer(pipeline, fields, choices, centre, has_unknown) for pipeline in pipelines]
    first = _Layer(*(np.concatenate(every, axis=-1) for every in zip(*parts, strict=True)))
    (activation,) = {_ACTIVATIONS[pipeline[-1].activation] for pipeline in pipelines}

    unknown = graph.add("IsNaN", INPUT)
    centred = graph.add("Sub", INPUT, graph.constant(centre))
    known = graph.add("Where", unknown, graph.constant(np.zeros(())), centred)
    flags = graph.add("Cast", unknown, to=onnx.TensorProto.FLOAT)
    units = _look_up_choices(graph, known, first, fields, choices)
    units = graph.add("Gemm", flags, graph.constant(first.unknown), units)
    units = graph.add("Gemm", known, graph.constant(first.slope), units)
    units = graph.add(activation, units)
    offset = 0
    for (name, (pipeline, inverse)), part in zip(regressors.items(), parts, strict=True):
        # The units of the other networks take no part.
        rest = len(first.bias) - offset - len(part.bias)
        last = _later_layers(graph, units, pipeline[-1], offset, rest)
        offset += len(part.bias)
        for operator in inverse:
            if operator == "Exp":
                last = graph.add("Exp", last)
            else:
                last = graph.add("Sub", last, graph.constant(np.ones(())))
        graph.nodes[-1].output[0] = name
    return graph.nodes, graph.constants


class _Layer(NamedTuple):
    """What each column adds to the units of a network's first layer, before their activation.

    ``slope`` and ``unknown`` [K, H] are for each unit of a number and for an unknown value,
    ``table`` [all choices, H] for each choice, ``bias`` [H] for the row of the numbers' means.
    """

    slope: Float64Array
    unknown: Float64Array
    table: Float64Array
    bias: Float64Array


def _first_layer(
    pipeline: Pipeline,
    fields: Sequence[str],
    choices: Choices,
    centre: Float64Array,
    has_unknown: Sequence[bool],
) -> _Layer:
    """Ask the steps before the network for each column's part, and for unknown where it occurs."""
    count = len(fields)
    questions = [centre]
    for index, name in enumerate(fields):
        values = [*range(len(choices[name]))] if name in choices else [centre[index] + 1]
        for value in [*values, np.nan if has_unknown[index] else values[0]]:
            questions.append(np.where(np.arange(count) == index, value, centre))
    network = pipeline[-1]
    inputs = pipeline[:-1].transform(to_frame(np.array(questions), fields, choices))
    base, *answers = np.asarray(inputs @ network.coefs_[0].astype(float))
    slope = np.zeros((count, len(base)))
    unknown = np.zeros((count, len(base)))
    table: list[Float64Array] = []
    remaining = iter(answers)
    for index, name in enumerate(fields):
        if name in choices:
            rows = [next(remaining) - base for _ in choices[name]]
            table += rows
            # An unknown choice is looked up as the first one.
            unknown[index] = next(remaining) - base - rows[0]
        else:
            slope[index] = next(remaining) - base
            unknown[index] = next(remaining) - base
    return _Layer(slope, unknown, np.reshape(table, (-1, len(base))), base + network.intercepts_[0])


def _look_up_choices(
    graph: _Graph, known: str, first: _Layer, fields: Sequence[str], choices: Choices
) -> str:
    """Add the part of the row's choices, with the bias; return the name of the tensor.

    One table has a row for each combination of choices. One look-up in it takes fewer nodes than a
    look-up and a sum for each choice.

    Raises:
        ValueError: for too many combinations.
    """
    table = first.bias[None, :]
    steps = np.zeros(len(fields))
    start = 0
    for index, name in enumerate(fields):
        if name in choices:
            count = len(choices[name])
            rows = first.table[start : start + count]
            table = (table[:, None, :] + rows[None, :, :]).reshape(-1, rows.shape[1])
            steps *= count
            steps[index] = 1
            start += count
    if not start:
        return graph.constant(first.bias)
    if len(table) > _MOST_COMBINATIONS:
        raise ValueError(f"its choices have {len(table)} combinations")
    table_rows = graph.add("MatMul", known, graph.constant(steps))
    table_rows = graph.add("Cast", table_rows, to=onnx.TensorProto.INT32)
    return graph.add("Gather", graph.constant(table), table_rows)


def _later_layers(graph: _Graph, units: str, network: MLPRegressor, offset: int, rest: int) -> str:
    """Add all layers but the first; return the name of the answer.

    ``offset`` and ``rest`` count the units of the networks before and after this one.
    """
    layers = list(zip(network.coefs_[1:], network.intercepts_[1:], strict=True))
    for number, (weights, bias) in enumerate(layers):
        if number == 0:
            weights = np.pad(weights, ((offset, rest), (0, 0)))
        units = graph.add("Gemm", units, graph.constant(weights), graph.constant(bias))
        if number < len(layers) - 1:
            units = graph.add(_ACTIVATIONS[network.activation], units)
    return units


class _Graph:
    """Nodes and constants with names of their own."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        output = f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a constant of any shape, float32 or int64; return its name."""
        name = f"constant_{len(self.constants)}"
        kept = values.astype(np.float32) if values.dtype.kind == "f" else values.astype(np.int64)
        self.constants.append(numpy_helper.from_array(kept, name))
        return name
