"""What every kind of served model does, and what it answers.

Answers are named tuples, because a frozen dataclass takes four times as long to create.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

from model.contract.arrays import Float32Array, IndexArray
from model.contract.card import CardBase
from model.contract.fields import AnyField, Features
from model.contract.manifest import FieldBins, ManifestBase, ReliabilityBin
from model.serving.checking import ModelFolder
from model.serving.explain import ShapleyValues
from model.serving.neighbors import Neighbors
from model.serving.texts.reasons import TextReasons

RowT = TypeVar("RowT")
"""What a model takes: features by name, or a picture."""

PredictionT = TypeVar("PredictionT")
"""What a model predicts for one row."""


class PredictionInterval(NamedTuple):
    """An interval, in the output's unit; a share ``coverage`` of such ones held the truth."""

    low: float
    high: float
    coverage: float


class PointPrediction(NamedTuple):
    """The predicted number, in the unit of the card's output."""

    value: float
    interval: PredictionInterval | None = None


class LikelyRange(NamedTuple):
    """The lowest and the highest likely class; a share ``coverage`` of such ranges held."""

    low: str
    high: str
    coverage: float


class ClassPrediction(NamedTuple):
    """The predicted class.

    ``label`` is its value in the card, ``probability`` is its probability, and ``probabilities``
    are those of all classes in the card's order. Both are None for a model that predicts a class
    without a probability. ``likely`` is there where the classes are steps of a scale.
    """

    label: str
    probability: float | None = None
    probabilities: tuple[float, ...] | None = None
    likely: LikelyRange | None = None


class ClusterPrediction(NamedTuple):
    """The cluster of a row.

    ``label`` is its value in the card. ``affinities`` are those to all clusters, in the card's
    order, of which the label's is the largest: probabilities, distances to the centres below 0, or
    1 and 0 for a model that only names one. ``clarity`` is the label's probability; for distances
    the simplified silhouette of the row, from 0 on the border to the next cluster to 1 at the
    centre (Hruschka, Campello and de Castro, 2004); None for a model that only names one.
    """

    label: str
    clarity: float | None
    affinities: tuple[float, ...]


class MultioutputPrediction(NamedTuple):
    """The predicted numbers, in the card's order; reasons are those of the one at ``place``."""

    values: tuple[PointPrediction, ...]
    place: int = 0


class OutlierPrediction(NamedTuple):
    """How unusual a row is.

    ``score`` is the model's own, below 0 for an outlier; ``rank`` is the share of the training rows
    that are less unusual, from 0 to 1.
    """

    is_outlier: bool
    score: float
    rank: float


class IceCurve(NamedTuple):
    """The predictions for other values of one fact, everything else unchanged.

    It is an individual conditional expectation (Goldstein, Kapelner, Bleich and Pitkin, 2015). For
    each point, ``values`` has the fact's code, ``predictions``, ``low`` and ``high`` the prediction
    and its bounds, and ``in_distribution`` whether there are training rows like it. Without a
    calibration the bounds are the predictions themselves.
    """

    column: int
    values: Sequence[float]
    predictions: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    in_distribution: Sequence[bool]


class Neighbor(NamedTuple):
    """A training row: its features, its observed number or class index, and the year, if known."""

    features: Features
    target: float
    year: int | None


class Mismatch(NamedTuple):
    """The facts that make a row out-of-distribution, by name, as far as some stand out.

    Two do not go together. One does not go with all others, or where it is ``alone``, hardly any
    training row has it.
    """

    facts: Features
    alone: bool


class FactPattern(NamedTuple):
    """The rows of a table in which the same facts are given.

    ``rows`` (rows,) are their indices, ``given`` the columns of the facts in the matrix, and
    ``known`` the names of the optional ones.
    """

    rows: IndexArray
    given: tuple[int, ...]
    known: frozenset[str]


class Explained(NamedTuple, Generic[PredictionT]):
    """A prediction with what explains it; what a kind of model lacks is None or empty.

    For classes, ``shapley`` and ``ice_curve`` are about the probability of the predicted class.
    ``saliency`` [h, w] is a picture's map in logits, above 0 where a place speaks for the class in
    ``saliency_label``. ``known`` are the names of the optional facts that were given.
    ``mismatch`` says which facts make a row out-of-distribution, if the model knows. ``texts`` has
    what is known of each text, and what its words have to do with the answer.
    """

    prediction: PredictionT
    shapley: ShapleyValues | None = None
    ice_curve: IceCurve | None = None
    neighbors: tuple[Neighbor, ...] = ()
    saliency: Float32Array | None = None
    out_of_distribution: bool = False
    known: frozenset[str] = frozenset()
    mismatch: Mismatch | None = None
    saliency_label: str = ""
    texts: tuple[TextReasons, ...] = ()


