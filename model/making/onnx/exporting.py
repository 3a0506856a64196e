"""One call of skl2onnx, and why it fails, in words for people."""

import re
import warnings
from typing import Any

import onnx
from skl2onnx import convert_sklearn
from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
from skl2onnx.common.utils import InvalidInputLengthException
from sklearn.pipeline import Pipeline

from model.making.onnx import networks  # noqa: F401 (registers their converter)
from model.making.onnx.forests import make_forest_converters
from model.making.onnx.graphs import OPSETS

_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'>")
_DELIBERATE = (RuntimeError, NotImplementedError)
"""What converters raise on purpose, with a sentence; anything else is a bug in a converter."""


def export_estimator(
    fitted: Any, types: list[tuple[str, Any]], forests: list[Any]
) -> onnx.ModelProto:
    """Convert an estimator with skl2onnx; a classifier's probabilities come as a matrix.

    Args:
        fitted: the estimator.
        types: name and type of each input.
        forests: gets each forest, whose trees ``write_trees`` writes afterwards.

    Raises:
        Exception: of any type, from a converter; ``explain_failure`` has words for it.
    """
    with warnings.catch_warnings():
        # skl2onnx passes NumPy bools where protobuf wants Python's; protobuf 6 warns, 7 refuses.
        warnings.simplefilter("ignore", DeprecationWarning)
        # It reads attributes of support vector machines that scikit-learn is to drop.
        warnings.simplefilter("ignore", FutureWarning)
        model: onnx.ModelProto = convert_sklearn(
            fitted,
            initial_types=types,
            target_opset=OPSETS,
            options=_options(fitted),
            custom_conversion_functions=make_forest_converters(forests),
        )
    return model


def _options(fitted: Any) -> dict[int, dict[str, bool]]:
    """The options of each converter, by the id of the estimator.

    A pipeline passes the option "zipmap" on to its last step, and the converter of a classifier
    without probabilities may not know that option: an empty entry for that step prevents it.
    """
    if hasattr(fitted, "predict_proba") and hasattr(fitted, "classes_"):
        return {id(fitted): {"zipmap": False}}
    options: dict[int, dict[str, bool]] = {}
    while isinstance(fitted, Pipeline):
        fitted = fitted.steps[-1][1]
        options[id(fitted)] = {}
    return options


def explain_failure(error: Exception) -> str:
    """Say why there is no compiled model; the text of a converter's own bug is left out."""
    if isinstance(error, MissingConverter | MissingShapeCalculator):
        found = _CLASS.search(str(error))
        return f"skl2onnx has no ONNX form of {found[1] if found else 'one of its steps'}."
    if type(error) in _DELIBERATE:
        reason = " ".join(str(error).split()).partition(". ")[0].rstrip(".")
        return f"skl2onnx says: {reason}."
    if isinstance(error, InvalidInputLengthException):
        return "skl2onnx cannot convert it from these inputs."
    if type(error).__module__.startswith("onnxruntime"):
        return "ONNX Runtime cannot run the graph that skl2onnx made."
    return f"skl2onnx cannot convert it: its converter fails ({type(error).__name__})."
