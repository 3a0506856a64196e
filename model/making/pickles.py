"""The estimator in a joblib or pickle file, and why it does not load, in words for people."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import joblib
from sklearn.exceptions import InconsistentVersionWarning

from model.making.errors import AddError
from model.making.estimators import Estimator, describe_estimator

_START = 512
_PICKLE = "a pickle"
_SIGNATURES = {
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
                "Install it, or export the model to ONNX and add that file."
            ) from error
        except AttributeError as error:
            raise AddError(
                f"{path} needs code that is not in the file: {error}. Move that code from the "
                "script or notebook into a module that can be imported here, then fit the model "
                "and save it again."
            ) from error
        except Exception as error:  # what joblib raises depends on the file's bytes
            raise AddError(_explain_version(path, caught) or _explain_file(path, error)) from error
    if reason := _explain_version(path, caught):
        raise AddError(reason)
    return describe_estimator(fitted, str(path))


def _explain_version(path: Path, caught: Sequence[warnings.WarningMessage]) -> str:
    """Say that another version of scikit-learn saved a file; "" where none did."""
    for warning in caught:
        if isinstance(warning.message, InconsistentVersionWarning):
            old, new = (
                warning.message.original_sklearn_version,
                warning.message.current_sklearn_version,
            )
            return (
                f"{path} was saved by scikit-learn {old}, and this is {new}: its answers could "
                f"differ without a warning. Fit and save it with scikit-learn {new}."
            )
    return ""


def _explain_file(path: Path, error: Exception) -> str:
    """Say why a file does not load, by how it begins."""
    start = path.read_bytes()[:_START]
    content = next(
        (name for signature, name in _SIGNATURES.items() if start.startswith(signature)), ""
    )
    if content == _PICKLE:
        return (
            f"{path} is a joblib or pickle file that does not load here "
            f"({type(error).__name__}): it is damaged, or was saved by other versions of its "
            "libraries. Save it again with those that are installed here."
        )
    if not start:
        content = "an empty file"
    if not content and not set(start) - _TEXT:
        content = "text"
    guess = f", but {content}" if content else ""
    return f"{path} is not a joblib or pickle file{guess}. Name the file of the fitted model."
