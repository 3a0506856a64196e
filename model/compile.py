"""Fitted scikit-learn pipelines to one ONNX model, at training time.

The model that comes out has one input, `features` float32 [N, K] (see `model.frames`), and one
output float32 [N] for each pipeline, under the pipeline's name. Pipelines that begin alike share
that part of the graph. Nothing is believed: `compile_pipelines` answers every row that it is given
with both and refuses a model that differs.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pandas as pd
from onnx import helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from model.frames import Choices, Floats, to_frame

TOLERANCE = 1e-4
"""The largest relative difference between pipeline and compiled model that is let through."""

INPUT = "features"
_CODES = "codes"
# Old enough for any ONNX Runtime of the last years, new enough for every operator used here.
_OPSETS = {"": 17, "ai.onnx.ml": 3}
_IR_VERSION = 8
_INVERSES = {np.exp: ["Exp"], np.expm1: ["Exp", "Decrement"], None: []}
_UNKNOWN = "nan"  # how skl2onnx spells a missing string among an encoder's categories
_ROWS_SHOWN = 5


class CompileError(Exception):
    """A pipeline can't be compiled, or not faithfully; the message says what and where."""


class Predictor(Protocol):
    """A fitted scikit-learn regressor."""

    def predict(self, rows: pd.DataFrame, /) -> npt.NDArray[Any]:
        """Return one number [N] for each row of the frame."""
        ...


def compile_pipelines(
    pipelines: Mapping[str, Predictor],
    fields: Sequence[str],
    choices: Choices,
    rows: Floats,
) -> bytes:
    """Return the pipelines, by name of their output, as one serialized ONNX model.

    The same pipelines give the same bytes. Choices travel as codes from end to end where the
    pipelines allow it (ONNX Runtime is slow with strings), else as strings made from the codes.

    Args:
        pipelines: fitted regressors over frames with the columns `fields`, each a `Pipeline`, or
            one in a `TransformedTargetRegressor` whose inverse is `np.exp` or `np.expm1`.
        fields: the columns in the card's order.
        choices: the card's choices of each column of strings.
        rows: every row to compare, [N, K]: all training rows, with and without optional facts.

    Raises:
        CompileError: a step has no ONNX form, or some row differs by more than `TOLERANCE`.
    """
    reasons = []
    for convert in (_convert_codes, _convert_strings):
        try:
            graphs = {
                name: _convert(name, pipeline, convert, fields, choices)
                for name, pipeline in pipelines.items()
            }
            model: bytes = _merge(graphs, len(fields)).SerializeToString(deterministic=True)
            compare(model, pipelines, fields, choices, rows)
        except CompileError as error:
            reasons.append(f"with choices as {convert.__name__.split('_')[-1]}: {error}")
        else:
            return model
    raise CompileError("\n".join(reasons))


def compare(
    model: bytes,
    pipelines: Mapping[str, Predictor],
    fields: Sequence[str],
    choices: Choices,
    rows: Floats,
) -> float:
    """Return the largest relative difference between model and pipelines over rows [N, K].

    Raises:
        CompileError: it is more than `TOLERANCE`, or not a number; the message shows rows.
    """
    frame = to_frame(rows, fields, choices)
    compiled = open_session(model).run(list(pipelines), {INPUT: rows.astype(np.float32)})
    largest = 0.0
    for (name, pipeline), got in zip(pipelines.items(), compiled, strict=True):
        wanted = np.asarray(pipeline.predict(frame), dtype=float).reshape(-1)
        difference = np.abs(got - wanted) / np.maximum(np.abs(wanted), np.finfo(np.float32).tiny)
        wrong = np.flatnonzero(~(difference <= TOLERANCE))
        if len(wrong):
            shown = "\n".join(
                f"  row {row}: {wanted[row]:.8g} became {got[row]:.8g} for "
                f"{frame.iloc[row].to_dict()}"
                for row in wrong[:_ROWS_SHOWN]
            )
            raise CompileError(
                f"{name}: {len(wrong)} of {len(rows)} rows differ by more than {TOLERANCE:g} "
                f"of the value:\n{shown}"
            )
        largest = max(largest, float(difference.max(initial=0.0)))
    return largest


