"""Models that take the pixels of a picture as one row: networks, and those of scikit-learn."""

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.pipeline import Pipeline, make_pipeline

from model.contract.arrays import Float32Array
from model.contract.preprocessing import Layout
from model.making.assembly.contents import Transformer, read_contents
from model.making.errors import AddError
from model.making.kinds.classes import ClassesKind
from model.making.onnx.exporting import explain_failure
from model.making.onnx.graphs import CompileError, append_one_hot, prepend_nodes, prune_graph
from model.making.onnx.signatures import FLOAT_TYPES, list_inputs, read_output, read_tensor_info
from model.making.options import AddOptions
from model.making.pictures.networks import InputShape, PictureNetwork
from model.making.sources.compiling import convert_rows
from model.making.sources.wrapping import choose_opsets
from model.making.steps.fitted_steps import unwrap_estimator
from model.serving.predictors import open_session

_FEWEST = 64
"""Numbers that can be a picture."""

_LAYOUTS: dict[int, tuple[Layout, ...]] = {1: ("NHW",), 3: ("NHWC", "NCHW")}
_TOLERANCE = 1e-3
_COMPARED = 20
_DIFFERS = "answers otherwise as ONNX than in scikit-learn."
_OTHERS = (
    "Fit another classifier to the same pixels, such as SVC, LogisticRegression, "
    "RandomForestClassifier or MLPClassifier."
)


def may_be_pixels(count: int) -> bool:
    """Whether a square picture, in grey or in three colours, has so many numbers."""
    return count >= _FEWEST and any(
        math.isqrt(count // channels) ** 2 * channels == count for channels in _LAYOUTS
    )


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
        "colours. If they are pixels, say of how many: --size 64x48, width first. If a step such "
        "as PCA made them of pixels, add its file after the model's: model.pkl pca.pkl. Numbers "
        "that code computes from a picture, such as HOG or a histogram, cannot be served: train on "
        "the pixels, or a network that computes them itself."
    )


def take_answer(model: onnx.ModelProto, path: Path) -> tuple[onnx.ModelProto, bool]:
    """Copy a model of rows, as scikit-learn's become, so that its answer is its only output.

    Returns:
        The model, and whether it names a class alone, because its scores are no probabilities.

    Raises:
        AddError: if its outputs are none of a classifier.
    """
    numbers = (*FLOAT_TYPES, TensorProto.FLOAT16)
    if all(read_tensor_info(item).type in numbers for item in model.graph.output):
        return model, False
    output, meaning, classes = read_output(model, path)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    label = next((item for item in made.graph.output if item.name != output), None)
    if meaning == "probabilities":
        _keep_output(made, output, len(classes) or None)
        if label is None or not classes or _gives_shares(made):
            return made, False
        made.CopyFrom(model)
    append_one_hot(
        made.graph, output if meaning == "label" or label is None else label.name, classes
    )
    _keep_output(made, "answer", len(classes))
    opsets = choose_opsets(made)
    del made.opset_import[:]
    made.opset_import.extend(opsets)
    try:
        open_session(made.SerializeToString())
    except Exception as error:  # ONNX Runtime raises several types
        raise AddError(
            f"{path} names a class beside scores that are no probabilities, in operators too old "
            "to read them. Give the pickle of the classifier, or export it with a newer opset."
        ) from error
    return made, True


def _keep_output(model: onnx.ModelProto, name: str, width: int | None) -> None:
    del model.graph.output[:]
    kept = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])
    model.graph.output.append(kept)
    prune_graph(model.graph, name)


def _gives_shares(model: onnx.ModelProto) -> bool:
    """Whether the answers to noise add up to 1 each, and none is below 0."""
    session = open_session(model.SerializeToString())
    (given,) = session.get_inputs()
    noise = np.random.default_rng(0).random((_COMPARED, given.shape[1]), np.float32)
    found = np.concatenate([session.run(None, {given.name: row[None]})[0] for row in noise])
    return bool(found.min() >= 0 and np.allclose(found.sum(axis=1), 1, atol=_TOLERANCE))


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


