"""How well numbers fit the truth, and what else they may mean."""

import operator
from functools import partial

import numpy as np

from model.contract.arrays import Float64Array
from model.making.kinds.evidence import AS_GIVEN, WORST, Fit, Reading, report_no_answer

_LONG_TAIL = 1.0
"""The skewness from which errors are measured on a log scale, too."""
_FAR_OFF = -6.0
_MARGIN = 0.04
_LEAST_SHRUNK = 0.05
"""The skill from which answers may lie too close together because a penalty drew them there."""
_FAR_WORSE, _AS_GOOD = -1.0, -0.2
"""A skill far below that of the same answer for everybody, and one that is about that."""
_LARGE = 5.0
"""The mean error of the best constant from which a low quantile is hardly ever a logarithm of the
middle; that of numbers about 1 is."""
_MANY = 0.05
"""The rarity from which there are so many readings that one of them fits by chance."""
_LEAST_RARE = 0.25
"""Units and places are many, and one of them seems to help a weak model by chance."""
_OUTERMOST = (0.005, 0.995)
"""Between them lie the answers of a model that answers with the 1st or 99th percentile, too."""
_ABOUT_ONE = 0.2
"""Standard deviations about the value that most rows have, like 0: the mean is beside it."""


def fit_numbers(answers: Float64Array, truth: Float64Array) -> Fit:
    """Measure numbers.

    Args:
        answers: shape (rows,).
        truth: shape (rows,); nothing fits better or worse where they are all alike.
    """
    middle = float(np.mean(np.abs(truth - np.median(truth))))
    if not np.isfinite(answers).all():
        return report_no_answer(middle)
    if not np.ptp(truth):
        return Fit(0.0, 0.0, 0.0, 0.0, 0.0, "the target is the same in the rows that were tried")
    with np.errstate(over="ignore", invalid="ignore"):
        rank, skill, unbiased = _rank(answers, truth)
        if truth.min() > 0 and answers.min() > 0 and _skewness(truth) > _LONG_TAIL:
            rank = max(rank, _rank(np.log(answers), np.log(truth))[0])
        loss = float(np.mean(np.abs(answers - truth)))
    if not np.isfinite([rank, skill, unbiased]).all():
        return report_no_answer(middle)
    text, rescaled = f"R² {format_figure(skill)}", _square_correlation(answers, truth)
    return Fit(rank, skill, unbiased, loss, middle, text, rescaled=rescaled)


def _square_correlation(answers: Float64Array, truth: Float64Array) -> float:
    spread = float(np.std(answers)) * float(np.std(truth))
    together = np.mean((answers - np.mean(answers)) * (truth - np.mean(truth)))
    return float(together / spread) ** 2 if np.isfinite(spread) and spread > 0 else 0.0


def _rank(answers: Float64Array, truth: Float64Array) -> tuple[float, float, float]:
    """The rank, R², and R² without the mean error."""
    errors, deviation = answers - truth, float(np.std(truth))
    skill = 1 - float(np.mean(np.square(errors / deviation)))
    unbiased = 1 - float(np.var(errors / deviation))
    return skill - abs(float(np.mean(errors))) / deviation / 2, skill, unbiased


def format_figure(value: float) -> str:
    """Write a figure with two decimals, or a large one in groups of three digits, as far as told.

    How far off a model is that many times worse than a constant tells nothing, in 190 digits.
    """
    if value < WORST:
        return f"below {format_figure(WORST)}"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return text.replace("-", "−")


def accepts_number(
    given: Fit, cause: Fit, rarity: float, reading: Reading, inputs: bool, rare: bool
) -> bool:
    """Say whether a cause explains numbers clearly better than they are: ``OutputKind.accepts``."""
    if rare and cause.skill < _LEAST_RARE:
        return False
    gain = cause.rank - rarity - given.rank
    plain = not (inputs or rare or reading.recentres)
    large = given.constant_loss >= _LARGE
    if plain and large and given.skill < _FAR_WORSE and cause.skill >= _AS_GOOD and rarity < _MANY:
        return True  # of a model that knows nothing, too
    if given.skill < -0.02:
        needed = 0.05
    elif given.skill < 0.05:
        needed = 0.1
    else:
        needed = max(0.12, 0.3 * (1 - given.skill))
    least = _FAR_OFF if rare else _LEAST_SHRUNK
    related = given.skill >= least and cause.skill - rarity < given.rescaled + _MARGIN
    # Undoing what was done to the inputs explains as much as a line through the answers does.
    falls_short = given.skill >= -0.02 and cause.skill < given.rescaled - _MARGIN
    if inputs and (related or falls_short):
        return False
    # A quantile model is off on purpose: taking its mean error off must not look like a cause.
    spared = not inputs and (reading.recentres or given.skill < _FAR_OFF)
    return (
        cause.beats_constant
        and gain >= needed
        and (spared or cause.skill - rarity >= given.unbiased + _MARGIN)
    )


def explain_nonsense(answers: Float64Array, truth: Float64Array) -> str:
    """Say why numbers cannot be answers to this target; "" where they can.

    Args:
        answers: shape (rows,).
        truth: shape (rows,).
    """
    low, high = np.quantile(truth, _OUTERMOST).tolist()
    deviation = float(np.std(truth))
    median = float(np.median(answers))
    room = _ABOUT_ONE * deviation if np.median(truth) in (low, high) else 0.0
    if not low - room <= median <= high + room:
        return (
            f"Half of its answers are {'below' if median < low else 'above'} {median:,.6g}, but 99 "
            f"of 100 rows have between {low:,.6g} and {high:,.6g}."
        )
    fit = fit_numbers(answers, truth)
    if fit.unbiased < -1.5 and float(np.std(answers)) > 1.5 * deviation:
        return f"Its answers vary far more than the target, and not with it: {fit.text}."
    return ""


def list_number_readings(truth: Float64Array) -> tuple[Reading, ...]:
    """List what answers may mean, the answers as they are first.

    Args:
        truth: of all rows, shape (rows,).
    """
    mean, deviation = float(np.mean(truth)), float(np.std(truth))
    low, high = float(truth.min()), float(truth.max())
    scaler = "Add the file of the target's scaler."
    readings = [
        AS_GIVEN,
        Reading("the logarithm (log1p) of the target", "--target-inverse expm1", np.expm1, 0.02),
        Reading("the logarithm of the target", "--target-inverse exp", np.exp, 0.02),
        Reading("the square root of the target", "--target-inverse square", np.square, 0.03),
        Reading(
            "the logarithm to base 10 of the target",
            "--target-inverse exp10",
            lambda answers: np.power(10.0, answers),
            0.03,
        ),
        Reading(
            "the target standardised",
            scaler,
            lambda answers: answers * deviation + mean,
            0.03,
            recentres=True,
        ),
        Reading(
            "the target scaled to between 0 and 1",
            scaler,
            lambda answers: answers * (high - low) + low,
            0.03,
            recentres=True,
        ),
    ]
    for power in (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6):
        factor = 10.0**power
        readings.append(
            Reading(
                f"the target divided by {factor:g}",
                f'--target-inverse "scale {factor:g}"',
                partial(operator.mul, factor),
                0.05,
            )
        )
    return tuple(readings)


def _skewness(values: Float64Array) -> float:
    deviation = float(np.std(values))
    return float(np.mean(((values - np.mean(values)) / deviation) ** 3)) if deviation else 0.0
