"""A fitted scikit-learn estimator out of its file: what it is, and what it was fitted to."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier, is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder

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

    @property
    def title(self) -> str:
        """What people call it: the class of the last step."""
        inner = unwrap(self.fitted)
        if isinstance(inner, Pipeline):
            inner = unwrap(inner.steps[-1][1])
        return type(getattr(inner, "regressor_", inner)).__name__

    def answer(self, rows: Any) -> npt.NDArray[np.float64]:
        """Its answers to rows as it was fitted to them.

        Returns:
            Values, shape (rows,), or probabilities, shape (rows, classes), in the order of
            ``classes``: 1 and 0 where it says only which.

        Raises:
            AddError: if it has several outputs.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it has to say about its own rows is not ours
            if not self.classes:
                values = np.asarray(self.fitted.predict(rows), dtype=float)
                if values.ndim > 1 and values.shape[1] > 1:
                    raise AddError(
                        f"It answers {values.shape[1]} numbers for each row. A page shows one: fit "
                        "a model for the number that you want to show."
                    )
                return values.reshape(-1)
            if self.probabilities:
                return np.asarray(self.fitted.predict_proba(rows), dtype=float)
            labels = np.asarray(self.fitted.predict(rows))
            return np.stack([labels == item for item in self.classes], axis=1).astype(float)


def load_estimator(path: Path) -> Estimator:
    """Load a joblib or pickle file; that runs whatever code is in it.

    Raises:
        AddError: if it is no fitted regressor or classifier, or was saved by another scikit-learn.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fitted = joblib.load(path)
        except ModuleNotFoundError as error:
            raise AddError(
                f"{path} needs the Python module {error.name!r}, which is not installed here. "
                f"Install it, or export the model to ONNX and add that file."
            ) from error
        except AttributeError as error:
            raise AddError(
                f"{path} needs code that is not in the file: {error}. Move it from the script or "
                "notebook into a module that can be imported here, fit and save again."
            ) from error
        except Exception as error:  # a file that is none raises whatever its bytes happen to mean
            raise AddError(_other_version(path, caught) or _no_model(path, error)) from error
    if wrong := _other_version(path, caught):
        raise AddError(wrong)
    return describe(fitted, str(path))


def _other_version(path: Path, caught: Sequence[warnings.WarningMessage]) -> str:
    """What to say of a file that another scikit-learn saved; "" where none did."""
    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            old, new = (
                warning.message.original_sklearn_version,
                warning.message.current_sklearn_version,
            )
            return (
                f"{path} was saved by scikit-learn {old}, this is {new}: its answers could differ "
                f"without a word. Fit and save it with scikit-learn {new}."
            )
    return ""


def _no_model(path: Path, error: Exception) -> str:
    """Why a file cannot be loaded, by how it begins."""
    start = path.read_bytes()[:_START]
    found = next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")
    if found == _PICKLE:
        return (
            f"{path} is a joblib or pickle file that cannot be loaded here "
            f"({type(error).__name__}): it is damaged, or was saved by other versions of its "
            "libraries. Save it again with those that are installed here."
        )
    if not start:
        found = "an empty file"
    if not found and not set(start) - _TEXT:
        found = "text"
    guess = f", but {found}" if found else ""
    return f"{path} is no joblib or pickle file{guess}. Name the file of the fitted model."


_START = 512
_PICKLE = "a pickle"
_MARKS = {
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"%PDF": "a PDF file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x89HDF": "an HDF5 file",
    **dict.fromkeys((b"\x80", b"\x1f\x8b", b"x\x9c", b"x\x01", b"x\xda", b"BZh"), _PICKLE),
    **dict.fromkeys((b"\xfd7zXZ", b"\x04\x22\x4d\x18", b"]\x00"), _PICKLE),
}
"""How files begin; a pickle may be compressed."""

_TEXT = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\n\r") | frozenset(range(0x80, 0x100))


def describe(fitted: Any, where: str) -> Estimator:
    """What a loaded object is.

    Raises:
        AddError: if it is no fitted regressor or classifier.
    """
    if isinstance(fitted, type):
        raise AddError(f"{where} holds the class {fitted.__name__} itself. Save a fitted model.")
    if not hasattr(fitted, "predict"):
        raise AddError(
            f"{where} holds a {type(fitted).__name__}, which has no predict. Save the fitted "
            "estimator or Pipeline itself: joblib.dump(model, 'model.joblib')."
        )
    classifies, regresses = _kind(fitted)
    if not (classifies or regresses):
        raise AddError(
            f"{where} holds a {type(fitted).__name__}, which is neither a regressor nor a "
            "classifier."
        )
    classes: tuple[Any, ...] = ()
    if classifies:
        found = getattr(fitted, "classes_", None)
        if found is None:
            raise AddError(f"{where} holds a {type(fitted).__name__} that was not fitted yet.")
        if isinstance(found, list):
            raise AddError(
                f"It answers {len(found)} classes for each row. A page shows one: fit a model for "
                "the one that you want to show."
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


def _kind(fitted: Any) -> tuple[bool, bool]:
    try:
        return bool(is_classifier(fitted)), bool(is_regressor(fitted))
    except (AttributeError, TypeError):  # it only looks like an estimator of scikit-learn
        return hasattr(fitted, "classes_"), not hasattr(fitted, "classes_")


def unwrap(fitted: Any) -> Any:
    """The estimator inside a search or a frozen one."""
    while True:
        if hasattr(fitted, "best_estimator_"):
            fitted = fitted.best_estimator_
        elif isinstance(fitted, FrozenEstimator):
            fitted = fitted.estimator
        else:
            return fitted


def encoded_columns(fitted: Any, names: Sequence[str]) -> set[str]:
    """The columns whose values the estimator takes for categories."""
    inner = unwrap(fitted)
    steps = inner.steps if isinstance(inner, Pipeline) else [("", inner)]
    found: set[str] = set()
    first = getattr(steps[0][1], "regressor_", steps[0][1])
    if isinstance(first, Pipeline):
        first = first.steps[0][1]
    if isinstance(first, OneHotEncoder | OrdinalEncoder):
        return set(names)
    if not isinstance(first, ColumnTransformer):
        return found
    for name, transformer, _ in first.transformers_:
        parts = transformer.steps if isinstance(transformer, Pipeline) else [("", transformer)]
        if any(isinstance(part, OneHotEncoder | OrdinalEncoder) for _, part in parts):
            found |= {names[place] for place in first._transformer_to_input_indices[name]}
    return found
