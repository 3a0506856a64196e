"""Opens the artifacts that predict.

A predictor takes a matrix with a column for each field, as its ``InputLayout`` makes it: numbers as
they are, flags as 0 and 1, choices as their index in the card's list, texts as their code in the
present call (``model.contract.texts``), NaN where a fact is unknown.
"""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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
    options.log_severity_level = 3
    options.enable_mem_pattern = plan_memory
    return ort.InferenceSession(artifact, sess_options=options, providers=["CPUExecutionProvider"])


_ROWS_AT_ONCE = 2048
"""Rows of a call, between whose layers the arrays stay in the cache of a core."""


def run_session(
    session: Any, outputs: Sequence[str], name: str, matrix: Float32Array
) -> list[FloatArray]:
    """Run a session of ONNX Runtime, many rows some at a time.

    Args:
        session: what ``open_session`` returns.
        outputs: the names of those that are returned, each of shape (rows, …).
        name: that of the input.
        matrix: what it takes, shape (rows, fields).
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


class JoblibFile:
    """The estimators in a joblib file, and the input that they were fitted to.

    The file is read as inert data, unless its manifest says that it was added with trust: loading
    that one runs its code, and that of its module, so the caller must have checked their hashes.
    """

    def __init__(self, artifact: Path, card: Card, manifest: Manifest) -> None:
        self.loaded = _load(artifact, manifest.module) if manifest.runs_code else _read(artifact)
        self._frame = frame = manifest.frame
        if frame is not None and frame.needs_pandas and find_spec("pandas") is None:
            raise ValueError(
                "it takes a table with named columns, and pandas is not installed. Add it to the "
                "dependencies in pyproject.toml and run `make requirements UPGRADE=`"
            )
        self._names = card.names
        self._choices = card.categories

    def build_input(self, estimator: Any, matrix: FloatArray) -> Any:
        """The matrix (rows, fields), or the frame that the estimator was fitted to."""
        if self._frame is not None:
            return self._frame.build(widen(matrix))
        if not (hasattr(estimator, "feature_names_in_") or self._choices):
            return matrix
        return Frame.of_card(self._names, self._choices).build(matrix.astype(np.float64))


class ExclusivePredictor:
    """A predictor that answers one call at a time.

    Nobody has promised that a model's own code may run in two threads at once.
    """

    def __init__(self, predictor: Any) -> None:
        self._predictor, self._lock = predictor, threading.Lock()

    def predict(self, matrix: Float32Array) -> tuple[FloatArray, FloatArray | None]:
        """Predict numbers for a matrix of shape (rows, fields)."""
        with self._lock:
            found: tuple[FloatArray, FloatArray | None] = self._predictor.predict(matrix)
            return found

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Predict the probabilities of the classes for a matrix of shape (rows, fields)."""
        with self._lock:
            probabilities: Float64Array = self._predictor.classify(matrix)
            return probabilities


class DerivingPredictor:
    """A predictor behind the step that computes its columns from the card's fields."""

    def __init__(self, predictor: Any, step: FeatureStep, compiled: bool) -> None:
        self._predictor, self._step = predictor, step
        self._type = np.float32 if compiled else np.float64

    def predict(self, matrix: Float32Array) -> tuple[FloatArray, FloatArray | None]:
        """Predict numbers for a matrix of shape (rows, fields)."""
        found: tuple[FloatArray, FloatArray | None] = self._predictor.predict(self._derive(matrix))
        return found

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Predict the probabilities of the classes for a matrix of shape (rows, fields)."""
        probabilities: Float64Array = self._predictor.classify(self._derive(matrix))
        return probabilities

    def _derive(self, matrix: Float32Array) -> FloatArray:
        return self._step.transform(matrix).astype(self._type, copy=False)


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
    """A compiled predictor behind the vectorisers of its texts.

    It takes the columns that hold no texts, in their order, and then the columns of each text.
    """

    def __init__(self, predictor: Any, vectorizers: Mapping[int, Vectorizer]) -> None:
        self._predictor = predictor
        self._vectorizers = vectorizers

    def predict(self, matrix: Float32Array) -> tuple[FloatArray, FloatArray | None]:
        """Predict numbers for a matrix of shape (rows, fields)."""
        found = [self._predictor.predict(part) for part in self._vectorize(matrix)]
        values = np.concatenate([values for values, _ in found])
        return values, None  # no model with texts predicts the scale of its intervals

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Predict the probabilities of the classes for a matrix of shape (rows, fields)."""
        return np.concatenate([self._predictor.classify(p) for p in self._vectorize(matrix)])

    def _vectorize(self, matrix: Float32Array) -> Iterator[Float32Array]:
        """Yield what the predictor takes, in parts that are not too large; at least one."""
        columns = matrix.shape[1]
        others = [column for column in range(columns) if column not in self._vectorizers]
        width = len(others) + sum(item.width for item in self._vectorizers.values())
        size = max(MOST_CELLS // max(width, 1), 1)
        vectors = {
            (column, code): item.transform(decode_text(code) if code == code else "")
            for column, item in self._vectorizers.items()
            for code in dict.fromkeys(matrix[:, column].tolist())
        }
        for start in range(0, max(len(matrix), 1), size):
            rows = matrix[start : start + size]
            made = np.zeros((len(rows), width), dtype=np.float32)
            made[:, : len(others)] = rows[:, others]
            first = len(others)
            for column, item in self._vectorizers.items():
                for place, code in enumerate(rows[:, column].tolist()):
                    filled, weights = vectors[column, code]
                    made[place, first + filled] = weights
                first += item.width
            yield made
