"""What the store keeps: outcomes, and counts of what was asked."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

OutputValue = float | str
"""A number, or a class by its value in the card."""


class KeptAnswer(NamedTuple):
    """What a model answered; the others are None where there are none.

    ``low`` and ``high`` are the ends of a range, ``probability`` is that of the class in ``value``.
    """

    value: OutputValue
    low: float | None = None
    high: float | None = None
    probability: float | None = None


class ReportedOutcome(NamedTuple):
    """An answer, and what somebody says of it.

    ``facts`` are the fields as typed, without texts that were not to be kept. ``value`` is the
    answer and ``truth`` what it should have been, in the unit of the output, or a class; None for a
    report without it. ``low`` and ``high`` are the ends of a range, ``probability`` is that of the
    class in ``value``; each is None where there is none. ``said`` is a comment, "" for none.
    ``source`` tells reports of visitors, who report what is wrong, from a complete file.
    ``time`` is the time of day where a file has it, as text that sorts, else "".
    ``picture`` is a JPEG that was to be kept; only who asks for one outcome gets it.
    """

    id: str
    model: str
    version: str
    day: dt.date
    facts: Mapping[str, str]
    value: OutputValue
    truth: OutputValue | None
    low: float | None = None
    high: float | None = None
    probability: float | None = None
    said: str = ""
    source: Literal["visitor", "file"] = "visitor"
    time: str = ""
    picture: bytes | None = None


class FieldBin(NamedTuple):
    """What is counted: answers of one day whose value of a field lies in a bin.

    ``bin`` is a name that the caller chooses, such as "3", "empty" or "outside".
    """

    model: str
    version: str
    day: dt.date
    field: str
    bin: str


OUTCOME_COLUMNS = (
    "id, model, version, day, facts, value, truth, low, high, probability, said, source, time"
)
"""The columns in the order of ``ReportedOutcome``, but for its picture."""

PICTURE_COLUMN = "picture"
"""The last one: of many outcomes together it would be too much."""


def encode_outcome(outcome: ReportedOutcome) -> tuple[object, ...]:
    """Encode for the columns: what may be a number or a text is JSON, which holds any character."""
    texts = {
        "day": outcome.day.isoformat(),
        "facts": json.dumps(dict(outcome.facts)),
        "value": json.dumps(outcome.value),
        "truth": json.dumps(outcome.truth),
        "said": json.dumps(outcome.said),
    }
    return tuple((outcome._asdict() | texts).values())


def decode_outcome(row: Sequence[Any]) -> ReportedOutcome:
    """Decode a row of the columns, with or without the picture."""
    outcome = ReportedOutcome(*row)
    return outcome._replace(
        day=dt.date.fromisoformat(row[3]),
        facts=json.loads(row[4]),
        value=json.loads(row[5]),
        truth=json.loads(row[6]),
        said=json.loads(outcome.said),
    )
