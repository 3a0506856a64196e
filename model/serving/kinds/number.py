"""The kind of model that predicts a number, with or without a calibrated interval."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from model.contract.arrays import Float32Array, Float64Array, FloatArray
from model.contract.card import Card, NumberCard
from model.contract.manifest import CalibrationGroup, GoldenRow, Manifest
from model.serving.checking import ModelFolder, compare_groups
from model.serving.instances import Answer, Part
from model.serving.intervals import ConformalIntervals
from model.serving.predictors import JoblibPredictor
from model.serving.served_model import FactPattern, PointPrediction, PredictionInterval
from model.serving.tabular import TabularModel


class JoblibNumberPredictor(JoblibPredictor):
    """A scikit-learn regressor as it was saved.

    The file holds the estimator, or a dict of one for the value and one for the scale (``spread``).
    """

    def __init__(self, artifact: Path, card: Card, manifest: Manifest) -> None:
        super().__init__(artifact, card, manifest)
        self._scale = None
        if isinstance(self._loaded, dict):
            self._loaded, self._scale = self._loaded["value"], self._loaded.get("spread")

    def _answer(self, rows: Any) -> Float64Array:
        return np.asarray(self._loaded.predict(rows), dtype=np.float64).reshape(-1)

    def _find_spread(self, rows: Any) -> Float64Array | None:
        if self._scale is None:
            return None
        return np.asarray(self._scale.predict(rows), dtype=np.float64).reshape(-1)


@dataclass(eq=False)
class NumberModel(TabularModel[PointPrediction]):
    """A model that predicts a number."""

    card_type = NumberCard

    card: NumberCard

    saved_predictor = JoblibNumberPredictor

    @cached_property
    def intervals(self) -> ConformalIntervals | None:
        """The calibrated intervals; None for a model without."""
        calibration = self.manifest.calibration
        return None if calibration is None else ConformalIntervals(calibration, self.card.optional)

    @classmethod
    def compare_output(cls, folder: ModelFolder[NumberCard, Manifest]) -> Iterator[str]:
        card, calibration = folder.card, folder.manifest.calibration
        if folder.manifest.axis is None:
            yield f"{folder.manifest_path}: a regressor needs an axis."
        if calibration is None:
            return
        if calibration.coverage != card.output.coverage:
            yield (
                f"{folder.locate('output', 'coverage')}: output.coverage = {card.output.coverage}, "
                f"but the range was calibrated for {calibration.coverage}. Write that, or train "
                "again."
            )
        yield from compare_groups(folder, calibration.groups, "the calibration lacks")

    def find_promise(self, known: frozenset[str]) -> tuple[float, int] | None:
        group = None if self.intervals is None else self.intervals.find_group(known)
        if group is None or group.rows is None or group.inside is None:
            return None
        return min(group.inside, self.card.output.coverage), group.rows

    def find_ood_threshold(self, known: frozenset[str]) -> float | None:
        if self.manifest.ood_thresholds or self.intervals is None:
            return super().find_ood_threshold(known)
        return self.intervals.find_group(known).ood_threshold

    def _predict_rows(self, matrix: Float32Array) -> tuple[Float64Array, FloatArray | None]:
        predicted, scales = self.predictor.predict(matrix)
        return self.card.output.limit(predicted.astype(np.float64)), scales

    def predict_values(self, matrix: Float32Array) -> FloatArray:
        return self._predict_rows(matrix)[0]

    def answer(self, matrix: Float32Array, parts: Sequence[Part]) -> list[Answer]:
        values, scales = self._predict_rows(matrix)
        points = _select_shown(values, parts)
        low = high = points
        if self.intervals is not None:
            scales = None if scales is None else _select_shown(scales.astype(np.float64), parts)
            low, high = self.intervals.compute_bounds(
                points, scales, _list_groups(self.intervals, parts)
            )
            low, high = map(self.card.output.limit, (low, high))
        columns = points.tolist(), low.tolist(), high.tolist()
        answers, stop = [], 0
        for part in parts:
            start, stop = stop, stop + part.rows.stop - part.own
            prediction = self._make_prediction(part.known, *[column[start] for column in columns])
            curve = [column[start + 1 : stop] for column in columns]
            answers.append(Answer(prediction, values[part.rows], *curve))
        return answers

    def _make_prediction(
        self, known: frozenset[str], value: float, low: float, high: float
    ) -> PointPrediction:
        if not math.isfinite(value):
            raise ArithmeticError(f"{self.name} answered a number that is not finite")
        if self.intervals is None:
            return PointPrediction(value)
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ArithmeticError(f"{self.name} answered a bound that is not finite")
        share = self.intervals.find_share(self.intervals.find_group(known))
        return PointPrediction(value, PredictionInterval(low, high, share))

    @property
    def answer_columns(self) -> tuple[str, ...]:
        return ("prediction",) if self.intervals is None else ("prediction", "low", "high")

    def tabulate(self, prediction: PointPrediction) -> tuple[float, ...]:
        interval = prediction.interval
        if interval is None:
            return (prediction.value,)
        return prediction.value, interval.low, interval.high

    def restore(self, values: Sequence[Any], known: frozenset[str]) -> PointPrediction:
        if self.intervals is None:
            return PointPrediction(values[0])
        value, low, high = values
        return self._make_prediction(known, value, low, high)

    def predict_columns(
        self, matrix: Float32Array, patterns: Sequence[FactPattern]
    ) -> tuple[Float64Array, ...]:
        values, scales = self._predict_rows(matrix)
        limit = self.card.output.limit
        if self.intervals is None:
            return (values,)
        low, high = np.empty_like(values), np.empty_like(values)
        for rows, _, known in patterns:
            own = None if scales is None else scales[rows]
            group = self.intervals.find_group(known)
            low[rows], high[rows] = self.intervals.compute_bounds(values[rows], own, [group])
        return values, limit(low), limit(high)

    def compare_golden(
        self, prediction: PointPrediction, golden: GoldenRow
    ) -> Iterator[tuple[float, float]]:
        limit = self.card.output.limit_one
        yield prediction.value, limit(golden.value)
        if prediction.interval and golden.low is not None and golden.high is not None:
            yield prediction.interval.low, limit(golden.low)
            yield prediction.interval.high, limit(golden.high)


def _select_shown(array: Float64Array, parts: Sequence[Part]) -> Float64Array:
    """The places of an array, shape (rows,), that are shown: rows to predict and their curves."""
    shown = [array[part.own : part.rows.stop] for part in parts]
    return shown[0] if len(shown) == 1 else np.concatenate(shown)


def _list_groups(intervals: ConformalIntervals, parts: Sequence[Part]) -> list[CalibrationGroup]:
    """The calibration of each row that is shown, or one for all."""
    find_group = intervals.find_group
    groups: list[CalibrationGroup] = []
    for part in parts:
        own, on_curve = find_group(part.known), find_group(part.known_on_curve)
        if len(parts) == 1 and own is on_curve:
            return [own]
        groups += [own, *[on_curve] * (part.rows.stop - part.own - 1)]
    return groups
