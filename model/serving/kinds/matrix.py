"""What kinds share whose predictor gives a matrix: a column for each class, cluster or output."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, IntArray
from model.contract.card import ClassCard, ClusterCard
from model.contract.errors import OR_MAKE_AGAIN, ModelError
from model.contract.fields import Option
from model.contract.manifest import GoldenRow, Manifest
from model.serving.checking import ModelFolder
from model.serving.predictors import InputLayout, Predictor
from model.serving.served_model import PredictionT
from model.serving.tabular import TabularModel


@dataclass(eq=False)
class MatrixModel(TabularModel[PredictionT]):
    """A model that answers several columns; ``columns_key`` is where the card lists them."""

    columns_key: ClassVar[str]
    columns_noun: ClassVar[str]
    keep_text: ClassVar[str]
    """How to mend a card that lists others than the model has."""

    def predict_matrix(self, matrix: Float32Array) -> Float64Array:
        """Predict rows of a matrix, shape (rows, fields): the values, shape (rows, columns)."""
        return self.predictor.predict(matrix)[0].astype(np.float64)

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
    def check_predictor(cls, predictor: Predictor, folder: ModelFolder[Any, Manifest]) -> None:
        expected = cls.count_columns(folder.card)
        try:
            reference = folder.card.encode(folder.manifest.reference)
            layout = InputLayout(folder.card, folder.manifest.inputs)
            count = predictor.predict(layout.arrange(reference))[0].shape[1]
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

        The labels have ``places``, shape (rows,), and the answers are the ``columns``, shape (rows,
        columns).
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
