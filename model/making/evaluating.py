"""How good the model is on rows that it has not seen: figures, calibration, and both in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.manifest import Calibration, Metric
from model.making.classification_metrics import LEAST_FOR_TEMPERATURE, measure_classifier
from model.making.dataset import Dataset
from model.making.drafting import LOCALE, DraftOutput
from model.making.options import AddNote
from model.making.predicting import PredictFloat64
from model.making.regression_metrics import TooFewRowsError, measure_regressor

SEED = 0
"""The seed of everything random in an added model."""

_RANDOM_ROWS = 500


@dataclass(frozen=True)
class Evaluation:
    """What held-out rows showed: figures, calibration, and both in words."""

    how: str
    accuracy: str
    metrics: tuple[Metric, ...] = ()
    calibration: Calibration | None = None
    temperature: float | None = None


def evaluate(
    predict: PredictFloat64,
    dataset: Dataset,
    output: DraftOutput,
    coverage: float,
    add_note: AddNote,
) -> Evaluation:
    """Measure and calibrate the model on the held-out rows, as far as there are enough of them.

    Args:
        predict: the served model.
        dataset: the rows, held out or not.
        output: what the model answers.
        coverage: the share of rows that should fall into their range.
        add_note: called with the reason for each thing that is left out.
    """
    count = int(dataset.held_out.sum())
    if not count:
        add_note(
            "Nothing was measured and there is no range, because no held-out rows were given. "
            "Give rows that the model has not seen with --holdout: a file, or a column of the data."
        )
        how = "Nothing was measured: no rows were held out from the model."
        accuracy = "How good it is was not measured"
        accuracy += "." if output.classes else ", so it gives no range."
        return Evaluation(how, accuracy)
    if output.classes:
        return _evaluate_classifier(predict, dataset, output, add_note)
    return _evaluate_regressor(predict, dataset, output, coverage, add_note)


def _evaluate_classifier(
    predict: PredictFloat64, dataset: Dataset, output: DraftOutput, add_note: AddNote
) -> Evaluation:
    held_out = dataset.held_out
    count = int(held_out.sum())
    shown = formatting.format_number(count, LOCALE)
    metrics, temperature = measure_classifier(
        predict(dataset.matrix[held_out].astype(np.float32)),
        dataset.truth[held_out].astype(np.int64),
        output.probabilities,
    )
    how = f"On {shown} rows that the model had not seen."
    if temperature is not None:
        how += (
            " The same rows calibrated its probabilities by one temperature; the figures after "
            "calibration are from tenfold cross-validation over them."
        )
    elif output.probabilities:
        add_note(
            f"{shown} held-out rows are too few to calibrate probabilities."
            if count < LEAST_FOR_TEMPERATURE
            else "Its probabilities stay as they are: calibrated they were no better."
        )
    right = formatting.format_percent(metrics[0].value, LOCALE, digits=1)
    accuracy = (
        f"It named the right {output.naming.noun} for {right} of {shown} rows that it had not seen."
    )
    return Evaluation(how, accuracy, metrics, None, temperature)


def _evaluate_regressor(
    predict: PredictFloat64,
    dataset: Dataset,
    output: DraftOutput,
    coverage: float,
    add_note: AddNote,
) -> Evaluation:
    held_out = dataset.held_out
    optional = [
        (column, item.name) for column, item in enumerate(dataset.fields) if not item.required
    ]
    try:
        metrics, calibration = measure_regressor(
            predict,
            dataset.matrix[held_out],
            dataset.truth[held_out],
            optional,
            coverage,
            _prefers_log(predict, dataset),
        )
    except TooFewRowsError as error:
        add_note(f"There is no range. {error}")
        return Evaluation(str(error), "Too few rows were held out to give a range.")
    shown = formatting.format_number(int(held_out.sum()), LOCALE)
    off = formatting.format_number(metrics[0].value, LOCALE)
    unit = f" {output.naming.unit}" if output.naming.unit else ""
    how = f"On {shown} rows that the model had not seen."
    accuracy = f"Half the time it is off by less than {off}{unit}."
    return Evaluation(how, accuracy, metrics, calibration)


def _prefers_log(predict: PredictFloat64, dataset: Dataset) -> bool:
    """Whether errors are better shares of the answer: all positive, with a long upper tail."""
    truth, fields = dataset.truth, dataset.fields
    if truth.min() <= 0 or _skewness(truth) < 1:
        return False
    if abs(_skewness(np.log(truth))) > _skewness(truth) / 2:
        return False
    rng = np.random.default_rng(SEED)
    low, high = [item.low for item in fields], [item.high for item in fields]
    drawn = rng.uniform(low, high, (_RANDOM_ROWS, len(fields)))
    for column, item in enumerate(fields):
        if item.column.kind != "number":
            drawn[:, column] = np.round(drawn[:, column])
    rows = np.concatenate([dataset.matrix, drawn]).astype(np.float32)
    return bool((predict(rows) > 0).all())


def _skewness(values: Float64Array) -> float:
    deviation = float(np.std(values))
    return float(np.mean(((values - np.mean(values)) / deviation) ** 3)) if deviation else 0.0
