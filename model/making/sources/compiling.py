"""A fitted estimator with columns of any name, to one ONNX model.

The model takes `features` float32 [N, K], the codes of the card's fields, and answers `value` [N]
or `probabilities` [N, C]. Which of three ways succeeds depends on the estimator; the fastest to
serve is tried first, and every model is compared with the estimator before it is used. Where that
fails, scalers are tried with 16 digits.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any

import onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline

from model.contract.sources import Frame
from model.making.kinds.output_kind import OutputKind
from model.making.onnx.converting import (
    ConvertEstimator,
    Operation,
    append_inverse,
    convert_codes,
    convert_columns,
    convert_matrix,
    unwrap_regressor,
)
from model.making.onnx.exact_scaling import replace_scalers
from model.making.onnx.exporting import explain_failure, export_estimator
from model.making.onnx.forests import write_trees
from model.making.onnx.graphs import INPUT, CompileError, finish_model, is_text
from model.making.sources.converting_texts import convert_texts, refuse_texts
from model.making.steps.fitted_steps import unwrap_estimator
from model.serving.texts.vectorizer import Vectorizer


def compile_estimator(
    fitted: Any,
    kind: OutputKind,
    frame: Frame,
    check: Callable[[bytes], object],
    vectorizers: Mapping[int, Vectorizer] | None = None,
) -> bytes:
    """Return the estimator as a serialized ONNX model; the same estimator gives the same bytes.

    Args:
        fitted: what to compile.
        kind: how it answers.
        frame: the columns that it was fitted to, and their codes.
        check: compares a compiled model with the estimator; raises a CompileError where it differs.
        vectorizers: those of its columns of free text, by their place.

    Raises:
        CompileError: if no way gives a model with the same answers; says why for each.
    """
    fitted, inverse = unwrap_regressor(_without_obstacles(fitted))
    ways: dict[str, ConvertEstimator] = {
        "choices as codes": convert_codes,
        "an input for each column": convert_columns,
    }
    if not any(map(is_text, frame.choices.values())):
        ways["one matrix"] = convert_matrix

    width = len(frame.names)
    if vectorizers:
        widths = {frame.names[place]: item.width for place, item in vectorizers.items()}
        refuse_texts(list(vectorizers.values()))
        width += sum(widths.values()) - len(widths)
        ways = {"words as numbers": partial(convert_texts, widths)}

    reasons: dict[str, str] = {}
    exact = replace_scalers(fitted)
    tried = (fitted, exact) if exact is not fitted else (fitted,)
    for estimator, (way, convert) in product(tried, ways.items()):
        try:
            forests: list[Any] = []
            model = convert(estimator, frame.names, frame.choices, forests)
            model = _finish(model, kind, width, forests, inverse)
            compiled: bytes = model.SerializeToString(deterministic=True)
            del model  # as large as what it was serialized to
            check(compiled)
        except CompileError as error:
            reasons.setdefault(str(error), way)
        except Exception as error:  # converters raise any type of error
            reasons.setdefault(explain_failure(error), way)
        else:
            return compiled
    if len(reasons) == 1:
        raise CompileError(*reasons)
    raise CompileError("\n".join(f"With {way}: {reason}" for reason, way in reasons.items()))


def convert_rows(fitted: Any, kind: OutputKind, width: int) -> Iterator[onnx.ModelProto]:
    """Convert an estimator that takes rows of so many numbers; where the first form differs, exact.

    Raises:
        Exception: of any type, from a converter; ``explain_failure`` has words for it.
    """
    fitted = _without_obstacles(fitted)
    exact, given = replace_scalers(fitted), FloatTensorType([None, width])
    for estimator in (fitted, exact) if exact is not fitted else (fitted,):
        forests: list[Any] = []
        model = export_estimator(estimator, [(INPUT, given)], forests)
        yield _finish(model, kind, width, forests)


def _finish(
    model: onnx.ModelProto,
    kind: OutputKind,
    width: int,
    forests: list[Any],
    inverse: Sequence[Operation] = (),
) -> onnx.ModelProto:
    """A converted model that gives its answer alone, with the trees of its forests."""
    outputs = [output.name for output in model.graph.output]
    outputs[0] = append_inverse(model.graph, outputs[0], inverse)
    kind.append_answer(model.graph, outputs)
    model = finish_model(model, kind.output, width, *kind.shape)
    write_trees(model.graph, forests)
    return model


def _without_obstacles(fitted: Any) -> Any:
    """The estimator without what its converter refuses and no answer depends on."""
    fitted = unwrap_estimator(fitted)
    if isinstance(fitted, Pipeline):
        name, last = fitted.steps[-1]
        if (replaced := _without_obstacles(last)) is last:
            return fitted
        copied = copy.copy(fitted)
        copied.steps = [*fitted.steps[:-1], (name, replaced)]
        return copied
    if isinstance(fitted, VotingClassifier):
        copied = copy.copy(fitted)
        copied.flatten_transform = False
        return copied
    return fitted
