"""A model of classes on held-out rows: its figures, and the temperature of its probabilities."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import balanced_accuracy_score

from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.contract.manifest import Metric
from model.making.kinds.output_kind import FOLDS, make_metric, make_share
from model.making.subsets import assign_folds, iterate_folds
from model.serving.temperature import apply_temperature

LEAST_FOR_TEMPERATURE = 50
"""Held-out rows below which probabilities are not calibrated."""

_BINS = 10


def measure_classifier(
    probabilities: Float64Array, truth: IntArray, has_probabilities: bool
) -> tuple[tuple[Metric, ...], float | None]:
    """Measure a model of classes and fit the temperature of its probabilities.

    Args:
        probabilities: of the held-out rows, shape (rows, classes).
        truth: the indices of their true classes, shape (rows,).
        has_probabilities: False for a model that only names a class.

    Returns:
        The figures, those after calibration by cross-validation; and the temperature, None where
        there are too few rows or no probabilities, or where it does not lower the log loss.
    """
    predicted = probabilities.argmax(axis=1)
    metrics = [
        make_share("accuracy", "Right answers", float(np.mean(predicted == truth))),
        make_share(
            "balanced",
            "Right answers, each class weighted equally",
            float(balanced_accuracy_score(truth, predicted)),
        ),
    ]
    if not has_probabilities:
        return tuple(metrics), None
    uncalibrated = _measure_probabilities(probabilities, truth)
    if len(truth) < LEAST_FOR_TEMPERATURE:
        return (*metrics, *uncalibrated), None
    calibrated = np.empty_like(probabilities)
    fold = assign_folds(len(truth), FOLDS, np.random.default_rng(0))
    for others, held_out in iterate_folds(fold):
        temperature = fit_temperature(probabilities[others], truth[others])
        calibrated[held_out] = apply_temperature(probabilities[held_out], temperature)
    if log_loss(calibrated, truth) >= log_loss(probabilities, truth):
        return (*metrics, *uncalibrated), None
    before = [
        metric.model_copy(
            update={"name": f"{metric.name}_before", "label": f"{metric.label}, uncalibrated"}
        )
        for metric in uncalibrated
    ]
    after = _measure_probabilities(calibrated, truth)
    return (*metrics, *before, *after), fit_temperature(probabilities, truth)


def _measure_probabilities(probabilities: Float64Array, truth: IntArray) -> list[Metric]:
    right = probabilities.argmax(axis=1) == truth
    error = calibration_error(probabilities.max(axis=1), right)
    return [
        make_metric("log_loss", "Log loss", log_loss(probabilities, truth)),
        make_share("off", "Probabilities off by, on average", error),
    ]


def fit_temperature(probabilities: Float64Array, truth: IntArray) -> float:
    """Fit the temperature, 0.05 to 20, at which the log loss is least.

    Args:
        probabilities: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).
    """
    found = minimize_scalar(
        lambda exponent: log_loss(apply_temperature(probabilities, float(np.exp(exponent))), truth),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return round(float(np.exp(found.x)), 4)


def log_loss(probabilities: Float64Array, truth: IntArray) -> float:
    """Return the mean negative logarithm of the probability of the true class, in nats.

    Args:
        probabilities: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).
    """
    true = np.take_along_axis(probabilities, truth[:, None], axis=1)
    return float(-np.mean(np.log(np.maximum(true, 1e-12))))


def calibration_error(probability: Float64Array, outcome: BoolArray) -> float:
    """Return the mean gap between probability and observed share, over ten bins, by their size.

    Expected calibration error (Guo et al., "On calibration of modern neural networks", ICML 2017).

    Args:
        probability: of an outcome, 0 to 1, shape (rows,).
        outcome: whether it came, shape (rows,).
    """
    bins = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    gaps = [
        abs(probability[bins == number].mean() - outcome[bins == number].mean())
        * np.mean(bins == number)
        for number in np.unique(bins)
    ]
    return float(sum(gaps))
