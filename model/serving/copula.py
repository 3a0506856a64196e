"""Finds rows whose facts do not go together, and names the facts.

A number counts by its normal score: the value below which a standard normal variable has the same
share as the number has among the training rows. The scores of the facts that are known are held
against their joint normal distribution (a Gaussian copula: Nelsen, An Introduction to Copulas,
2006), so facts may be missing in the training rows and in the row. A row is out-of-distribution if
its scores are too far from the centre, if one of them is too far from what the others lead to
expect, if two that correlate are too far apart, or if all are too far out together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from model.contract.arrays import BoolArray, Float64Array, FloatArray, IntArray

_FEW_ROWS = 8
"""Rows below which plain Python is faster than NumPy, which takes 2 µs a column to begin."""

_FEW_FACTS = 12
"""Facts up to which it is quicker to find the scores of a row one by one, and to project them at
every point of a curve."""

_FAR = 1e6
"""Lengths of the outer tenth by which the scores go on beyond the outermost values."""

_TENTH = 1.28
"""The normal score that a tenth of the rows have above it."""

_LEAST_CORRELATION = 0.3
_MOST_PAIRS = 100
"""Pairs of facts that are compared: those that correlate best."""

_BEYOND = 6.0
"""Normal score that no row of a hundred million has: the fact is far out by itself."""

_CLEAR = 2.5
"""Standard deviations from which facts speak against each other."""


class Limits(NamedTuple):
    """Beyond any of these a row is out-of-distribution; see ``KnownFacts.measure``.

    ``distance`` is that of the Mahalanobis distance as a normal score, whatever the number of
    facts; ``together`` is that of the direction in which all vary most.
    """

    distance: float
    projection: float
    together: float


class Marginal(NamedTuple):
    """The normal scores of one fact, linear between knots.

    ``column`` is its column in the matrix; ``codes`` and ``scores`` (knots,) ascend.
    """

    column: int
    codes: Float64Array
    scores: Float64Array


class ScoreLines(NamedTuple):
    """The same as lines between the knots: where each but the last ends, where it starts, its score
    there, and its slope."""

    ends: list[float]
    starts: list[float]
    lows: list[float]
    slopes: list[float]


class ScoreTable(NamedTuple):
    """The lines of many facts.

    Those of a fact begin at its ``first`` (facts,) in ``starts``, ``lows`` and ``slopes`` (lines,);
    its row of ``ends`` (facts, most lines) is filled up with infinity.
    """

    first: IntArray
    ends: Float64Array
    starts: Float64Array
    lows: Float64Array
    slopes: Float64Array

    def compute(self, codes: Float64Array) -> Float64Array:
        """The normal scores of one code a fact, both of shape (facts,)."""
        line = self.first + (self.ends <= codes[:, None]).sum(axis=1)
        scores: Float64Array = self.lows[line] + (codes - self.starts[line]) * self.slopes[line]
        return scores


class GaussianCopula:
    """The joint distribution of the facts in the training rows.

    ``correlation`` (facts, facts) is that of the scores, in the order of ``marginals``.
    """

    def __init__(
        self, marginals: Sequence[Marginal], correlation: Float64Array, limits: Limits
    ) -> None:
        self.marginals, self.correlation, self.limits = tuple(marginals), correlation, limits
        self.columns = tuple(marginal.column for marginal in marginals)
        self._knots = {marginal.column: _extend(marginal) for marginal in marginals}
        self.lines = {column: _list_lines(*knots) for column, knots in self._knots.items()}
        self.select = lru_cache(maxsize=256)(self._select)

    def _select(self, columns: Iterable[int]) -> "KnownFacts | None":
        """The distribution of the facts in some columns; None where none of them has scores."""
        known = set(columns)
        places = [index for index, column in enumerate(self.columns) if column in known]
        if not places:
            return None
        return KnownFacts(self, places)

    def compute_column_scores(self, column: int, codes: FloatArray) -> Float64Array:
        """The normal scores of one fact's codes, both of shape (rows,)."""
        return np.interp(codes, *self._knots[column])

    def save(self, path: Path) -> None:
        """Write the arrays to an ``.npz`` file."""
        columns, codes, scores = zip(*self.marginals, strict=True)
        np.savez_compressed(
            path,
            columns=np.array(columns),
            knots=np.array([len(item) for item in codes]),
            codes=np.concatenate(codes),
            scores=np.concatenate(scores),
            correlation=self.correlation,
            limits=np.array(self.limits),
        )

    @classmethod
    def load(cls, path: Path) -> "GaussianCopula":
        """Read the file that ``save`` wrote; nothing in it can run."""
        with np.load(path, allow_pickle=False) as arrays:
            ends = np.cumsum(arrays["knots"])[:-1]
            codes, scores = np.split(arrays["codes"], ends), np.split(arrays["scores"], ends)
            marginals = list(map(Marginal, arrays["columns"].tolist(), codes, scores))
            distance, *others = arrays["limits"].tolist()
            # Files of old have one limit for all projections.
            return cls(marginals, arrays["correlation"], Limits(distance, others[0], others[-1]))


