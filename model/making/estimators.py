"""A fitted scikit-learn estimator: what it is, and what it was fitted to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

from model.contract.arrays import Float64Array
from model.making.errors import AddError


@dataclass(frozen=True)
class Estimator:
    """A fitted estimator.

    ``names`` are the columns that it was fitted to, None where it was fitted to an array of
    ``count`` columns (None where it does not say). ``classes`` are empty for a regressor.
    """

    fitted: Any
    names: tuple[str, ...] | None
    count: int | None
    classes: tuple[Any, ...]
    probabilities: bool

    def predict(self, rows: Any) -> Float64Array:
        """Answer rows like those that it was fitted to.

        Args:
            rows: a frame of the columns ``names``, or an array of shape (rows, count).

        Returns:
            Values, shape (rows,), or probabilities, shape (rows, classes), in the order of
            ``classes``: 1 and 0 where it only names a class.

        Raises:
            AddError: if it has several outputs.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the person cannot change what it warns of here
            if not self.classes:
                values = np.asarray(self.fitted.predict(rows), dtype=float)
                if values.ndim > 1 and values.shape[1] > 1:
                    raise AddError(
                        f"The model answers {values.shape[1]} numbers for each row, and a page "
                        "shows one. Fit a model for the number that you want to show."
                    )
                return values.reshape(-1)
            if self.probabilities:
                return np.asarray(self.fitted.predict_proba(rows), dtype=float)
            labels = np.asarray(self.fitted.predict(rows))
            return np.stack([labels == item for item in self.classes], axis=1).astype(float)


def describe_estimator(fitted: Any, where: str) -> Estimator:
    """Find out what a loaded object is.

    Args:
        fitted: the object.
        where: its file, as messages call it.

    Raises:
        AddError: if it is no fitted regressor or classifier.
    """
    if isinstance(fitted, type):
        raise AddError(f"{where} holds the class {fitted.__name__} itself. Save a fitted model.")
    kind = type(fitted).__name__
    if not hasattr(fitted, "predict"):
        raise AddError(
            f"{where} holds a {kind}, which has no predict. Save the fitted estimator or Pipeline "
            "itself: joblib.dump(model, 'model.joblib')."
        )
    classifies, regresses = _find_task(fitted)
    if not (classifies or regresses):
        raise AddError(f"{where} holds a {kind}, which is neither a regressor nor a classifier.")
    classes: tuple[Any, ...] = ()
    if classifies:
        found = getattr(fitted, "classes_", None)
        if found is None:
            raise AddError(f"{where} holds a {kind} that was not fitted yet. Fit it, and save it.")
        if isinstance(found, list):
            raise AddError(
                f"The model answers {len(found)} classes for each row, and a page shows one. Fit "
                "a model for the one that you want to show."
            )
        classes = tuple(np.asarray(found).tolist())
    names = getattr(fitted, "feature_names_in_", None)
    count = getattr(fitted, "n_features_in_", None)
    return Estimator(
        fitted,
        None if names is None else tuple(str(name) for name in names),
        None if count is None else int(count),
        classes,
        bool(classes) and hasattr(fitted, "predict_proba"),
    )


def _find_task(fitted: Any) -> tuple[bool, bool]:
    """Whether it is a classifier, and whether it is a regressor."""
    try:
        return bool(is_classifier(fitted)), bool(is_regressor(fitted))
    except (AttributeError, TypeError):  # it only looks like an estimator of scikit-learn
        return hasattr(fitted, "classes_"), not hasattr(fitted, "classes_")


def unwrap_estimator(fitted: Any) -> Any:
    """Return the estimator inside a search or a frozen one."""
    while True:
        if hasattr(fitted, "best_estimator_"):
            fitted = fitted.best_estimator_
        elif isinstance(fitted, FrozenEstimator):
            fitted = fitted.estimator
        else:
            return fitted


def find_encoded_columns(fitted: Any, names: Sequence[str]) -> set[str]:
    """Find the columns whose values the estimator treats as categories.

    Args:
        fitted: the estimator.
        names: the columns that it takes, in its order.
    """
    inner = unwrap_estimator(fitted)
    steps = inner.steps if isinstance(inner, Pipeline) else [("", inner)]
    first = getattr(steps[0][1], "regressor_", steps[0][1])
    if isinstance(first, Pipeline):
        first = first.steps[0][1]
    if isinstance(first, OneHotEncoder | OrdinalEncoder):
        return set(names)
    if not isinstance(first, ColumnTransformer):
        return set()
    found: set[str] = set()
    for branch, transformer, _ in first.transformers_:
        parts = transformer.steps if isinstance(transformer, Pipeline) else [("", transformer)]
        if any(isinstance(part, OneHotEncoder | OrdinalEncoder) for _, part in parts):
            found |= {names[index] for index in first._transformer_to_input_indices[branch]}
    return found
