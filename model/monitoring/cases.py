"""Reads a file of cases whose truth is known, and lets the model answer them."""

import datetime as dt
import hashlib
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from pydantic_core import PydanticCustomError

from model.contract.arrays import Float64Array
from model.contract.fields import BaseField, DateField
from model.contract.fields.base import UNKNOWN_CELLS
from model.contract.tables import Block, OpenTable, ReadOptions, TableError, open_table
from model.contract.tables.arrow import encode_array
from model.contract.tables.matching import find_decimal_sign, fold_name, match_columns
from model.contract.tables.table import AS_FOUND, EncodedCells
from model.contract.texts import text_codes
from model.serving.batch import BatchPredictor
from model.serving.batch.predictor import make_reader
from model.serving.tabular import TabularModel

MOST_CASES = 200_000
"""Rows of one file: all of them are held in memory."""

NO_TRUTH = "no truth"

_TRUTH_NAMES = ("truth", "actual", "true value", "target", "outcome", "observed")
_LISTED = 12
_LOOKED_AT = 200
_ENOUGH = 5
_APART = 50
"""How many times as large as the answers truths of the same unit are not: what drifts is nearer."""

_MONTH = re.compile(r"[0-9]{4}-[0-9]{2}").fullmatch


class Case(NamedTuple):
    """One case whose truth is known, and what the model answers.

    ``facts`` are the fields as they would be typed. ``value`` and ``truth`` are numbers in the
    output's unit, or classes by their values in the card; ``low`` and ``high`` are the ends of the
    range, ``probability`` that of the class in ``value`` and ``truth_probability`` that of the one
    in ``truth``, each None where there is none. ``day`` is None where the file has no dates. ``id``
    is the same for the same case in every file, and another for one that is there twice.
    """

    id: str
    facts: Mapping[str, str]
    value: float | str
    low: float | None
    high: float | None
    probability: float | None
    truth: float | str
    day: dt.date | None = None
    truth_probability: float | None = None


@dataclass
class CaseFile:
    """The cases of a file.

    ``notes`` say how it was read, ``rows`` is how many rows it has, ``unusual`` how many cases are
    unlike the training data, and ``learned`` how many have the facts of a training row.
    ``left_out`` says why a row is no case, by its number from 1.
    """

    cases: list[Case] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: int = 0
    unusual: int = 0
    learned: int = 0
    left_out: dict[int, str] = field(default_factory=dict)


def read_cases(
    model: TabularModel[Any],
    truth_field: BaseField,
    file: BinaryIO,
    name: str,
    options: ReadOptions = AS_FOUND,
    target: str = "",
    date: str = "",
) -> CaseFile:
    """Read a file of cases, and let the model answer each.

    Args:
        model: what answers.
        truth_field: reads a truth as people write it.
        file: the table.
        name: its name, which tells its format.
        options: what is known of the file.
        target: the column with the truth; "" to find it.
        date: the column with the day on which it came true; "" to find it, if there is one.

    Raises:
        TableError: if the file cannot be used; the message is for people.
    """
    table = open_table(file, name, options)
    predictor = BatchPredictor(model, table.header, table.sample, options.decimal)
    reader = _CaseReader(model, truth_field, table, options, target, date)
    found, seen = CaseFile(), Counter[str]()
    trained = set() if model.neighbors is None else {row.tobytes() for row in model.neighbors.rows}
    for block in table.blocks:
        if found.rows + block.rows > MOST_CASES:
            raise TableError(f"{name} has more than {MOST_CASES:,} rows. Split it by time.")
        answers = predictor.predict(block)
        wrong = {row: answers.join_errors(row) for row in answers.errors}
        codes = _read_codes(predictor, block)
        facts = _spell_facts(model, codes)
        learned = [row.tobytes() in trained for row in codes.astype(np.float32)]
        truths = reader.read_truths(block, wrong)
        days = reader.read_days(block, wrong)
        values = [answers.values[column] for column in model.answer_columns]
        for row in range(block.rows):
            if row in wrong:
                found.left_out[found.rows + row + 1] = wrong[row]
                continue
            cells = {
                column: cells[row]
                for column, cells in zip(model.answer_columns, values, strict=True)
            }
            key = json.dumps(
                [model.slug, model.version, sorted(facts[row].items()), truths[row], str(days[row])]
            )
            seen[key] += 1
            digest = hashlib.sha256(f"{key}{seen[key]}".encode()).hexdigest()[:32]
            found.cases.append(
                Case(
                    f"file-{digest}",
                    facts[row],
                    *_summarize(cells),
                    truths[row],
                    days[row],
                    _find_probability(cells, truths[row]),
                )
            )
            found.unusual += row in answers.unusual
            found.learned += learned[row]
        found.rows += block.rows
    found.notes = [*table.notes, *predictor.notes, *reader.notes]
    if not found.cases:
        reason = next(iter(found.left_out.values()), "it has no rows")
        raise TableError(f"No row of {name} has both an answer and a truth: {reason}.")
    reader.check(found)
    return found


