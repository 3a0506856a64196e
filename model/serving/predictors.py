"""Predictors: one class for each kind of artifact and of output.

All take a matrix with a column for each field, in the card's order: numbers as they are, flags as 0
and 1, choices as their index in the card's list, NaN where a fact is unknown.
"""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, FloatArray
from model.contract.card import Card
from model.contract.sources import Frame, widen

# Since 1.29 ONNX Runtime reports to Microsoft by default: threads that its import starts write a
# database in the home directory.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


RunFunction = Callable[[list[str], dict[str, Float32Array], None], list[Any]]
"""Takes the names of the outputs and the inputs by name; returns the outputs."""


class Predictor(Protocol):
    """Predicts a number for each row."""

    def predict(self, matrix: Float32Array) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row.

        Args:
            matrix: shape (rows, fields), float32.

        Returns:
            The values, shape (rows,), in the output's unit; and the scales of their intervals,
            shape (rows,), or None for a model without.
        """


class ClassPredictor(Protocol):
    """Predicts the probabilities of the classes for each row."""

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Classify each row.

        Args:
            matrix: shape (rows, fields), float32.

        Returns:
            The probability of each class, shape (rows, classes), in the card's order. A model
            without probabilities gives 1 for one class and 0 for the others.
        """


def open_session(artifact: bytes) -> Any:
    """Open an ONNX Runtime session that uses one thread, for one row a request.

    More threads cost twice the CPU for the same row, and a session without a pool of threads
    survives the fork of a preloading server.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(artifact, sess_options=options, providers=["CPUExecutionProvider"])


def get_run(session: Any) -> RunFunction:
    """The function that runs a session, without the session's own checks of names and types.

    Those take a sixth of the time of one row through a small model.

    Args:
        session: an ONNX Runtime session; it takes and gives arrays of shape (rows, ...).
    """
    run: RunFunction = getattr(session, "_sess", session).run
    return run


class OnnxPredictor:
    """A compiled regressor in ONNX Runtime; its outputs are ``value`` and perhaps ``spread``."""

    def __init__(self, artifact: bytes) -> None:
        session = open_session(artifact)
        self._run = get_run(session)
        self._input = session.get_inputs()[0].name
        outputs = {output.name for output in session.get_outputs()}
        self._outputs = ["value", "spread"] if "spread" in outputs else ["value"]

    def predict(self, matrix: Float32Array) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row of a matrix of shape (rows, fields); see ``Predictor``."""
        values, *scales = self._run(self._outputs, {self._input: matrix}, None)
        return values.ravel(), scales[0].ravel() if scales else None


class OnnxClassPredictor:
    """A compiled classifier in ONNX Runtime; its output is ``probabilities``."""

    def __init__(self, artifact: bytes) -> None:
        session = open_session(artifact)
        self._run = get_run(session)
        self._input = session.get_inputs()[0].name

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Classify each row of a matrix of shape (rows, fields); see ``ClassPredictor``."""
        (output,) = self._run(["probabilities"], {self._input: matrix}, None)
        probabilities: Float64Array = output.astype(np.float64)
        return probabilities


class _JoblibFile:
    """A loaded joblib file, and the input that its estimators were fitted to."""

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

    def build_input(self, estimator: Any, matrix: Float32Array) -> Any:
        """The matrix, or the frame of named columns that the estimator was fitted to."""
        if self._frame is not None:
            return self._frame.build(widen(matrix))
        if not (hasattr(estimator, "feature_names_in_") or self._choices):
            return matrix
        from model.serving.frames import to_frame

        return to_frame(matrix.astype(np.float64), self._names, self._choices)


class JoblibPredictor:
    """A scikit-learn regressor as it was saved, for a model that does not compile.

    The file holds the estimator, or a dict of one for the value and one for the scale (``spread``).
    Loading runs code from the file, so the caller must have checked its hash.
    """

    def __init__(self, artifact: Path, card: Card, frame: Frame | None = None) -> None:
        self._file = _JoblibFile(artifact, card, frame)
        loaded = self._file.loaded
        estimators = loaded if isinstance(loaded, dict) else {"value": loaded}
        self._value, self._scale = estimators["value"], estimators.get("spread")

    def predict(self, matrix: Float32Array) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row of a matrix of shape (rows, fields); see ``Predictor``."""
        rows = self._file.build_input(self._value, matrix)
        values = np.asarray(self._value.predict(rows), dtype=np.float64).reshape(-1)
        if self._scale is None:
            return values, None
        return values, np.asarray(self._scale.predict(rows), dtype=np.float64).reshape(-1)


class JoblibClassPredictor:
    """A scikit-learn classifier as it was saved; see ``JoblibPredictor``."""

    def __init__(self, artifact: Path, card: Card, frame: Frame | None = None) -> None:
        self._file = _JoblibFile(artifact, card, frame)
        self._estimator = self._file.loaded
        self._classes = [option.value for option in card.class_output.classes]
        self._without_probabilities = not card.class_output.probabilities
        known = [str(label) for label in self._estimator.classes_]
        if sorted(known) != sorted(self._classes):
            raise ValueError(f"its classes are {', '.join(known)}, not those of the card")
        self._order = [known.index(value) for value in self._classes]

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Classify each row of a matrix of shape (rows, fields); see ``ClassPredictor``."""
        rows = self._file.build_input(self._estimator, matrix)
        if self._without_probabilities:
            labels = np.asarray(self._estimator.predict(rows)).astype(str)
            one_hot: Float64Array = (labels[:, None] == np.array(self._classes)).astype(np.float64)
            return one_hot
        probabilities = np.asarray(self._estimator.predict_proba(rows), dtype=np.float64)
        ordered: Float64Array = probabilities[:, self._order]
        return ordered
