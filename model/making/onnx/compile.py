"""Fitted pipelines to one ONNX model, at training time, compared with them on every row.

The model has one input, `features` float32 [N, K] (see `model.serving.frames`), and one output
float32 [N] for each pipeline, under the pipeline's name. Pipelines that begin with
the same steps share that part of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import onnx

from model.contract.arrays import Float64Array
from model.making.onnx.converting import (
    ConvertEstimator,
    FittedRegressor,
    convert_codes,
    convert_regressor,
    convert_strings,
)
from model.making.onnx.graphs import INPUT, CompileError, merge_models
from model.serving.frames import Choices, to_frame
from model.serving.predictors import open_session

TOLERANCE = 1e-4
"""The largest relative difference between pipeline and compiled model that is let through."""

_ROWS_SHOWN = 5

Pipelines = Mapping[str, FittedRegressor]
"""Fitted regressors by the name of their output."""

ConvertPipelines = Callable[[Pipelines, Sequence[str], Choices, Float64Array], onnx.ModelProto]
"""Makes one model from pipelines, fields, choices and rows; raises a CompileError if it cannot."""


def _through_skl2onnx(convert: ConvertEstimator) -> ConvertPipelines:
    def convert_pipelines(
        pipelines: Pipelines, fields: Sequence[str], choices: Choices, _: Float64Array
    ) -> onnx.ModelProto:
        models = {
            name: convert_regressor(name, pipeline, convert, fields, choices)
            for name, pipeline in pipelines.items()
        }
        return merge_models(models, len(fields))

    return convert_pipelines


CONVERTERS: Mapping[str, ConvertPipelines] = {
    "with choices as codes": _through_skl2onnx(convert_codes),
    "with choices as strings": _through_skl2onnx(convert_strings),
}
"""Converters for any pipelines, the fastest model first: ONNX Runtime is slow with strings."""


def compile_pipelines(
    pipelines: Pipelines,
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
    converters: Mapping[str, ConvertPipelines] = CONVERTERS,
) -> bytes:
    """Compile pipelines to one serialized ONNX model; the same pipelines give the same bytes.

    Args:
        pipelines: fitted regressors over frames with the columns `fields`, each a `Pipeline`, or
            one in a `TransformedTargetRegressor` whose inverse is `np.exp` or `np.expm1`.
        fields: the columns in the card's order.
        choices: the card's choices of each column of strings.
        rows: every row to compare, [N, K]: all training rows, with and without optional facts.
        converters: tried one after the other, until one gives a model with the same answers.

    Raises:
        CompileError: a step has no ONNX form, or some row differs by more than `TOLERANCE`.
    """
    reasons = []
    for way, convert in converters.items():
        try:
            model: bytes = convert(pipelines, fields, choices, rows).SerializeToString(
                deterministic=True
            )
            compare_answers(model, pipelines, fields, choices, rows)
        except CompileError as error:
            reasons.append(f"{way}: {error}")
        else:
            return model
    raise CompileError("\n".join(reasons))


def compare_answers(
    model: bytes,
    pipelines: Pipelines,
    fields: Sequence[str],
    choices: Choices,
    rows: Float64Array,
) -> float:
    """Return the largest relative difference between model and pipelines over rows [N, K].

    Raises:
        CompileError: it is more than `TOLERANCE`, or not a number; the message shows rows.
    """
    frame = to_frame(rows, fields, choices)
    compiled = open_session(model).run(list(pipelines), {INPUT: rows.astype(np.float32)})
    largest = 0.0
    for (name, pipeline), answers in zip(pipelines.items(), compiled, strict=True):
        answers = answers.reshape(-1)
        expected = np.asarray(pipeline.predict(frame), dtype=float).reshape(-1)
        size = np.maximum(np.abs(expected), np.finfo(np.float32).tiny)
        difference = np.abs(answers - expected) / size
        differing = np.flatnonzero(~(difference <= TOLERANCE))
        if len(differing):
            shown = "\n".join(
                f"  row {row}: {expected[row]:.8g} became {answers[row]:.8g} for "
                f"{frame.iloc[row].to_dict()}"
                for row in differing[:_ROWS_SHOWN]
            )
            raise CompileError(
                f"{name}: {len(differing)} of {len(rows)} rows differ by more than {TOLERANCE:g} "
                f"of the value:\n{shown}"
            )
        largest = max(largest, float(difference.max(initial=0.0)))
    return largest
