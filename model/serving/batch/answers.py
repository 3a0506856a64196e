"""What the engine answers to a block of rows, and the sum of many blocks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MOST_REASONS = 10
"""Wrong rows that a summary names."""


class Answers(NamedTuple):
    """The answers to a block of rows.

    ``values`` has, by the name of an answer's column, a value for each row: floats, NaN where the
    row has no answer, or texts, None where it has none. ``unusual`` has, by the row's index, why it
    is unlike all training rows; ``errors`` what is wrong with it, by the field's name, "" for the
    row.
    """

    rows: int
    values: Mapping[str, Any]
    unusual: Mapping[int, str]
    errors: Mapping[int, Mapping[str, str]]

    def join_errors(self, row: int) -> str:
        """What is wrong with a row, in one sentence; "" where nothing is."""
        return "; ".join(self.errors[row].values()) if row in self.errors else ""


class Reason(NamedTuple):
    """What is wrong with a row; ``row`` counts from 0 at the first below the header."""

    row: int
    message: str


@dataclass
class Summary:
    """Sums up the answers to several blocks."""

    rows: int = 0
    wrong: int = 0
    unusual: int = 0
    reasons: list[Reason] = field(default_factory=list)

    @property
    def answered(self) -> int:
        """How many rows have an answer."""
        return self.rows - self.wrong

    def add(self, answers: Answers) -> None:
        """Add the answers to the next block."""
        first = sorted(answers.errors)[: MOST_REASONS - len(self.reasons)]
        reasons = [Reason(row, answers.join_errors(row)) for row in first]
        self.merge(Summary(answers.rows, len(answers.errors), len(answers.unusual), reasons))

    def merge(self, other: "Summary") -> None:
        """Add the sum of the rows that follow."""
        for row, message in other.reasons[: MOST_REASONS - len(self.reasons)]:
            self.reasons.append(Reason(self.rows + row, message))
        self.rows += other.rows
        self.wrong += other.wrong
        self.unusual += other.unusual
