"""Models that take the pixels of a picture as one row: networks, and those of scikit-learn."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import is_classifier
from sklearn.pipeline import make_pipeline

from model.contract.preprocessing import Layout
from model.making.assembly.contents import Transformer, read_contents
from model.making.errors import AddError
from model.making.onnx.exporting import explain_failure, export_estimator
from model.making.onnx.forests import write_trees
from model.making.onnx.graphs import prepend_nodes
from model.making.onnx.signatures import list_inputs, read_tensor_info
from model.making.options import AddOptions
from model.making.pictures.networks import InputShape
from model.making.steps.fitted_steps import unwrap_estimator
from model.serving.predictors import open_session

_FEWEST = 64
"""Numbers that can be a picture."""

_ROW = "row_of_pixels"
_LAYOUTS: dict[int, tuple[Layout, ...]] = {1: ("NHW",), 3: ("NHWC", "NCHW")}
_COMPARED = 50
_TOLERANCE = 1e-3


def find_shapes(
    model: onnx.ModelProto, path: Path, size: tuple[int, int] | None
) -> tuple[InputShape, ...]:
    """Find which pictures have as many pixels as a model's row: those of ``size``, else squares.

    Raises:
        AddError: if there are none.
    """
    count = read_tensor_info(list_inputs(model.graph)[0]).shape[1] or 0
    found = []
    for channels, layouts in _LAYOUTS.items():
        width, height = size or (math.isqrt(count // channels),) * 2
        if width * height * channels == count >= _FEWEST:
            found += [InputShape(layout, width, height, channels) for layout in layouts]
    if found:
        return tuple(found)
    asked = "of --size" if size else "of a square picture"
    raise AddError(
        f"{path} takes {count} numbers, which are not the pixels {asked}, in grey or in three "
        "colours. If they are pixels, say of how many: --size 64x48, width first. Numbers that "
        "code computes from a picture, such as HOG or a histogram, cannot be served: train on "
        "the pixels, or a network that computes them itself."
    )


def take_pictures(model: onnx.ModelProto, shapes: tuple[InputShape, ...]) -> onnx.ModelProto:
    """Copy a model of one row of pixels so that it takes pictures of these shapes."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    (given,) = list_inputs(made.graph)
    picture, width = f"{given.name}_picture", f"{given.name}_width"
    count = read_tensor_info(given).shape[1]
    made.graph.initializer.append(numpy_helper.from_array(np.array([-1, count], np.int64), width))
    prepend_nodes([helper.make_node("Reshape", [picture, width], [given.name])], made.graph)
    dims = ["N", *[None] * (len(shapes[0].layout) - 1)]
    kind = given.type.tensor_type.elem_type
    made.graph.input.remove(given)
    made.graph.input.insert(0, helper.make_tensor_value_info(picture, kind, dims))
    return made


def convert_estimator(options: AddOptions) -> tuple[str, onnx.ModelProto, tuple[str, ...]]:
    """Convert the classifier in files, with the steps before it, to ONNX.

    Returns:
        What it is, the model, which takes a row of pixels, and the names of its classes, in its
        order, as far as the files have them.

    Raises:
        AddError: if there is none that gives probabilities, or it does not convert.
    """
    paths = (*options.paths, *options.before)
    contents = read_contents(paths, options.trust, options.module)
    (part,) = contents.estimators
    fitted = unwrap_estimator(part.fitted)
    name = type(fitted).__name__
    if not is_classifier(fitted):
        raise AddError(
            f"{part.where} holds a {name}, which names no class. A model that answers a number for "
            "a picture, such as an age, is not served here. Bands of it are classes: train it to "
            "tell these."
        )
    if not hasattr(fitted, "predict_proba"):
        raise AddError(
            f"{part.where} holds a {name} that names a class without a probability, and a page of "
            "pictures shows how sure the answer is. Fit CalibratedClassifierCV(model).fit(X, y) in "
            "its place."
        )
    steps = _order_steps(contents.transformers, part, [str(path) for path in options.before])
    whole = make_pipeline(*steps, fitted) if steps else fitted
    count = int((steps[0] if steps else fitted).n_features_in_)
    forests: list[Any] = []
    try:
        model = export_estimator(whole, [(_ROW, FloatTensorType([None, count]))], forests)
        write_trees(model.graph, forests)
    except Exception as error:  # converters raise any type of error
        raise AddError(f"{part.where} cannot be served: {explain_failure(error)}.") from error
    _compare(whole, model, count, part.where)
    before = "".join(f" behind {type(step).__name__}" for step in reversed(steps))
    texts = {number: text for codes in contents.codes for text, number in codes.numbers.items()}
    classes = tuple(str(texts.get(item, item)) for item in fitted.classes_.tolist())
    return f"{name} of scikit-learn{before}", model, classes


def _order_steps(parts: list[Transformer], model: Transformer, before: list[str]) -> list[Any]:
    """The steps before a model in their order: that of ``before``, else the one that fits."""
    listed = [part for path in before for part in parts if str(part.path) == path]
    parts = listed + [part for part in parts if part not in listed]
    if not parts:
        return []
    orders = [parts] if before else list(itertools.permutations(parts[:4]))
    fitting = [
        [part.fitted for part in order]
        for order in orders
        if [part.count for part in (*order[1:], model)] == [_count_out(part) for part in order]
    ]
    if len(fitting) == 1:
        return fitting[0]
    named = ", ".join(part.where for part in parts)
    options = " ".join(f"--before {part.path}" for part in parts)
    raise AddError(
        f"In which order do {named} stand before {model.where}, which takes {model.count} numbers? "
        f"Give them in that order: {options}"
    )


def _count_out(part: Transformer) -> int:
    return int(np.shape(part.fitted.transform(np.zeros((1, part.count))))[1])


def _compare(fitted: Any, model: onnx.ModelProto, count: int, where: str) -> None:
    """Compare the converted form with the estimator, on noise of both usual scales.

    Raises:
        AddError: if an answer differs.
    """
    rows = np.random.default_rng(0).integers(0, 256, (_COMPARED, count)).astype(np.float32)
    rows[::2] /= np.float32(255)
    session = open_session(model.SerializeToString())
    (found,) = session.run([session.get_outputs()[1].name], {_ROW: rows})
    if not np.allclose(found, fitted.predict_proba(rows), atol=_TOLERANCE):
        raise AddError(f"{where} answers otherwise as ONNX than in scikit-learn.")
