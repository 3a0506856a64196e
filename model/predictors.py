"""One class for each kind of artifact that can answer; all speak matrices.

A matrix has one row a question and one column a field, in the card's order: numbers as they are,
flags as 0 and 1, choices as their index in the card's list, NaN where a fact is unknown.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model.card import Card

Matrix = NDArray[np.float32]
Column = NDArray[np.float64]


class Predictor(Protocol):
    """Anything that answers a matrix."""

    def predict(self, matrix: Matrix) -> tuple[Column, Column | None]:
        """Answer each row.

        Args:
            matrix: shape (rows, fields), float32.

        Returns:
            The values, shape (rows,), in the output's unit; and the spread, shape (rows,), in the
            unit of the manifest's calibration, or None for a model that has none.
        """


def open_session(artifact: bytes) -> Any:
    """An ONNX Runtime session of one thread, as every ONNX predictor here needs it."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(artifact, sess_options=options, providers=["CPUExecutionProvider"])


class OnnxPredictor:
    """A compiled model, answered by ONNX Runtime on one thread.

    One thread, because a request is one row: more threads cost twice the CPU for the same answer,
    and a session without a pool of threads survives the fork of a preloading server.
    """

    def __init__(self, artifact: bytes) -> None:
        self._session = open_session(artifact)
        self._input = self._session.get_inputs()[0].name
        outputs = {output.name for output in self._session.get_outputs()}
        self._outputs = ["value", "spread"] if "spread" in outputs else ["value"]

    def predict(self, matrix: Matrix) -> tuple[Column, Column | None]:
        """Answer each row; see ``Predictor``."""
        answers = self._session.run(self._outputs, {self._input: matrix})
        value, *spread = (answer.reshape(-1).astype(np.float64) for answer in answers)
        return value, spread[0] if spread else None


class JoblibPredictor:
    """A scikit-learn estimator as it was saved; for a model that does not compile.

    The file holds the estimator, or a dict of one for the value and one for the spread. Loading
    runs code out of the file: the caller has compared its hash with the manifest's first.
    """

    def __init__(self, artifact: Path, card: Card) -> None:
        import joblib

        loaded = joblib.load(artifact)
        answers = loaded if isinstance(loaded, dict) else {"value": loaded}
        self._value, self._spread = answers["value"], answers.get("spread")
        self._names = card.names
        self._choices = {
            field.name: tuple(choice.value for choice in field.choices)
            for field in card.fields
            if field.kind == "choice"
        }

    def predict(self, matrix: Matrix) -> tuple[Column, Column | None]:
        """Answer each row; see ``Predictor``."""
        rows: Any = matrix
        if hasattr(self._value, "feature_names_in_") or self._choices:
            from model.frames import to_frame

            rows = to_frame(matrix.astype(np.float64), self._names, self._choices)
        value = np.asarray(self._value.predict(rows), dtype=np.float64).reshape(-1)
        if self._spread is None:
            return value, None
        return value, np.asarray(self._spread.predict(rows), dtype=np.float64).reshape(-1)
