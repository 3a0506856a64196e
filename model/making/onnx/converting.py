"""A fitted estimator as an ONNX model from INPUT: its choices as codes, or as their values."""

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from model.making.onnx.exporting import export_estimator
from model.making.onnx.graphs import INPUT, CompileError, is_text, make_column_nodes, prepend_nodes
from model.making.steps.fitted_steps import SCALERS

Choices = Mapping[str, Sequence[Any]]
"""The values of each column that has codes, by the column's name."""

_CODES = "codes"
Operation = tuple[str, Any]
"""An ONNX operator, with the constant that it takes beside the answers: a number, or None."""

_INVERSES: dict[Any, list[Operation]] = {
    np.exp: [("Exp", None)],
    np.expm1: [("Exp", None), ("Sub", 1.0)],
    np.square: [("Pow", 2.0)],
    None: [],
}
_NO_CHOICE = -1.0


ConvertEstimator = Callable[[Any, Sequence[str], Choices, list[Any]], onnx.ModelProto]
"""Makes an ONNX model from an estimator, its columns in order, and the choices by column.

The list gets each forest whose trees are left to ``write_trees``.
"""


def unwrap_regressor(fitted: Any) -> tuple[Any, list[Operation]]:
    """Take the wrappers that transform a target off an estimator.

    Returns:
        The estimator inside, and the operations that undo its target's transformation.

    Raises:
        CompileError: if that transformation has no ONNX form.
    """
    inverse: list[Operation] = []
    while isinstance(fitted, TransformedTargetRegressor | FrozenEstimator):
        if isinstance(fitted, FrozenEstimator):
            fitted = fitted.estimator
            continue
        scales = isinstance(fitted.transformer, SCALERS)
        if not scales and (fitted.transformer is not None or fitted.inverse_func not in _INVERSES):
            raise CompileError(
                "its target is transformed back by "
                f"{fitted.inverse_func or fitted.transformer}; only a scaler and inverse_func="
                "np.exp, np.expm1 and np.square have an ONNX form here"
            )
        undone = _unscale(fitted.transformer_) if scales else _INVERSES[fitted.inverse_func]
        inverse = undone + inverse
        fitted = fitted.regressor_
    return fitted, inverse


def _unscale(scaler: Any) -> list[Operation]:
    """The operations that undo a scaler of each target, which multiplies and adds."""
    start, end = scaler.inverse_transform(np.repeat([[0.0], [1.0]], scaler.n_features_in_, axis=1))
    return [("Mul", end - start), ("Add", start)]


def append_inverse(graph: onnx.GraphProto, last: str, inverse: Sequence[Operation]) -> str:
    """Append the inverse of a target's transformation; return the name of the result."""
    for place, (operator, constant) in enumerate(inverse):
        taken, made = [last], f"undone_{place}"
        if constant is not None:
            taken.append(f"undoing_{place}")
            value = np.array(constant, np.float32)
            graph.initializer.append(numpy_helper.from_array(value, taken[1]))
        graph.node.append(helper.make_node(operator, taken, [made]))
        last = made
    return last


def convert_codes(
    estimator: Any,
    fields: Sequence[str],
    choices: Choices,
    forests: list[Any],
    places: Mapping[str, Sequence[int]] | None = None,
) -> onnx.ModelProto:
    """Convert an estimator whose encoders are changed, in a copy, to take codes for the values.

    ``places`` are those of each column in INPUT, where a column has more than one.

    Raises:
        CompileError: if its choices do not go straight to encoders that take only choices.
    """
    names = list(getattr(estimator, "feature_names_in_", fields))
    places = places or {name: [place] for place, name in enumerate(fields)}
    used = [name for name in names if name in choices]
    if names != list(fields):
        raise CompileError(f"its columns are {names}, not those of the card in their order")
    coded = estimator
    if isinstance(estimator, Pipeline) and isinstance(estimator.steps[0][1], ColumnTransformer):
        (step, first), *others = estimator.steps  # which may be large
        first = copy.deepcopy(first)
        _recode_columns(first, fields, choices, places)
        coded = copy.copy(estimator)
        coded.steps = [(step, first), *others]
    elif used:
        raise CompileError("its choices don't go through a ColumnTransformer first")
    by_place = {place: name for name, taken in places.items() for place in taken}
    is_choice = [by_place[place] in choices for place in range(len(by_place))]
    matrix = FloatTensorType([None, len(is_choice)])
    model = export_estimator(coded, [(_CODES if used else INPUT, matrix)], forests)
    if used:
        prepend_nodes(_mark_unknown_choices(is_choice, model.graph), model.graph)
    return model


