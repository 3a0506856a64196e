"""From request data to features: what was typed, what it means, and what is wrong with it."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Generic, NamedTuple
from urllib.parse import quote_plus

from app.http.forms import FormData
from model import Card, Features
from model.contract.fields import Meaning, are_plain_numbers, is_plain_number
from model.serving.served_model import RowT

WHAT_IF = "what_if"
"""The name under which form and address give the feature that the what-if varies."""

OTHER_WHAT_IF = "_what_if"
"""The name under which a button posts another one, whatever the form holds."""

FORM_HASH = "_form_hash"
"""The name under which a form posts what it means; no field's name begins so."""

TYPING = "_typing"
"""The name under which a live form posts the field that is typed in."""

CORRELATION_ID = "_correlation_id"
"""The name under which a live form numbers what it posts; the answer to it has the same id."""

READ_AS = "_read_as"
"""The name under which a button posts ``field=text``, what the visitor means by a field's text; no
field's name begins so."""

MAX_QUERY_VALUE = 200
"""Characters of a value that is kept in the address; no valid value but a text is longer."""

MAX_QUERY = 1800
"""Characters of the address of a form with a text; a longer one holds nothing of the form."""

_is_unreserved = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Whether values need no quoting in an address."""


NOTHING: Mapping[str, Any] = MappingProxyType({})
"""No meanings, or no readings."""


class Problem(NamedTuple):
    """A field that is wrong, and what to do about it."""

    name: str
    message: str


class Feedback(NamedTuple):
    """What stands below one field.

    Its error with what it may mean, how its text was read, or a warning.
    """

    name: str
    error: str = ""
    meanings: tuple[Meaning, ...] = ()
    reading: str = ""
    warning: str = ""


class Submission(NamedTuple, Generic[RowT]):
    """One filled form.

    ``values`` holds the text of each field as it was typed, ``row`` what they mean (None while any
    field is wrong), ``errors`` the message for each wrong field, in the form's order, and
    ``missing`` the required fields that are still empty. ``query`` is the whole state as a query
    string, without empty and overlong values; ``what_if`` is the feature that the what-if varies,
    "" for the card's own choice. ``meanings`` are what a refused text may mean, and ``readings``
    how a text was read that is no plain number, by field name; ``warnings`` say of a value that no
    row of the data has such a one. ``waiting`` is the
    field that is typed in and holds what could still become valid, and no error, "" where there is
    none. ``form_hash`` and ``correlation_id`` are what was posted as such, "" for a post without
    it. ``contributions`` says whether the answer is explained.
    """

    values: dict[str, str]
    row: RowT | None
    errors: dict[str, str]
    missing: tuple[str, ...]
    query: str = ""
    what_if: str = ""
    meanings: Mapping[str, tuple[Meaning, ...]] = NOTHING
    readings: Mapping[str, str] = NOTHING
    warnings: Mapping[str, str] = NOTHING
    waiting: str = ""
    form_hash: str = ""
    correlation_id: str = ""
    contributions: bool = True

    def get_feedback(self, name: str) -> Feedback:
        """Get what stands below a field."""
        return Feedback(
            name,
            self.errors.get(name, ""),
            self.meanings.get(name, ()),
            self.readings.get(name, ""),
            self.warnings.get(name, ""),
        )

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The errors, each with its field."""
        return tuple(Problem(name, message) for name, message in self.errors.items())

    def refuse(self, problem: Problem) -> "Submission[RowT]":
        """Return the same submission with an error at one field, and without a row."""
        return self._replace(row=None, errors=dict([problem]))

    def keep_valid(self) -> "Submission[RowT]":
        """Return what was typed into the fields without an error, and without a row."""
        values = {name: text for name, text in self.values.items() if name not in self.errors}
        return Submission(values, None, {}, ())

    @property
    def invalid(self) -> tuple[str, ...]:
        """The fields with a value that could not be read."""
        return tuple(name for name in self.errors if name not in self.missing)


def read_submission(card: Card, data: FormData) -> Submission[Features]:
    """Read a posted form, with what its page says of itself."""
    submission = read_fields(card, data)._replace(
        form_hash=data.get(FORM_HASH, ("",))[-1],
        correlation_id=data.get(CORRELATION_ID, ("",))[-1],
    )
    if submission.errors and TYPING in data:
        name = data[TYPING][-1]
        if name in submission.invalid and card.by_name[name].is_incomplete(submission.values[name]):
            errors = {other: text for other, text in submission.errors.items() if other != name}
            submission = submission._replace(errors=errors, waiting=name)
    return submission


def read_fields(card: Card, data: FormData) -> Submission[Features]:
    """Read the fields of a form or a query; those that the card does not know are ignored."""
    if READ_AS in data:
        name, _, text = data[READ_AS][-1].partition("=")
        data = {**data, name: [text]}
    values: dict[str, str] = {}
    filled: dict[str, str] = {}
    repeated: dict[str, str] = {}
    for name in card.form_names:
        sent = data.get(name)
        text = values[name] = sent[0] if sent else ""
        if text:
            filled[name] = text
        if sent and len(sent) > 1:
            repeated[name] = card.by_name[name].repeated_text
    what_if = (data.get(OTHER_WHAT_IF) or data.get(WHAT_IF) or ("",))[-1]
    if what_if not in card.what_ifs or what_if == card.what_if:
        what_if = ""
    features, errors = card.validate_row(filled)
    query = _build_query(card, filled, what_if)
    readings = _describe_readings(card, filled, errors)
    if features is not None and not repeated:
        warnings = {
            name: card.by_name[name].describe_unseen(value)
            for name, low, high in card.seen_bounds
            if (value := features[name]) is not None and not low <= value <= high
        }
        return Submission(
            values, features, {}, (), query, what_if, readings=readings, warnings=warnings
        )
    meanings = {
        name: card.by_name[name].list_meanings(filled[name]) for name in errors if name in filled
    }
    errors = errors | repeated
    errors = {name: errors[name] for name in card.form_names if name in errors}
    missing = tuple(name for name in errors if not values[name].strip() and name not in repeated)
    return Submission(
        values, None, errors, missing, query, what_if, meanings=meanings, readings=readings
    )


def _describe_readings(
    card: Card, filled: Mapping[str, str], errors: Mapping[str, str]
) -> Mapping[str, str]:
    """Say how the texts were read that are no words and no plain numbers."""
    if are_plain_numbers("\0".join(filled.values())):
        return NOTHING
    described: dict[str, str] = {}
    for name, text in filled.items():
        if not text.isalnum() and not is_plain_number(text) and name not in errors:
            reading = card.by_name[name].describe_reading(text)
            if reading:
                described[name] = reading
    return described


def _build_query(card: Card, filled: Mapping[str, str], what_if: str) -> str:
    texts = card.texts
    if texts and any(len(filled.get(name, "")) > MAX_QUERY for name in texts):
        return ""
    kept, longest = filled, max(map(len, filled.values()), default=0)
    # Most forms need no quoting, which one look at all values finds out.
    if longest > MAX_QUERY_VALUE or not _is_unreserved("".join(filled.values())):
        kept = {
            name: quote_plus(value)
            for name, value in filled.items()
            if (len(value) <= MAX_QUERY_VALUE or name in texts) and not value.isspace()
        }
    parts = [f"{name}={value}" for name, value in kept.items()]
    if what_if:
        parts.append(f"{WHAT_IF}={what_if}")
    query = "&".join(parts)
    return "" if texts and len(query) > MAX_QUERY else query
