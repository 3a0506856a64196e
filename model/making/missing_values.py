"""Whether a model was fitted on rows that lack a fact, as far as what it keeps of its fit tells.

An estimator may answer a row that lacks a fact although it never saw one: trees send it to the
larger side, an encoder that ignores what is unknown takes it for no category. What tells is kept
here and there: an encoder's categories, a scaler's counts, and to which side a tree sends what is
missing, which is the larger one at every split only where nothing was missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from model.making.estimators import unwrap

HolesInTraining = Literal["filled", "seen", "never", "unknown"]
"""A step fills in what is missing; it was fitted on rows that lack it, or on none; nobody knows."""

_SCALERS = (MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler)
_BOOSTED = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
_FORESTS = (
    ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor,
)  # fmt: skip
_LEAST = 10
"""Trees, and splits, below which it may be chance that all send a hole to the larger side."""

_Bools = npt.NDArray[np.bool_]


def seen_holes(fitted: Any, names: Sequence[str]) -> dict[str, HolesInTraining]:
    """What the model saw of each column when it was fitted.

    Args:
        fitted: the estimator.
        names: the columns that it takes, in its order.
    """
    found: dict[str, HolesInTraining] = dict.fromkeys(names, "unknown")
    _follow(unwrap(fitted), {name: place for place, name in enumerate(names)}, found)
    return found


def _follow(
    step: Any, places: Mapping[str, int], found: dict[str, HolesInTraining]
) -> dict[str, int]:
    """Decide what a step tells of the columns that stand in its matrix at ``places``.

    Returns:
        Where those stand after it of which nothing is known yet.
    """
    step = unwrap(getattr(step, "regressor_", step))
    if isinstance(step, Pipeline):
        left = dict(places)
        for _, part in step.steps:
            left = _follow(part, left, found)
        return left
    if isinstance(step, ColumnTransformer):
        return _branches(step, places, found)
    if step == "passthrough" or (isinstance(step, FunctionTransformer) and step.func is None):
        return dict(places)
    told = {name: _told(step, place) for name, place in places.items()}
    found |= {name: seen for name, seen in told.items() if seen is not None}
    if not isinstance(step, _SCALERS):
        return {}
    return {name: place for name, place in places.items() if told[name] is None}


def _branches(
    step: ColumnTransformer, places: Mapping[str, int], found: dict[str, HolesInTraining]
) -> dict[str, int]:
    left: dict[str, int] = {}
    for branch, transformer, _ in step.transformers_:
        taken = list(step._transformer_to_input_indices[branch])
        inside = {name: taken.index(place) for name, place in places.items() if place in taken}
        if transformer != "drop" and inside:
            start = step.output_indices_[branch].start
            after = _follow(transformer, inside, found)
            left |= {name: start + place for name, place in after.items()}
    return left


def _told(step: Any, place: int) -> HolesInTraining | None:
    """What one step keeps of its fit about one column; None where that is nothing."""
    if isinstance(step, OneHotEncoder | OrdinalEncoder):
        values = step.categories_[place].tolist()
        return "seen" if any(value is None or value != value for value in values) else "never"
    if isinstance(step, SimpleImputer | KNNImputer) or type(step).__name__ == "IterativeImputer":
        return "filled"
    if isinstance(step, StandardScaler):
        counts = step.n_samples_seen_
        if np.ndim(counts) == 0:
            return "never"  # it counts apart for each column as soon as one has a hole
        return "seen" if counts[place] < counts.max() else None
    trees = list(_to_smaller_side(step, place))
    if any(tree.any() for tree in trees):
        return "seen"
    sure = len(trees) >= _LEAST and sum(map(len, trees)) >= _LEAST
    return "never" if sure else None


def _to_smaller_side(step: Any, place: int) -> Iterator[_Bools]:
    """For each tree and split on a column: whether that sends a hole to the smaller side."""
    if isinstance(step, _BOOSTED) and getattr(step, "_preprocessor", None) is None:
        for predictor in (item for stage in step._predictors for item in stage):
            nodes = predictor.nodes
            splits = nodes[(nodes["is_leaf"] == 0) & (nodes["feature_idx"] == place)]
            splits = splits[splits["is_categorical"] == 0]
            sides = nodes["count"][splits["left"]], nodes["count"][splits["right"]]
            yield _smaller(splits["missing_go_to_left"], *sides)
    for tree in (part.tree_ for part in _trees(step)):
        inner = np.flatnonzero((tree.children_left >= 0) & (tree.feature == place))
        counts = tree.n_node_samples
        sides = counts[tree.children_left[inner]], counts[tree.children_right[inner]]
        yield _smaller(tree.missing_go_to_left[inner], *sides)


def _trees(step: Any) -> Sequence[Any]:
    if isinstance(step, DecisionTreeClassifier | DecisionTreeRegressor):
        return [step]
    return step.estimators_ if isinstance(step, _FORESTS) else []


def _smaller(goes_left: Any, left: Any, right: Any) -> _Bools:
    smaller: _Bools = (goes_left.astype(bool) != (left > right))[left != right]
    return smaller
