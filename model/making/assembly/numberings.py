"""Numbers that somebody gave to the values of a column, as the model's own errors show them.

Each value wants the number with which the model errs least on its rows, and each number is taken
once: an assignment, which finds the best of all numberings at the price of asking each row once for
each number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import ttest_1samp

from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.making.assembly.assemblies import Assembly, ask_model
from model.making.assembly.chains import run_steps
from model.making.assembly.inputs import UNKNOWN, Codes, compute_matrix
from model.making.assembly.search import AssemblySearch
from model.making.assembly.trials import find_complete
from model.making.data.text_cells import as_text

_MOST_ASKED = 60_000
"""Rows in one call of the model."""
_MOST_VALUES = 100
"""Values of which there are too few rows each where there are more of them."""
_FAR = (2.0, 10.0)
"""Numbers that nobody counts with, by the count of values: who fits one better counts otherwise."""
_MOST_ROUNDS = 6
_CHANCE = 1e-4
"""How rarely chance alone may favor a number over the best numbering without it."""
_LEAST_ROWS = 5
_ALIKE = 1e-9
_WORST = 1e12


@dataclass(frozen=True)
class CodeLosses:
    """How wrong a model is on some rows with each number in the place of a column's value.

    ``places`` (rows,) is the place of each row's value among ``texts``; ``numbers`` (numbers,) are
    −1 to one more than there are values, and some far ones. ``losses`` has shape
    (rows, numbers); ``alike`` (numbers, numbers) is True where the model makes no difference
    between two numbers in any row.
    """

    texts: Sequence[str]
    numbers: Float64Array
    places: IntArray
    losses: Float64Array
    alike: BoolArray

    def sum_up(self) -> Float64Array:
        """The losses of all rows of each value, shape (values, numbers)."""
        totals = np.zeros((len(self.texts), len(self.numbers)))
        np.add.at(totals, self.places, self.losses)
        return totals

    def choose(self) -> IntArray:
        """The places of the numbers with which the losses are least, from 0 or from 1, (values,).

        Of numberings without a difference it is the one in the order of the values, from 0.
        """
        totals, count = self.sum_up(), len(self.texts)
        best, chosen = np.inf, np.arange(count)
        for start in (1, 2):  # behind −1
            costs = totals[:, start : start + count]
            _, places = linear_sum_assignment(costs)
            found = float(costs[np.arange(count), places].sum())
            if found < best * (1 - _ALIKE):
                best, chosen = found, places + start
        return chosen

    def find_places(self, codes: Mapping[str, float]) -> IntArray:
        """The places of the numbers that values have by their text, shape (values,)."""
        listed = self.numbers.tolist()
        return np.array([listed.index(codes[text]) for text in self.texts])

    def name_numbers(self, chosen: IntArray) -> dict[str, float]:
        """The numbers at some places, shape (values,), by the values' text."""
        return dict(zip(self.texts, self.numbers[chosen].tolist(), strict=True))

    def weigh(self, chosen: IntArray) -> float:
        """The sum of the losses with the numbers at these places, shape (values,)."""
        return float(self.sum_up()[np.arange(len(self.texts)), chosen].sum())

    def is_numbered_otherwise(self, chosen: IntArray) -> bool:
        """Whether values do better than at ``chosen``, shape (values,), where each may choose.

        They choose on every other row and are judged on the rest. A model for which no numbering is
        right, as of one that was fitted to other numbers, prefers such ones.
        """
        halves = np.arange(len(self.places)) % 2 == 0
        first = replace(self, places=self.places[halves], losses=self.losses[halves])
        places, losses = self.places[~halves], self.losses[~halves]
        rows, own = np.arange(len(places)), first.sum_up().argmin(axis=1)
        gains = losses[rows, chosen[places]] - losses[rows, own[places]]
        return bool(gains.mean() > 2 * gains.std() / len(rows) ** 0.5)

    def find_proved(self, chosen: IntArray) -> BoolArray:
        """Which values have numbers that no other numbering rivals, shape (values,).

        Each is held against the best numbering in which it has a number to which the model answers
        otherwise, by a paired t-test over the rows that this changes.
        """
        totals, proved = self.sum_up(), np.zeros(len(self.texts), dtype=bool)
        rows = np.arange(len(self.places))
        for value, place in enumerate(chosen):
            if self.alike[place].all():
                continue
            costs = totals.copy()
            costs[value, self.alike[place]] = _WORST * len(rows)
            _, other = linear_sum_assignment(costs)
            mine, theirs = chosen[self.places], other[self.places]
            gains = (self.losses[rows, theirs] - self.losses[rows, mine])[~self.alike[mine, theirs]]
            if len(gains) >= _LEAST_ROWS and np.ptp(gains) > 0:
                test = ttest_1samp(gains, 0, alternative="greater")
                proved[value] = test.pvalue < _CHANCE
        return proved


