"""Models of rows that have passed their checks: how a number or a class is asked of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from model.contract.card import Card, Manifest
from model.contract.fields import Features
from model.serving.intervals import ConformalIntervals
from model.serving.neighbors import Neighbors
from model.serving.prediction import Classification, Interval, Prediction
from model.serving.predictors import ClassPredictor, Column, Matrix, Predictor
from model.serving.temperature import apply_temperature

PredictionT = TypeVar("PredictionT", Prediction, Classification)
"""What a model says of one row."""


@dataclass(frozen=True)
class TabularModel(Generic[PredictionT]):
    """A model of rows that has passed its checks, ready to answer with what ``PredictionT`` stands for."""

    name: str
    folder: Path
    card: Card
    manifest: Manifest
    neighbors: Neighbors | None

    @property
    def slug(self) -> str:
        """The name as it stands in a URL."""
        return self.name.replace("_", "-")

    @cached_property
    def version(self) -> str:
        """What tells one artifact from the next: the first 8 digits of the served one's SHA-256."""
        return self.manifest.artifacts[self.manifest.served].sha256[:8]

    @cached_property
    def ranges(self) -> ConformalIntervals | None:
        """The calibration by known facts; None for a model without an interval."""
        calibration = self.manifest.calibration
        return None if calibration is None else ConformalIntervals(calibration, self.card.optional)

    def support(self, known: frozenset[str]) -> float | None:
        """The distance to its nearest rows up to which a row is like what the model has seen."""
        if self.manifest.support:
            return self.manifest.support[len(self.card.optional) - len(known)]
        return None if self.ranges is None else self.ranges.group(known).support

    def known(self, features: Features) -> frozenset[str]:
        """Names of the optional facts that are given."""
        return frozenset(name for name in self.card.optional if features[name] is not None)

    def predict_matrix(
        self, rows: Matrix, place: int, known: frozenset[str]
    ) -> tuple[PredictionT, Column, Column | None]:
        """Answer rows that belong together, in one call of the predictor.

        Args:
            rows: shape (rows, fields), float32.
            place: the row that is the question; the others are variations of it.
            known: names of the optional facts that are given in it.

        Returns:
            The answer to the question; and for every row, shape (rows,), its value, which for
            classes is the probability of the class that the question was answered with, and its
            spread, None for a model without.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        raise NotImplementedError

    def predict_each(
        self, rows: Matrix, questions: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[PredictionT, Column]]:
        """Answer questions that have nothing to do with each other, in one call of the predictor.

        Args:
            rows: shape (rows, fields), float32.
            questions: for each the part of the rows that belongs to it, of which the last row is
                the question, and names of the optional facts that are given in it.

        Returns:
            For each question what ``predict_matrix`` returns for its part alone, without the spread.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        raise NotImplementedError

    def predict(self, features: Features) -> PredictionT:
        """Answer one row.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        return self.predict_matrix(self.card.encode(features), 0, self.known(features))[0]


@dataclass(frozen=True)
class Regressor(TabularModel[Prediction]):
    """A model that answers with a number."""

    predictor: Predictor

    def predict_matrix(
        self, rows: Matrix, place: int, known: frozenset[str]
    ) -> tuple[Prediction, Column, Column | None]:
        values, spreads = self.predictor.predict(rows)
        spread = None if spreads is None else spreads.item(place)
        return self.predicted(values.item(place), spread, known), values, spreads

    def predict_each(
        self, rows: Matrix, questions: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[Prediction, Column]]:
        values, spreads = self.predictor.predict(rows)
        answers = []
        for part, known in questions:
            spread = None if spreads is None else float(spreads[part][-1])
            answers.append((self.predicted(float(values[part][-1]), spread, known), values[part]))
        return answers

    def predicted(self, value: float, spread: float | None, known: frozenset[str]) -> Prediction:
        """The prediction from what the predictor said of one row, in which these are known.

        A predictor that says no spread has the same one, 1, for every row.

        Raises:
            ArithmeticError: if that is not finite.
        """
        if not math.isfinite(value):
            raise ArithmeticError(f"{self.name} answered {value}")
        ranges = self.ranges
        if ranges is None:
            return Prediction(value)
        low, high = ranges.ends(value, 1.0 if spread is None else spread, ranges.group(known))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ArithmeticError(f"{self.name} answered {value} from {low} to {high}")
        return Prediction(value, Interval(low, high, ranges.coverage))


@dataclass(frozen=True)
class Classifier(TabularModel[Classification]):
    """A model that answers with one of several classes."""

    predictor: ClassPredictor

    def predict_matrix(
        self, rows: Matrix, place: int, known: frozenset[str]
    ) -> tuple[Classification, Column, None]:
        probabilities = apply_temperature(self.predictor.classify(rows), self.manifest.temperature)
        said, most = self.classified(probabilities[place].tolist())
        return said, probabilities[:, most], None

    def predict_each(
        self, rows: Matrix, questions: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[Classification, Column]]:
        probabilities = apply_temperature(self.predictor.classify(rows), self.manifest.temperature)
        answers: list[tuple[Classification, Column]] = []
        for part, _ in questions:
            said, most = self.classified(probabilities[part][-1].tolist())
            answers.append((said, probabilities[part, most]))
        return answers

    def classified(self, shares: list[float]) -> tuple[Classification, int]:
        """The classification from the probabilities of one row, and the place of its class.

        Raises:
            ArithmeticError: if they are not finite.
        """
        if not all(map(math.isfinite, shares)):
            raise ArithmeticError(f"{self.name} answered {shares}")
        most = max(range(len(shares)), key=shares.__getitem__)
        label = self.card.classes.classes[most].value
        if not self.card.classes.probabilities:
            return Classification(label), most
        return Classification(label, shares[most], tuple(shares)), most
