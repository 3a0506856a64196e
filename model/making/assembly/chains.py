"""The fitted steps between the inputs and the model: which of them, in which order, and where."""

import copy
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler

from model.contract.arrays import Float64Array
from model.making.assembly.contents import Transformer
from model.making.steps.fitted_steps import SCALERS, find_parts, unwrap_estimator

_NEUTRAL = {
    "mean_": 0.0, "scale_": 1.0, "var_": np.nan, "min_": 0.0, "data_min_": np.nan,
    "data_max_": np.nan, "data_range_": 1.0, "center_": 0.0, "max_abs_": 1.0,
}  # fmt: skip
"""What a scaler keeps of a column that it leaves as it is, and has not seen."""
_CENTERS = ("mean_", "center_", "data_min_", "max_abs_")
AS_MISSING = "what a sparse matrix leaves out taken as missing"
AS_ZEROS = "what a sparse matrix leaves out taken as 0"
"""The two ways in which XGBoost may have been given it."""
_LONGEST = 3
_MOST_STEPS = 4
_CLOSE = 0.25


@dataclass(frozen=True)
class Step:
    """A fitted step that takes all inputs; ``where`` is its file, with its key."""

    fitted: Any
    where: str


def list_orders(transformers: Sequence[Transformer]) -> Iterator[tuple[Transformer, ...]]:
    """List every order of some or all of the transformers; the longest come first."""
    usable = list(transformers)[:_MOST_STEPS]
    for length in range(min(len(usable), _LONGEST), -1, -1):
        yield from permutations(usable, length)


def place_steps(
    order: Sequence[Transformer], names: Sequence[str], matrix: Float64Array, count: int | None
) -> tuple[Step, ...] | None:
    """Make the steps of an order of transformers, each for all inputs; None where they do not fit.

    Args:
        order: the transformers.
        names: of the inputs of the first.
        matrix: rows of these inputs, shape (rows, inputs).
        count: the inputs that the model takes after them; None where it does not say.
    """
    steps: list[Step] = []
    known: tuple[str, ...] | None = tuple(names)
    width = len(names)
    for part in order:
        if part.count == width:
            fitted = part.fitted
            if part.names and known and known != part.names and set(known) == set(part.names):
                return None  # the same columns in another order are another hypothesis
        else:
            positions = None if steps else _find_positions(part, names, matrix)
            if not positions:
                return None
            if isinstance(part.fitted, SCALERS):
                fitted = widen_scaler(part.fitted, positions, width)
            elif list(positions) == list(range(positions[0], positions[0] + len(positions))):
                fitted = _surround(part.fitted, positions, width)
            else:
                return None
        steps.append(Step(fitted, part.where))
        if not isinstance(fitted, SCALERS):
            known, width = None, _count_outputs(fitted, width)
    return tuple(steps) if count is None or width == count else None


def _count_outputs(fitted: Any, width: int) -> int:
    try:
        with warnings.catch_warnings(action="ignore"):  # that it was fitted to a table
            return int(np.shape(fitted.transform(np.ones((1, width))))[1])
    except Exception:  # a transformer may raise anything
        return -1


def find_order(
    part: Transformer, names: Sequence[str], matrix: Float64Array
) -> tuple[str, ...] | None:
    """The columns of a scaler in its order, by its names or by what it saw; None where unclear.

    Args:
        part: the step.
        names: of the columns that it may have taken.
        matrix: rows of these columns, shape (rows, columns).
    """
    if not isinstance(part.fitted, SCALERS):
        return None
    positions = _find_positions(part, names, matrix)
    return tuple(names[place] for place in positions) if positions else None


def _find_positions(
    part: Transformer, names: Sequence[str], matrix: Float64Array
) -> tuple[int, ...] | None:
    """The places of a scaler's columns among the inputs: by name, by what it saw, or by order."""
    if part.count > len(names):
        return None
    if part.names is not None:
        listed = list(names)
        return tuple(map(listed.index, part.names)) if set(part.names) <= set(listed) else None
    numbers = [place for place in range(len(names)) if len(np.unique(matrix[:200, place])) > 2]
    by_order = tuple(numbers) if len(numbers) == part.count else None
    centers = next(
        (getattr(part.fitted, key) for key in _CENTERS if hasattr(part.fitted, key)), None
    )
    if centers is None:
        return by_order
    measured = _measure_centers(part.fitted, matrix)
    spread = np.nanstd(matrix, axis=0) + 1e-12
    found: list[int] = []
    for center in centers:
        distance = np.abs(measured - center) / spread
        distance[found] = np.inf
        found.append(int(np.nanargmin(distance)))
        if distance[found[-1]] > _CLOSE:
            return by_order
    return tuple(found)


def _measure_centers(scaler: Any, matrix: Float64Array) -> Float64Array:
    """What a scaler of this class keeps first of each column, shape (columns,)."""
    if isinstance(scaler, MinMaxScaler):
        measured: Float64Array = np.nanmin(matrix, axis=0)
    elif isinstance(scaler, RobustScaler):
        measured = np.nanmedian(matrix, axis=0)
    elif isinstance(scaler, MaxAbsScaler):
        measured = np.nanmax(np.abs(matrix), axis=0)
    else:
        measured = np.nanmean(matrix, axis=0)
    return measured


def widen_scaler(scaler: Any, positions: Sequence[int], width: int) -> Any:
    """Make a scaler of more inputs that leaves the others as they are.

    Args:
        scaler: the fitted scaler.
        positions: the place of each of its columns among the inputs.
        width: the number of inputs.
    """
    made = copy.copy(scaler)
    for name, neutral in _NEUTRAL.items():
        values = getattr(scaler, name, None)
        if isinstance(values, np.ndarray):
            wide = np.full(width, neutral)
            wide[list(positions)] = values
            setattr(made, name, wide)
    made.n_features_in_ = width
    vars(made).pop("feature_names_in_", None)
    return made


