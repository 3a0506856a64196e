"""From the body of an API request to rows of features: what was sent, and all that is wrong."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge, UnsupportedMediaType

from app.http.problems import Fault
from model import Card, Features
from model.contract.fields import AnyField

BODY_BYTES = 2 * 1024 * 1024
"""The largest body that is read: 1,000 rows of 30 fields have half of it."""

MOST_ROWS = 1000

MOST_FAULTS = 1000
"""Faults that an answer lists; whoever has more has one mistake a thousand times."""

_MOST_GUESSES = 20
"""Different unknown keys for which the nearest field is looked for: it takes 0.1 ms each."""

_LONGEST_KEY = 60
"""Characters of an unknown key that are repeated in the answer; no field has more than 41."""

_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int, float),
    "number": (int, float),
    "choice": (str,),
    "flag": (bool,),
}
"""What JSON has for each kind of field. The fields themselves read more, from people who type."""

_WRONG = object()
"""Stands for a value of a type that the field has not; each field refuses it in its own words."""


class UnreadableError(ValueError):
    """The text is no JSON that means one thing; the message says where it stops being it."""


@dataclass(frozen=True, slots=True)
class ParsedRows:
    """What was asked: rows, or all that is wrong with them; ``single`` where it is no list.

    ``refused`` names each field once that has a value which it could not take.
    """

    features: list[Features]
    faults: list[Fault]
    single: bool
    detail: str = ""
    refused: tuple[str, ...] = ()


def json_body() -> bytes:
    """The body of a request that says it is JSON.

    Raises:
        HTTPException: 411, 413 or 415 for one that is not read.
    """
    environ = request.environ
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise LengthRequired
    length = request.content_length or 0
    if length > BODY_BYTES:
        raise RequestEntityTooLarge
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if request.mimetype != "application/json" or encoding.lower() != "identity":
        raise UnsupportedMediaType
    body: bytes = environ["wsgi.input"].read(length)
    return body


def parse(body: bytes) -> object:
    """Read a JSON text in which nothing can be meant in two ways.

    Raises:
        UnreadableError: for what RFC 8259 does not have (NaN, Infinity), and for the same key twice
            in one object, text that is not UTF-8, and nesting or numbers beyond all use.
    """
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_once_each, parse_constant=_no_such_number
        )
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableError(f"{error.msg} at {where}") from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None
    except UnreadableError:
        raise
    except ValueError:  # Python's own limit on the digits of a whole number
        raise UnreadableError("it has a number of thousands of digits") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableError("an object has the same key twice")
    return found


def _no_such_number(name: str) -> float:
    raise UnreadableError(f"{name} is no number in JSON")


def read_rows(card: Card, body: object) -> ParsedRows:
    """Read one row or a list of them; with one fault in any row, none is answered."""
    if isinstance(body, dict):
        return _RowReader(card).read([body], single=True)
    if not isinstance(body, list):
        text = "Send a row as an object, or a list of rows"
        return ParsedRows([], [Fault(None, text, "")], single=True)
    if len(body) > MOST_ROWS:
        text = f"A list can have {MOST_ROWS:,} rows at most; this one has {len(body):,}"
        return ParsedRows([], [Fault(None, text, "")], single=False)
    return _RowReader(card).read(body, single=False)


class _RowReader:
    """Reads the rows of one request."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._faults: list[Fault] = []
        self._count = 0
        self._guesses: dict[str, str] = {}
        self._refused: dict[str, None] = {}

    def read(self, rows: list[Any], single: bool) -> ParsedRows:
        """Every row, with the faults of all of them in order."""
        features, bad = [], 0
        for index, row in enumerate(rows):
            before = self._count
            read = self._row(row, "" if single else f"/{index}")
            if read is not None:
                features.append(read)
            bad += self._count > before
        detail = self._detail(bad, len(rows)) if bad else ""
        return ParsedRows(features, self._faults, single, detail, tuple(self._refused))

    def _detail(self, bad: int, rows: int) -> str:
        text = "The row has errors." if rows == 1 else f"{bad:,} of {rows:,} rows have errors."
        text += " No prediction was made."
        if self._count > len(self._faults):
            text += f" The first {len(self._faults):,} of {self._count:,} errors are listed."
        return text

    def _row(self, row: object, pointer: str) -> Features | None:
        before = self._count
        if not isinstance(row, dict):
            self._add(None, "A row must be an object", pointer)
            return None
        known = self._card.by_name
        raw = {name: _typed(known[name], row[name]) for name in known if name in row}
        features, errors = self._card.validate_row(raw)
        for name, message in errors.items():
            self._add(name, message, f"{pointer}/{name}")
            if raw.get(name) is not None:
                self._refused[name] = None
        if len(raw) < len(row):
            for key in row:
                if key not in known:
                    self._unknown(key, pointer)
        return features if self._count == before else None

    def _add(self, field: str | None, message: str, pointer: str) -> None:
        self._count += 1
        if len(self._faults) < MOST_FAULTS:
            self._faults.append(Fault(field, message, pointer))

    def _unknown(self, key: str, pointer: str) -> None:
        if len(key) > _LONGEST_KEY or not key.isprintable():
            self._add(None, "There is no such field", pointer)
            return
        escaped = key.replace("~", "~0").replace("/", "~1")
        self._add(None, f'There is no field "{key}"{self._guess(key)}', f"{pointer}/{escaped}")

    def _guess(self, key: str) -> str:
        found = self._guesses.get(key)
        if found is None:
            if len(self._guesses) >= _MOST_GUESSES:
                return ""
            found = self._guesses[key] = nearest(key, self._card.by_name)
        return found


def nearest(word: str, names: Mapping[str, object]) -> str:
    """The question whether a name that is much like ``word`` was meant, or nothing."""
    plain = word.lower().replace("-", "_").replace(" ", "_")
    near = difflib.get_close_matches(plain, names, n=1, cutoff=0.5)
    return f'. Did you mean "{near[0]}"?' if near else ""


def _typed(field: AnyField, value: object) -> object:
    """The value, or what every field refuses where its JSON type is not the field's."""
    if value is None:
        return None
    if not isinstance(value, _TYPES[field.kind]) or (isinstance(value, str) and not value.strip()):
        return _WRONG
    return value
