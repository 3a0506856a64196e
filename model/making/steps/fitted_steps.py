"""What the fitted steps of an estimator tell: which columns are categories, and what was missing.

An estimator may answer a row that lacks a fact although it never saw one: trees send the row to the
larger side, and an encoder that ignores unknown values gives it no category. These tell: an
encoder's categories, a scaler's counts, and the side to which a tree sends missing values. That is
the larger side at every split only where nothing was missing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from model.contract.arrays import BoolArray
from model.making.steps.trees import list_trees

MissingInTraining = Literal["filled", "seen", "never", "unknown"]
"""A step fills in what is missing; some rows of the fit lacked it, or none did; not known."""

SCALERS = (MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler)
"""Scalers that shift and stretch each column by itself."""
ENCODERS = (OneHotEncoder, OrdinalEncoder, TargetEncoder)
"""Steps that give each value of a column its own numbers."""
_LIBRARIES = ("sklearn", "imblearn", "model")
"""Whose steps leave the columns in their places, as far as an encoder may follow them."""
_CROSS_FITTED = {"TargetEncoder", "LeaveOneOutEncoder", "CatBoostEncoder"}
"""Encoders, also of category_encoders, whose rows of the fit had other numbers than they give."""
MADE_BY_STEPS = ", as its steps make it,"
"""What stands after the name of a column that steps before it may have changed."""
_BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_TREES = (
    *_BOOSTED, DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreesClassifier,
    ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor,
)  # fmt: skip
"""Trees that take missing values."""
_DEEPEST = 6
_LEAST = 10
"""Trees, and splits, below which all may send missing values to the larger side by chance."""


def list_steps(fitted: Any) -> list[Any]:
    """Return the steps of an estimator, those of pipelines in pipelines, too."""
    fitted = unwrap_target(fitted)
    if not isinstance(fitted, Pipeline):
        return [fitted]
    return [part for _, step in fitted.steps if is_step(step) for part in list_steps(step)]


def is_step(step: Any) -> bool:
    """Whether a step changes what it is given: it is none, nor a word, nor a function for none."""
    plain = isinstance(step, FunctionTransformer) and step.func is None
    return step is not None and not isinstance(step, str) and not plain


def unwrap_target(fitted: Any) -> Any:
    """Return the estimator inside one that transforms its target; see ``unwrap_estimator``."""
    fitted = unwrap_estimator(fitted)
    return unwrap_estimator(getattr(fitted, "regressor_", fitted))


def unwrap_estimator(fitted: Any) -> Any:
    """Return the estimator inside a search or a frozen one."""
    while True:
        if hasattr(fitted, "best_estimator_"):
            fitted = fitted.best_estimator_
        elif isinstance(fitted, FrozenEstimator):
            fitted = fitted.estimator
        else:
            return fitted


def find_parts(fitted: Any, is_one: Callable[[Any], bool]) -> Iterator[Any]:
    """Yield what is such a one anywhere in a fitted object, and not within another one."""
    waiting: list[tuple[Any, int]] = [(fitted, 0)]
    seen: set[int] = set()
    while waiting:
        value, depth = waiting.pop()
        if id(value) in seen or depth > _DEEPEST:
            continue
        seen.add(id(value))
        if is_one(value):
            yield value
        elif isinstance(value, list | tuple):
            waiting += [(each, depth) for each in value[:1000]]
        elif isinstance(value, type) or not hasattr(value, "__dict__"):
            continue
        elif hasattr(value, "get_params") or type(value).__module__.startswith("sklearn."):
            waiting += [(each, depth + 1) for each in vars(value).values()]


def is_cross_fitted(fitted: Any) -> bool:
    """Whether a step gave the rows of the fit other numbers than it gives now."""
    return any(find_parts(fitted, lambda part: type(part).__name__ in _CROSS_FITTED))


def name_outputs(steps: Any, names: list[str], changed: Any) -> list[str]:
    """The names of what comes out of steps; none where nothing tells.

    Args:
        steps: one that is fitted, or a pipeline of them.
        names: of the columns that go in; none where they have none.
        changed: what comes out, of shape (rows, outputs).
    """
    try:
        return [
            str(name).rpartition("__")[2] for name in steps.get_feature_names_out(names or None)
        ]
    except Exception:  # a step of another kind has no names
        return names if len(names) == np.shape(changed)[1] else []


def find_categories(fitted: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """Find the categories of the columns that the estimator encodes, by column.

    ``names`` are the columns that it takes, in its order; none where they are not known.
    """
    if not names:
        return {}
    for step in list_steps(fitted):
        if isinstance(step, KBinsDiscretizer) or _makes_columns(step):
            return {}  # what comes after it are the numbers of bins, or what code made
        if isinstance(step, ENCODERS):
            return _zip_categories(names, step)
        if isinstance(step, _BOOSTED):  # which encodes what pandas calls a category by itself
            step = getattr(step, "_preprocessor", None)
        if isinstance(step, ColumnTransformer):
            found: dict[str, list[Any]] = {}
            if step.n_features_in_ > len(names):
                return found  # it takes what steps before it made, such as words
            for branch, transformer, _ in step.transformers_:
                taken = [names[index] for index in step._transformer_to_input_indices[branch]]
                found |= find_categories(transformer, taken)
            return found
        if inner := _find_inner_categories(step, names):
            return inner
    return {}


def _makes_columns(step: Any) -> bool:
    """Whether a step computes its columns by a function, or is somebody's own class."""
    if isinstance(step, FunctionTransformer):
        return step.func is not None
    library = type(step).__module__.partition(".")[0]
    return hasattr(step, "transform") and library not in _LIBRARIES