def open_session(model: bytes) -> onnxruntime.InferenceSession:
    """Return the model ready to run on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _convert(
    name: str, pipeline: Predictor, convert: Any, fields: Sequence[str], choices: Choices
) -> onnx.ModelProto:
    """Return one pipeline as a model from INPUT to an output [N] called `name`."""
    regressor, inverse = _unwrap(name, pipeline)
    try:
        model = convert(regressor, fields, choices)
    except CompileError as error:
        raise CompileError(f"{name}: {error}") from error
    except Exception as error:  # skl2onnx raises whatever its converters happen to raise
        raise CompileError(
            f"{name}: skl2onnx can't convert it: {type(error).__name__}: {error}"
        ) from error
    return _finish(model, name, inverse)


def _unwrap(name: str, pipeline: Predictor) -> tuple[Any, list[str]]:
    """Return the pipeline without its wrappers, and the operators that undo its target."""
    inverse: list[str] = []
    inner: Any = pipeline
    while isinstance(inner, TransformedTargetRegressor | FrozenEstimator):
        if isinstance(inner, FrozenEstimator):
            inner = inner.estimator
            continue
        if inner.transformer is not None or inner.inverse_func not in _INVERSES:
            raise CompileError(
                f"{name}: the target comes back by {inner.inverse_func or inner.transformer}; "
                "only inverse_func=np.exp and np.expm1 have an ONNX form here"
            )
        inverse = _INVERSES[inner.inverse_func] + inverse
        inner = inner.regressor_
    return inner, inverse


def _convert_codes(regressor: Any, fields: Sequence[str], choices: Choices) -> onnx.ModelProto:
    """Convert a pipeline after teaching its encoders the codes in place of the strings."""
    coded = copy.deepcopy(regressor)
    names = list(getattr(regressor, "feature_names_in_", fields))
    used = [name for name in names if name in choices]
    if names != list(fields):
        raise CompileError(f"its columns are {names}, not those of the card in their order")
    if used:
        first = coded.steps[0][1] if isinstance(coded, Pipeline) else coded
        if not isinstance(first, ColumnTransformer):
            raise CompileError("its choices don't go through a ColumnTransformer first")
        _recode(first, fields, choices)
    matrix = FloatTensorType([None, len(fields)])
    model = _to_onnx(coded, [(_CODES if used else INPUT, matrix)])
    if used:
        _prepend(_unknown_choices([name in choices for name in fields], model.graph), model.graph)
    return model


def _unknown_choices(is_choice: Sequence[bool], graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes that make _CODES of INPUT: -1 for a choice that is unknown."""
    # Encoders in ONNX take integers, and NaN as an integer is 0, a choice, on some processors.
    graph.initializer.append(numpy_helper.from_array(np.array([is_choice]), "is_choice"))
    graph.initializer.append(numpy_helper.from_array(np.array(-1, np.float32), "no_choice"))
    return [
        helper.make_node("IsNaN", [INPUT], ["unknown"]),
        helper.make_node("And", ["unknown", "is_choice"], ["unknown_choice"]),
        helper.make_node("Where", ["unknown_choice", "no_choice", INPUT], [_CODES]),
    ]


def _prepend(nodes: list[onnx.NodeProto], graph: onnx.GraphProto) -> None:
    nodes = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _to_onnx(regressor: Any, types: list[tuple[str, Any]]) -> onnx.ModelProto:
    with warnings.catch_warnings():
        # skl2onnx passes NumPy bools where protobuf wants Python's; protobuf 6 warns, 7 refuses.
        warnings.simplefilter("ignore", DeprecationWarning)
        model: onnx.ModelProto = convert_sklearn(
            regressor, initial_types=types, target_opset=_OPSETS
        )
    return model


def _recode(columns: ColumnTransformer, fields: Sequence[str], choices: Choices) -> None:
    """Let the fitted transformer take the matrix of codes: columns by number, codes for strings."""
    recoded = []
    for name, transformer, selected in columns.transformers_:
        positions = [
            list(fields).index(column) if isinstance(column, str) else int(column)
            for column in ([selected] if isinstance(selected, str) else selected)
        ]
        selected_choices = [choices.get(fields[position]) for position in positions]
        if any(selected_choices) and transformer != "drop":
            encoder = transformer.steps[0][1] if isinstance(transformer, Pipeline) else transformer
            if not isinstance(encoder, OneHotEncoder | OrdinalEncoder) or not all(selected_choices):
                raise CompileError(f"the choices in {name!r} don't go straight to an encoder")
            encoder.categories_ = [
                np.array([_code(category, listed or ()) for category in categories], dtype=float)
                for categories, listed in zip(encoder.categories_, selected_choices, strict=True)
            ]
        recoded.append((name, transformer, positions))
    columns.transformers_ = recoded


def _code(category: object, listed: Sequence[str]) -> float:
    if category not in listed:
        raise CompileError(f"the encoder's category {category!r} is not a choice of the card")
    return float(list(listed).index(str(category)))


