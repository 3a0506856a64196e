"""A compiled model as a function of codes."""

import numpy as np

from model.contract.arrays import Float32Array, Float64Array
from model.making.measuring import PredictFunction
from model.serving.predictors import open_session


def session_answer(compiled: bytes, output: str) -> PredictFunction:
    """What the compiled model answers: `value` (rows,) or `probabilities` (rows, classes)."""
    session = open_session(compiled)

    def answer(rows: Float32Array) -> Float64Array:
        (found,) = session.run([output], {"features": np.ascontiguousarray(rows)})
        values: Float64Array = found.astype(np.float64)
        return values

    return answer