def _summarize(
    answer: Mapping[str, Any],
) -> tuple[float | str, float | None, float | None, float | None]:
    """The value, the ends of its range and its probability in the columns of an answer."""
    if "label" in answer:
        return answer["label"], None, None, _find_probability(answer, answer["label"])
    low, high = (float(answer[end]) if end in answer else None for end in ("low", "high"))
    return float(answer["prediction"]), low, high, None


def _find_probability(answer: Mapping[str, Any], label: float | str) -> float | None:
    """The probability of a class in the columns of an answer: 0 for one that has no column."""
    if not any(column.startswith("probability_") for column in answer):
        return None
    return float(answer.get(f"probability_{label}", 0.0))


def _read_codes(predictor: BatchPredictor, block: Block) -> Float64Array:
    """The codes of a block, shape (rows, fields); those of texts mean nothing any more."""
    with text_codes():
        return predictor.read_codes(block)[0]


def _spell_facts(model: TabularModel[Any], codes: Float64Array) -> list[dict[str, str]]:
    """The facts of each row as they would be typed, without free texts."""
    fields = [
        (column, field) for column, field in enumerate(model.card.fields) if not field.is_text
    ]
    return [
        {
            field.name: str(field.format_typed(field.decode_typed(row[column])))
            for column, field in fields
            if math.isfinite(row[column])
        }
        for row in codes.tolist()
    ]


class _CaseReader:
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
        if self._day is not None:
            self._day_field = self._make_day_field(table.header[self._day])
        cells = _list_cells(table.sample, self._truth)
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
            found = [index for index in free if self._has_truths(_list_cells(sample, index))]
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
        found = [index for index in free if self._has_dates(_list_cells(sample, index))]
        names = [f'"{self._header[index].strip()}"' for index in found]
        if len(found) == 1:
            first = next(cell for cell in _list_cells(sample, found[0]) if not _is_blank(cell))
            read = self._day_field.format_value(self._day_field.read_cell(_complete(first)))
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
        try:
            for cell in known:
                self._day_field.read_cell(_complete(cell))
        except PydanticCustomError:
            return False
        return True

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
        cells = [None if _is_blank(cell) else cell for cell in _list_cells(block, self._truth)]
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
        for row, cell in enumerate(_list_cells(block, self._day)):
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

    def check(self, found: CaseFile) -> None:
        """Hold the truths against the answers: those of another unit, or of other classes.

        Raises:
            TableError: if they cannot mean the same.
        """
        column, output = self._header[self._truth].strip(), self._model.card.output
        if self._field.categories:
            named = ", ".join(f'"{text}"' for text, _ in self._unknown.most_common(_LISTED))
            if 2 * (unknown := self._unknown.total()) > len(found.cases):
                raise TableError(
                    f'The column "{column}" has {named}. The model answers '
                    f"{', '.join(self._field.categories[:_LISTED])}. Name another column with "
                    "--target, or write its classes so."
                )
            if unknown:
                found.notes.append(f"{named}: the model has no such class, which counts as wrong.")
            return
        sizes = (
            float(np.median([abs(float(number)) for number in numbers]))
            for numbers in zip(*((case.truth, case.value) for case in found.cases), strict=True)
        )
        truth, value = sizes
        if len(found.cases) >= _ENOUGH and value > 0 and not 1 / _APART < truth / value < _APART:
            times = round(max(truth / value, value / max(truth, 1e-300)))
            relation = "larger" if truth > value else "smaller"
            unit = getattr(output, "unit", "")
            raise TableError(
                f'The truths in "{column}" are about {min(times, 10**6):,} times {relation} than '
                f"the answers{f', which are in {unit}' if unit else ''}. Write both in one unit, "
                "or name another column with --target."
            )


def _find_column(name: str, header: Sequence[str], option: str) -> int:
    folded = [fold_name(text) for text in header]
    for found in ([text.strip() for text in header], folded):
        wanted = name if found is not folded else fold_name(name)
        if found.count(wanted) == 1:
            return found.index(wanted)
    listed = ", ".join(text.strip()[:60] for text in header[:_LISTED])
    raise TableError(f'{option}: there is no column "{name}". The file has: {listed}.')


def _list_cells(block: Block, column: int) -> Sequence[Any]:
    """The cells of a column as values."""
    cells = block.columns[column]
    if not isinstance(cells, Sequence | np.ndarray):
        cells = encode_array(cells)
    if isinstance(cells, EncodedCells):
        return [cells.distinct[index] for index in cells.indices.tolist()]
    listed: Sequence[Any] = cells.tolist() if isinstance(cells, np.ndarray) else cells
    return listed


def _is_blank(cell: object) -> bool:
    if isinstance(cell, float):
        return math.isnan(cell)
    return cell is None or (
        isinstance(cell, str) and (not cell.strip() or cell.strip().casefold() in UNKNOWN_CELLS)
    )


def _complete(cell: object) -> object:
    """A date; of a month alone its first day."""
    return f"{cell.strip()}-01" if isinstance(cell, str) and _MONTH(cell.strip()) else cell