def _convert_strings(regressor: Any, fields: Sequence[str], choices: Choices) -> onnx.ModelProto:
    """Convert a pipeline as it is, one input a column, and put before it what makes the columns."""
    names = list(getattr(regressor, "feature_names_in_", fields))
    if strangers := sorted(set(names) - set(fields)):
        raise CompileError(f"its columns {strangers} are not fields of the card")
    types = [
        (name, StringTensorType([None, 1]) if name in choices else FloatTensorType([None, 1]))
        for name in names
    ]
    model = _to_onnx(regressor, types)
    nodes: list[onnx.NodeProto] = []
    for name in names:
        nodes += _column(name, list(fields).index(name), choices.get(name), model.graph)
    _prepend(nodes, model.graph)
    return model


def _column(
    name: str, position: int, listed: Sequence[str] | None, graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    """Return the nodes that make the column `name` [N, 1] out of INPUT."""
    index, raw = f"{name}_position", f"{name}_code" if listed else name
    graph.initializer.append(numpy_helper.from_array(np.array([position], np.int64), index))
    nodes = [helper.make_node("Gather", [INPUT, index], [raw], axis=1)]
    if listed:
        unknown, other = f"{name}_unknown", f"{name}_other"
        graph.initializer.append(numpy_helper.from_array(np.array(-1, np.float32), other))
        nodes += [
            helper.make_node("IsNaN", [raw], [unknown]),
            helper.make_node("Where", [unknown, other, raw], [f"{name}_number"]),
            helper.make_node("Cast", [f"{name}_number"], [f"{name}_integer"], to=7),
            helper.make_node(
                "LabelEncoder",
                [f"{name}_integer"],
                [name],
                domain="ai.onnx.ml",
                keys_int64s=list(range(len(listed))),
                values_strings=list(listed),
                default_string=_UNKNOWN,
            ),
        ]
    return nodes


def _finish(model: onnx.ModelProto, name: str, inverse: Sequence[str]) -> onnx.ModelProto:
    """Return the model with every name of its own, the inverse of the target, and output [N]."""
    graph = model.graph
    prefix = f"{name}/"
    last = graph.output[0].name
    for operator in inverse:
        if operator == "Exp":
            graph.node.append(helper.make_node("Exp", [last], [f"{last}_exp"]))
            last = f"{last}_exp"
        else:
            graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "one"))
            graph.node.append(helper.make_node("Sub", [last, "one"], [f"{last}_less_one"]))
            last = f"{last}_less_one"
    graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "flat"))
    graph.node.append(helper.make_node("Reshape", [last, "flat"], ["answer"]))
    names = {"answer": name, INPUT: INPUT, "": ""}
    for node in graph.node:
        node.name = ""
        for slots in (node.input, node.output):
            slots[:] = [names.setdefault(slot, prefix + slot) for slot in slots]
    for constant in graph.initializer:
        constant.name = names.setdefault(constant.name, prefix + constant.name)
    return model


def _merge(graphs: Mapping[str, onnx.ModelProto], width: int) -> onnx.ModelProto:
    """Return one model with the outputs of all, in which nothing is computed twice."""
    nodes: list[onnx.NodeProto] = []
    constants: dict[bytes, onnx.TensorProto] = {}
    done: dict[bytes, onnx.NodeProto] = {}
    same: dict[str, str] = {}
    for model in graphs.values():
        for constant in model.graph.initializer:
            name, constant.name = constant.name, ""
            first = constants.setdefault(constant.SerializeToString(deterministic=True), constant)
            if first is constant:
                constant.name = name
            same[name] = first.name
        for node in model.graph.node:
            node.input[:] = [same.get(name, name) for name in node.input]
            if node.op_type == "Identity":
                same[node.output[0]] = node.input[0]
                continue
            outputs = list(node.output)
            if set(outputs) & set(graphs):
                nodes.append(node)  # an output keeps its own name, and so its own node
                continue
            del node.output[:]
            first_node = done.setdefault(node.SerializeToString(deterministic=True), node)
            if first_node is node:
                node.output.extend(outputs)
                nodes.append(node)
            same.update(zip(outputs, first_node.output, strict=True))
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "formcast",
        [helper.make_tensor_value_info(INPUT, float32, ["N", width])],
        [helper.make_tensor_value_info(name, float32, ["N"]) for name in graphs],
        list(constants.values()),
    )
    merged = helper.make_model(
        graph,
        producer_name="formcast",
        opset_imports=[helper.make_opsetid(*item) for item in _OPSETS.items()],
        ir_version=_IR_VERSION,
    )
    try:
        onnx.checker.check_model(merged)
    except onnx.checker.ValidationError as error:
        raise CompileError(f"the converted graph is not valid: {error}") from error
    return merged
