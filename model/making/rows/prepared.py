"""A model that answers codes, and the rows of the data that it can answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from model.contract.arrays import BoolArray, Float32Array, Float64Array, FloatArray
from model.contract.derived import FeatureStep
from model.contract.sources import Frame
from model.making.columns.describing import DataColumn
from model.making.errors import AddError
from model.making.rows.subsets import mask_features
from model.making.steps.fitted_steps import MissingInTraining
from model.serving.predictors import open_session, vectorize
from model.serving.probabilities import settle_ties
from model.serving.texts.vectorizer import Vectorizer

PredictFloat64 = Callable[[FloatArray], Float64Array]
"""Values, shape (rows,), or probabilities, shape (rows, classes), for codes (rows, fields)."""

TOLERANCE = 1e-4
"""The largest difference that counts as none: of a probability, or relative to a value."""

_MASKED = 4
_MOST_DECIMALS = 5
_ROUNDING = 1e-9
_TRIED = 20


@dataclass(frozen=True, kw_only=True)
class ServedFiles:
    """The files of a model, the one that answers, and what it takes.

    ``frame`` is what a joblib file takes. ``runs_code`` says whether loading it runs code of its
    own, and ``module`` is the name of the Python file that has it. ``features`` is the step before
    it that computes derived columns. ``vectorizers`` are the files of what is known of a field's
    texts, by its name.
    """

    files: tuple[str, ...]
    served: str
    frame: Frame | None = None
    runs_code: bool = False
    module: str = ""
    features: FeatureStep | None = None
    vectorizers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PreparedModel(ServedFiles):
    """A model that answers codes.

    ``matrix`` (rows, fields) are the data's codes, without the rows that lack what the model needs;
    ``kept`` (all rows,) is True for the rows that are left. ``optional`` are the columns that may
    be unknown. ``reason`` says why a model did not compile. ``exporter`` is the library
    that made the ONNX form and was asked for its own answers, "" elsewhere.
    ``missing_in_training`` is what the model saw of a column of the data when it was fitted, where
    its file tells. ``vectorizing`` is the same as ``vectorizers``, by the field's column.
    ``names_only`` says that it names its answer alone, because its probabilities contradict it.
    ``spare_values`` has the one text that the model knows of a column with missing cells and that
    no row has, by column.
    """

    matrix: Float64Array
    kept: BoolArray
    optional: Sequence[int]
    predict: PredictFloat64
    reason: str = ""
    exporter: str = ""
    notes: tuple[str, ...] = ()
    missing_in_training: Mapping[str, MissingInTraining] = field(default_factory=dict)
    vectorizing: Mapping[int, Vectorizer] = field(default_factory=dict)
    names_only: bool = False
    spare_values: Mapping[str, str] = field(default_factory=dict)


def load_compiled(
    compiled: bytes, output: str, vectorizers: Mapping[int, Vectorizer] | None = None
) -> PredictFloat64:
    """Make a function of a compiled model.

    Args:
        compiled: the serialized ONNX model.
        output: the name of its output; [N, 1] counts as [N].
        vectorizers: those before it, by the column of their texts.
    """
    session = open_session(compiled)

    def predict(rows: Float32Array) -> Float64Array:
        (answers,) = session.run([output], {"features": np.ascontiguousarray(rows, np.float32)})
        values: Float64Array = answers.astype(np.float64)
        if output == "probabilities":
            return settle_ties(values)
        return values[:, 0] if values.shape[1:] == (1,) else values

    if vectorizers:
        return lambda rows: np.concatenate([predict(part) for part in vectorize(rows, vectorizers)])
    return predict


def select_rows(
    predict: PredictFloat64,
    matrix: Float64Array,
    columns: Sequence[DataColumn],
    takes_nan: Callable[[int], bool] = lambda _: True,
) -> tuple[list[int], BoolArray]:
    """Find the columns that the model answers without, and the rows that lack nothing else.

    Args:
        predict: the model.
        matrix: all rows, shape (rows, fields); NaN where unknown.
        columns: in the order of the matrix.
        takes_nan: whether NaN in a column can reach the model at all.

    Returns:
        The optional columns, and True for each row to keep, shape (rows,).

    Raises:
        AddError: if no row is left.
    """
    optional = [
        index
        for index, column in enumerate(columns)
        if column.missing and not column.always_asked and takes_nan(index)
        and _answers_without(predict, matrix, [index])
    ]  # fmt: skip
    if len(optional) > 1 and not _answers_without(predict, matrix, optional):
        optional = []
    needed = [index for index in range(len(columns)) if index not in optional]
    kept = np.asarray(~np.isnan(matrix[:, needed]).any(axis=1), dtype=bool)
    if not kept.any():
        names = ", ".join(columns[index].source.column for index in needed)
        raise AddError(f"No row has every fact that the model needs: {names}.")
    return optional, kept


def _answers_without(predict: PredictFloat64, matrix: Float64Array, columns: list[int]) -> bool:
    rows = matrix[~np.isnan(np.delete(matrix, columns, axis=1)).any(axis=1)][:_TRIED].copy()
    if not len(rows):
        rows = matrix[:_TRIED].copy()
    rows[:, columns] = np.nan
    return is_answered(predict, rows)


def is_answered(predict: Callable[[Any], Float64Array], rows: FloatArray) -> bool:
    """Whether a model gives a finite answer to each row of codes, shape (rows, fields)."""
    try:
        return bool(np.isfinite(predict(rows)).all())
    except Exception:  # an estimator may raise anything
        return False


def make_rows_to_compare(
    matrix: Float64Array, optional: Sequence[int], whole: Mapping[int, bool] | None = None
) -> Float64Array:
    """Return every row as it is, without optional facts, without some of them, and between others.

    Trees split in the middle between two numbers of the data, and visitors type such numbers.

    Args:
        matrix: the rows, shape (rows, fields); NaN where unknown.
        optional: the columns that may be unknown.
        whole: the columns in which a number between two others means something, and whether it
            has to be a whole one.

    Returns:
        The same rows several times, shape (copies * rows, fields).
    """
    rng = np.random.default_rng(0)
    copies = [matrix]
    for number in range(_MASKED if optional else 0):
        known = np.zeros((len(matrix), len(optional)), dtype=bool)
        if number:
            known = rng.random(known.shape) >= number / _MASKED
        copies.append(mask_features(matrix, known, optional))
    between = matrix.copy()
    for column, is_whole in (whole or {}).items():
        between[:, column] = _move_between(matrix[:, column], is_whole)
    if not np.array_equal(between, matrix, equal_nan=True):
        copies.append(between)
    return np.concatenate(copies)


def _move_between(codes: Float64Array, is_whole: bool) -> Float64Array:
    """Each number halfway to the next larger one, where people write such numbers, (rows,)."""
    known = np.unique(codes[~np.isnan(codes)])
    decimals = next((n for n in range(_MOST_DECIMALS) if (known.round(n) == known).all()), None)
    if decimals is None or len(known) < 2:
        return codes
    middle = (known[:-1] + known[1:]) / 2
    typed = middle.round(0 if is_whole else decimals + 1)
    after = np.append(np.where(np.abs(typed - middle) < _ROUNDING, typed, known[:-1]), known[-1])
    places = np.searchsorted(known, codes).clip(0, len(known) - 1)
    return np.where(np.isnan(codes), codes, after[places])
