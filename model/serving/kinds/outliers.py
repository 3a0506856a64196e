"""The kind of model that says whether a row is unusual among the training rows."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, FloatArray
from model.contract.card import OutlierCard
from model.contract.errors import MAKE_AGAIN, OR_MAKE_AGAIN, ModelError
from model.contract.manifest import GoldenRow, Manifest
from model.serving.checking import ModelFolder
from model.serving.instances import Answer, Part
from model.serving.predictors import JoblibPredictor
from model.serving.served_model import FactPattern, OutlierPrediction
from model.serving.tabular import TabularModel

OUTLIER, INLIER = "outlier", "inlier"
"""The labels of an answer."""


class JoblibOutlierPredictor(JoblibPredictor):
    """A detector as it was saved."""

    def _answer(self, rows: Any) -> Float64Array:
        return read_scores(self._loaded, rows)


def read_scores(detector: Any, rows: Any) -> Float64Array:
    """The scores of rows, shape (rows,), below 0 for an outlier, as scikit-learn has them.

    Those of PyOD rise with how unusual a row is, and an outlier is above its threshold.
    """
    scores = np.asarray(detector.decision_function(rows), dtype=np.float64).reshape(-1)
    last = detector[-1] if hasattr(detector, "steps") else detector
    return last.threshold_ - scores if hasattr(last, "decision_scores_") else scores


@dataclass(eq=False)
class OutlierModel(TabularModel[OutlierPrediction]):
    """A model that scores how unusual a row is.

    Reasons and what-ifs are about the rank, because a score has no unit that people know.
    """

    card_type = OutlierCard

    card: OutlierCard

    saved_predictor = JoblibOutlierPredictor

    @classmethod
    def compare_output(cls, folder: ModelFolder[OutlierCard, Manifest]) -> Iterator[str]:
        scores = folder.manifest.scores
        if math.isnan(cls._find_share(folder.manifest)):
            yield (
                f"{folder.manifest_path}: an outlier detector needs the metric outliers, the share "
                f"of the training rows that are. {MAKE_AGAIN}"
            )
        if len(scores) < 2 or list(scores) != sorted(scores):
            yield (
                f"{folder.manifest_path}: an outlier detector needs the quantiles of its scores, "
                f"ascending. {MAKE_AGAIN}"
            )

    @cached_property
    def _ranks(self) -> tuple[Float64Array, Float64Array]:
        """Scores, ascending, and the share of the training rows with a higher one."""
        scores = np.array(self.manifest.scores)
        return scores, np.linspace(1, 0, len(scores))

    @cached_property
    def outlier_share(self) -> float:
        """The share of the training rows that are outliers, as it was counted."""
        return self._find_share(self.manifest)

    @staticmethod
    def _find_share(manifest: Manifest) -> float:
        return next((item.value for item in manifest.metrics if item.name == "outliers"), math.nan)

    def rank(self, scores: FloatArray) -> Float64Array:
        """The share of the training rows that are less unusual, shape (rows,), by scores (rows,).

        It is 1 for a row that is more unusual than all of them.
        """
        return np.interp(scores, *self._ranks)

    def answer(self, matrix: Float32Array, parts: Sequence[Part]) -> list[Answer]:
        scores = self.predictor.predict(matrix)[0].astype(np.float64)
        ranks = self.rank(scores)
        answers = []
        for part in parts:
            score = float(scores[part.own])
            if not math.isfinite(score):
                raise ArithmeticError(f"{self.name} answered a number that is not finite")
            values = ranks[part.rows]
            here = part.own - part.rows.start
            prediction = OutlierPrediction(score < 0, score, float(values[here]))
            points = values[here + 1 :].tolist()
            answers.append(Answer(prediction, values, points, points, points))
        return answers

    @property
    def answer_columns(self) -> tuple[str, ...]:
        return ("label", "rank", "score")

    def tabulate(self, prediction: OutlierPrediction) -> tuple[float | str, ...]:
        label = OUTLIER if prediction.is_outlier else INLIER
        return label, prediction.rank, prediction.score

    def restore(self, values: Sequence[Any], known: frozenset[str]) -> OutlierPrediction:
        label, rank, score = values
        return OutlierPrediction(label == OUTLIER, score, rank)

    def predict_columns(
        self, matrix: Float32Array, patterns: Sequence[FactPattern]
    ) -> tuple[Any, ...]:
        scores = self.predictor.predict(matrix)[0].astype(np.float64)
        labels: list[str | None] = np.where(scores < 0, OUTLIER, INLIER).tolist()
        for row in np.flatnonzero(~np.isfinite(scores)).tolist():
            labels[row] = None
        return labels, self.rank(scores), scores

    def compare_golden(
        self, prediction: OutlierPrediction, golden: GoldenRow
    ) -> Iterator[tuple[float, float]]:
        label = OUTLIER if prediction.is_outlier else INLIER
        if label != golden.label:
            raise ModelError(
                f"is an {label}, it was {golden.label or 'neither'} when the model was made. "
                f"{OR_MAKE_AGAIN}"
            )
        # A score near 0 differs by as much as scores usually do.
        spread = abs(self.manifest.scores[-1] - self.manifest.scores[0])
        yield prediction.score + spread, golden.value + spread
