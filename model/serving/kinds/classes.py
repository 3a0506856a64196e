"""The kind of model that predicts one of several classes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from model.contract.arrays import Float32Array, Float64Array
from model.contract.card import ClassCard
from model.contract.errors import KEEP_CLASSES
from model.contract.manifest import AccuracyGroup, GoldenRow, Manifest, ReliabilityBin
from model.serving.checking import ModelFolder, compare_groups
from model.serving.fact_groups import FactGroups
from model.serving.instances import Answer, Part
from model.serving.kinds.matrix import LabelModel
from model.serving.ordinal import LikelyRanges
from model.serving.predictors import JoblibPredictor
from model.serving.probabilities import apply_calibration, settle_ties
from model.serving.served_model import ClassPrediction, FactPattern, LikelyRange


class JoblibClassPredictor(JoblibPredictor):
    """A scikit-learn classifier as it was saved, for a model that does not compile."""

    def __init__(self, artifact: Path, card: ClassCard, manifest: Manifest) -> None:
        super().__init__(artifact, card, manifest)
        self._classes = [option.value for option in card.output.classes]
        self._without_probabilities = not card.output.probabilities
        self._class_names = manifest.class_names
        known = self._name(self._loaded.classes_)
        if sorted(known) != sorted(self._classes):
            raise ValueError(f"its classes are {', '.join(known)}, not those of the card")
        self._order = [known.index(value) for value in self._classes]

    def _name(self, labels: Any) -> list[str]:
        """The card's values of the estimator's own classes."""
        return [self._class_names.get(str(label), str(label)) for label in labels]

    def _answer(self, rows: Any) -> Float64Array:
        if self._without_probabilities:
            labels = np.array(self._name(np.asarray(self._loaded.predict(rows)).reshape(-1)))
            one_hot: Float64Array = (labels[:, None] == np.array(self._classes)).astype(np.float64)
            return one_hot
        ordered: Float64Array = read_probabilities(self._loaded, rows)[:, self._order]
        return ordered


def read_probabilities(estimator: Any, rows: Any) -> Float64Array:
    """What ``predict_proba`` answers, shape (rows, classes).

    Of two classes some libraries answer the second alone, as pyGAM and networks of Keras do.
    """
    found = np.asarray(estimator.predict_proba(rows), dtype=np.float64)
    if found.size == len(rows):
        return np.column_stack([1 - found.reshape(-1), found.reshape(-1)])
    return found


@dataclass(eq=False)
class ClassModel(LabelModel[ClassPrediction]):
    """A model that predicts one of several classes."""

    card_type = ClassCard

    card: ClassCard

    columns_key = columns_noun = "classes"
    keep_text = KEEP_CLASSES
    saved_predictor = JoblibClassPredictor

    @cached_property
    def accuracies(self) -> FactGroups[AccuracyGroup] | None:
        """How often it was right, by which facts are known; None where that was not measured."""
        groups = self.manifest.accuracies
        return FactGroups(groups, self.card.optional) if groups else None

    names_classes = True
    text_columns = ("label", "likely_low", "likely_high")

    @cached_property
    def ranges(self) -> LikelyRanges | None:
        """The ranges of likely classes; None where the classes are no steps, or no range is."""
        calibration = self.manifest.ordinal
        if calibration is None or not self.card.output.order:
            return None
        places = [self.find_label(value) for value in calibration.order]
        return LikelyRanges(calibration, places, self.card.optional)

    @property
    def held_text(self) -> str:
        return f"It named the right {self.card.output.noun} for"

    @property
    def reliability(self) -> Sequence[ReliabilityBin]:
        return self.manifest.reliability

    def find_promise(self, known: frozenset[str]) -> tuple[float, int] | None:
        if self.accuracies is None:
            return None
        accuracy = self.accuracies.find(known)
        return accuracy.right, accuracy.rows

    @classmethod
    def compare_output(cls, folder: ModelFolder[ClassCard, Manifest]) -> Iterator[str]:
        if folder.manifest.calibration is not None:
            yield f"{folder.manifest_path}: classes have no calibrated range."
        if folder.manifest.accuracies:
            yield from compare_groups(folder, folder.manifest.accuracies, "the accuracies lack")
        yield from cls._compare_order(folder)
        values = {option.value for option in folder.card.output.classes}
        for label in dict.fromkeys(golden.label for golden in folder.manifest.golden):
            if label not in values:
                yield (
                    f"{folder.locate('output', 'classes')}: {label!r} is missing, which the model "
                    f"predicted when it was made. {KEEP_CLASSES}"
                )

    @staticmethod
    def _compare_order(folder: ModelFolder[ClassCard, Manifest]) -> Iterator[str]:
        order, ordinal = folder.card.output.order, folder.manifest.ordinal
        if not order or ordinal is None:
            return
        if ordinal.order != order:
            yield (
                f"{folder.locate('output', 'order')}: the likely range was measured for the order "
                f"{', '.join(ordinal.order)}. Write that, or take the line out."
            )
        else:
            yield from compare_groups(folder, ordinal.groups, "the likely ranges lack")

    def predict_matrix(self, matrix: Float32Array) -> Float64Array:
        return settle_ties(super().predict_matrix(matrix))

    def answer(self, matrix: Float32Array, parts: Sequence[Part]) -> list[Answer]:
        given = self.predict_matrix(matrix)
        probabilities = apply_calibration(given, self.manifest.probabilities)
        answers = []
        for part in parts:
            best = int(given[part.own].argmax())
            prediction = self._make_prediction(probabilities[part.own].tolist(), best)
            if self.ranges is not None:
                (likely,) = self._find_likely(given[part.own][None], [part.known])
                prediction = prediction._replace(likely=likely)
            explained = best if self.risk_place is None else self.risk_place
            values = probabilities[part.rows, explained]
            points = values[part.own + 1 - part.rows.start :].tolist()
            answers.append(Answer(prediction, values, points, points, points))
        return answers

    @cached_property
    def risk_place(self) -> int | None:
        """The place of the class whose probability is the answer; None where a class is."""
        risk = self.card.output.risk
        return self.find_label(risk) if risk else None

    def find_place(self, prediction: ClassPrediction) -> int:
        place = self.risk_place
        return self.find_label(prediction.label) if place is None else place

    def _make_prediction(self, probabilities: list[float], best: int) -> ClassPrediction:
        if not np.isfinite(probabilities).all():
            raise ArithmeticError(f"{self.name} answered {probabilities}")
        output = self.card.output
        label = output.classes[best].value
        if not output.probabilities:
            return ClassPrediction(label)
        return ClassPrediction(label, probabilities[best], tuple(probabilities))

    def _find_likely(
        self, probabilities: Float64Array, known: Sequence[frozenset[str]]
    ) -> list[LikelyRange | None]:
        """The range of each row, of probabilities as the model gives them, (rows, classes)."""
        if self.ranges is None:
            return [None] * len(known)
        values = [option.value for option in self.card.output.classes]
        groups = [self.ranges.find_group(facts) for facts in known]
        return [
            None
            if ends is None
            else LikelyRange(values[ends[0]], values[ends[1]], self.ranges.find_share(group))
            for group, ends in zip(groups, self.ranges.find(probabilities, groups), strict=True)
        ]

    @property
    def answer_columns(self) -> tuple[str, ...]:
        output = self.card.output
        likely = () if self.ranges is None else self.text_columns[1:]
        if not output.probabilities:
            return ("label", *likely)
        return ("label", *likely, *(f"probability_{option.value}" for option in output.classes))

    def tabulate(self, prediction: ClassPrediction) -> tuple[float | str | None, ...]:
        likely: tuple[str, ...] = ()
        if self.ranges is not None:
            likely = ("", "") if prediction.likely is None else prediction.likely[:2]
        return prediction.label, *likely, *(prediction.probabilities or ())

    def restore(self, values: Sequence[Any], known: frozenset[str]) -> ClassPrediction:
        label, *rest = values
        likely = None
        if self.ranges is not None:
            low, high, *rest = rest
            if low:
                share = self.ranges.find_share(self.ranges.find_group(known))
                likely = LikelyRange(low, high, share)
        if not rest:
            return ClassPrediction(label, likely=likely)
        return ClassPrediction(label, rest[self.find_label(label)], tuple(rest), likely)

    def predict_columns(
        self, matrix: Float32Array, patterns: Sequence[FactPattern]
    ) -> tuple[Any, ...]:
        given = self.predict_matrix(matrix)
        probabilities = apply_calibration(given, self.manifest.probabilities)
        labels = self.name_rows(given.argmax(axis=1), probabilities)
        likely: tuple[list[str], ...] = ()
        if self.ranges is not None:
            known = dict.fromkeys(range(len(matrix)), frozenset[str]())
            for rows, _, facts in patterns:
                known |= dict.fromkeys(rows.tolist(), facts)
            ranges = zip(self._find_likely(given, list(known.values())), labels, strict=True)
            # No range is "", because None would say that the row has no answer.
            ends = [
                ("", "") if found is None or label is None else found[:2] for found, label in ranges
            ]
            likely = [low for low, _ in ends], [high for _, high in ends]
        if not self.card.output.probabilities:
            return (labels, *likely)
        return (labels, *likely, *probabilities.T)

    def compare_golden(
        self, prediction: ClassPrediction, golden: GoldenRow
    ) -> Iterator[tuple[float, float]]:
        self.check_label(prediction.label, golden)
        yield max(prediction.probabilities or (1.0,)), golden.value
