"""Reads a file of cases whose truth is known, and lets the model answer them."""

import datetime as dt
import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.fields import BaseField
from model.contract.tables import Block, ReadOptions, TableError, open_table
from model.contract.tables.table import AS_FOUND
from model.contract.texts import text_codes
from model.monitoring.case_reader import CaseReader
from model.serving.batch import BatchPredictor
from model.serving.tabular import TabularModel

MOST_CASES = 200_000
"""Rows of one file: all of them are held in memory."""


class Case(NamedTuple):
    """One case whose truth is known, and what the model answers.

    ``facts`` are the fields as they would be typed. ``value`` and ``truth`` are numbers in the
    output's unit, or classes by their values in the card; ``low`` and ``high`` are the ends of the
    range, ``probability`` that of the class in ``value`` and ``truth_probability`` that of the one
    in ``truth``, each None where there is none. ``day`` is None where the file has no dates,
    ``time`` "" where it has no times of day. ``id`` is the same for the same case in every file,
    and another for one that is there twice.
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
    time: str = ""


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

    ``target`` is the column with the truth, ``date`` that with the day on which it came true; "" to
    find it.

    Raises:
        TableError: if the file cannot be used; the message is for people.
    """
    table = open_table(file, name, options)
    predictor = BatchPredictor(model, table.header, table.sample, options.decimal)
    reader = CaseReader(model, truth_field, table, options, target, date)
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
        days, times = reader.read_days(block, wrong), reader.read_times(block)
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
                    times[row],
                )
            )
            found.unusual += row in answers.unusual
            found.learned += learned[row]
        found.rows += block.rows
    found.notes = [*table.notes, *predictor.notes, *reader.notes]
    if not found.cases:
        reason = next(iter(found.left_out.values()), "it has no rows")
        raise TableError(f"No row of {name} has both an answer and a truth: {reason}.")
    found.notes += filter(
        None,
        (
            reader.check([(case.truth, case.value) for case in found.cases]),
            reader.describe_order([case.day for case in found.cases]),
        ),
    )
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
