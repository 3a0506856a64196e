"""The kind of model that predicts one of several classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from model.contract.arrays import Float32Array, Float64Array
from model.contract.card import ClassCard
from model.contract.errors import KEEP_CLASSES, MAKE_AGAIN, OR_MAKE_AGAIN, ModelError
from model.contract.manifest import AccuracyGroup, GoldenRow, Manifest
from model.serving.checking import ModelFolder
from model.serving.fact_groups import FactGroups
from model.serving.predictors import JoblibFile, open_session
from model.serving.probabilities import apply_calibration
from model.serving.served_model import ClassPrediction, FactPattern
from model.serving.tabular import Answer, Part, TabularModel


class ClassPredictor(Protocol):
    """Predicts the probabilities of the classes for each row."""

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Classify each row.

        Args:
            matrix: shape (rows, fields).

        Returns:
            The probability of each class, shape (rows, classes), in the card's order. A model
            without probabilities gives 1 for one class and 0 for the others.
        """


class OnnxClassPredictor:
    """A compiled classifier in ONNX Runtime; ``output`` is the name of its output."""

    output: ClassVar[str] = "probabilities"

    def __init__(self, artifact: bytes) -> None:
        self._session = open_session(artifact)
        self._input = self._session.get_inputs()[0].name

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Classify each row of a matrix of shape (rows, fields); see ``ClassPredictor``."""
        (output,) = self._session.run([self.output], {self._input: matrix})
        probabilities: Float64Array = output.astype(np.float64)
        return probabilities


class JoblibClassPredictor:
    """A scikit-learn classifier as it was saved, for a model that does not compile."""

    def __init__(self, artifact: Path, card: ClassCard, manifest: Manifest) -> None:
        self._file = JoblibFile(artifact, card, manifest)
        self._estimator = self._file.loaded
        self._classes = [option.value for option in card.output.classes]
        self._without_probabilities = not card.output.probabilities
        self._names = manifest.class_names
        known = self._name(self._estimator.classes_)
        if sorted(known) != sorted(self._classes):
            raise ValueError(f"its classes are {', '.join(known)}, not those of the card")
        self._order = [known.index(value) for value in self._classes]

    def _name(self, labels: Any) -> list[str]:
        """The card's values of the estimator's own classes."""
        return [self._names.get(str(label), str(label)) for label in labels]

    def classify(self, matrix: Float32Array) -> Float64Array:
        """Classify each row of a matrix of shape (rows, fields); see ``ClassPredictor``."""
        rows = self._file.build_input(self._estimator, matrix)
        if self._without_probabilities:
            labels = np.array(self._name(np.asarray(self._estimator.predict(rows))))
            one_hot: Float64Array = (labels[:, None] == np.array(self._classes)).astype(np.float64)
            return one_hot
        probabilities = np.asarray(self._estimator.predict_proba(rows), dtype=np.float64)
        ordered: Float64Array = probabilities[:, self._order]
        return ordered


@dataclass(eq=False)
class ClassModel(TabularModel[ClassPrediction]):
    """A model that predicts one of several classes."""

    card_type = ClassCard

    card: ClassCard
    predictor: ClassPredictor

    compiled_predictor = OnnxClassPredictor
    saved_predictor = JoblibClassPredictor

    @cached_property
    def accuracies(self) -> FactGroups[AccuracyGroup] | None:
        """How often it was right, by which facts are known; None where that was not measured."""
        groups = self.manifest.accuracies
        return FactGroups(groups, self.card.optional) if groups else None

    @classmethod
    def compare_output(cls, folder: ModelFolder[ClassCard, Manifest]) -> Iterator[str]:
        if folder.manifest.calibration is not None:
            yield f"{folder.manifest_path}: classes have no calibrated range."
        groups = FactGroups(folder.manifest.accuracies, folder.card.optional)
        if folder.manifest.accuracies and (missing := groups.count_missing()):
            yield (
                f"{folder.manifest_path}: the accuracies lack {missing} subsets of the optional "
                f"fields. {MAKE_AGAIN}"
            )
        values = {option.value for option in folder.card.output.classes}
        for label in dict.fromkeys(golden.label for golden in folder.manifest.golden):
            if label not in values:
                yield (
                    f"{folder.locate('output', 'classes')}: {label!r} is missing, which the model "
                    f"predicted when it was made. {KEEP_CLASSES}"
                )

    @classmethod
    def check_predictor(
        cls, predictor: ClassPredictor, folder: ModelFolder[ClassCard, Manifest]
    ) -> None:
        card, expected = folder.card, len(folder.card.output.classes)
        try:
            count = predictor.classify(card.encode(folder.manifest.reference)).shape[1]
        except Exception:
            return  # the golden rows say what is wrong
        if count != expected:
            raise ModelError(
                f"{folder.locate('output', 'classes')}: the model answers {count} classes, and "
                f"not {expected}. {KEEP_CLASSES}"
            )

    def answer(self, matrix: Float32Array, parts: Sequence[Part]) -> list[Answer]:
        probabilities = apply_calibration(
            self.predictor.classify(matrix), self.manifest.probabilities
        )
        answers = []
        for part in parts:
            best = int(probabilities[part.own].argmax())
            prediction = self._make_prediction(probabilities[part.own].tolist(), best)
            explained = best if self.risk_place is None else self.risk_place
            values = probabilities[part.rows, explained]
            points = values[part.own + 1 - part.rows.start :].tolist()
            answers.append(Answer(prediction, values, points, points, points))
        return answers

    @cached_property
    def risk_place(self) -> int | None:
        """The place of the class whose probability is the answer; None where a class is."""
        values = [option.value for option in self.card.output.classes]
        return values.index(self.card.output.risk) if self.card.output.risk else None

    def find_place(self, prediction: ClassPrediction) -> int:
        if self.risk_place is not None:
            return self.risk_place
        values = [option.value for option in self.card.output.classes]
        return values.index(prediction.label)

    def _make_prediction(self, probabilities: list[float], best: int) -> ClassPrediction:
        if not np.isfinite(probabilities).all():
            raise ArithmeticError(f"{self.name} answered {probabilities}")
        output = self.card.output
        label = output.classes[best].value
        if not output.probabilities:
            return ClassPrediction(label)
        return ClassPrediction(label, probabilities[best], tuple(probabilities))

    @property
    def guess_text(self) -> str:
        return f"{self.card.output.outside_text}."

    @property
    def answer_columns(self) -> tuple[str, ...]:
        output = self.card.output
        if not output.probabilities:
            return ("label",)
        return ("label", *(f"probability_{option.value}" for option in output.classes))

    def tabulate(self, prediction: ClassPrediction) -> tuple[float | str, ...]:
        return prediction.label, *(prediction.probabilities or ())

    def restore(self, values: Sequence[Any], known: frozenset[str]) -> ClassPrediction:
        label, *probabilities = values
        if not probabilities:
            return ClassPrediction(label)
        return ClassPrediction(label, max(probabilities), tuple(probabilities))

    def predict_columns(
        self, matrix: Float32Array, patterns: Sequence[FactPattern]
    ) -> tuple[Any, ...]:
        probabilities = apply_calibration(
            self.predictor.classify(matrix), self.manifest.probabilities
        )
        values = np.array([option.value for option in self.card.output.classes], dtype=object)
        labels: list[str | None] = values[probabilities.argmax(axis=1)].tolist()
        for row in np.flatnonzero(~np.isfinite(probabilities).all(axis=1)).tolist():
            labels[row] = None
        if not self.card.output.probabilities:
            return (labels,)
        return (labels, *probabilities.T)

    def compare_golden(
        self, prediction: ClassPrediction, golden: GoldenRow
    ) -> Iterator[tuple[float, float]]:
        if prediction.label != golden.label:
            raise ModelError(
                f"is {prediction.label}, it was {golden.label or 'no class'} when the model was "
                f"made. {KEEP_CLASSES} {OR_MAKE_AGAIN}"
            )
        yield prediction.probability or 1.0, golden.value