def _mark_unknown_choices(
    is_choice: Sequence[bool], graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    """Make the nodes that lead from INPUT to codes, with -1 for an unknown choice."""
    # Encoders in ONNX take integers, and NaN as an integer is 0, a choice, on some processors.
    graph.initializer.append(numpy_helper.from_array(np.array([is_choice]), "is_choice"))
    graph.initializer.append(numpy_helper.from_array(np.array(_NO_CHOICE, np.float32), "no_choice"))
    return [
        helper.make_node("IsNaN", [INPUT], ["unknown"]),
        helper.make_node("And", ["unknown", "is_choice"], ["unknown_choice"]),
        helper.make_node("Where", ["unknown_choice", "no_choice", INPUT], [_CODES]),
    ]


def _recode_columns(
    transformer: ColumnTransformer,
    fields: Sequence[str],
    choices: Choices,
    places: Mapping[str, Sequence[int]],
) -> None:
    """Make the fitted transformer take the matrix: columns by position, codes for strings."""
    recoded = []
    for name, branch, _ in transformer.transformers_:
        positions = list(transformer._transformer_to_input_indices[name])
        listed = [choices.get(fields[position]) for position in positions]
        if any(listed) and branch != "drop":
            if not all(listed):
                raise CompileError(f"{name!r} takes choices and numbers together")
            known: list[list[object]] = [list(values or ()) for values in listed]
            steps = branch.steps if isinstance(branch, Pipeline) else [("", branch)]
            for number, (_, step) in enumerate(steps):
                _recode_step(step, known, name, is_last=number == len(steps) - 1)
                if isinstance(step, OneHotEncoder | OrdinalEncoder):
                    break  # the steps after it see numbers as before
        taken = [place for position in positions for place in places[fields[position]]]
        recoded.append((name, branch, taken))
    transformer.transformers_ = recoded


def _recode_step(step: Any, known: list[list[object]], name: str, is_last: bool) -> None:
    """Replace the values that a step knows by codes; one in no list gets a code beyond it."""
    if isinstance(step, OneHotEncoder | OrdinalEncoder):
        step.categories_ = [
            np.array([_code(category, values) for category in categories], dtype=float)
            for categories, values in zip(step.categories_, known, strict=True)
        ]
    elif isinstance(step, SimpleImputer) and not step.add_indicator and not is_last:
        filled = [_code(item, values) for item, values in zip(step.statistics_, known, strict=True)]
        step.statistics_ = np.array(filled, dtype=float)
        step.missing_values = _NO_CHOICE
        step._fit_dtype = np.dtype(float)
    else:
        raise CompileError(f"the choices in {name!r} don't go straight to an encoder")


def _code(value: Any, values: list[object]) -> float:
    if value is None or value != value:
        return _NO_CHOICE
    if value not in values:
        values.append(value)
    return float(values.index(value))


def convert_columns(
    estimator: Any, fields: Sequence[str], choices: Choices, forests: list[Any]
) -> onnx.ModelProto:
    """Convert an estimator as it is, with one input a column, made from INPUT by nodes before it.

    Raises:
        CompileError: if it takes a column that is no field of the card.
    """
    names = list(getattr(estimator, "feature_names_in_", fields))
    if unknown := sorted(set(names) - set(fields)):
        raise CompileError(f"its columns {unknown} are not fields of the card")
    types = [
        (name, (StringTensorType if is_text(choices.get(name)) else FloatTensorType)([None, 1]))
        for name in names
    ]
    model = export_estimator(estimator, types, forests)
    nodes: list[onnx.NodeProto] = []
    # skl2onnx writes "bill length" as "bill_length", and keeps the order.
    for name, taken in zip(names, model.graph.input, strict=True):
        position = list(fields).index(name)
        nodes += make_column_nodes(taken.name, position, choices.get(name), model.graph)
    prepend_nodes(nodes, model.graph)
    return model


def convert_matrix(
    estimator: Any, fields: Sequence[str], choices: Choices, forests: list[Any]
) -> onnx.ModelProto:
    """Convert an estimator of plain numbers, with nodes before it that make its matrix of INPUT."""
    model = export_estimator(estimator, [(_CODES, FloatTensorType([None, len(fields)]))], forests)
    nodes: list[onnx.NodeProto] = []
    parts = [f"column_{position}" for position in range(len(fields))]
    for position, name in enumerate(fields):
        nodes += make_column_nodes(parts[position], position, choices.get(name), model.graph)
    nodes.append(helper.make_node("Concat", parts, [_CODES], axis=1))
    prepend_nodes(nodes, model.graph)
    return model
