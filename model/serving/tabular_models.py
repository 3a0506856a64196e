"""Tabular models that have passed their checks: regressors and classifiers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

from model.contract.arrays import Float32Array, FloatArray
from model.contract.card import Card
from model.contract.fields import Features
from model.contract.manifest import Manifest
from model.serving.intervals import ConformalIntervals
from model.serving.neighbors import Neighbors
from model.serving.prediction import Classification, Interval, Prediction
from model.serving.predictors import ClassPredictor, Predictor
from model.serving.temperature import apply_temperature

PredictionT = TypeVar("PredictionT", Prediction, Classification)
"""What a model predicts for one row."""


@dataclass(frozen=True)
class TabularModel(Generic[PredictionT]):
    """A tabular model that has passed its checks."""

    name: str
    folder: Path
    card: Card
    manifest: Manifest
    neighbors: Neighbors | None

    @property
    def slug(self) -> str:
        """The model's name in a URL."""
        return self.name.replace("_", "-")

    @cached_property
    def version(self) -> str:
        """The first 8 digits of the served artifact's SHA-256."""
        return self.manifest.artifacts[self.manifest.served].sha256[:8]

    @cached_property
    def intervals(self) -> ConformalIntervals | None:
        """The calibrated intervals; None for a model without."""
        calibration = self.manifest.calibration
        return None if calibration is None else ConformalIntervals(calibration, self.card.optional)

    def find_ood_threshold(self, known: frozenset[str]) -> float | None:
        """The distance to its nearest rows above which a row is out-of-distribution.

        Args:
            known: names of the optional facts that are given.
        """
        if self.manifest.support:
            return self.manifest.support[len(self.card.optional) - len(known)]
        return None if self.intervals is None else self.intervals.find_group(known).support

    def find_known(self, features: Features) -> frozenset[str]:
        """Names of the optional facts that are given."""
        return frozenset(name for name in self.card.optional if features[name] is not None)

    def predict_matrix(
        self, rows: Float32Array, index: int, known: frozenset[str]
    ) -> tuple[PredictionT, FloatArray, FloatArray | None]:
        """Predict one row and its variations, in one call of the predictor.

        Args:
            rows: shape (rows, fields), float32.
            index: which of the rows is the one to predict; the others are its variations.
            known: names of the optional facts that are given in it.

        Returns:
            The prediction for that row; the value of every row, shape (rows,), which for classes is
            the probability of the predicted class; and the scale of every row, shape (rows,), None
            for a model without.

        Raises:
            ArithmeticError: if the model predicts a number that is not finite.
        """
        raise NotImplementedError

    def predict_each(
        self, rows: Float32Array, parts: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[PredictionT, FloatArray]]:
        """Predict several rows with their variations, in one call of the predictor.

        Args:
            rows: shape (rows, fields), float32.
            parts: for each row to predict, the slice of ``rows`` with its variations, the row
                itself last; and the names of the optional facts that are given in it.

        Returns:
            For each part its prediction and the values of its rows, shape (rows of the part,).

        Raises:
            ArithmeticError: if the model predicts a number that is not finite.
        """
        raise NotImplementedError

    def predict(self, features: Features) -> PredictionT:
        """Predict one row.

        Raises:
            ArithmeticError: if the model predicts a number that is not finite.
        """
        return self.predict_matrix(self.card.encode(features), 0, self.find_known(features))[0]


@dataclass(frozen=True)
class Regressor(TabularModel[Prediction]):
    """A model that predicts a number."""

    predictor: Predictor

    def predict_matrix(
        self, rows: Float32Array, index: int, known: frozenset[str]
    ) -> tuple[Prediction, FloatArray, FloatArray | None]:
        values, scales = self.predictor.predict(rows)
        scale = None if scales is None else scales.item(index)
        return self.make_prediction(values.item(index), scale, known), values, scales

    def predict_each(
        self, rows: Float32Array, parts: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[Prediction, FloatArray]]:
        values, scales = self.predictor.predict(rows)
        predictions = []
        for part, known in parts:
            scale = None if scales is None else float(scales[part][-1])
            prediction = self.make_prediction(float(values[part][-1]), scale, known)
            predictions.append((prediction, values[part]))
        return predictions

    def make_prediction(
        self, value: float, scale: float | None, known: frozenset[str]
    ) -> Prediction:
        """Add the interval to a predicted value.

        Args:
            value: the predictor's value for a row.
            scale: its scale; None counts as 1.
            known: names of the optional facts that are given in the row.

        Raises:
            ArithmeticError: if the value or a bound is not finite.
        """
        if not math.isfinite(value):
            raise ArithmeticError(f"{self.name} answered {value}")
        intervals = self.intervals
        if intervals is None:
            return Prediction(value)
        group = intervals.find_group(known)
        (low,), (high,) = intervals.compute_bounds(
            (value,), (1.0 if scale is None else scale,), group
        )
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ArithmeticError(f"{self.name} answered {value} from {low} to {high}")
        return Prediction(value, Interval(low, high, intervals.coverage))


@dataclass(frozen=True)
class Classifier(TabularModel[Classification]):
    """A model that predicts one of several classes."""

    predictor: ClassPredictor

    def predict_matrix(
        self, rows: Float32Array, index: int, known: frozenset[str]
    ) -> tuple[Classification, FloatArray, None]:
        probabilities = apply_temperature(self.predictor.classify(rows), self.manifest.temperature)
        classification, best = self.make_classification(probabilities[index].tolist())
        return classification, probabilities[:, best], None

    def predict_each(
        self, rows: Float32Array, parts: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[Classification, FloatArray]]:
        probabilities = apply_temperature(self.predictor.classify(rows), self.manifest.temperature)
        predictions: list[tuple[Classification, FloatArray]] = []
        for part, _ in parts:
            classification, best = self.make_classification(probabilities[part][-1].tolist())
            predictions.append((classification, probabilities[part, best]))
        return predictions

    def make_classification(self, probabilities: list[float]) -> tuple[Classification, int]:
        """The classification from the probabilities of one row, and the index of its class.

        Raises:
            ArithmeticError: if they are not finite.
        """
        if not all(map(math.isfinite, probabilities)):
            raise ArithmeticError(f"{self.name} answered {probabilities}")
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        output = self.card.class_output
        label = output.classes[best].value
        if not output.probabilities:
            return Classification(label), best
        return Classification(label, probabilities[best], tuple(probabilities)), best