def split_scaler(scaler: Any, place: int) -> tuple[Any, Any]:
    """Split a scaler into one of all columns but one, and one of this column."""
    others = [column for column in range(scaler.n_features_in_) if column != place]
    return _select_columns(scaler, others), _select_columns(scaler, [place])


def _select_columns(scaler: Any, places: Sequence[int]) -> Any:
    made = copy.copy(scaler)
    for name in (*_NEUTRAL, "feature_names_in_"):
        values = getattr(scaler, name, None)
        if isinstance(values, np.ndarray):
            setattr(made, name, values[list(places)])
    made.n_features_in_ = len(places)
    return made


def _surround(fitted: Any, positions: Sequence[int], width: int) -> ColumnTransformer:
    """Make a step of more inputs that takes neighbouring ones, and leaves the others as they are.

    Args:
        fitted: the step.
        positions: the places of its columns among the inputs, one after the other.
        width: the number of inputs.
    """
    first, last = positions[0], positions[-1]
    parts = {"before": range(first), "own": positions, "after": range(last + 1, width)}
    made = ColumnTransformer(
        [(name, "passthrough", list(places)) for name, places in parts.items() if places],
        sparse_threshold=0,
    ).fit(np.ones((1, width)))
    own = forget_names(copy.deepcopy(fitted))
    made.transformers_ = [
        (name, own if name == "own" else step, places) for name, step, places in made.transformers_
    ]
    return made


def make_dense_step(width: int) -> ColumnTransformer:
    """Make the step that takes columns as ``toarray`` gives them to a model."""
    every = [("all", "passthrough", list(range(width)))]
    return ColumnTransformer(every, sparse_threshold=0).fit(np.zeros((1, width)))


class ZerosAsMissing(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # without types
    """The step that takes for missing what a sparse matrix does not store, as XGBoost does.

    ``absent`` is 0 for each input of which that is so, and NaN for others, shape (inputs,).
    """

    def __init__(self, absent: Float64Array) -> None:
        self.absent = absent

    def fit(self, rows: Any, truth: Any = None) -> Self:
        """Return the step itself."""
        return self

    def transform(self, rows: Float64Array) -> Float64Array:
        """Put NaN into the place of such a 0 in a matrix of shape (rows, inputs)."""
        return np.where(rows == self.absent, np.nan, rows)


def can_miss_zeros(fitted: Any) -> bool:
    """Whether a model takes cells for missing that a sparse matrix does not store."""
    return getattr(fitted, "unstored_missing_", False) and fitted.absent_ is None


def miss_zeros(fitted: Any, absent: Float64Array) -> Any:
    """Copy such a model, so that the numbers in ``absent``, shape (inputs,), are missing."""
    made = copy.copy(fitted)
    made.absent_ = absent
    return made


def settle_zeros(fitted: Any, rows: Any) -> Any:
    """Let the model of a pipeline take an array, too, where its steps make a sparse matrix.

    Args:
        fitted: any estimator.
        rows: one or more as it takes them.
    """
    if isinstance(fitted, TransformedTargetRegressor):
        made = copy.copy(fitted)
        made.regressor_ = settle_zeros(fitted.regressor_, rows)
        return made
    inside = unwrap_estimator(fitted)
    if not isinstance(inside, Pipeline) or not can_miss_zeros(inside.steps[-1][1]):
        return fitted
    if any(find_parts(inside, lambda part: hasattr(part, "alternate_sign"))):
        return fitted  # hashed words may add up to a 0 that is stored
    with warnings.catch_warnings(action="ignore"):
        if not hasattr(inside[:-1].transform(rows), "toarray"):
            return fitted
    *steps, (name, last) = inside.steps
    made = copy.copy(inside)
    made.steps = [*steps, (name, miss_zeros(last, np.zeros(last.n_features_in_)))]
    return made


def run_steps(steps: Sequence[Step], matrix: Float64Array) -> Float64Array:
    """Transform rows by each step in turn, shape (rows, inputs) to (rows, outputs)."""
    values: Any = matrix
    for step in steps:
        names = getattr(step.fitted, "feature_names_in_", None)
        if names is not None:
            values = pd.DataFrame(np.asarray(values), columns=names)
        with warnings.catch_warnings(action="ignore"):  # nobody could change here what it warns of
            values = step.fitted.transform(values)
        values = values.toarray() if hasattr(values, "toarray") else np.asarray(values)
    return np.asarray(values, dtype=float)


def forget_names(fitted: Any) -> Any:
    """Let a fitted part take an array where it was fitted to a table; returns the part itself."""
    seen: set[int] = set()

    def visit(value: Any) -> None:
        if id(value) in seen:
            return
        seen.add(id(value))
        if isinstance(value, list | tuple):
            for each in value:
                visit(each)
        elif isinstance(value, np.ndarray) and value.dtype.hasobject:
            for each in value.ravel():
                visit(each)
        elif hasattr(value, "get_params") and not isinstance(value, type):
            if hasattr(value, "_transformer_to_input_indices"):
                value.transformers_ = [
                    (name, step, list(value._transformer_to_input_indices[name]))
                    for name, step, _ in value.transformers_
                ]
            vars(value).pop("feature_names_in_", None)
            for each in list(vars(value).values()):
                visit(each)

    visit(fitted)
    return fitted


def describe_steps(steps: Sequence[Step]) -> str:
    """Say which steps stand before a model."""
    return f"with {', then '.join(step.where for step in steps)} before it"
