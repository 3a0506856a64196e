"""The answers to a file of many rows, summed up as they are made, and then as a page shows them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from app.presentation import charts
from app.presentation.scales import Scale
from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.manifest import BINS
from model.serving.batch import Answers

MOST_SHOWN = 10
"""Rows to fix, and unusual rows, that a page shows."""

FIRST_ROWS = 5
MOST_FACTS = 4
"""Columns of the file that the first rows show."""

MOST_CLASSES = 12
"""Classes that a page counts by name; the others are one."""

MOST_HELD = 60
"""Characters of a cell that a page repeats."""

ENOUGH_FOR_NINE_OF_TEN = 20
"""Answers of which the middle nine of ten are no fewer than that."""

FIRST_NUMBER = 2
"""What a spreadsheet calls the row below the header."""


class Fix(NamedTuple):
    """What is wrong with a row, by its number in the file with the answers.

    That has a header and no blank lines, whatever was sent. ``column`` is that of the file that was
    sent, and ``held`` what is in it; both are "" for the row as such.
    """

    row: str
    column: str
    held: str
    message: str


class CountView(NamedTuple):
    """How many rows came to a class: in words, and as the length of a bar of 100."""

    label: str
    text: str
    bar: float


class DistributionView(NamedTuple):
    """Where the answers lie: bars, with marks at the middle row and at the typical one.

    ``title`` and ``words`` say the same in words. The values at both marks are left out where the
    window is narrow.
    """

    geometry: charts.StripGeometry
    bars: str
    title: str
    words: str
    own_text: str
    own_value: str
    typical_text: str
    typical_value: str


class BatchAnswers(NamedTuple):
    """Where the answers to a file lie: counts of classes, or a distribution of numbers."""

    counts: tuple[CountView, ...]
    distribution: DistributionView | None


class FirstRows(NamedTuple):
    """The first rows of a file with their answers: headings, and each row's number and cells.

    ``facts`` is how many of the cells are the file's own.
    """

    headings: tuple[str, ...]
    facts: int
    rows: tuple[tuple[str, tuple[str, ...]], ...]


class BatchResult(NamedTuple):
    """The answers to a file.

    ``state`` is that of a result, ``heading`` sums it up. ``sentence`` says what is missing;
    ``remedy`` is the text of the link to it. ``notes`` say how the file was read, ``found`` which
    columns, each with the field that it was read as, "" where it is not used.
    """

    state: str
    name: str
    heading: str
    sentence: str
    remedy: str
    notes: tuple[str, ...]
    found: tuple[tuple[str, str], ...]
    counts: tuple[CountView, ...]
    counts_text: str
    distribution: DistributionView | None
    first: FirstRows | None
    fixes: tuple[Fix, ...]
    fixes_title: str
    unusual: tuple[Fix, ...]
    unusual_title: str
    unusual_text: str


class Tally:
    """Sums up answers block by block.

    Args:
        header: the file's columns.
        places: the index in the header of the column that a field has, by the field's name.
        locale: the card's, in which rows are counted.
    """

    def __init__(self, header: Sequence[str], places: Mapping[str, int], locale: str) -> None:
        self._header, self._places = header, places
        self.format_count = partial(formatting.format_number, locale=locale)
        self.refused: dict[str, None] = {}
        self.rows = self.wrong = self.unusual_count = 0
        self.fixes: list[Fix] = []
        self.unusual: list[Fix] = []
        self.first: list[tuple[str, tuple[str, ...], dict[str, Any]]] = []
        self._numbers: list[Float64Array] = []
        self.labels: dict[str, int] = {}
        self._fixed_rows = 0

    def add(self, columns: Sequence[Sequence[Any]], answers: Answers) -> None:
        """Add the answers to the next block, with the file's own columns."""
        start = self.rows + FIRST_NUMBER
        for messages in answers.errors.values():
            self.refused |= dict.fromkeys(name for name in messages if name)
        for row in sorted(answers.errors):
            if self._fixed_rows >= MOST_SHOWN:
                break
            self._fixed_rows += 1
            for name, message in answers.errors[row].items():
                place = self._places.get(name)
                column = "" if place is None else self._header[place]
                held = "" if place is None else _shorten(columns[place][row])
                self.fixes.append(Fix(self.format_count(start + row), column, held, message))
        for row, message in answers.unusual.items():
            if len(self.unusual) >= MOST_SHOWN:
                break
            reason = message.partition(". ")[2]  # that it is a guess stands above all of them
            self.unusual.append(Fix(self.format_count(start + row), "", "", reason or message))
        for row in range(answers.rows):
            if len(self.first) >= FIRST_ROWS:
                break
            if row not in answers.errors:
                cells = tuple(_shorten(column[row]) for column in columns)
                values = {name: found[row] for name, found in answers.values.items()}
                self.first.append((self.format_count(start + row), cells, values))
        if "prediction" in answers.values:
            numbers = np.asarray(answers.values["prediction"], dtype=np.float64)
            self._numbers.append(numbers[np.isfinite(numbers)])
        for label in answers.values.get("label", ()):
            if label is not None:
                self.labels[label] = self.labels.get(label, 0) + 1
        self.rows += answers.rows
        self.wrong += len(answers.errors)
        self.unusual_count += len(answers.unusual)

    @property
    def answered(self) -> int:
        """How many rows have an answer."""
        return self.rows - self.wrong

    @property
    def numbers(self) -> Float64Array:
        """The numbers that were answered, shape (answers,)."""
        return np.concatenate([*self._numbers, np.empty(0)])


