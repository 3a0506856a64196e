"""Fitted scikit-learn pipelines to one ONNX model, at training time.

The model that comes out has one input, `features` float32 [N, K] (see `model.serving.frames`), and one
output float32 [N] for each pipeline, under the pipeline's name. Pipelines that begin alike share
that part of the graph. Nothing is believed: `compile_pipelines` answers every row that it is given
with both and refuses a model that differs.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pandas as pd
from onnx import helper, numpy_helper
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from model.contract.arrays import Float64Array
from model.making.onnx.converting import OPSETS, to_onnx, why_not
from model.making.onnx.networks import are_networks, build_networks
from model.serving.frames import Choices, to_frame

TOLERANCE = 1e-4
"""The largest relative difference between pipeline and compiled model that is let through."""

INPUT = "features"
CODES = "codes"
_IR_VERSION = 8
_INVERSES = {np.exp: ["Exp"], np.expm1: ["Exp", "Decrement"], None: []}
_UNKNOWN = "nan"  # how skl2onnx spells a missing string among an encoder's categories
_NO_CHOICE = -1.0
_ROWS_SHOWN = 5


class CompileError(Exception):
    """A pipeline can't be compiled, or not faithfully; the message says what and where."""


class FittedRegressor(Protocol):
    """A fitted scikit-learn regressor."""

    def predict(self, rows: pd.DataFrame, /) -> npt.NDArray[Any]:
        """Return one number [N] for each row of the frame."""
        ...


