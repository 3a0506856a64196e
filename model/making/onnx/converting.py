"""A fitted scikit-learn estimator through skl2onnx, and why that fails, in words for people."""

from __future__ import annotations

import re
import warnings
from typing import Any

import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from skl2onnx.common.utils import InvalidInputLengthException
from sklearn.pipeline import Pipeline

# Old enough for any ONNX Runtime of the last years, new enough for every operator used here.
OPSETS = {"": 17, "ai.onnx.ml": 3}

_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'>")
_SAID = (RuntimeError, NotImplementedError)
"""What converters raise by intention, with a sentence; anything else is a fault in one of them."""


def to_onnx(fitted: Any, types: list[tuple[str, Any]]) -> onnx.ModelProto:
    """Return what skl2onnx makes of it; a classifier's probabilities as a matrix.

    Args:
        fitted: the estimator.
        types: name and type of each input.

    Raises:
        Exception: whatever a converter happens to raise; ``why_not`` has words for it.
    """
    with warnings.catch_warnings():
        # skl2onnx passes NumPy bools where protobuf wants Python's; protobuf 6 warns, 7 refuses.
        warnings.simplefilter("ignore", DeprecationWarning)
        model: onnx.ModelProto = convert_sklearn(
            fitted, initial_types=types, target_opset=OPSETS, options=_options(fitted)
        )
    return model


def _options(fitted: Any) -> dict[int, dict[str, bool]]:
    """What is wanted of whose converter, by the id of the estimator.

    A pipeline tells its classifier to make a dictionary of the probabilities, and the converter of
    one that has none may not know such a wish: an entry of its own, with nothing in it, prevents
    that.
    """
    if hasattr(fitted, "predict_proba"):
        return {id(fitted): {"zipmap": False}}
    options: dict[int, dict[str, bool]] = {}
    while isinstance(fitted, Pipeline):
        fitted = fitted.steps[-1][1]
        options[id(fitted)] = {}
    return options


def why_not(error: Exception) -> str:
    """Why there is no compiled model, without the text of what is nobody's intention."""
    if isinstance(error, MissingConverter | MissingShapeCalculator):
        found = _CLASS.search(str(error))
        return f"skl2onnx has no ONNX form of {found[1] if found else 'one of its steps'}."
    if type(error) in _SAID:
        said = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
        return f"skl2onnx says: {said}."
    if isinstance(error, InvalidInputLengthException):
        return "skl2onnx cannot convert it from these inputs."
    if type(error).__module__.startswith("onnxruntime"):
        return "ONNX Runtime cannot run what skl2onnx made of it."
    return f"skl2onnx cannot convert it: its converter fails ({type(error).__name__})."
