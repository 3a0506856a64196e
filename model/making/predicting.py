"""A model as a function of codes."""

from collections.abc import Callable

import numpy as np

from model.contract.arrays import Float32Array, Float64Array
from model.serving.predictors import open_session

PredictFloat64 = Callable[[Float32Array], Float64Array]
"""Values, shape (rows,), or probabilities, shape (rows, classes), for codes (rows, fields)."""


def load_compiled(compiled: bytes, output: str) -> PredictFloat64:
    """Make a function of a compiled model.

    Args:
        compiled: the serialized ONNX model.
        output: "value" or "probabilities".
    """
    session = open_session(compiled)

    def predict(rows: Float32Array) -> Float64Array:
        (answers,) = session.run([output], {"features": np.ascontiguousarray(rows)})
        values: Float64Array = answers.astype(np.float64)
        return values

    return predict