def _shorten(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return text if len(text) <= MOST_HELD else f"{text[:MOST_HELD]}…"


def present_distribution(
    tally: Tally, typical: float, scale: Scale, case: str
) -> DistributionView | None:
    """Present where the numbers of a file lie; None where there are fewer than two.

    ``case`` is what one row is called.
    """
    numbers = tally.numbers
    if len(numbers) < 2:
        return None
    count = tally.format_count(len(numbers))
    few = len(numbers) < ENOUGH_FOR_NINE_OF_TEN
    share, inside = (0.0, "all") if few else (0.05, "nine of ten")
    least, low, middle, high, most = np.quantile(numbers, (0, share, 0.5, 1 - share, 1)).tolist()
    spare = max(scale.least_span - (most - least), 0.0) / 2
    axis = least - spare, most + spare
    counts, _ = np.histogram(numbers, bins=BINS, range=axis)
    half = scale.format(scale.round(middle))
    own_text = f"your middle {case}"
    fine = round(typical / scale.fine_step) * scale.fine_step
    typical_text, typical_value = "typical", f" {scale.format(fine)}"
    geometry = charts.lay_out_strip(
        axis, typical, middle, (low, high), (), scale, (own_text, typical_text, typical_value)
    )
    ends = [scale.format(scale.round(value)) for value in (low, high)]
    return DistributionView(
        geometry,
        charts.draw_bars(counts.tolist()),
        f"Half of your {count} answers are below {half}; "
        f"{inside} lie between {ends[0]} and {ends[1]}.",
        f"The bars are your {count} answers, half of them below {half}. The thick line "
        f"holds {inside} of them: {ends[0]} to {ends[1]}.",
        own_text,
        f" {half}",
        typical_text,
        typical_value,
    )


def count_labels(tally: Tally, names: Mapping[str, str]) -> tuple[CountView, ...]:
    """Count the rows that came to each class, the most frequent first."""
    ordered = sorted(tally.labels.items(), key=lambda item: -item[1])
    shown = [(names.get(label, label), count) for label, count in ordered[:MOST_CLASSES]]
    if rest := ordered[MOST_CLASSES:]:
        shown.append((f"{tally.format_count(len(rest))} others", sum(count for _, count in rest)))
    every = sum(tally.labels.values()) or 1
    return tuple(
        CountView(label, tally.format_count(count), round(100 * count / every, 1))
        for label, count in shown
    )


def lay_out_first_rows(
    tally: Tally,
    found: Sequence[str],
    headings: Mapping[str, str],
    format_value: Callable[[str, Mapping[str, Any]], str],
) -> FirstRows | None:
    """Lay out the first answered rows; None where there is none.

    Args:
        tally: of the answers.
        found: the label of the field that each column was read as, "" where it is not used.
        headings: what stands above each column of the answer that is shown, by its name.
        format_value: writes such a column, given its name and all values of the row's answer.
    """
    if not tally.first:
        return None
    used = [index for index, label in enumerate(found) if label][:MOST_FACTS]
    rows = [
        (
            number,
            (
                *(cells[index] for index in used),
                *(format_value(name, values) for name in headings),
            ),
        )
        for number, cells, values in tally.first
    ]
    labels = (*(found[index] for index in used), *headings.values())
    return FirstRows(labels, len(used), tuple(rows))
