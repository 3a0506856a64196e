"""Pipelines that end in a small neural network as one ONNX graph of few nodes, at training time.

skl2onnx converts a pipeline step by step, and ONNX Runtime spends more on each node of so small a
graph than on its numbers. What comes before the network is a sum, where each column has a part of
its own: so the first layer, too, is a sum over the columns of a line (numbers), of a row of a table
(choices), or of what unknown stands for. These parts are found by asking the fitted steps, column
by column, and whoever compiles compares the graph with the pipelines on every row.
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
from model.serving.frames import Choices, to_frame

_MOST_COMBINATIONS = 4096
"""Combinations of choices for which a table is small: 1.3 MB at 80 units."""

_ACTIVATIONS = {"tanh": "Tanh", "relu": "Relu", "logistic": "Sigmoid"}


def are_networks(regressors: Sequence[Any]) -> bool:
    """Whether all are pipelines that end in networks, of activations that are the same."""
    for item in regressors:
        if not (isinstance(item, Pipeline) and isinstance(item[-1], MLPRegressor)):
            return False
        if item[-1].n_outputs_ != 1:
            return False
    activations = {item[-1].activation for item in regressors}
    return len(activations) == 1 and activations <= set(_ACTIVATIONS)


def build_networks(
    regressors: Mapping[str, tuple[Pipeline, Sequence[str]]],
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
    source: str,
) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return nodes and constants that lead from ``source`` [N, K] to one output [N, 1] a pipeline.

    Args:
        regressors: by name of their output the pipelines, for which `are_networks`, each with the
            ONNX operators that undo its target's transformation.
        fields: the columns in the card's order.
        choices: the card's choices of each column of strings.
        rows: rows [M, K] around which the numbers' lines are laid, so that float32 is precise.
        source: the name of the input.

    Raises:
        ValueError: for too many combinations of choices, or whatever the steps raise.
    """
    graph = _Graph()
    middle = np.zeros(len(fields))
    numbers = [at for at, name in enumerate(fields) if name not in choices]
    middle[numbers] = np.nanmean(rows[:, numbers], axis=0).astype(np.float32)
    pipelines = [pipeline for pipeline, _ in regressors.values()]
    holes = [bool(np.isnan(column).any()) for column in rows.T]
    parts = [_first_layer(pipeline, fields, choices, middle, holes) for pipeline in pipelines]
    first = _Layer(*(np.concatenate(every, axis=-1) for every in zip(*parts, strict=True)))
    (activation,) = {_ACTIVATIONS[pipeline[-1].activation] for pipeline in pipelines}

    unknown = graph.add("IsNaN", source)
    away = graph.add("Sub", source, graph.constant(middle))
    known = graph.add("Where", unknown, graph.constant(np.zeros(())), away)
    flags = graph.add("Cast", unknown, to=onnx.TensorProto.FLOAT)
    units = _choose(graph, known, first, fields, choices)
    units = graph.add("Gemm", flags, graph.constant(first.unknown), units)
    units = graph.add("Gemm", known, graph.constant(first.slope), units)
    units = graph.add(activation, units)
    before = 0
    for (name, (pipeline, inverse)), part in zip(regressors.items(), parts, strict=True):
        # The units of the other networks take no part.
        after = len(first.bias) - before - len(part.bias)
        last = _later_layers(graph, units, pipeline[-1], before, after)
        before += len(part.bias)
        for operator in inverse:
            last = graph.add(*((operator, last) if operator == "Exp" else ("Sub", last, graph.one)))
        graph.nodes[-1].output[0] = name
    return graph.nodes, graph.constants


class _Layer(NamedTuple):
    """What each column adds to the units of a network's first layer, before their activation.

    ``slope`` and ``unknown`` [K, H] are for each unit of a number and for an unknown value,
    ``table`` [all choices, H] for each choice, ``bias`` [H] for the row in the middle.
    """

    slope: Float64Array
    unknown: Float64Array
    table: Float64Array
    bias: Float64Array


def _first_layer(
    pipeline: Pipeline,
    fields: Sequence[str],
    choices: Choices,
    middle: Float64Array,
    holes: Sequence[bool],
) -> _Layer:
    """Ask the steps before the network for the part of each column; for unknown where it may be."""
    count = len(fields)
    asked = [middle]
    for at, name in enumerate(fields):
        values = [*range(len(choices[name]))] if name in choices else [middle[at] + 1]
        for value in [*values, np.nan if holes[at] else values[0]]:
            asked.append(np.where(np.arange(count) == at, value, middle))
    network = pipeline[-1]
    inputs = pipeline[:-1].transform(to_frame(np.array(asked), fields, choices))
    base, *answers = np.asarray(inputs @ network.coefs_[0].astype(float))
    slope = np.zeros((count, len(base)))
    unknown = np.zeros((count, len(base)))
    table: list[Float64Array] = []
    found = iter(answers)
    for at, name in enumerate(fields):
        if name in choices:
            rows = [next(found) - base for _ in choices[name]]
            table += rows
            # An unknown choice is looked up as the first one.
            unknown[at] = next(found) - base - rows[0]
        else:
            slope[at] = next(found) - base
            unknown[at] = next(found) - base
    return _Layer(slope, unknown, np.reshape(table, (-1, len(base))), base + network.intercepts_[0])


def _choose(
    graph: _Graph, known: str, first: _Layer, fields: Sequence[str], choices: Choices
) -> str:
    """Add what the choices of a row give to the units, with the bias; where to find it.

    One table has a row for each combination of choices, whose place is a sum: that is two nodes for
    a look-up and a sum for each choice.

    Raises:
        ValueError: for too many combinations.
    """
    table = first.bias[None, :]
    steps = np.zeros(len(fields))
    taken = 0
    for at, name in enumerate(fields):
        if name in choices:
            count = len(choices[name])
            rows = first.table[taken : taken + count]
            table = (table[:, None, :] + rows[None, :, :]).reshape(-1, rows.shape[1])
            steps *= count
            steps[at] = 1
            taken += count
    if not taken:
        return graph.constant(first.bias)
    if len(table) > _MOST_COMBINATIONS:
        raise ValueError(f"its choices have {len(table)} combinations")
    places = graph.add("MatMul", known, graph.constant(steps))
    places = graph.add("Cast", places, to=onnx.TensorProto.INT32)
    return graph.add("Gather", graph.constant(table), places)


def _later_layers(graph: _Graph, units: str, network: MLPRegressor, before: int, after: int) -> str:
    """Add all layers but the first, whose units stand between others; where the answer is."""
    layers = list(zip(network.coefs_[1:], network.intercepts_[1:], strict=True))
    for place, (weights, bias) in enumerate(layers):
        if place == 0:
            weights = np.pad(weights, ((before, after), (0, 0)))
        units = graph.add("Gemm", units, graph.constant(weights), graph.constant(bias))
        if place < len(layers) - 1:
            units = graph.add(_ACTIVATIONS[network.activation], units)
    return units


class _Graph:
    """Nodes and constants with names of their own."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node; the name of its output."""
        output = output or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, values: npt.NDArray[Any]) -> str:
        """Add a constant, numbers as float32; its name."""
        name = f"constant_{len(self.constants)}"
        kept = values.astype(np.float32) if values.dtype.kind == "f" else values.astype(np.int64)
        self.constants.append(numpy_helper.from_array(kept, name))
        return name

    @property
    def one(self) -> str:
        """The number."""
        return self.constant(np.ones(()))
