"""The estimator in a joblib or pickle file, and why it does not load, in words for people."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import joblib
from sklearn.exceptions import InconsistentVersionWarning

from model.making.errors import AddError
from model.making.estimator_sources import EstimatorSource, describe_estimator


def load_estimator(path: Path) -> EstimatorSource:
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
                "Install it, or export the model to ONNX and add that file."
            ) from error
        except AttributeError as error:
            raise AddError(
                f"{path} needs code that is not in the file: {error}. Move that code from the "
                "script or notebook into a module that can be imported here, then fit the model "
                "and save it again."
            ) from error
        except Exception as error:  # what joblib raises depends on the file's bytes
            raise AddError(
                _explain_version(path, caught)
                or f"{path} does not load as a joblib or pickle file ({type(error).__name__}). It "
                "is another kind of file, or damaged, or was saved by other versions of its "
                "libraries. Name the file of the fitted model, or save it again here."
            ) from error
    if reason := _explain_version(path, caught):
        raise AddError(reason)
    return describe_estimator(fitted, str(path))


def _explain_version(path: Path, caught: Sequence[warnings.WarningMessage]) -> str:
    """Say that another version of scikit-learn saved a file; "" where none did."""
    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            new = warning.message.current_sklearn_version
            return (
                f"{path} was saved by scikit-learn {warning.message.original_sklearn_version}, and "
                f"this is {new}: its answers could differ without a warning. Fit and save it with "
                f"scikit-learn {new}."
            )
    return ""
