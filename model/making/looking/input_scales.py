"""Whether a fitted model saw inputs that somebody had scaled, as far as it keeps what it saw."""

from typing import Any, Literal

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import PowerTransformer, QuantileTransformer

from model.making.steps.fitted_steps import SCALERS, unwrap_estimator
from model.making.steps.kept_values import LEAST_VALUES, list_kept_values

InputScale = Literal["", "standardised", "scaled to between 0 and 1"]

_SCALERS = (*SCALERS, PowerTransformer, QuantileTransformer)


def is_scaler(fitted: object) -> bool:
    """Say whether an estimator scales numbers."""
    return isinstance(fitted, _SCALERS)


def find_scale(fitted: Any) -> InputScale:
    """How a model's inputs look scaled; "" where they do not, or nothing tells."""
    fitted = unwrap_estimator(fitted)
    if isinstance(fitted, Pipeline):
        return ""  # its first steps take what people have
    kept = list_kept_values(fitted).values()
    columns = [column for column in kept if len(column) >= LEAST_VALUES]
    if len(columns) < 2:
        return ""
    if all(column.min() >= 0 and column.max() <= 1 for column in columns):
        inside = [np.unique(column[(column > 0) & (column < 1)]) for column in columns]
        fine = sum(len(values) >= LEAST_VALUES for values in inside)  # flags are 0 and 1 as well
        return "scaled to between 0 and 1" if 2 * fine >= len(columns) else ""
    spread = all(0.3 < column.std() < 3 and abs(column).max() < 10 for column in columns)
    signed = all(column.min() < 0 < column.max() for column in columns)
    return "standardised" if spread and signed else ""
