"""How well probabilities of classes fit the truth, and in which order the classes may stand."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from model.contract.arrays import Float64Array, IntArray
from model.making.kinds.evidence import Fit, report_no_answer

_TEMPERATURES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_LEAST_PROBABILITY = 1e-6
_ROUNDS = 20
"""Until weights change little."""

_GAIN = 0.05
_RARE_GAIN = 0.1
_CLEARLY_LESS = 0.6
"""The share of the log loss that is left where a cause shows in the probabilities alone.

Of sound models no form of the inputs leaves less than .97 of it, on rows of the study.
"""
_LEAST_LOSS = 0.1
"""The log loss from which that counts: of a tree that is right for 99 of 100 rows another form may
leave nothing by chance."""
_LEAST_CLASSES = 4
_LEAST_ROWS = 5
_NEVER, _MOSTLY = 0.1, 0.7

_FAVOURED = 0.6
"""The share of rows that a class gets beyond those that have it, from which something is wrong."""
_BY_CHANCE = 0.05
"""The balanced accuracy above that of guessing up to which no class is told apart."""

_MOST_SHOWN = 4
"""Classes of which rows are shown as examples."""


def fit_classes(answers: Float64Array, truth: Float64Array) -> Fit:
    """Measure probabilities.

    Args:
        answers: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).
    """
    codes = truth.astype(np.int64)
    count = answers.shape[1]
    frequencies = (np.bincount(codes, minlength=count) + 1e-9) / len(codes)
    constant = float(-np.mean(np.log(frequencies[codes])))
    if not np.isfinite(answers).all():
        return report_no_answer(constant)
    floored = np.clip(answers, _LEAST_PROBABILITY, None)
    loss = _least_loss(floored, codes)
    skill, reweighed = 1 - loss / max(constant, 1e-9), 0.0
    if skill < _GAIN:
        weights = find_weights(floored, frequencies)
        reweighed = 1 - _least_loss(floored * weights, codes) / max(constant, 1e-9)
    distance = float(np.abs(answers.mean(axis=0) - frequencies).sum()) / 2
    predicted = answers.argmax(axis=1)
    balanced = float(np.mean([np.mean(predicted[codes == code] == code) for code in set(codes)]))
    right = float(np.mean(predicted == codes))
    text = f"{right:.0%} right, balanced {balanced:.0%}"
    rank = skill - distance / 2
    return Fit(rank, skill, skill, loss, constant, text, balanced, reweighed=reweighed)


def find_weights(answers: Float64Array, shares: Float64Array) -> Float64Array:
    """Find the weights with which each class comes as often as it should.

    Rare classes that a fit counted more, or drew more often, come too often in its answers.

    Args:
        answers: probabilities above 0, shape (rows, classes).
        shares: of the classes, shape (classes,).

    Returns:
        Shape (classes,).
    """
    weights = np.ones(len(shares))
    for _ in range(_ROUNDS):
        weighed = answers * weights
        weights *= shares / (weighed / weighed.sum(axis=1, keepdims=True)).mean(axis=0)
    return weights


def comes_first(code: int, answer: Float64Array) -> bool:
    """Whether a class is the likeliest of an answer, shape (classes,)."""
    return bool(answer.argmax() == code)


def _least_loss(weights: Float64Array, codes: IntArray) -> float:
    """The log loss at the best of some temperatures."""
    return min(_log_loss(weights ** (1 / temperature), codes) for temperature in _TEMPERATURES)


def _log_loss(weights: Float64Array, codes: IntArray) -> float:
    chosen = weights[np.arange(len(codes)), codes] / weights.sum(axis=1)
    return float(-np.mean(np.log(chosen)))


def accepts_classes(given: Fit, cause: Fit, rarity: float, rare: bool, moved: bool) -> bool:
    """Say whether a cause explains the answers clearly better than they are as given.

    Args:
        given: the answers as they are.
        cause: the answers under the cause.
        rarity: of the cause, taken off its rank.
        rare: whether it is a unit or a place of a column.
        moved: whether it is another order of the classes.
    """
    needed = max(0.15, 0.3 * (1 - given.skill)) if given.skill > _GAIN else 0.15
    unsure = given.loss >= _LEAST_LOSS and cause.loss <= _CLEARLY_LESS * given.loss
    if unsure and not (rare or moved):
        needed = 0.0  # the classes may be right all the same
    return (
        cause.skill >= _GAIN
        and cause.balanced - given.balanced >= needed
        and cause.rank - rarity - given.rank >= (_RARE_GAIN if rare or moved else _GAIN)
        and not (rare and given.skill > 0.3)
    )


def match_classes(answers: Float64Array, truth: Float64Array) -> tuple[int, ...]:
    """Find which true class each class of the answers means most probably.

    Args:
        answers: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).

    Returns:
        The index of the true class for each class of the answers. (Kuhn 1955, the Hungarian method)
    """
    count = answers.shape[1]
    together = np.zeros((count, count))
    np.add.at(together.T, truth.astype(np.int64), answers)
    _, columns = linear_sum_assignment(-together)
    return tuple(columns.tolist())


def are_swapped(answers: Float64Array, truth: Float64Array, order: tuple[int, ...]) -> bool:
    """Say whether a few of many classes have each other's names, so that no row of them is right.

    All the others are right, so that the figures of all rows hardly show it.

    Args:
        answers: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).
        order: which true class each class of the answers means most probably.
    """
    codes, meant = truth.astype(np.int64), np.array(order)
    moved = np.flatnonzero(meant != np.arange(len(meant)))
    if len(meant) < _LEAST_CLASSES or not 0 < 2 * len(moved) <= len(meant):
        return False
    predicted = answers.argmax(axis=1)
    for code in moved:
        rows = codes == code
        if rows.sum() < _LEAST_ROWS or np.mean(predicted[rows] == code) > _NEVER:
            return False
        if np.mean(meant[predicted[rows]] == code) < _MOSTLY:
            return False
    return True


class Favourite(NamedTuple):
    """A class, and the shares of rows that get it and that have it."""

    place: int
    named: float
    true: float


def find_favourite(answers: Float64Array, truth: Float64Array) -> Favourite | None:
    """Find a rare class that nearly all rows get, where no class is told apart.

    A model that knows nothing names a frequent one, and weights that make rare classes count as
    much as others do not go so far.

    Args:
        answers: shape (rows, classes).
        truth: the indices of the true classes, shape (rows,).
    """
    count = answers.shape[1]
    predicted, codes = answers.argmax(axis=1), truth.astype(np.int64)
    named, true = (np.bincount(each, minlength=count) / len(codes) for each in (predicted, codes))
    place = int((named - true).argmax())
    classes = np.flatnonzero(true)
    balanced = np.mean([np.mean(predicted[codes == code] == code) for code in classes])
    rare = true[place] < true.max() / 2
    if (
        not rare
        or named[place] - true[place] < _FAVOURED
        or balanced > 1 / len(classes) + _BY_CHANCE
    ):
        return None
    return Favourite(place, float(named[place]), float(true[place]))


def list_surest_rows(
    answers: Float64Array, truth: Float64Array | None = None
) -> Iterator[tuple[int, IntArray]]:
    """Yield the most frequent classes, each with the rows that get it, the surest first.

    Args:
        answers: of the model, shape (rows, classes).
        truth: the index of the true class, shape (rows,), where only right answers count.

    Yields:
        The index of a class, and the indices of its rows, shape (its rows,).
    """
    predicted = answers.argmax(axis=1)
    for code in np.argsort(-np.bincount(predicted, minlength=answers.shape[1]))[:_MOST_SHOWN]:
        rows = np.flatnonzero((predicted == code) & (True if truth is None else truth == code))
        if len(rows):
            yield int(code), rows[np.argsort(-answers[rows, code], kind="stable")]
