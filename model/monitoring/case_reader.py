"""Finds in a table of cases which columns have the truth and the day, and reads them."""

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic_core import PydanticCustomError

from model.contract.fields import BaseField, DateField
from model.contract.fields.base import UNKNOWN_CELLS
from model.contract.tables import Block, OpenTable, ReadOptions, TableError
from model.contract.tables.arrow import list_cells
from model.contract.tables.matching import find_decimal_sign, fold_name, match_columns
from model.serving.batch.predictor import make_reader
from model.serving.tabular import TabularModel

NO_TRUTH = "no truth"

_TRUTH_NAMES = ("truth", "actual", "true value", "target", "outcome", "observed")
_LISTED = 12
_LOOKED_AT = 200
_ENOUGH = 5
_APART = 50
"""How many times as large as the answers truths of the same unit are not: what drifts is nearer."""

_TIME = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[T ])?([0-9]{1,2}):([0-9]{2}(?:[:.][0-9:.]*)?)")
"""A time of day, alone or behind a date in ISO 8601; what follows it, such as a zone, is not read.
"""

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}").fullmatch


class CaseReader:
    """Reads truth and day of the rows of a table; ``notes`` say where it finds them."""

    def __init__(
        self,
        model: TabularModel[Any],
        truth_field: BaseField,
        table: OpenTable,
        options: ReadOptions,
        target: str,
        date: str,
    ) -> None:
        self.notes: list[str] = []
        self._model, self._field = model, truth_field
        self._names = {**model.manifest.class_names}
        self._unknown: Counter[str] = Counter()
        self._header = table.header
        taken = match_columns(model.card.fields, table.header).columns.values()
        free = [index for index in range(len(table.header)) if index not in taken]
        self._day_field = self._make_day_field("date")
        self._truth = self._find_truth(free, target, table.sample)
        rest = [index for index in free if index != self._truth]
        self._day = self._find_day(rest, table.sample, date)
        self._time = self._find_time(rest, table.sample)
        if self._day is not None:
            day_field = self._make_day_field(table.header[self._day])
            days = list_cells(table.sample.columns[self._day])
            self._day_field, note = day_field.settle_dates(days)
            self.notes += filter(None, [note])
        cells = list_cells(table.sample.columns[self._truth])
        sign = options.decimal or find_decimal_sign([cells])
        self._reader = make_reader(truth_field, sign, model.card.locale)

    def _find_truth(self, free: Sequence[int], target: str, sample: Block) -> int:
        """The column with the truth: the one that is named so, else the only one that could be.

        Raises:
            TableError: if nobody can tell.
        """
        header, output = self._header, self._model.card.output
        if target:
            return _find_column(target, header, "--target")
        nouns = output.noun, output.label, *_TRUTH_NAMES
        spelled = {
            fold_name(text)
            for noun in nouns
            for text in (noun, f"actual {noun}", f"true {noun}", f"{noun} actual")
        }
        found = [index for index in free if fold_name(header[index]) in spelled]
        if not found:
            found = [index for index in free if self._has_truths(list_cells(sample.columns[index]))]
        if len(found) != 1:
            listed = ", ".join(f'"{header[index].strip()}"' for index in (found or free)[:_LISTED])
            raise TableError(
                f"Which column has the actual {output.noun}? Name it with --target. "
                + (f"It may be one of {listed}." if listed else "Every column is a fact.")
            )
        self.notes.append(f'The truth is in the column "{header[found[0]].strip()}".')
        return found[0]

    def _has_truths(self, cells: Sequence[object]) -> bool:
        """Whether most cells are truths; those of numbers differ."""
        known = [cell for cell in cells[:_LOOKED_AT] if not _is_blank(cell)]
        if self._field.categories:
            known = [self._name_class(cell) for cell in known]
        read = make_reader(self._field, find_decimal_sign([known]), self._model.card.locale)
        codes, _ = read.read_column(known, False)
        right = np.isfinite(codes)
        return bool(2 * right.sum() > len(known) and (len(codes) == 1 or np.ptp(codes[right]) > 0))

    def _find_day(self, free: Sequence[int], sample: Block, date: str) -> int | None:
        """The column with the day: the only one in which all cells are dates.

        Raises:
            TableError: if there is no column of this name.
        """
        if date:
            return _find_column(date, self._header, "--date")
        found = [index for index in free if self._has_dates(list_cells(sample.columns[index]))]
        names = [f'"{self._header[index].strip()}"' for index in found]
        if len(found) == 1:
            first = _list_known(sample, found[0])[0]
            field, _ = self._day_field.settle_dates(list_cells(sample.columns[found[0]]))
            read = field.format_value(field.read_cell(_complete(first)))
            self.notes.append(f"The day is in the column {names[0]}: the first is {read}.")
            return found[0]
        if found:
            self.notes.append(
                f"{' and '.join(names)} have dates. To see the months, name one with --date."
            )
        return None

    def _has_dates(self, cells: Sequence[object]) -> bool:
        known = [cell for cell in cells[:_LOOKED_AT] if not _is_blank(cell)]
        if not known or any(isinstance(cell, int | float) for cell in known):
            return False
        field, _ = self._day_field.settle_dates(cells)
        try:
            for cell in known:
                field.read_cell(_complete(cell))
        except PydanticCustomError:
            return False
        return True

    def _find_time(self, free: Sequence[int], sample: Block) -> int | None:
        """The column with the time of day: that of the day, else the only one of times."""
        if self._day is None:
            return None
        with_times = [
            index
            for index in free
            if all(read_time(cell) for cell in _list_known(sample, index)[:_LOOKED_AT])
        ]
        if self._day in with_times:
            return self._day
        return with_times[0] if len(with_times) == 1 else None

    def describe_order(self, days: Sequence[dt.date | None]) -> str:
        """Say in which order the test takes cases of these days, where the file does not say."""
        if self._time is not None or len(set(days)) == len(days):
            return ""
        what = "day" if self._day is None else "time of day"
        which = "The cases" if self._day is None else "Cases of one day"
        return (
            f"The file has no {what}. {which} are tested in an order that means nothing: it may "
            "change how soon an alarm comes, not how often a sound model is accused."
        )

    def read_times(self, block: Block) -> list[str]:
        """Read the time of day of the rows of a block, "" where there is none."""
        if self._time is None:
            return [""] * block.rows
        return [read_time(cell) for cell in list_cells(block.columns[self._time])]

    def _make_day_field(self, label: str) -> DateField:
        field = DateField(
            kind="date",
            name="day",
            label=label.strip()[:60] or "date",
            noun="date",
            required=False,
            min="1800-01-01",
            max="2199-12-31",
            example="2010-05-31",
        )
        field.localise(self._model.card.locale)
        return field

    def read_truths(self, block: Block, wrong: dict[int, str]) -> list[float | str]:
        """Read the truths of a block; what is wrong with a row is added to ``wrong``."""
        given = list_cells(block.columns[self._truth])
        cells = [None if _is_blank(cell) else cell for cell in given]
        if self._field.categories:
            cells = [None if cell is None else self._name_class(cell) for cell in cells]
        codes, messages = self._reader.read_column(cells, False)
        truths: list[float | str] = []
        for row, (code, cell) in enumerate(zip(codes.tolist(), cells, strict=True)):
            if cell is None:
                wrong.setdefault(row, NO_TRUTH)
            elif row in messages and not self._field.categories:
                wrong.setdefault(row, messages[row])
            elif row in messages and row not in wrong:
                self._unknown[str(cell)] += 1
            truths.append(str(cell) if row in messages else self._field.decode(code))
        return truths

    def _name_class(self, cell: object) -> object:
        text = self._field.translate_cell(cell)
        return self._names.get(str(text), self._names.get(str(cell), text))

    def read_days(self, block: Block, wrong: dict[int, str]) -> list[dt.date | None]:
        """Read the days of a block; what is wrong with a row is added to ``wrong``."""
        days: list[dt.date | None] = [None] * block.rows
        if self._day is None:
            return days
        for row, cell in enumerate(list_cells(block.columns[self._day])):
            try:
                read = None if _is_blank(cell) else self._day_field.read_cell(_complete(cell))
            except PydanticCustomError as error:
                wrong.setdefault(row, error.message())
                continue
            if read is None:
                wrong.setdefault(row, "no date")
            else:
                days[row] = dt.date.fromisoformat(read)
        return days

    def check(self, pairs: Sequence[tuple[float | str, float | str]]) -> str:
        """Hold the truths against the answers: those of another unit, or of other classes.

        Args:
            pairs: the truth and the answer of each case.

        Returns:
            What to say of them, "" for nothing.

        Raises:
            TableError: if they cannot mean the same.
        """
        column, output = self._header[self._truth].strip(), self._model.card.output
        if self._field.categories:
            named = ", ".join(f'"{text}"' for text, _ in self._unknown.most_common(_LISTED))
            if 2 * (unknown := self._unknown.total()) > len(pairs):
                raise TableError(
                    f'The column "{column}" has {named}. The model answers '
                    f"{', '.join(self._field.categories[:_LISTED])}. Name another column with "
                    "--target, or write its classes so."
                )
            return (
                f"{named}: the model has no such class, which counts as wrong." if unknown else ""
            )
        truth, value = (
            float(np.median([abs(float(number)) for number in numbers]))
            for numbers in zip(*pairs, strict=True)
        )
        if len(pairs) >= _ENOUGH and value > 0 and not 1 / _APART < truth / value < _APART:
            times = round(max(truth / value, value / max(truth, 1e-300)))
            relation = "larger" if truth > value else "smaller"
            unit = output.measured_in
            raise TableError(
                f'The truths in "{column}" are about {min(times, 10**6):,} times {relation} than '
                f"the answers{f', which are in {unit}' if unit else ''}. Write both in one unit, "
                "or name another column with --target."
            )
        return ""


