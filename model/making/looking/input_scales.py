"""Whether a fitted model saw inputs that somebody had scaled, as far as it keeps what it saw."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from sklearn import preprocessing
from sklearn.pipeline import Pipeline

from model.contract.arrays import Float64Array
from model.making.steps.fitted_steps import unwrap_estimator

InputScale = Literal["", "standardised", "scaled to between 0 and 1"]

_SCALERS = (
    preprocessing.MaxAbsScaler,
    preprocessing.MinMaxScaler,
    preprocessing.PowerTransformer,
    preprocessing.QuantileTransformer,
    preprocessing.RobustScaler,
    preprocessing.StandardScaler,
)
_LEAST_VALUES = 5
"""An input counts where the model keeps as many values of it."""


def is_scaler(fitted: object) -> bool:
    """Say whether an estimator scales numbers."""
    return isinstance(fitted, _SCALERS)


def find_scale(fitted: Any) -> InputScale:
    """How a model's inputs look scaled; "" where they do not, or nothing tells."""
    fitted = unwrap_estimator(fitted)
    if isinstance(fitted, Pipeline):
        return ""  # its first steps take what people have
    columns = [column for column in _list_values(fitted) if len(column) >= _LEAST_VALUES]
    if len(columns) < 2:
        return ""
    if all(column.min() >= 0 and column.max() <= 1 for column in columns):
        inside = [np.unique(column[(column > 0) & (column < 1)]) for column in columns]
        fine = sum(len(values) >= _LEAST_VALUES for values in inside)  # flags are 0 and 1 as well
        return "scaled to between 0 and 1" if 2 * fine >= len(columns) else ""
    spread = all(0.3 < column.std() < 3 and abs(column).max() < 10 for column in columns)
    signed = all(column.min() < 0 < column.max() for column in columns)
    return "standardised" if spread and signed else ""


def _list_values(fitted: Any) -> list[Float64Array]:
    """Values of each input that a model keeps, each of shape (values,)."""
    for name in ("_fit_X", "support_vectors_", "cluster_centers_"):
        kept = getattr(fitted, name, None)
        if isinstance(kept, np.ndarray) and kept.ndim == 2:
            return list(kept.T.astype(float))
    trees = [getattr(part, "tree_", None) for part in _list_trees(fitted)]
    splits = [
        (tree.feature[tree.feature >= 0], tree.threshold[tree.feature >= 0])
        for tree in trees
        if tree is not None
    ]
    if not splits:
        return []
    features = np.concatenate([feature for feature, _ in splits])
    thresholds = np.concatenate([threshold for _, threshold in splits])
    return [thresholds[features == number] for number in np.unique(features)]


def _list_trees(fitted: Any) -> list[Any]:
    parts = getattr(fitted, "estimators_", None)
    return [fitted] if parts is None else list(np.ravel(np.asarray(parts, dtype=object)))[:100]