@dataclass(eq=False)
class ServedModel(ABC, Generic[RowT, PredictionT]):
    """A model that has passed its checks; each kind is a class in ``model.serving.kinds``."""

    card_type: ClassVar[type[CardBase]]
    manifest_type: ClassVar[type[ManifestBase]]

    name: str
    folder: Path
    card: CardBase
    manifest: ManifestBase

    @classmethod
    @abstractmethod
    def load(cls, folder: ModelFolder[Any, Any]) -> Self:
        """Check and load the model in a folder.

        Args:
            folder: has a ``card_type`` and a ``manifest_type``.

        Raises:
            ModelError: with all that contradicts something else, and how to fix it.
        """

    @property
    def slug(self) -> str:
        """The model's name in a URL."""
        return self.name.replace("_", "-")

    @cached_property
    def version(self) -> str:
        """The first 8 digits of the served artifact's SHA-256."""
        return self.manifest.artifacts[self.manifest.served].sha256[:8]

    def predict(self, rows: Sequence[RowT]) -> list[PredictionT]:
        """Predict each row, in order; see ``explain`` for errors."""
        return [found.prediction for found in self.explain(rows, contributions=False)]

    @property
    def fields(self) -> Mapping[str, AnyField]:
        """The fields of a row by name; none for a model that takes no rows."""
        return {}

    @property
    def rows_noun(self) -> str:
        """What sentences call the cases that it answers."""
        return "cases"

    @property
    def field_bins(self) -> Mapping[str, FieldBins]:
        """The training rows in bins of each field; none where nobody counted them."""
        return {}

    @property
    def kept_rows(self) -> Neighbors | None:
        """The training rows that its folder keeps, if it keeps any."""
        return None

    text_columns: ClassVar[tuple[str, ...]] = ("label",)
    """Those of ``answer_columns`` that hold texts."""

    names_classes: ClassVar[bool] = False
    """Whether an answer without a range is right or wrong."""

    @property
    def held_text(self) -> str:
        """What stands before how many of its answers were as it was said."""
        return "Ranges held for"

    @property
    def reliability(self) -> Sequence[ReliabilityBin]:
        """How often held-out rows were of the class that came first, by its probability."""
        return ()

    def find_promise(self, known: frozenset[str]) -> tuple[float, int] | None:
        """Find what held-out rows promise where these optional facts are given.

        Returns:
            How often a range holds or a class is right, and on how many rows that was measured;
            None where it was not.
        """
        return None

    @property
    @abstractmethod
    def answer_columns(self) -> tuple[str, ...]:
        """The columns that a table of answers has for a prediction."""

    @abstractmethod
    def tabulate(self, prediction: PredictionT) -> tuple[float | str | None, ...]:
        """A prediction as the values of ``answer_columns``."""

    def explain(
        self,
        rows: Sequence[RowT],
        what_if: str = "",
        contributions: bool = True,
        timeout: float = float("inf"),
    ) -> list[Explained[PredictionT]]:
        """Predict each row, in order, and explain the predictions.

        Args:
            rows: any number of them.
            what_if: name of the fact that the curve varies; "" for no curve.
            contributions: whether to explain the predictions by Shapley values and similar rows, or
                by the saliency of a picture.
            timeout: seconds after which it gives up, checked between two calls of the predictor.

        Raises:
            ArithmeticError: if the model predicts a number that is not finite.
            TimeoutError: if it took longer than the timeout.
        """
        return self._explain(rows, what_if, contributions, timeout)

    @abstractmethod
    def _explain(
        self, rows: Sequence[RowT], what_if: str, contributions: bool, timeout: float
    ) -> list[Explained[PredictionT]]:
        """Explain each row; see ``explain``."""

    @abstractmethod
    def explain_golden(self) -> Explained[PredictionT]:
        """Explain the golden row with the most facts, or a golden picture."""

    @abstractmethod
    def check_golden(self) -> None:
        """Predict the golden rows or pictures.

        Raises:
            ModelError: if a prediction fails, or differs from the manifest's.
        """
