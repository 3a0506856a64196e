"""Pipelines that end in a small neural network as one ONNX graph of few nodes, at training time.

skl2onnx converts a pipeline step by step, and ONNX Runtime spends more time on each node of so
small a graph than on its numbers. The steps before the network sum a part for each column, so the
first layer sums over the columns, too: a line for a number, a row of a table for a choice, a
constant for an unknown value. Asking the fitted steps column by column gives these parts, and
`compile_networks` compares the graph with the pipelines on every row.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline

from model.contract.arrays import Float64Array
from model.contract.sources import Frame
from model.making.kinds.number import NumberKind
from model.making.onnx.converting import unwrap_regressor
from model.making.onnx.graphs import INPUT, CompileError, build_model
from model.making.rows.prepared import load_compiled

_MOST_COMBINATIONS = 4096
"""Combinations of choices for which a table is small: 1.3 MB at 80 units."""


def compile_networks(pipelines: Mapping[str, Any], frame: Frame, rows: Float64Array) -> bytes:
    """Compile regressors to one serialized graph from INPUT [N, K] to an output [N, 1] for each.

    Args:
        pipelines: by name of their output: each a pipeline that ends in a network of tanh units and
            one output, in a `TransformedTargetRegressor` whose inverse is `np.exp`.
        frame: the columns that they take.
        rows: shape [M, K], on which graph and pipelines are compared. The numbers' lines go through
            their mean, so that float32 is precise.

    Raises:
        CompileError: if a row has another answer, or there are too many combinations of choices.
    """
    networks = {name: unwrap_regressor(pipeline)[0] for name, pipeline in pipelines.items()}
    model = _build_networks(networks, frame, rows)
    compiled: bytes = model.SerializeToString(deterministic=True)
    for name, pipeline in pipelines.items():
        answers = load_compiled(compiled, name)(rows.astype(np.float32))
        expected = NumberKind().predict(pipeline, frame.build(rows))
        if differing := NumberKind().count_differing(answers, expected):
            raise CompileError(f"{name}: {differing} of {len(rows)} rows get another answer")
    return compiled


def _build_networks(
    pipelines: Mapping[str, Pipeline], frame: Frame, rows: Float64Array
) -> onnx.ModelProto:
    graph = _Graph()
    centre = np.zeros(len(frame.columns))
    numbers = [index for index, source in enumerate(frame.columns) if not source.values]
    centre[numbers] = np.nanmean(rows[:, numbers], axis=0).astype(np.float32)
    has_unknown = [bool(np.isnan(column).any()) for column in rows.T]
    parts = [_first_layer(pipeline, frame, centre, has_unknown) for pipeline in pipelines.values()]
    first = _Layer(*(np.concatenate(every, axis=-1) for every in zip(*parts, strict=True)))

    unknown = graph.add("IsNaN", INPUT)
    centred = graph.add("Sub", INPUT, graph.constant(centre))
    known = graph.add("Where", unknown, graph.constant(np.zeros(())), centred)
    flags = graph.add("Cast", unknown, to=onnx.TensorProto.FLOAT)
    units = _look_up_choices(graph, known, first, frame)
    units = graph.add("Gemm", flags, graph.constant(first.unknown), units)
    units = graph.add("Gemm", known, graph.constant(first.slope), units)
    units = graph.add("Tanh", units)
    offset = 0
    for (name, pipeline), part in zip(pipelines.items(), parts, strict=True):
        # The units of the other networks take no part.
        rest = len(first.bias) - offset - len(part.bias)
        graph.add("Exp", _later_layers(graph, units, pipeline[-1], offset, rest))
        graph.nodes[-1].output[0] = name
        offset += len(part.bias)
    return build_model(graph.nodes, graph.constants, list(pipelines), len(frame.columns), 1)


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
    pipeline: Pipeline, frame: Frame, centre: Float64Array, has_unknown: Sequence[bool]
) -> _Layer:
    """Ask the steps before the network for each column's part, and for unknown where it occurs."""
    count = len(frame.columns)
    questions = [centre]
    for index, source in enumerate(frame.columns):
        values = [*range(len(source.values))] or [centre[index] + 1]
        for value in [*values, np.nan if has_unknown[index] else values[0]]:
            questions.append(np.where(np.arange(count) == index, value, centre))
    network = pipeline[-1]
    inputs = pipeline[:-1].transform(frame.build(np.array(questions)))
    base, *answers = np.asarray(inputs @ network.coefs_[0].astype(float))
    slope = np.zeros((count, len(base)))
    unknown = np.zeros((count, len(base)))
    table: list[Float64Array] = []
    remaining = iter(answers)
    for index, source in enumerate(frame.columns):
        if source.values:
            rows = [next(remaining) - base for _ in source.values]
            table += rows
            # An unknown choice is looked up as the first one.
            unknown[index] = next(remaining) - base - rows[0]
        else:
            slope[index] = next(remaining) - base
            unknown[index] = next(remaining) - base
    return _Layer(slope, unknown, np.reshape(table, (-1, len(base))), base + network.intercepts_[0])


def _look_up_choices(graph: "_Graph", known: str, first: _Layer, frame: Frame) -> str:
    """Add the part of the row's choices, with the bias; return the name of the tensor.

    One table has a row for each combination of choices. One look-up in it takes fewer nodes than a
    look-up and a sum for each choice.

    Raises:
        CompileError: for too many combinations.
    """
    table = first.bias[None, :]
    steps = np.zeros(len(frame.columns))
    start = 0
    for index, source in enumerate(frame.columns):
        if count := len(source.values):
            rows = first.table[start : start + count]
            table = (table[:, None, :] + rows[None, :, :]).reshape(-1, rows.shape[1])
            steps *= count
            steps[index] = 1
            start += count
    if not start:
        return graph.constant(first.bias)
    if len(table) > _MOST_COMBINATIONS:
        raise CompileError(f"its choices have {len(table)} combinations")
    table_rows = graph.add("MatMul", known, graph.constant(steps))
    table_rows = graph.add("Cast", table_rows, to=onnx.TensorProto.INT32)
    return graph.add("Gather", graph.constant(table), table_rows)


def _later_layers(
    graph: "_Graph", units: str, network: MLPRegressor, offset: int, rest: int
) -> str:
    """Add all layers but the first; return the name of the answer.

    ``offset`` and ``rest`` count the units of the networks before and after this one.
    """
    layers = list(zip(network.coefs_[1:], network.intercepts_[1:], strict=True))
    for number, (weights, bias) in enumerate(layers):
        if number == 0:
            weights = np.pad(weights, ((offset, rest), (0, 0)))
        units = graph.add("Gemm", units, graph.constant(weights), graph.constant(bias))
        if number < len(layers) - 1:
            units = graph.add("Tanh", units)
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
