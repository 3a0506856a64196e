"""A fitted pipeline as an ONNX model, in two ways: its choices as codes, or as strings."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import onnx
import pandas as pd
from onnx import helper, numpy_helper
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from model.making.onnx.exporting import explain_failure, export_estimator
from model.making.onnx.graphs import (
    INPUT,
    CompileError,
    is_text,
    make_column_nodes,
    prefix_names,
    prepend_nodes,
)
from model.serving.frames import Choices

CODES = "codes"
_INVERSES = {np.exp: ["Exp"], np.expm1: ["Exp", "Decrement"], None: []}
_NO_CHOICE = -1.0


class FittedRegressor(Protocol):
    """A fitted scikit-learn regressor."""

    def predict(self, rows: pd.DataFrame, /) -> npt.NDArray[Any]:
        """Answer each row of the frame with a number, shape (rows,)."""
        ...


ConvertEstimator = Callable[[Any, Sequence[str], Choices], onnx.ModelProto]
"""Makes an ONNX model from an estimator, the card's fields in order, and the choices by column."""


def convert_regressor(
    name: str,
    pipeline: FittedRegressor,
    convert: ConvertEstimator,
    fields: Sequence[str],
    choices: Choices,
) -> onnx.ModelProto:
    """Convert one pipeline to a model from INPUT to an output [N].

    Args:
        name: the name of the output.
        pipeline: the regressor, with or without wrappers that transform its target.
        convert: converts it without these wrappers.
        fields: the columns in the card's order.
        choices: the values of each column of choices.

    Raises:
        CompileError: if it has no ONNX form; says why.
    """
    regressor, inverse = unwrap_regressor(name, pipeline)
    try:
        model = convert(regressor, fields, choices)
    except CompileError as error:
        raise CompileError(f"{name}: {error}") from error
    except Exception as error:  # converters raise any type of error
        raise CompileError(f"{name}: {explain_failure(error)}") from error
    return _finish(model, name, inverse)


def unwrap_regressor(name: str, pipeline: FittedRegressor) -> tuple[Any, list[str]]:
    """Take the wrappers off a pipeline.

    Args:
        name: what messages call it.
        pipeline: the regressor.

    Returns:
        The pipeline inside, and the ONNX operators that undo its target's transformation.

    Raises:
        CompileError: if that transformation has no ONNX form.
    """
    inverse: list[str] = []
    inner: Any = pipeline
    while isinstance(inner, TransformedTargetRegressor | FrozenEstimator):
        if isinstance(inner, FrozenEstimator):
            inner = inner.estimator
            continue
        if inner.transformer is not None or inner.inverse_func not in _INVERSES:
            raise CompileError(
                f"{name}: its target is transformed back by "
                f"{inner.inverse_func or inner.transformer}; only inverse_func=np.exp and np.expm1 "
                "have an ONNX form here"
            )
        inverse = _INVERSES[inner.inverse_func] + inverse
        inner = inner.regressor_
    return inner, inverse


def _finish(model: onnx.ModelProto, name: str, inverse: Sequence[str]) -> onnx.ModelProto:
    """Append the inverse of the target's transformation, and make the output `name` [N]."""
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
    return prefix_names(model, name)


def convert_codes(estimator: Any, fields: Sequence[str], choices: Choices) -> onnx.ModelProto:
    """Convert an estimator whose encoders are changed to take codes in place of the values.

    Args:
        estimator: the fitted estimator; stays as it is.
        fields: the columns in the card's order.
        choices: the values of each column of choices.

    Raises:
        CompileError: if its choices do not go straight to encoders that take only choices.
    """
    coded = copy.deepcopy(estimator)
    names = list(getattr(estimator, "feature_names_in_", fields))
    used = [name for name in names if name in choices]
    if names != list(fields):
        raise CompileError(f"its columns are {names}, not those of the card in their order")
    first = coded.steps[0][1] if isinstance(coded, Pipeline) else coded
    if isinstance(first, ColumnTransformer):
        _recode_columns(first, fields, choices)
    elif used:
        raise CompileError("its choices don't go through a ColumnTransformer first")
    matrix = FloatTensorType([None, len(fields)])
    model = export_estimator(coded, [(CODES if used else INPUT, matrix)])
    if used:
        is_choice = [name in choices for name in fields]
        prepend_nodes(_mark_unknown_choices(is_choice, model.graph), model.graph)
    return model


def _mark_unknown_choices(
    is_choice: Sequence[bool], graph: onnx.GraphProto
) -> list[onnx.NodeProto]:
    """Make the nodes that lead from INPUT to CODES, with -1 for an unknown choice."""
    # Encoders in ONNX take integers, and NaN as an integer is 0, a choice, on some processors.
    graph.initializer.append(numpy_helper.from_array(np.array([is_choice]), "is_choice"))
    graph.initializer.append(numpy_helper.from_array(np.array(_NO_CHOICE, np.float32), "no_choice"))
    return [
        helper.make_node("IsNaN", [INPUT], ["unknown"]),
        helper.make_node("And", ["unknown", "is_choice"], ["unknown_choice"]),
        helper.make_node("Where", ["unknown_choice", "no_choice", INPUT], [CODES]),
    ]


def _recode_columns(
    transformer: ColumnTransformer, fields: Sequence[str], choices: Choices
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
        recoded.append((name, branch, positions))
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


def convert_strings(estimator: Any, fields: Sequence[str], choices: Choices) -> onnx.ModelProto:
    """Convert an estimator as it is, with one input a column, made from INPUT by nodes before it.

    Args:
        estimator: the fitted estimator.
        fields: the columns in the card's order.
        choices: the values of each column of choices.

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
    model = export_estimator(estimator, types)
    nodes: list[onnx.NodeProto] = []
    for name in names:
        position = list(fields).index(name)
        nodes += make_column_nodes(name, position, choices.get(name), model.graph)
    prepend_nodes(nodes, model.graph)
    return model