@dataclass(frozen=True, eq=False)
class PixelClassifier:
    """A classifier of scikit-learn with the steps before it, which takes a row of pixels.

    ``classes`` are the names of its classes in its order, as far as its files have them; ``where``
    names its file, and ``described`` says what it is.
    """

    fitted: Any
    kind: ClassesKind
    classes: tuple[str, ...]
    where: str
    described: str

    def convert(self) -> Iterator[onnx.ModelProto]:
        """Convert it to ONNX; where the first form answers otherwise, the next may not.

        Raises:
            AddError: if it does not convert, or answers otherwise whatever the range of the pixels.
        """
        steps = self.fitted.steps if isinstance(self.fitted, Pipeline) else [("", self.fitted)]
        width = int(steps[0][1].n_features_in_)
        found = False
        try:
            for model in convert_rows(self.fitted, self.kind, width):
                if self._agrees(model, width):
                    found = True
                    yield model
        except Exception as error:  # converters raise any type of error
            reason = str(error) if isinstance(error, CompileError) else explain_failure(error)
            raise AddError(
                f"{self.where} cannot be served: {reason.rstrip('.')}. {_OTHERS}"
            ) from error

        if not found:
            raise AddError(f"{self.where} {_DIFFERS} {_OTHERS}")

    def _agrees(self, model: onnx.ModelProto, width: int) -> bool:
        """Whether a form answers noise of one of the usual ranges as the classifier does.

        Beyond the range of its fit one may answer anything, such as all probabilities 0.
        """
        session = open_session(model.SerializeToString())
        noise = np.random.default_rng(0).integers(0, 256, (_COMPARED, width)).astype(np.float32)
        for rows in (noise, noise / np.float32(255), noise / np.float32(16)):
            (answers,) = session.run(None, {session.get_inputs()[0].name: rows})
            if self._are_same(answers, rows):
                return True
        return False

    def _are_same(self, answers: NDArray[Any], rows: NDArray[Any]) -> bool:
        expected = self.kind.predict_quietly(self.fitted, rows)
        return bool(np.allclose(answers, expected, atol=_TOLERANCE))

    def without_probabilities(self) -> "PixelClassifier":
        """Return the same, which names its class alone."""
        return replace(self, kind=self.kind.without_probabilities())

    def doubt(self, rows: Float32Array) -> str:
        """Say why its probabilities cannot be shown; "" where they can. Rows are [N, pixels]."""
        if not self.kind.doubt_answers(self.fitted, rows):
            return ""
        return (
            f"For some of {len(rows)} pictures its predict names another class than the likeliest "
            "by its predict_proba. The page shows what predict says, without probabilities. For "
            "these, fit a CalibratedClassifierCV around it."
        )

    def settle(self, networks: Iterable[PictureNetwork], inputs: NDArray[Any]) -> PictureNetwork:
        """Return the first of its forms that answers pictures as it does itself.

        Args:
            networks: the forms, as ``convert`` makes them.
            inputs: pictures as they take them, shape [N, …].

        Raises:
            AddError: if none does.
        """
        for network in networks:
            answers = np.stack([network.answer(each[None]) for each in inputs])
            if self._are_same(answers, inputs.reshape(len(inputs), -1)):
                return network
        raise AddError(f"{self.where} {_DIFFERS} {_OTHERS}")


def read_classifier(options: AddOptions) -> PixelClassifier:
    """Read the classifier in files, with the steps before it.

    Raises:
        AddError: if there is none, or its steps have no order.
    """
    paths = (*options.paths, *options.before)
    contents = read_contents(paths, options.trust, options.module)
    (part,) = contents.estimators
    fitted = unwrap_estimator(part.fitted)
    name = type(fitted).__name__
    kind = ClassesKind.from_estimator(fitted, part.where)
    if kind is None:
        raise AddError(
            f"{part.where} holds a {name}, which names no class. A model that answers a number for "
            "a picture, such as an age, is not served here. Bands of it are classes: train it to "
            "tell these."
        )
    steps = _order_steps(contents.transformers, part, [str(path) for path in options.before])
    whole = make_pipeline(*steps, fitted) if steps else fitted
    before = "".join(f" behind {type(step).__name__}" for step in reversed(steps))
    texts = {number: text for codes in contents.codes for text, number in codes.numbers.items()}
    classes = tuple(str(texts.get(item, item)) for item in kind.classes)
    described = f"{name} of scikit-learn{before}"
    return PixelClassifier(whole, kind, classes, part.where, described)


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