def measure_losses(
    search: AssemblySearch, assembly: Assembly, column: str, truth: Float64Array
) -> CodeLosses:
    """Ask a model rows with each number in the place of a column's value.

    ``truth`` is that of all rows, shape (rows,).
    """
    texts = list(search.columns.cells(column))
    near = np.arange(-1, len(texts) + 2, dtype=float)
    numbers = np.concatenate([near, np.array(_FAR) * len(texts)])
    usable = find_complete(search, assembly)
    if not usable.any():  # it answered others, too
        usable = search.table[column].notna().to_numpy()
    rows = np.random.default_rng(0).permutation(np.flatnonzero(usable))
    cells = search.table[column].iloc[rows].map(as_text)
    # Of each value the same number of rows, as far as there are any.
    turns = cells.groupby(cells.to_numpy(), sort=False).cumcount().to_numpy()
    kept = np.argsort(turns, kind="stable")[: _MOST_ASKED // len(numbers)]
    rows, cells = rows[kept], cells.iloc[kept]
    matrix = np.tile(compute_matrix(assembly.inputs, search.table.iloc[rows]), (len(numbers), 1))
    own = [item.source == column and bool(item.codes) for item in assembly.inputs]
    matrix[:, own] = np.repeat(numbers, len(rows))[:, None]
    answers = ask_model(search.estimator.fitted, search.kind, run_steps(assembly.steps, matrix))
    with np.errstate(all="ignore"):
        given = assembly.invert(answers)
        losses = search.kind.list_losses(given, np.concatenate([truth[rows]] * len(numbers)))
    losses = np.minimum(np.nan_to_num(losses, nan=_WORST, posinf=_WORST), _WORST)
    by_number = answers.reshape(len(numbers), -1)
    least = _ALIKE * float(np.abs(by_number).max())
    alike = [[bool(np.abs(one - other).max() <= least) for one in by_number] for other in by_number]
    return CodeLosses(
        texts,
        numbers,
        cells.map({text: place for place, text in enumerate(texts)}).to_numpy(),
        losses.reshape(len(numbers), len(rows)).T,
        np.array(alike),
    )


def find_codes(
    search: AssemblySearch, assembly: Assembly, truth: Float64Array
) -> dict[str, dict[str, float | None]]:
    """Find the numbers of the values of each column whose codes are in no file.

    ``truth`` is that of all rows, shape (rows,).

    Returns:
        For each column the number of each value, None where the rows do not prove it; {} where
        they prove nothing. Where columns lean on each other, they prove all values or nothing.
    """
    guessed = assembly.guessed
    if any(len(search.columns.cells(column)) > _MOST_VALUES for column in guessed):
        return {}
    for _ in range(_MOST_ROUNDS):
        before = assembly
        for column in guessed:
            losses = measure_losses(search, assembly, column, truth)
            chosen = losses.numbers[losses.choose()].tolist()
            assembly = recode(
                search, assembly, column, dict(zip(losses.texts, chosen, strict=True))
            )
        if assembly == before or len(guessed) == 1:
            break
    found: dict[str, dict[str, float | None]] = {}
    for column in guessed:
        losses = measure_losses(search, assembly, column, truth)
        chosen = losses.choose()
        proved = losses.find_proved(chosen)
        is_enough = proved.all() if guessed[1:] else proved.any()
        if losses.is_numbered_otherwise(chosen) or not is_enough:
            return {}
        numbers = losses.name_numbers(chosen).items()
        found[column] = {
            text: number if sure else None
            for (text, number), sure in zip(numbers, proved, strict=True)
        }
        if search.table[column].isna().any():
            found[column][UNKNOWN] = None
    return found


def recode(
    search: AssemblySearch, assembly: Assembly, column: str, numbers: Mapping[str, float]
) -> Assembly:
    """The same assembly with other numbers for the values of a column, by their text."""
    made = search.columns.make_input(column, Codes(numbers, column, ""))
    inputs = tuple(
        made if item.source == column and item.codes else item for item in assembly.inputs
    )
    return replace(assembly, inputs=inputs)
