"""Holds two models against each other on the same rows whose truth is known.

How much two figures differ by chance is found by a paired bootstrap: rows are drawn again and
again, with replacement, and both models are measured on the same ones (Efron and Tibshirani, "An
Introduction to the Bootstrap", 1993). What is hard about a row is then hard for both.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.tables import TableError
from model.monitoring.cases import Case, CaseFile
from model.serving.served_model import ServedModel

RESAMPLES = 1000

LEAST_ROWS = 30
"""Rows below which an interval is too narrow."""

_SEED = 0
_TAILS = 2.5, 97.5
_LEAST_SHARE = float(np.finfo(np.float32).eps)
"""The least probability that log loss takes, as in scikit-learn: models answer in float32."""


class Measure(NamedTuple):
    """One figure of two models on the same rows.

    ``unit`` is "output" for the output's own, "share" for one between 0 and 1, else "". The
    difference ``new - old`` lies between ``low`` and ``high`` with 95 % confidence. ``aim`` is 1
    where larger is better, -1 where smaller is, 0 where neither is. ``merit`` says what the better
    model does, "" for a measure that does not decide which one that is.
    """

    name: str
    unit: Literal["output", "share", ""]
    aim: Literal[-1, 0, 1]
    merit: str
    old: float
    new: float
    low: float
    high: float

    @property
    def is_better(self) -> bool:
        """Whether the new one is better by more than chance."""
        return self.aim * self.low > 0 and self.aim * self.high > 0

    @property
    def is_worse(self) -> bool:
        """Whether the new one is worse by more than chance."""
        return self.aim * self.low < 0 and self.aim * self.high < 0


class _Series(NamedTuple):
    """A measure before it is taken: what each case contributes, and how that is summed up."""

    name: str
    unit: Literal["output", "share", ""]
    aim: Literal[-1, 0, 1]
    merit: str
    contribute: Callable[[Case], float]
    sum_up: Callable[[Float64Array], Any]


def pair_cases(old: CaseFile, new: CaseFile) -> list[tuple[Case, Case]]:
    """Pair the cases of one file that two models have answered, row by row.

    Raises:
        TableError: if no row has an answer of both, or they do not read a truth alike.
    """
    before, after = _number_cases(old), _number_cases(new)
    pairs = {row: (before[row], after[row]) for row in after if row in before}
    if not pairs:
        raise TableError("No row has an answer of both models.")
    for row, (first, second) in pairs.items():
        if first.truth != second.truth:
            raise TableError(
                f"The two models do not answer the same: the truth in row {row} is "
                f"{first.truth!r} for one and {second.truth!r} for the other."
            )
    return list(pairs.values())


def _number_cases(read: CaseFile) -> dict[int, Case]:
    """The cases of a file by their rows, from 1."""
    rows = (row for row in range(1, read.rows + 1) if row not in read.left_out)
    return dict(zip(rows, read.cases, strict=True))


def compare_cases(pairs: Sequence[tuple[Case, Case]]) -> list[Measure]:
    """Measure an old and a new model on the same cases, by what matters most first.

    Args:
        pairs: what the old one and the new one answer to each row, one pair or more.
    """
    measures = []
    is_class = isinstance(pairs[0][0].truth, str)
    for series in _CLASSES if is_class else _NUMBERS:
        old, new = (
            np.array([series.contribute(pair[place]) for pair in pairs]) for place in (0, 1)
        )
        if np.isfinite(old).all() and np.isfinite(new).all():  # both have ranges, or probabilities
            before, after = float(series.sum_up(old)), float(series.sum_up(new))
            ends = bootstrap_difference(old, new, series.sum_up)
            measures.append(Measure(*series[:4], before, after, *ends))
    return measures


def bootstrap_difference(
    old: Float64Array, new: Float64Array, sum_up: Callable[[Float64Array], Any]
) -> tuple[float, float]:
    """Find the ends of an interval of 95 % for a difference between two figures.

    Args:
        old: what each row contributes to the old figure, shape (rows,).
        new: the same for the new figure, shape (rows,).
        sum_up: makes the figure of such contributions, shape (rows,).
    """
    rng, rows = np.random.default_rng(_SEED), len(old)
    differences = [
        float(sum_up(new[drawn]) - sum_up(old[drawn]))
        for drawn in (rng.integers(0, rows, rows) for _ in range(RESAMPLES))
    ]
    low, high = np.percentile(differences, _TAILS)
    return float(low), float(high)


def describe_training(model: ServedModel[Any, Any], read: CaseFile, digest: str, name: str) -> str:
    """Say whether a model may have learned from the rows of a file; "" where nothing hints at it.

    ``digest`` is that of the file, as manifests have it of training data.
    """
    if digest == model.manifest.data.sha256:
        return f"{name} is what {model.slug} was made with."
    if read.learned:
        return (
            f"{read.learned:,} of the rows have the facts of rows that {model.slug} learned from."
        )
    if model.kept_rows is None:
        return (
            f"The folder of {model.slug} keeps no training rows: whether these were among them "
            "cannot be seen from here."
        )
    return ""


def _measure_error(case: Case) -> float:
    return abs(float(case.truth) - float(case.value))


def _measure_hold(case: Case) -> float:
    """Whether the range held, 1 or 0; NaN where there is none."""
    if case.low is None or case.high is None:
        return math.nan
    return float(case.low <= float(case.truth) <= case.high)


def _measure_width(case: Case) -> float:
    return math.nan if case.low is None or case.high is None else case.high - case.low


def _measure_right(case: Case) -> float:
    return float(case.truth == case.value)


def _measure_surprise(case: Case) -> float:
    """The negative logarithm of the probability of what came true; NaN where there is none."""
    if case.truth_probability is None:
        return math.nan
    return -math.log(max(case.truth_probability, _LEAST_SHARE))


_NUMBERS = (
    _Series("Off on average by", "output", -1, "is off by less", _measure_error, np.mean),
    _Series("Half the time off by less than", "output", -1, "", _measure_error, np.median),
    _Series("Ranges that held", "share", 0, "", _measure_hold, np.mean),
    _Series("Typical width of the range", "output", -1, "", _measure_width, np.median),
)
_CLASSES = (
    _Series("Right", "share", 1, "is right more often", _measure_right, np.mean),
    _Series("Log loss", "", -1, "has better probabilities", _measure_surprise, np.mean),
)
