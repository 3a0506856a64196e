"""A model of classes on held-out rows: its figures, and its calibrated probabilities."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar

from model.contract import formatting
from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.contract.manifest import Metric, ProbabilityCalibration, ReliabilityBin
from model.making.kinds.class_evidence import find_weights
from model.making.kinds.output_kind import FOLDS, make_metric, make_share
from model.making.rows.subsets import assign_folds, iterate_folds
from model.serving.probabilities import apply_calibration, mix_uniform, weigh

# `python -m tests.studies.honesty` measures what each of these is worth.
_UNIFORM = 0.001
"""Share of the uniform distribution: a class that the model excludes stays possible."""

_PRIOR = 0.3
"""Scale of the temperature's logarithm, before any row was seen: few rows leave it near 1. Below 0
its distribution is normal, because little must make a model surer. Above it is Cauchy's, which
holds no model back that is always sure and often wrong: by a normal one, too, the worst twentieth
of the pairs was shown 22 points surer than right with 60 held-out rows, so it is 9."""

_COLDEST, _HOTTEST, _TRIED = 0.05, 200, 24

_LEAST_GAIN = 2.0
"""Nats that a temperature below 1 must gain in all to make the model surer than it is."""

_LEAST_GAIN_OF_WEIGHTS = 3.0
"""Nats that weights must gain for each class but one, or else the model's own shares stay."""

_SURELY = 2.0
"""Standard errors by which a class is surely rarer than a model takes it to be."""

_SURE = 0.97
"""Probability above which the rows are counted that were right; the cap is never below it."""

_CERTAIN = 0.99
"""Probability above which people hear a certainty: it takes one more mistake's worth of rows."""

_LEAST_FOR_FOLDS = 20
_BINS = 10
_LEAST_IN_BIN = 10


def measure_classifier(
    probabilities: Float64Array, truth: IntArray, has_probabilities: bool, weighted: bool = False
) -> tuple[tuple[Metric, ...], ProbabilityCalibration | None, tuple[ReliabilityBin, ...]]:
    """Measure a model of classes and calibrate its probabilities.

    Args:
        probabilities: of the held-out rows, shape (rows, classes).
        truth: the indices of their true classes, shape (rows,).
        has_probabilities: False for a model that only names a class.
        weighted: whether a probability is the answer, and not the class that comes first.

    Returns:
        The figures, those after calibration by cross-validation; the calibration, None where there
        are no probabilities; and how right they were, empty where there are too few rows.
    """
    predicted = probabilities.argmax(axis=1)
    metrics = [
        make_share("accuracy", "Right answers", float(np.mean(predicted == truth))),
        make_share(
            "balanced",
            "Right answers, each class weighted equally",
            float(np.mean([np.mean(predicted[truth == code] == code) for code in set(truth)])),
        ),
    ]
    if not has_probabilities:
        return tuple(metrics), None, ()
    metrics += [
        metric.model_copy(
            update={"name": f"{metric.name}_before", "label": f"{metric.label}, uncalibrated"}
        )
        for metric in _measure_probabilities(probabilities, truth)
    ]
    calibration = fit_calibration(probabilities, truth, weighted)
    if len(truth) < _LEAST_FOR_FOLDS:
        return tuple(metrics), calibration, ()
    calibrated = np.empty_like(probabilities)
    for others, held_out in iterate_folds(
        assign_folds(len(truth), FOLDS, np.random.default_rng(0))
    ):
        fitted = fit_calibration(probabilities[others], truth[others], weighted)
        calibrated[held_out] = apply_calibration(probabilities[held_out], fitted)
    metrics += _measure_probabilities(calibrated, truth)
    return tuple(metrics), calibration, _bin_reliability(calibrated, truth)


def describe_rows(cases: str, model: str, reliability: Sequence[ReliabilityBin]) -> str:
    """Say on what ``measure_classifier`` measured.

    Args:
        cases: what was held out, with their count, like "200 rows".
        model: what had not seen them.
        reliability: what was found.
    """
    text = f"On {cases} that the {model} had not seen."
    if reliability:
        text += (
            f" The same {cases.split()[-1]} calibrated its probabilities; the figures after "
            "calibration are from tenfold cross-validation over them."
        )
    return text


def describe_excess(
    probabilities: Float64Array, truth: IntArray, names: Sequence[str], locale: str
) -> str:
    """Say which class the probabilities take for more frequent than it is; "" if none clearly.

    Args:
        probabilities: of held-out rows, shape (rows, classes).
        truth: the indices of their true classes, shape (rows,).
        names: of the classes.
        locale: how numbers are written.
    """
    if not fit_weights(probabilities, truth):
        return ""
    given = probabilities.mean(axis=0)
    shares = np.bincount(truth, minlength=len(given)) / len(truth)
    place = int((given - shares).argmax())
    error = np.sqrt(shares[place] * (1 - shares[place]) / len(truth))
    if given[place] - shares[place] < _SURELY * error:
        return ""
    mean, share = (
        formatting.format_percent(float(each[place]), locale) for each in (given, shares)
    )
    return (
        f"Its probabilities take {names[place]} for more frequent than it is: {mean} on average, "
        f"where {share} of these rows are it."
    )