def read_time(cell: object) -> str:
    """Read the time of day of a moment or a time, such that times sort as texts; "" for others."""
    if isinstance(cell, dt.datetime | dt.time):
        return f"{cell:%H:%M:%S.%f}"
    found = _TIME.match(cell.strip()) if isinstance(cell, str) else None
    return "" if found is None else f"{int(found[1]):02}:{found[2]}"


def _list_known(block: Block, column: int) -> list[Any]:
    """The cells of a column that are not blank; a blank one if all are."""
    cells = list_cells(block.columns[column])
    return [cell for cell in cells if not _is_blank(cell)] or [None]


def _find_column(name: str, header: Sequence[str], option: str) -> int:
    folded = [fold_name(text) for text in header]
    for found in ([text.strip() for text in header], folded):
        wanted = name if found is not folded else fold_name(name)
        if found.count(wanted) == 1:
            return found.index(wanted)
    listed = ", ".join(text.strip()[:60] for text in header[:_LISTED])
    raise TableError(f'{option}: there is no column "{name}". The file has: {listed}.')


def _is_blank(cell: object) -> bool:
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or (
        isinstance(cell, str) and (not cell.strip() or cell.strip().casefold() in UNKNOWN_CELLS)
    )


def _complete(cell: object) -> object:
    """A date; of a month alone its first day."""
    return f"{cell.strip()}-01" if isinstance(cell, str) and _MONTH(cell.strip()) else cell
