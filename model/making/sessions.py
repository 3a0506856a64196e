"""A compiled model as a function of codes."""

import numpy as np

from model.making.conformal import Floats
from model.making.measuring import Answer
from model.serving.predictors import Matrix, open_session


def session_answer(compiled: bytes, output: str) -> Answer:
    """What the compiled model answers: `value` (rows,) or `probabilities` (rows, classes)."""
    session = open_session(compiled)

    def answer(rows: Matrix) -> Floats:
        (found,) = session.run([output], {"features": np.ascontiguousarray(rows)})
        values: Floats = found.astype(np.float64)
        return values

    return answer