def _measure_probabilities(probabilities: Float64Array, truth: IntArray) -> list[Metric]:
    right = probabilities.argmax(axis=1) == truth
    error = calibration_error(probabilities.max(axis=1), right)
    return [
        make_metric("log_loss", "Log loss", log_loss(probabilities, truth)),
        make_share("off", "Probabilities off by, on average", error),
    ]


def _bin_reliability(probabilities: Float64Array, truth: IntArray) -> tuple[ReliabilityBin, ...]:
    first, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    count = max(min(_BINS, len(truth) // _LEAST_IN_BIN), 1)
    return tuple(
        ReliabilityBin(
            probability=round(float(first[rows].mean()), 4),
            right=round(float(right[rows].mean()), 4),
            rows=len(rows),
        )
        for rows in np.array_split(np.argsort(first, kind="stable"), count)
    )


def fit_calibration(
    probabilities: Float64Array, truth: IntArray, weighted: bool = False
) -> ProbabilityCalibration:
    """Fit what makes probabilities no surer than held-out rows allow.

    Args:
        probabilities: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).
        weighted: whether the classes may get weights, by which another one may come first.
    """
    rows = len(truth)
    most = (rows + 0.5) / (rows + 1)
    weights = fit_weights(probabilities, truth) if weighted else ()
    fitted = ProbabilityCalibration(
        rows=rows,
        weights=weights,
        uniform=_UNIFORM,
        temperature=_fit_temperature(weigh(probabilities, weights), truth),
        most=_round_down(most),
    )
    shown = apply_calibration(probabilities, fitted)
    sure = shown.max(axis=1) > _SURE
    if not sure.any():
        return fitted
    right, count = int((shown.argmax(axis=1) == truth)[sure].sum()), int(sure.sum())
    of_sure = max((right + 0.5) / (count + 1), _SURE)
    if (right - 0.5) / (count + 1) <= _CERTAIN:
        of_sure = min(of_sure, _CERTAIN)
    return fitted.model_copy(update={"most": _round_down(min(most, of_sure))})


def fit_weights(probabilities: Float64Array, truth: IntArray) -> tuple[float, ...]:
    """Fit the weights with which each class comes as often as in the rows.

    Args:
        probabilities: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).

    Returns:
        A weight for each class; none where they gain too little.
    """
    count = probabilities.shape[1]
    shares = (np.bincount(truth, minlength=count) + 0.5) / (len(truth) + count / 2)
    mixed = mix_uniform(probabilities, _UNIFORM)
    weights = find_weights(mixed, shares)
    found = tuple(float(f"{weight:.4g}") for weight in weights / weights.max())
    gain = (log_loss(mixed, truth) - log_loss(weigh(mixed, found), truth)) * len(truth)
    return found if gain >= _LEAST_GAIN_OF_WEIGHTS * (count - 1) else ()


def _round_down(probability: float) -> float:
    """Cut off after six decimals: what the rows allow must not be passed."""
    return math.floor(probability * 1e6) / 1e6


def _fit_temperature(probabilities: Float64Array, truth: IntArray) -> float:
    """The temperature at which log loss and prior together are least.

    One that makes the model surer must stand a further row: one of median sureness that it gets
    wrong. A small holdout that is classified wholly right by luck would have it very sure.
    """
    found = _minimize_log_loss(probabilities, truth)
    if found >= 1:
        return found
    first = probabilities.max(axis=1)
    row = probabilities[[np.argsort(first)[len(first) // 2]]]
    runner_up = np.argsort(row[0])[-2]
    return _minimize_log_loss(
        np.concatenate([probabilities, row]), np.append(truth, runner_up).astype(np.int64)
    )


def _minimize_log_loss(probabilities: Float64Array, truth: IntArray) -> float:
    """The temperature at which log loss and prior are least; 1 where one below gains little."""

    def lose(exponent: float) -> float:
        """The log loss of all rows, in nats, at the temperature exp(exponent)."""
        tried = ProbabilityCalibration(uniform=_UNIFORM, temperature=float(np.exp(exponent)))
        return log_loss(apply_calibration(probabilities, tried), truth) * len(truth)

    def lose_with_prior(exponent: float) -> float:
        ratio = (exponent / _PRIOR) ** 2
        return lose(exponent) + (float(np.log1p(ratio)) if exponent > 0 else ratio / 2)

    # The prior has long tails, so there may be two valleys: the grid finds the deeper one.
    grid = np.linspace(np.log(_COLDEST), np.log(_HOTTEST), _TRIED)
    least = int(np.argmin([lose_with_prior(exponent) for exponent in grid]))
    ends = grid[max(least - 1, 0)], grid[min(least + 1, _TRIED - 1)]
    found = minimize_scalar(lose_with_prior, bounds=ends, method="bounded").x
    if found < 0 and lose(0.0) - lose(found) < _LEAST_GAIN:
        return 1.0
    return round(float(np.exp(found)), 4)


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
