"""What kinds share whose predictor gives a matrix: a column for each class, cluster or output."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, IntArray
from model.contract.card import Card, ClassCard, ClusterCard
from model.contract.errors import OR_MAKE_AGAIN, ModelError
from model.contract.fields import Option
from model.contract.manifest import GoldenRow, Manifest
from model.serving.checking import ModelFolder
from model.serving.predictors import InputLayout, JoblibFile, open_session, run_session
from model.serving.served_model import PredictionT
from model.serving.tabular import TabularModel


class MatrixPredictor(Protocol):
    """Predicts a number for each class, cluster or output of each row."""

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Answer each row.

        Args:
            matrix: shape (rows, fields).

        Returns:
            Shape (rows, columns), in the card's order. For classes they are probabilities; a model
            without them gives 1 for one class and 0 for the others.
        """


class OnnxMatrixPredictor:
    """A compiled model in ONNX Runtime; ``output`` is the name of its output."""

    output: ClassVar[str] = "probabilities"

    def __init__(self, artifact: bytes) -> None:
        self._session = open_session(artifact)
        self._input = self._session.get_inputs()[0].name

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Answer each row of a matrix of shape (rows, fields); see ``MatrixPredictor``."""
        (output,) = run_session(self._session, [self.output], self._input, matrix)
        columns: Float64Array = output.astype(np.float64)
        return columns


class JoblibMatrixPredictor:
    """A scikit-learn estimator as it was saved, for a model that does not compile."""

    def __init__(self, artifact: Path, card: Card, manifest: Manifest) -> None:
        self._file = JoblibFile(artifact, card, manifest)
        self._estimator = self._file.loaded

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Answer each row of a matrix of shape (rows, fields); see ``MatrixPredictor``."""
        return self._answer(self._file.build_input(self._estimator, matrix))

    @abstractmethod
    def _answer(self, rows: Any) -> Float64Array:
        """Answer rows like those that the estimator was fitted to, shape (rows, columns)."""


@dataclass(eq=False)
class MatrixModel(TabularModel[PredictionT]):
    """A model that answers several columns; ``columns_key`` is where the card lists them."""

    columns_key: ClassVar[str]
    columns_noun: ClassVar[str]
    keep_text: ClassVar[str]
    """How to mend a card that lists others than the model has."""

    predictor: MatrixPredictor

    @classmethod
    @abstractmethod
    def count_columns(cls, card: Any) -> int:
        """Count the columns that the card lists."""

    @classmethod
    def compare_names(
        cls, listed: Sequence[str], made: Sequence[str], folder: ModelFolder[Any, Manifest]
    ) -> str:
        """Say that the card lists other columns than the manifest; "" where it does not."""
        if listed == made:
            return ""
        return (
            f"{folder.locate('output', cls.columns_key)}: the {cls.columns_key} must be "
            f"{', '.join(made) or 'in manifest.json'}, in the order of the model's columns."
        )

    @classmethod
    def check_predictor(
        cls, predictor: MatrixPredictor, folder: ModelFolder[Any, Manifest]
    ) -> None:
        expected = cls.count_columns(folder.card)
        try:
            reference = folder.card.encode(folder.manifest.reference)
            layout = InputLayout(folder.card, folder.manifest.inputs)
            count = predictor.classify(layout.arrange(reference)).shape[1]
        except Exception:
            return  # the golden rows say what is wrong
        if count != expected:
            raise ModelError(
                f"{folder.locate('output', cls.columns_key)}: the model answers {count} "
                f"{cls.columns_noun}, and not {expected}. {cls.keep_text}"
            )


@dataclass(eq=False)
class LabelModel(MatrixModel[PredictionT]):
    """A model whose answer is the option with the largest column."""

    card: ClassCard | ClusterCard

    @classmethod
    def list_options(cls, card: Any) -> Sequence[Option]:
        """List the options of a card, in the order of the columns."""
        options: Sequence[Option] = getattr(card.output, cls.columns_key)
        return options

    @classmethod
    def count_columns(cls, card: Any) -> int:
        return len(cls.list_options(card))

    def name_rows(self, places: IntArray, columns: Float64Array) -> list[str | None]:
        """Return the label of each row; None for one that has a column that is not finite.

        Args:
            places: those of the labels, shape (rows,).
            columns: the answers, shape (rows, columns).
        """
        values = np.array([option.value for option in self.list_options(self.card)], dtype=object)
        labels: list[str | None] = values[places].tolist()
        for row in np.flatnonzero(~np.isfinite(columns).all(axis=1)).tolist():
            labels[row] = None
        return labels

    def find_label(self, label: str) -> int:
        """Find the place of a label."""
        return [option.value for option in self.list_options(self.card)].index(label)

    def check_label(self, label: str, golden: GoldenRow) -> None:
        """Compare a predicted label with that of the manifest.

        Raises:
            ModelError: if it is another.
        """
        if label != golden.label:
            raise ModelError(
                f"is {label}, it was {golden.label or f'none of the {self.columns_noun}'} when the "
                f"model was made. {self.keep_text} {OR_MAKE_AGAIN}"
            )

    @property
    def guess_text(self) -> str:
        return f"{self.card.output.outside_text}."
