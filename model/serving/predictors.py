"""Opens the artifacts that predict.

A predictor takes a matrix with a column for each field, as its ``InputLayout`` makes it: numbers as
they are, flags as 0 and 1, choices as their index in the card's list, texts as their code in the
present call (``model.contract.texts``), NaN where a fact is unknown.
"""

import os
import threading
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, FloatArray, IndexArray
from model.contract.card import Card
from model.contract.derived import FeatureStep
from model.contract.manifest import Manifest
from model.contract.pickles import read_pickle
from model.contract.sources import Frame, widen
from model.contract.texts import decode_text
from model.serving.code_files import import_code
from model.serving.texts.vectorizer import Vectorizer

# Since 1.29 ONNX Runtime reports to Microsoft by default: threads that its import starts write a
# database in the home directory.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def open_session(artifact: bytes | Path, plan_memory: bool = True) -> Any:
    """Open an ONNX Runtime session that uses one thread, for one row a request.

    A session keeps bytes that it is given for as long as it lives, and a file that it reads not at
    all. More threads cost twice the CPU for the same row, and a session without a pool of threads
    survives the fork of a preloading server. ``plan_memory`` lays all arrays of a call side by
    side, which is quick for a row; for the networks of pictures it takes 18 MB and saves nothing.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # what fails raises an error with the same words
    options.enable_mem_pattern = plan_memory
    return ort.InferenceSession(artifact, sess_options=options, providers=["CPUExecutionProvider"])


_ROWS_AT_ONCE = 2048
"""Rows of a call, between whose layers the arrays stay in the cache of a core."""


def run_session(
    session: Any, outputs: Sequence[str], name: str, matrix: FloatArray
) -> list[FloatArray]:
    """Run a session of ONNX Runtime, many rows some at a time.

    ``session`` is from ``open_session``, ``matrix`` is its input called ``name``, shape (rows,
    fields); the ``outputs`` have each the shape (rows, …).
    """
    if len(matrix) <= _ROWS_AT_ONCE:
        found: list[FloatArray] = session.run(outputs, {name: matrix})
        return found
    parts = (
        session.run(outputs, {name: matrix[start : start + _ROWS_AT_ONCE]})
        for start in range(0, len(matrix), _ROWS_AT_ONCE)
    )
    return [np.concatenate(output) for output in zip(*parts, strict=True)]


def _load(artifact: Path, module: str) -> Any:
    import joblib

    if module:
        import_code(artifact.parent / module)
    return joblib.load(artifact)


def _read(artifact: Path) -> Any:
    """The estimator in a file, or the dict of several."""
    from model.serving.estimators import revive

    root = read_pickle(artifact).root
    if isinstance(root, dict):
        return {name: revive(record) for name, record in root.items()}
    return revive(root)


class Predictor(Protocol):
    """Predicts a number for each row, or one for each class, cluster or output of it."""

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row.

        Args:
            matrix: shape (rows, fields).

        Returns:
            The values, shape (rows,), or (rows, columns) in the card's order; and the scales of
            their intervals, shape (rows,), or None for a model without. For classes the values are
            probabilities; a model without them gives 1 for one class and 0 for the others.
        """


_OUTPUTS = ("value", "values", "probabilities", "affinities", "spread")
"""What the outputs of compiled models are called; the scale of an interval comes last."""


class OnnxPredictor:
    """A compiled model in ONNX Runtime; see ``Predictor``."""

    def __init__(self, artifact: bytes) -> None:
        self._session = open_session(artifact)
        self._input = self._session.get_inputs()[0].name
        found = {output.name for output in self._session.get_outputs()}
        self._outputs = [name for name in _OUTPUTS if name in found]

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row of a matrix of shape (rows, fields)."""
        values, *scales = run_session(self._session, self._outputs, self._input, matrix)
        if values.shape[1:] == (1,):
            values = values[:, 0]
        return values, scales[0].ravel() if scales else None


class JoblibPredictor(ABC):
    """A scikit-learn estimator as it was saved, for a model that does not compile.

    The file is read as inert data, unless its manifest says that it was added with trust: loading
    that one runs its code, and that of its module, so the caller must have checked their hashes.
    """

    def __init__(self, artifact: Path, card: Card, manifest: Manifest) -> None:
        self._loaded = _load(artifact, manifest.module) if manifest.runs_code else _read(artifact)
        self._frame = frame = manifest.frame
        if frame is not None and frame.needs_pandas and find_spec("pandas") is None:
            raise ValueError(
                "it takes a table with named columns, and pandas is not installed. Add it to the "
                "dependencies in pyproject.toml and run `make requirements UPGRADE=`"
            )
        self._names = card.names
        self._choices = card.categories

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row of a matrix of shape (rows, fields); see ``Predictor``."""
        rows = self._build_input(matrix)
        with warnings.catch_warnings():
            # Steps of named columns may hand each other arrays, as after ``set_output``.
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            return self._answer(rows), self._find_spread(rows)

    @abstractmethod
    def _answer(self, rows: Any) -> Float64Array:
        """Answer rows like those that the estimator was fitted to: the values."""

    def _find_spread(self, rows: Any) -> Float64Array | None:
        """Find the scales of the intervals of the same rows, shape (rows,), if there are any."""
        return None

    def _build_input(self, matrix: FloatArray) -> Any:
        """The matrix (rows, fields), or the frame that the estimator was fitted to."""
        if self._frame is not None:
            return self._frame.build(widen(matrix, self._frame.columns))
        if not (hasattr(self._loaded, "feature_names_in_") or self._choices):
            return matrix
        return Frame.of_card(self._names, self._choices).build(matrix.astype(np.float64))


