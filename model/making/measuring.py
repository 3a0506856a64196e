"""What rows that a model has not seen say about it: figures, a range that holds, a temperature."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.metrics import balanced_accuracy_score, r2_score

from model.contract.arrays import Float32Array, Float64Array, IntArray
from model.contract.manifest import Calibration, CalibrationGroup, Metric
from model.making.conformal import calibrate, folds, mask, splits
from model.serving.temperature import apply_temperature

PredictFunction = Callable[[Float32Array], Float64Array]
"""Values, shape (rows,), or probabilities, shape (rows, classes), for a matrix of codes."""


EVERY_SUBSET = 6
"""Optional facts up to which each set of known ones gets its own range."""

LEAST_FOR_TEMPERATURE = 50
"""Held-out rows below which probabilities are not calibrated."""

_FOLDS = 10
_BINS = 10
_METHOD = (
    "{share} of 100 rows should fall into their range. It is a conformal range: its width was set "
    "on {rows} rows that the model had not seen{apart}."
)


class TooFewRowsError(Exception):
    """There are too few held-out rows for what was asked; says how many there must be."""


def rows_needed(coverage: float) -> int:
    """Held-out rows below which no range of this coverage can be had."""
    miss = (1 - coverage) / 2
    return int(np.ceil(np.round((1 - miss) / miss, 9)))


def measure_numbers(
    answer: PredictFunction,
    matrix: Float64Array,
    truth: Float64Array,
    optional: Sequence[tuple[int, str]],
    coverage: float,
    log: bool,
) -> tuple[tuple[Metric, ...], Calibration]:
    """Measure a model of numbers and calibrate its range.

    Args:
        answer: the served model.
        matrix: the held-out rows, shape (rows, fields); NaN where unknown.
        truth: what is true of them, shape (rows,).
        optional: column and name of each optional fact.
        coverage: of the range, like 0.9.
        log: whether errors are shares of the answer rather than in its unit.

    Raises:
        TooFewRowsError: if the rows cannot give that coverage.
    """
    if len(truth) < (needed := rows_needed(coverage)):
        raise TooFewRowsError(
            f"A range that holds {coverage:.0%} needs at least {needed} held-out rows, and some "
            f"hundred to be worth much; there are {len(truth)}."
        )
    values = answer(matrix.astype(np.float32))
    groups = []
    for known, count in _sets(optional):
        masked, among = _masked(matrix, optional, known, count)
        groups.append(_group(answer, masked, truth[among], coverage, log, known, count))
    inside = _coverage(values, truth, coverage, log)
    metrics = [
        _metric("error", "Median error", float(np.median(np.abs(values - truth)))),
        _metric("r2", "R²: share of the variance explained", float(r2_score(truth, values))),
    ]
    if inside is not None:
        metrics.append(
            _share("coverage", f"Rows inside their range ({coverage:.0%} is the aim)", inside)
        )
    apart = ""
    if optional:
        apart = (
            ", apart for each set of facts that can be given"
            if len(optional) <= EVERY_SUBSET
            else ", apart for each number of facts that are left empty"
        )
    method = _METHOD.format(share=round(coverage * 100), rows=len(truth), apart=apart)
    return tuple(metrics), Calibration(
        method=method,
        coverage=coverage,
        scale="log" if log else "linear",
        groups=tuple(groups),
    )


def _sets(
    optional: Sequence[tuple[int, str]],
) -> list[tuple[tuple[str, ...], int | None]]:
    """Every set of known facts; where these are too many, every number of unknown ones."""
    names = [name for _, name in optional]
    if len(names) > EVERY_SUBSET:
        return [((), unknown) for unknown in range(len(names) + 1)]
    return [
        (known, None)
        for size in range(len(names) + 1)
        for known in itertools.combinations(names, size)
    ]


def _masked(
    matrix: Float64Array,
    optional: Sequence[tuple[int, str]],
    known: tuple[str, ...],
    count: int | None,
) -> tuple[Float64Array, IntArray]:
    """The held-out rows with just these facts known, and which rows they are.

    Rows that lack one of them take part only where there are too few others.
    """
    columns = [column for column, _ in optional]
    has = ~np.isnan(matrix[:, columns])
    if count is None:
        keep = np.array([name in known for _, name in optional], dtype=bool)
        wanted = np.tile(keep, (len(matrix), 1))
        fits = (has | ~keep).all(axis=1)
    else:
        rng = np.random.default_rng(count)
        order = rng.random(has.shape)
        order[~has] = -1  # what is unknown anyway is left out first
        wanted = np.argsort(np.argsort(order, axis=1), axis=1) >= count
        fits = (has | ~wanted).all(axis=1)
    among = np.flatnonzero(fits)
    if len(among) < max(rows_needed(0.95), len(matrix) // 10):
        among = np.arange(len(matrix))
    return mask(matrix[among], wanted[among], columns), among


def _group(
    answer: PredictFunction,
    rows: Float64Array,
    truth: Float64Array,
    coverage: float,
    log: bool,
    known: tuple[str, ...],
    count: int | None,
) -> CalibrationGroup:
    values = answer(rows.astype(np.float32))
    bounds = calibrate(_scores(values, truth, log)[None, :], coverage)
    low, high = -float(bounds.low[0]), float(bounds.high[0])
    if log:
        width = float(np.median(np.exp(high) - np.exp(-low)))
        error = float(np.median(np.abs(values / truth - 1)))
    else:
        width, error = low + high, float(np.median(np.abs(values - truth)))
    return CalibrationGroup(
        known=known,
        unknown=count,
        low=_digits(low),
        high=_digits(high),
        width=max(_digits(width), 1e-9),
        error=_digits(error),
    )


def _scores(values: Float64Array, truth: Float64Array, log: bool) -> Float64Array:
    scores: Float64Array = np.log(truth) - np.log(values) if log else truth - values
    return scores


def _coverage(
    values: Float64Array, truth: Float64Array, coverage: float, log: bool
) -> float | None:
    """The share of rows inside a range that was calibrated on the other held-out rows.

    None where these are too few.
    """
    scores = _scores(values, truth, log)
    inside = []
    for others, held in splits(folds(len(truth), _FOLDS, np.random.default_rng(0))):
        try:
            bounds = calibrate(scores[others][None, :], coverage)
        except ValueError:  # just enough rows for the range, and not for this
            return None
        inside.append((bounds.low[0] <= scores[held]) & (scores[held] <= bounds.high[0]))
    return float(np.mean(np.concatenate(inside)))


def measure_classes(
    probabilities: Float64Array, truth: IntArray, says_probabilities: bool
) -> tuple[tuple[Metric, ...], float | None]:
    """Measure a model of classes and find the temperature of its probabilities.

    Args:
        probabilities: of the held-out rows, shape (rows, classes).
        truth: their classes' indices, shape (rows,).
        says_probabilities: False for a model that says a class alone.

    Returns:
        The figures, those after calibration by cross-validation; and the temperature, None where
        there are too few rows or no probabilities, or where it does not make the log loss less.
    """
    said = probabilities.argmax(axis=1)
    metrics = [
        _share("accuracy", "Right answers", float(np.mean(said == truth))),
        _share(
            "balanced",
            "Right answers, every class counted alike",
            float(balanced_accuracy_score(truth, said)),
        ),
    ]
    if not says_probabilities:
        return tuple(metrics), None
    plain = [
        _metric("log_loss", "Log loss", log_loss(probabilities, truth)),
        _share("off", "Probabilities off by, on average", calibration_error(probabilities, truth)),
    ]
    if len(truth) < LEAST_FOR_TEMPERATURE:
        return (*metrics, *plain), None
    cooled = np.empty_like(probabilities)
    for others, held in splits(folds(len(truth), _FOLDS, np.random.default_rng(0))):
        found = fit_temperature(probabilities[others], truth[others])
        cooled[held] = apply_temperature(probabilities[held], found)
    if log_loss(cooled, truth) >= log_loss(probabilities, truth):
        return (*metrics, *plain), None
    before = [
        metric.model_copy(
            update={"name": f"{metric.name}_before", "label": f"{metric.label}, uncalibrated"}
        )
        for metric in plain
    ]
    after = [
        _metric("log_loss", "Log loss", log_loss(cooled, truth)),
        _share("off", "Probabilities off by, on average", calibration_error(cooled, truth)),
    ]
    return (*metrics, *before, *after), fit_temperature(probabilities, truth)


def fit_temperature(probabilities: Float64Array, truth: IntArray) -> float:
    """The temperature, 0.05 to 20, at which the log loss is least."""
    found = minimize_scalar(
        lambda exponent: log_loss(apply_temperature(probabilities, float(np.exp(exponent))), truth),
        bounds=(np.log(0.05), np.log(20)),
        method="bounded",
    )
    return round(float(np.exp(found.x)), 4)


def log_loss(probabilities: Float64Array, truth: IntArray) -> float:
    """The mean negative logarithm of the probability of what was true, in nats."""
    true = np.take_along_axis(probabilities, truth[:, None], axis=1)
    return float(-np.mean(np.log(np.maximum(true, 1e-12))))


def calibration_error(probabilities: Float64Array, truth: IntArray) -> float:
    """How far the named class's probability is from its share of right answers (ECE, ten bins)."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    place = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    error = 0.0
    for number in range(_BINS):
        inside = place == number
        if inside.any():
            error += float(inside.mean()) * abs(float(sure[inside].mean() - right[inside].mean()))
    return error


def _metric(name: str, label: str, value: float) -> Metric:
    return Metric(name=name, label=label, value=_digits(value), share=False)


def _share(name: str, label: str, value: float) -> Metric:
    return Metric(name=name, label=label, value=round(value, 4))


def _digits(value: float) -> float:
    """Six significant digits."""
    return float(f"{value:.6g}")
