"""How good the model is by rows that it has not seen: figures, calibration, and both in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.manifest import Calibration, Metric
from model.making.dataset import Dataset
from model.making.drafting import LOCALE, Output
from model.making.measuring import (
    LEAST_FOR_TEMPERATURE,
    PredictFunction,
    TooFewRowsError,
    measure_classes,
    measure_numbers,
)
from model.making.request import Note

SEED = 0
"""With which everything random in an added model is drawn."""

_TRIED = 500


@dataclass(frozen=True)
class Evaluation:
    """What held-out rows said: figures, calibration, and both in words."""

    classes: bool
    how: str
    accuracy: str
    metrics: tuple[Metric, ...] = ()
    calibration: Calibration | None = None
    temperature: float | None = None


def evaluate(
    answer: PredictFunction, dataset: Dataset, output: Output, coverage: float, note: Note
) -> Evaluation:
    """Measure and calibrate the model on the held-out rows, as far as there are enough of them.

    Args:
        answer: the served model.
        dataset: the rows, held out and seen.
        output: what the model answers.
        coverage: the share of rows that should fall into their range.
        note: is told why something cannot be had.
    """
    held, noun = dataset.held_out, output.naming.noun
    count = int(held.sum())
    if not count:
        note(
            "Nothing was measured and there is no range: no rows were named that the model has "
            "not seen. Name them with --holdout, a file or a column."
        )
        how = "Nothing was measured: no rows were kept aside that the model had not seen."
        words = "How good it is was not measured"
        words += "." if output.classes else ", so it gives no range."
        return Evaluation(bool(output.classes), how, words)
    shown = formatting.format_number(count, LOCALE)
    how = f"On {shown} rows that the model had not seen."
    if output.classes:
        metrics, temperature = measure_classes(
            answer(dataset.matrix[held].astype(np.float32)),
            dataset.truth[held].astype(np.int64),
            output.probabilities,
        )
        if output.probabilities and temperature is None:
            note(
                f"{shown} held-out rows are too few to calibrate probabilities."
                if count < LEAST_FOR_TEMPERATURE
                else "Its probabilities stay as they are: calibrated they were no better."
            )
        if temperature is not None:
            how += (
                " Its probabilities were calibrated on the same rows by one temperature, and "
                "the figures after calibration taken by tenfold cross-validation over them."
            )
        right = formatting.format_percent(metrics[0].value, LOCALE, digits=1)
        words = f"It named the right {noun} for {right} of {shown} rows that it had not seen."
        return Evaluation(True, how, words, metrics, None, temperature)
    optional = [
        (place, item.name) for place, item in enumerate(dataset.fields) if not item.required
    ]
    try:
        metrics, calibration = measure_numbers(
            answer,
            dataset.matrix[held],
            dataset.truth[held],
            optional,
            coverage,
            _prefers_log(answer, dataset),
        )
    except TooFewRowsError as error:
        note(f"There is no range. {error}")
        return Evaluation(False, str(error), "Too few rows were kept aside to give a range.")
    off = formatting.format_number(metrics[0].value, LOCALE)
    unit = f" {output.naming.unit}" if output.naming.unit else ""
    words = f"Half of its answers came within {off}{unit} of the actual {noun}."
    return Evaluation(False, how, words, metrics, calibration)


def _prefers_log(answer: PredictFunction, dataset: Dataset) -> bool:
    """Whether errors are better shares of the answer: all positive, with a long upper tail."""
    truth, fields = dataset.truth, dataset.fields
    if truth.min() <= 0 or _skew(truth) < 1 or abs(_skew(np.log(truth))) > _skew(truth) / 2:
        return False
    rng = np.random.default_rng(SEED)
    low, high = ([getattr(item, end) for item in fields] for end in ("low", "high"))
    tried = rng.uniform(low, high, (_TRIED, len(fields)))
    for place, item in enumerate(fields):
        if item.column.kind != "number":
            tried[:, place] = np.round(tried[:, place])
    everything = np.concatenate([dataset.matrix, tried]).astype(np.float32)
    return bool((answer(everything) > 0).all())


def _skew(values: Float64Array) -> float:
    deviation = float(np.std(values))
    return float(np.mean(((values - np.mean(values)) / deviation) ** 3)) if deviation else 0.0