class ExclusivePredictor:
    """A predictor that answers one call at a time.

    Nobody has promised that a model's own code may run in two threads at once.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor, self._lock = predictor, threading.Lock()

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row of a matrix of shape (rows, fields); see ``Predictor``."""
        with self._lock:
            return self._predictor.predict(matrix)


class DerivingPredictor:
    """A predictor behind the step that computes its columns from the card's fields."""

    def __init__(self, predictor: Predictor, step: FeatureStep, compiled: bool) -> None:
        self._predictor, self._step = predictor, step
        self._type = np.float32 if compiled else np.float64

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row of a matrix of shape (rows, fields); see ``Predictor``."""
        derived: FloatArray = self._step.transform(matrix).astype(self._type, copy=False)
        return self._predictor.predict(derived)


class InputLayout:
    """The order of the fields in an artifact, and the card's values for those left empty.

    ``places`` (fields,) are the columns that the card's fields have there.
    """

    def __init__(self, card: Card, inputs: Sequence[str]) -> None:
        """Keep the order and the values.

        Args:
            card: its fields' order and defaults.
            inputs: the fields in the order of the artifact; none where that is the card's.
        """
        self._order = np.array([card.column_indices[name] for name in inputs or card.names])
        self.places: IndexArray = np.argsort(self._order)
        self._defaults = card.default_codes[self._order]
        self._has_defaults = not np.isnan(self._defaults).all()
        self._changes = bool(inputs) or self._has_defaults

    def arrange(self, codes: Sequence[float] | FloatArray) -> Float32Array:
        """Arrange codes in the card's order for the artifact, shape (fields,) or (rows, fields)."""
        row = np.asarray(codes, dtype=np.float32)
        if not self._changes:
            return row
        ordered = row.take(self._order, axis=-1)
        if self._has_defaults:
            np.copyto(ordered, self._defaults, where=np.isnan(ordered))
        return ordered


MOST_CELLS = 4_000_000
"""Cells of the matrix that a predictor behind a vectoriser gets in one call: 16 MB."""


class VectorizingPredictor:
    """A compiled predictor behind the vectorisers of its texts."""

    def __init__(self, predictor: Predictor, vectorizers: Mapping[int, Vectorizer]) -> None:
        self._predictor, self._vectorizers = predictor, vectorizers

    def predict(self, matrix: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Predict each row of a matrix of shape (rows, fields); see ``Predictor``."""
        parts = vectorize(matrix, self._vectorizers)
        values = np.concatenate([self._predictor.predict(part)[0] for part in parts])
        return values, None  # no model with texts predicts the scale of its intervals


def vectorize(matrix: FloatArray, vectorizers: Mapping[int, Vectorizer]) -> Iterator[Float32Array]:
    """Yield what a predictor behind vectorisers takes, in parts that are not too large.

    It takes the columns that hold no texts, in their order, and then the columns of each text.

    Args:
        matrix: shape (rows, fields); there is a part also where it has no rows.
        vectorizers: by the columns of their texts.
    """
    columns = matrix.shape[1]
    others = [column for column in range(columns) if column not in vectorizers]
    width = len(others) + sum(item.width for item in vectorizers.values())
    size = max(MOST_CELLS // max(width, 1), 1)
    vectors = {
        (column, code): item.transform(decode_text(code) if code == code else "")
        for column, item in vectorizers.items()
        for code in dict.fromkeys(matrix[:, column].tolist())
    }
    for start in range(0, max(len(matrix), 1), size):
        rows = matrix[start : start + size]
        made = np.zeros((len(rows), width), dtype=np.float32)
        made[:, : len(others)] = rows[:, others]
        first = len(others)
        for column, item in vectorizers.items():
            for place, code in enumerate(rows[:, column].tolist()):
                filled, weights = vectors[column, code]
                made[place, first + filled] = weights
            first += item.width
        yield made
