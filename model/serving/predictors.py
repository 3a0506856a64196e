"""One class for each kind of artifact that can answer; all speak matrices.

A matrix has one row a question and one column a field, in the card's order: numbers as they are,
flags as 0 and 1, choices as their index in the card's list, NaN where a fact is unknown.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model.contract.card import Card
from model.contract.sources import Frame, widen

# ONNX Runtime reports to Microsoft by default since 1.29, from threads that it starts when it is
# imported, through a database in the home directory.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

Matrix = NDArray[np.float32]
Column = NDArray[np.floating[Any]]
"""One number a row: float32 or float64, whichever the model answers with; sums want float64."""

Matrix64 = NDArray[np.float64]


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


class ClassPredictor(Protocol):
    """Anything that sorts the rows of a matrix into classes."""

    def classify(self, matrix: Matrix) -> Matrix64:
        """Answer each row.

        Args:
            matrix: shape (rows, fields), float32.

        Returns:
            The probability of each class, shape (rows, classes), in the card's order; 1 for one
            class and 0 for the others where the model says only which.
        """


def open_session(artifact: bytes) -> Any:
    """An ONNX Runtime session of one thread, as every ONNX predictor here needs it."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(artifact, sess_options=options, providers=["CPUExecutionProvider"])


def run_of(session: Any) -> Callable[[list[str], dict[str, Matrix], None], list[Any]]:
    """What runs a session: the names of the outputs and the inputs by name to the answers.

    Not the session's own method, which first looks at names and types that are ours and known: that
    takes a sixth of the time of a question to a small model.
    """
    run: Callable[[list[str], dict[str, Matrix], None], list[Any]]
    run = getattr(session, "_sess", session).run
    return run


class OnnxPredictor:
    """A compiled model, answered by ONNX Runtime on one thread.

    One thread, because a request is one row: more threads cost twice the CPU for the same answer,
    and a session without a pool of threads survives the fork of a preloading server.
    """

    def __init__(self, artifact: bytes) -> None:
        session = open_session(artifact)
        self._run = run_of(session)
        self._input = session.get_inputs()[0].name
        outputs = {output.name for output in session.get_outputs()}
        self._outputs = ["value", "spread"] if "spread" in outputs else ["value"]

    def predict(self, matrix: Matrix) -> tuple[Column, Column | None]:
        """Answer each row; see ``Predictor``."""
        value, *spread = self._run(self._outputs, {self._input: matrix}, None)
        return value.ravel(), spread[0].ravel() if spread else None


class OnnxClassPredictor:
    """A compiled classifier; see ``OnnxPredictor``."""

    def __init__(self, artifact: bytes) -> None:
        session = open_session(artifact)
        self._run = run_of(session)
        self._input = session.get_inputs()[0].name

    def classify(self, matrix: Matrix) -> Matrix64:
        """Answer each row; see ``ClassPredictor``."""
        (answers,) = self._run(["probabilities"], {self._input: matrix}, None)
        probabilities: Matrix64 = answers.astype(np.float64)
        return probabilities


class _Joblib:
    """What an estimator from a joblib file needs: its rows as it was fitted to them."""

    def __init__(self, artifact: Path, card: Card, frame: Frame | None) -> None:
        import joblib

        self.loaded: Any = joblib.load(artifact)
        self._frame = frame
        if frame is not None and frame.needs_pandas and find_spec("pandas") is None:
            raise ValueError(
                "it takes a table with named columns, and pandas is not installed. Add it to the "
                "dependencies in pyproject.toml and run `make requirements UPGRADE=`"
            )
        self._names = card.names
        self._choices = {
            field.name: tuple(choice.value for choice in field.choices)
            for field in card.fields
            if field.kind == "choice"
        }

    def rows(self, estimator: Any, matrix: Matrix) -> Any:
        """The matrix, or the frame of named columns that the estimator was fitted to."""
        if self._frame is not None:
            return self._frame.build(widen(matrix))
        if not (hasattr(estimator, "feature_names_in_") or self._choices):
            return matrix
        from model.serving.frames import to_frame

        return to_frame(matrix.astype(np.float64), self._names, self._choices)


class JoblibPredictor:
    """A scikit-learn estimator as it was saved; for a model that does not compile.

    The file holds the estimator, or a dict of one for the value and one for the spread. Loading
    runs code out of the file: the caller has compared its hash with the manifest's first.
    """

    def __init__(self, artifact: Path, card: Card, frame: Frame | None = None) -> None:
        self._file = _Joblib(artifact, card, frame)
        loaded = self._file.loaded
        answers = loaded if isinstance(loaded, dict) else {"value": loaded}
        self._value, self._spread = answers["value"], answers.get("spread")

    def predict(self, matrix: Matrix) -> tuple[Column, Column | None]:
        """Answer each row; see ``Predictor``."""
        rows = self._file.rows(self._value, matrix)
        value = np.asarray(self._value.predict(rows), dtype=np.float64).reshape(-1)
        if self._spread is None:
            return value, None
        return value, np.asarray(self._spread.predict(rows), dtype=np.float64).reshape(-1)


class JoblibClassPredictor:
    """A scikit-learn classifier as it was saved; see ``JoblibPredictor``."""

    def __init__(self, artifact: Path, card: Card, frame: Frame | None = None) -> None:
        self._file = _Joblib(artifact, card, frame)
        self._estimator = self._file.loaded
        self._classes = [item.value for item in card.classes.classes]
        self._label_alone = not card.classes.probabilities
        known = [str(item) for item in self._estimator.classes_]
        if sorted(known) != sorted(self._classes):
            raise ValueError(f"its classes are {', '.join(known)}, not those of the card")
        self._order = [known.index(item) for item in self._classes]

    def classify(self, matrix: Matrix) -> Matrix64:
        """Answer each row; see ``ClassPredictor``."""
        rows = self._file.rows(self._estimator, matrix)
        if self._label_alone:
            labels = np.asarray(self._estimator.predict(rows)).astype(str)
            one_hot: Matrix64 = (labels[:, None] == np.array(self._classes)).astype(np.float64)
            return one_hot
        answers = np.asarray(self._estimator.predict_proba(rows), dtype=np.float64)
        ordered: Matrix64 = answers[:, self._order]
        return ordered