def _find_inner_categories(step: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """The categories that the estimators in one find in its columns, those of all together."""
    inner = getattr(step, "estimators_", None)
    if hasattr(step, "calibrated_classifiers_"):
        inner = [part.estimator for part in step.calibrated_classifiers_]
    elif isinstance(step, FeatureUnion):
        inner = [part for _, part in step.transformer_list]
    elif inner is None and hasattr(step, "estimator_"):  # of a classifier with a threshold
        inner = [step.estimator_]
    made_before = (getattr(step, "n_features_in_", None) or 0) > len(names)  # such as words
    if not isinstance(inner, list) or made_before:
        return {}
    everything = [range(len(names))] * len(inner)
    found: dict[str, dict[Any, None]] = {}
    for part, places in zip(inner, getattr(step, "estimators_features_", everything), strict=False):
        taken = [names[place] for place in places]
        if getattr(part, "n_features_in_", None) != len(taken):
            continue  # "drop", or one that takes the answers of others as well
        for name, values in find_categories(part, taken).items():
            found.setdefault(name, {}).update(dict.fromkeys(values))
    return {name: list(values) for name, values in found.items()}


def find_dropped_columns(fitted: Any, names: Sequence[str]) -> set[str]:
    """Find the columns that the estimator's ColumnTransformer drops, so that they change nothing.

    ``names`` are the columns that it takes, in its order.
    """
    first = list_steps(fitted)[0]
    if not isinstance(first, ColumnTransformer):
        return set()
    used = {
        names[index]
        for branch, transformer, _ in first.transformers_
        if not (isinstance(transformer, str) and transformer == "drop")
        for index in first._transformer_to_input_indices[branch]
    }
    return set(names) - used


def _zip_categories(names: Sequence[str], encoder: Any) -> dict[str, list[Any]]:
    # one of no columns was never fitted, and a step before it may drop a column that was empty
    categories = [values.tolist() for values in getattr(encoder, "categories_", [])]
    missing: list[list[Any]] = [[]] * (len(names) - len(categories))
    return dict(zip(names, [*categories, *missing], strict=False))


def find_missing_in_training(fitted: Any, names: Sequence[str]) -> dict[str, MissingInTraining]:
    """Find out what the model saw of missing values in each column when it was fitted.

    ``names`` are the columns that it takes, in its order.
    """
    found: dict[str, MissingInTraining] = dict.fromkeys(names, "unknown")
    columns = {name: index for index, name in enumerate(names)}
    _inspect_step(fitted, columns, found)
    return found


def _inspect_step(
    step: Any, columns: Mapping[str, int], found: dict[str, MissingInTraining]
) -> dict[str, int]:
    """Write into ``found`` what a step tells of columns, given by their index in its input.

    Returns:
        The columns that nothing is known of yet, by their index in the step's output.
    """
    step = unwrap_target(step)
    if isinstance(step, Pipeline):
        remaining = dict(columns)
        for _, part in step.steps:
            remaining = _inspect_step(part, remaining, found)
        return remaining
    if isinstance(step, ColumnTransformer):
        return _inspect_branches(step, columns, found)
    if not is_step(step):
        return dict(columns)
    known = {name: _inspect_column(step, column) for name, column in columns.items()}
    found |= {name: seen for name, seen in known.items() if seen is not None}
    if not isinstance(step, SCALERS):
        return {}
    return {name: column for name, column in columns.items() if known[name] is None}


def _inspect_branches(
    step: ColumnTransformer, columns: Mapping[str, int], found: dict[str, MissingInTraining]
) -> dict[str, int]:
    remaining: dict[str, int] = {}
    for branch, transformer, _ in step.transformers_:
        taken = list(step._transformer_to_input_indices[branch])
        inside = {name: taken.index(column) for name, column in columns.items() if column in taken}
        if transformer != "drop" and inside:
            start = step.output_indices_[branch].start
            after = _inspect_step(transformer, inside, found)
            remaining |= {name: start + column for name, column in after.items()}
    return remaining


def _inspect_column(step: Any, column: int) -> MissingInTraining | None:
    """What one fitted step tells of one column; None where it tells nothing."""
    if isinstance(step, OneHotEncoder | OrdinalEncoder):
        values = step.categories_[column].tolist()
        if any(value is None or value != value for value in values):
            return "seen"
        # Categories that were given, as of dummies, may have met any other value.
        learned = isinstance(step.categories, str) or step.handle_unknown == "error"
        return "never" if learned else None
    if isinstance(step, SimpleImputer | KNNImputer) or type(step).__name__ == "IterativeImputer":
        return "filled"
    if isinstance(step, StandardScaler):
        counts = step.n_samples_seen_
        if np.ndim(counts) == 0:
            return "never"  # it has a count for each column as soon as one lacks a value
        return "seen" if counts[column] < counts.max() else None
    trees = list(_sends_missing_to_smaller(step, column))
    if any(tree.any() for tree in trees):
        return "seen"
    enough = len(trees) >= _LEAST and sum(map(len, trees)) >= _LEAST
    return "never" if enough else None


def _sends_missing_to_smaller(step: Any, column: int) -> Iterator[BoolArray]:
    """For each tree: whether each split on a column sends missing values to the smaller side."""
    for tree in list_trees(step) if isinstance(step, _TREES) else ():
        splits = (tree.left >= 0) & (tree.column == column)
        left, right = tree.rows[tree.left[splits]], tree.rows[tree.right[splits]]
        yield (tree.missing_left[splits] != (left > right))[left != right]