class KnownFacts:
    """The joint distribution of the facts that are known; ``columns`` are theirs in the matrix."""

    def __init__(self, copula: GaussianCopula, places: Sequence[int]) -> None:
        """Choose the facts at some places in the copula's order."""
        self._copula, self._limits = copula, copula.limits
        self.columns = tuple(copula.columns[index] for index in places)
        self._lines = [(column, copula.lines[column]) for column in self.columns]
        self._places = np.array(self.columns)
        many = len(places) > _FEW_FACTS
        self._table = _join_lines([lines for _, lines in self._lines]) if many else None
        correlation = copula.correlation[np.ix_(places, places)]
        self._square_limit = compute_square_limit(self._limits.distance, len(places))
        precision = np.linalg.inv(correlation)
        self._roots = np.sqrt(np.diag(precision))
        self._pairs, differences = _find_pairs(correlation)
        variances, directions = np.linalg.eigh(correlation)
        together = directions[:, -1] / np.sqrt(variances[-1])
        self._projections = np.column_stack([precision / self._roots, differences, together])
        self._projection_limits = np.full(self._projections.shape[1], self._limits.projection)
        self._projection_limits[-1] = self._limits.together

    def compute_scores(self, rows: Sequence[Sequence[float]] | Float64Array) -> Float64Array:
        """The normal scores of the facts, shape (rows, facts), for rows of one code a field."""
        if len(rows) < _FEW_ROWS:
            if self._table is not None:
                codes = np.array(rows)[:, self._places]
                return np.array([self._table.compute(row) for row in codes])
            return np.array([self._compute_row(row) for row in rows])
        codes, score_column = np.array(rows).T, self._copula.compute_column_scores
        return np.stack([score_column(column, codes[column]) for column in self.columns], axis=1)

    def _compute_row(self, row: Sequence[float] | Float64Array) -> list[float]:
        scores = []
        for column, (ends, starts, lows, slopes) in self._lines:
            code = row[column]
            line = bisect_right(ends, code)
            scores.append(lows[line] + (code - starts[line]) * slopes[line])
        return scores

    def measure(self, scores: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
        """Measure how unusual rows are, in three ways; each figure has a limit.

        Args:
            scores: the normal scores, shape (rows, facts).

        Returns:
            Each of shape (rows,): the squared Mahalanobis distance; the largest of several standard
            normal variables: the residual of each fact, given the others, and the difference of two
            facts that correlate; and such a variable in the direction in which all vary most.
        """
        projected = scores @ self._projections
        sizes = np.abs(projected)
        return self._measure_distances(scores, projected), sizes[:, :-1].max(axis=1), sizes[:, -1]

    def _measure_distances(self, scores: Float64Array, projected: Float64Array) -> Float64Array:
        squares: Float64Array = np.vecdot(scores * self._roots, projected[:, : len(self.columns)])
        return squares

    def find_outliers(self, scores: Float64Array) -> BoolArray:
        """Whether each row is out-of-distribution, shape (rows,), by scores (rows, facts)."""
        return self._exceed(scores, scores @ self._projections)

    def find_outliers_along(
        self, scores: Float64Array, place: int, values: Float64Array
    ) -> BoolArray:
        """Whether a row is out-of-distribution, as it is and with other scores of one fact.

        Args:
            scores: those of the row, shape (facts,).
            place: of the fact among them.
            values: the scores that it takes, shape (points,).

        Returns:
            Shape (1 + points,).
        """
        rows = scores[None].repeat(1 + len(values), axis=0)
        rows[1:, place] = values
        if len(scores) <= _FEW_FACTS:
            return self.find_outliers(rows)
        # Only one fact moves, so all of them are projected once and not at every point.
        moves = np.multiply.outer(rows[:, place] - scores[place], self._projections[place])
        return self._exceed(rows, scores @ self._projections + moves)

    def _exceed(self, scores: Float64Array, projected: Float64Array) -> BoolArray:
        far: BoolArray = self._measure_distances(scores, projected) > self._square_limit
        return far | (np.abs(projected) > self._projection_limits).any(axis=1)

    def find_culprits(self, scores: Float64Array) -> list[tuple[tuple[int, ...], bool]]:
        """Find the facts that speak most against each row, by scores (rows, facts).

        Returns:
            Of each row, their columns: two that do not go together, one against which the others
            speak, or none where it takes all of them to see that they are unusual. And whether the
            one is unusual by itself.
        """
        sizes, projected = np.abs(scores), np.abs(scores @ self._projections)
        facts, pairs = scores.shape[1], len(self._pairs)
        residuals, differences = projected[:, :facts], projected[:, facts : facts + pairs]
        farthest, largest = sizes.argmax(axis=1).tolist(), residuals.argmax(axis=1).tolist()
        farthest_pairs = differences.argmax(axis=1).tolist() if pairs else farthest
        is_beyond = (sizes.max(axis=1) > _BEYOND).tolist()
        is_pair = (differences.max(axis=1, initial=0.0) > _CLEAR).tolist()
        is_clear = (residuals.max(axis=1) > _CLEAR).tolist()
        found: list[tuple[tuple[int, ...], bool]] = []
        for row in range(len(scores)):
            if is_beyond[row]:
                found.append(((self.columns[farthest[row]],), True))
            elif is_pair[row]:
                pair = self._pairs[farthest_pairs[row]]
                found.append((tuple(self.columns[index] for index in pair), False))
            elif is_clear[row]:
                fact = largest[row]
                alone = float(sizes[row, fact]) > self._limits.projection
                found.append(((self.columns[fact],), alone))
            else:
                found.append(((), False))
        return found


def _find_pairs(correlation: Float64Array) -> tuple[list[tuple[int, int]], Float64Array]:
    """Find the facts that correlate best, and the difference of each two as a projection.

    Returns:
        The pairs; and the projections, shape (facts, pairs).
    """
    first, second = np.nonzero(np.triu(np.abs(correlation) >= _LEAST_CORRELATION, 1))
    strength = np.abs(correlation[first, second])
    best = np.argsort(-strength, kind="stable")[:_MOST_PAIRS]
    first, second, numbers = first[best], second[best], np.arange(len(best))
    projections = np.zeros((len(correlation), len(best)))
    projections[first, numbers] = 1
    projections[second, numbers] = -np.sign(correlation[first, second])
    projections /= np.sqrt(2 - 2 * strength[best])
    return list(zip(first.tolist(), second.tolist(), strict=True)), projections


def standardize_squares(squares: Float64Array, facts: int) -> Float64Array:
    """The normal scores of squared Mahalanobis distances, both of shape (rows,).

    By Wilson and Hilferty (1931): the cube root of a chi-squared variable is about normal.
    """
    variance = 2 / (9 * facts)
    scores: Float64Array = (np.cbrt(squares / facts) - 1 + variance) / variance**0.5
    return scores


def compute_square_limit(score: float, facts: int) -> float:
    """The inverse of ``standardize_squares``."""
    variance = 2 / (9 * facts)
    return float(facts * (1 - variance + score * variance**0.5) ** 3)


def _extend(marginal: Marginal) -> tuple[Float64Array, Float64Array]:
    """The knots with one more, far out, at each end.

    The scores go on as steeply as over the outer tenth: the last segment alone may be short, where
    two rows are nearly equal.
    """
    codes, scores = marginal.codes, marginal.scores
    low, high = np.searchsorted(scores, [-_TENTH, _TENTH]).tolist()
    low, high = max(low, 1), min(high, len(codes) - 1) - 1
    return _extend_ends(codes, low, high), _extend_ends(scores, low, high)


def _list_lines(codes: Float64Array, scores: Float64Array) -> ScoreLines:
    slopes = np.diff(scores) / np.diff(codes)
    parts = codes[1:-1], codes[:-1], scores[:-1], slopes
    return ScoreLines(*(part.tolist() for part in parts))


def _join_lines(facts: Sequence[ScoreLines]) -> ScoreTable:
    counts = [len(lines.starts) for lines in facts]
    ends = np.full((len(facts), max(counts)), np.inf)
    for row, lines in zip(ends, facts, strict=True):
        row[: len(lines.ends)] = lines.ends
    parts = (np.concatenate(part) for part in list(zip(*facts, strict=True))[1:])
    return ScoreTable(np.cumsum([0, *counts[:-1]]), ends, *parts)


def _extend_ends(values: Float64Array, low: int, high: int) -> Float64Array:
    below = values[0] - _FAR * (values[low] - values[0])
    above = values[-1] + _FAR * (values[-1] - values[high])
    return np.concatenate([[below], values, [above]])