def compile_pipelines(
    pipelines: Mapping[str, FittedRegressor],
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
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
    for way, convert in _WAYS.items():
        try:
            compiled = convert(pipelines, fields, choices, rows)
            if compiled is None:
                continue
            model: bytes = compiled.SerializeToString(deterministic=True)
            compare(model, pipelines, fields, choices, rows)
        except CompileError as error:
            reasons.append(f"{way}: {error}")
        else:
            return model
    raise CompileError("\n".join(reasons))


def _as_networks(
    pipelines: Mapping[str, FittedRegressor],
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
) -> onnx.ModelProto | None:
    """The pipelines as one graph of networks; None where they are none."""
    inner = {name: unwrap(name, pipeline) for name, pipeline in pipelines.items()}
    if not are_networks([regressor for regressor, _ in inner.values()]):
        return None
    try:
        nodes, constants = build_networks(inner, fields, choices, rows, INPUT)
    except Exception as error:  # the steps before the networks raise whatever they happen to raise
        raise CompileError(f"{type(error).__name__}: {error}") from error
    return finished(nodes, constants, list(pipelines), len(fields), 1)


def _through_skl2onnx(convert: Any) -> Any:
    def converted(
        pipelines: Mapping[str, FittedRegressor],
        fields: Sequence[str],
        choices: Choices,
        _: Float64Array,
    ) -> onnx.ModelProto:
        graphs = {
            name: convert_regressor(name, pipeline, convert, fields, choices)
            for name, pipeline in pipelines.items()
        }
        return merge(graphs, len(fields))

    return converted


def compare(
    model: bytes,
    pipelines: Mapping[str, FittedRegressor],
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
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
        got = got.reshape(-1)
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


def convert_regressor(
    name: str, pipeline: FittedRegressor, convert: Any, fields: Sequence[str], choices: Choices
) -> onnx.ModelProto:
    """Return one pipeline as a model from INPUT to an output [N] called `name`."""
    regressor, inverse = unwrap(name, pipeline)
    try:
        model = convert(regressor, fields, choices)
    except CompileError as error:
        raise CompileError(f"{name}: {error}") from error
    except Exception as error:  # skl2onnx raises whatever its converters happen to raise
        raise CompileError(f"{name}: {why_not(error)}") from error
    return _finish(model, name, inverse)


def unwrap(name: str, pipeline: FittedRegressor) -> tuple[Any, list[str]]:
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


def convert_codes(regressor: Any, fields: Sequence[str], choices: Choices) -> onnx.ModelProto:
    """Convert a pipeline after teaching its encoders the codes in place of the values."""
    coded = copy.deepcopy(regressor)
    names = list(getattr(regressor, "feature_names_in_", fields))
    used = [name for name in names if name in choices]
    if names != list(fields):
        raise CompileError(f"its columns are {names}, not those of the card in their order")
    first = coded.steps[0][1] if isinstance(coded, Pipeline) else coded
    if isinstance(first, ColumnTransformer):
        _recode(first, fields, choices)
    elif used:
        raise CompileError("its choices don't go through a ColumnTransformer first")
    matrix = FloatTensorType([None, len(fields)])
    model = to_onnx(coded, [(CODES if used else INPUT, matrix)])
    if used:
        prepend(_unknown_choices([name in choices for name in fields], model.graph), model.graph)
    return model


def _unknown_choices(is_choice: Sequence[bool], graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes that make CODES of INPUT: -1 for a choice that is unknown."""
    # Encoders in ONNX take integers, and NaN as an integer is 0, a choice, on some processors.
    graph.initializer.append(numpy_helper.from_array(np.array([is_choice]), "is_choice"))
    graph.initializer.append(numpy_helper.from_array(np.array(_NO_CHOICE, np.float32), "no_choice"))
    return [
        helper.make_node("IsNaN", [INPUT], ["unknown"]),
        helper.make_node("And", ["unknown", "is_choice"], ["unknown_choice"]),
        helper.make_node("Where", ["unknown_choice", "no_choice", INPUT], [CODES]),
    ]


def prepend(nodes: list[onnx.NodeProto], graph: onnx.GraphProto) -> None:
    """Let nodes come before those of the graph."""
    nodes = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _recode(columns: ColumnTransformer, fields: Sequence[str], choices: Choices) -> None:
    """Let the fitted transformer take the matrix of codes: columns by number, codes for strings."""
    recoded = []
    for name, transformer, _ in columns.transformers_:
        positions = list(columns._transformer_to_input_indices[name])
        listed = [choices.get(fields[position]) for position in positions]
        if any(listed) and transformer != "drop":
            if not all(listed):
                raise CompileError(f"{name!r} takes choices and numbers together")
            known: list[list[object]] = [list(values or ()) for values in listed]
            parts = transformer.steps if isinstance(transformer, Pipeline) else [("", transformer)]
            for place, (_, part) in enumerate(parts):
                _recode_part(part, known, name, is_last=place == len(parts) - 1)
                if isinstance(part, OneHotEncoder | OrdinalEncoder):
                    break  # what comes after sees numbers as before
        recoded.append((name, transformer, positions))
    columns.transformers_ = recoded


def _recode_part(part: Any, known: list[list[object]], name: str, is_last: bool) -> None:
    """Teach one step the codes; a value that is in no list gets a code beyond it."""
    if isinstance(part, OneHotEncoder | OrdinalEncoder):
        part.categories_ = [
            np.array([_code(category, values) for category in categories], dtype=float)
            for categories, values in zip(part.categories_, known, strict=True)
        ]
    elif isinstance(part, SimpleImputer) and not part.add_indicator and not is_last:
        filled = [_code(item, values) for item, values in zip(part.statistics_, known, strict=True)]
        part.statistics_ = np.array(filled, dtype=float)
        part.missing_values = _NO_CHOICE
        part._fit_dtype = np.dtype(float)
    else:
        raise CompileError(f"the choices in {name!r} don't go straight to an encoder")


def _code(value: Any, values: list[object]) -> float:
    if value is None or value != value:
        return _NO_CHOICE
    if value not in values:
        values.append(value)
    return float(values.index(value))


def convert_strings(regressor: Any, fields: Sequence[str], choices: Choices) -> onnx.ModelProto:
    """Convert a pipeline as it is, one input a column, and put before it what makes the columns."""
    names = list(getattr(regressor, "feature_names_in_", fields))
    if strangers := sorted(set(names) - set(fields)):
        raise CompileError(f"its columns {strangers} are not fields of the card")
    types = [
        (name, (StringTensorType if _is_text(choices.get(name)) else FloatTensorType)([None, 1]))
        for name in names
    ]
    model = to_onnx(regressor, types)
    nodes: list[onnx.NodeProto] = []
    for name in names:
        nodes += column_nodes(name, list(fields).index(name), choices.get(name), model.graph)
    prepend(nodes, model.graph)
    return model


def _is_text(listed: Sequence[object] | None) -> bool:
    return listed is not None and isinstance(listed[0], str)


def column_nodes(
    name: str, position: int, listed: Sequence[Any] | None, graph: onnx.GraphProto
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
                **_values(listed),
            ),
        ]
    return nodes


def _values(listed: Sequence[Any]) -> dict[str, Any]:
    """The attributes of a LabelEncoder that answers codes with these."""
    if _is_text(listed):
        return {"values_strings": list(listed), "default_string": _UNKNOWN}
    return {"values_floats": [float(item) for item in listed], "default_float": float("nan")}


def _finish(model: onnx.ModelProto, name: str, inverse: Sequence[str]) -> onnx.ModelProto:
    """Return the model with every name of its own, the inverse of the target, and output [N]."""
    graph = model.graph
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
    return own_names(model, name)


def own_names(model: onnx.ModelProto, name: str) -> onnx.ModelProto:
    """Return the model with every name of its own, but INPUT; "answer" becomes the output."""
    graph, prefix = model.graph, f"{name}/"
    names = {"answer": name, INPUT: INPUT, "": ""}
    for node in graph.node:
        node.name = ""
        for slots in (node.input, node.output):
            slots[:] = [names.setdefault(slot, prefix + slot) for slot in slots]
    for constant in graph.initializer:
        constant.name = names.setdefault(constant.name, prefix + constant.name)
    return model


def merge(graphs: Mapping[str, onnx.ModelProto], width: int, *shape: int) -> onnx.ModelProto:
    """Return one model with the outputs [N, *shape] of all, in which nothing is computed twice."""
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
    return finished(nodes, list(constants.values()), list(graphs), width, *shape)


def finished(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    outputs: Sequence[str],
    width: int,
    *shape: int,
) -> onnx.ModelProto:
    """Return the checked model from INPUT [N, width] to outputs [N, *shape]."""
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "formcast",
        [helper.make_tensor_value_info(INPUT, float32, ["N", width])],
        [helper.make_tensor_value_info(name, float32, ["N", *shape]) for name in outputs],
        constants,
    )
    merged = helper.make_model(
        graph,
        producer_name="formcast",
        opset_imports=[helper.make_opsetid(*item) for item in OPSETS.items()],
        ir_version=_IR_VERSION,
    )
    try:
        onnx.checker.check_model(merged)
    except onnx.checker.ValidationError as error:
        raise CompileError("what skl2onnx made of it is no valid graph") from error
    return merged


_WAYS = {
    "as networks": _as_networks,
    "with choices as codes": _through_skl2onnx(convert_codes),
    "with choices as strings": _through_skl2onnx(convert_strings),
}
"""How pipelines are compiled: the first way whose graph answers as they do is taken."""
