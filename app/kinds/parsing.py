"""From the body of an API request to rows of features, or to everything that is wrong with it."""

import difflib
import json
from collections.abc import Mapping
from typing import Any
from wsgiref.types import WSGIEnvironment

from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import parse_options_header
from werkzeug.sansio.utils import get_content_length

from app.http.bodies import ChunkedBody, is_chunked, read_whole
from app.http.problems import Fault
from app.kinds.adapter import JsonRows
from model import Card, Features

BODY_BYTES = 2 * 1024 * 1024
"""The largest body that is read; 1,000 rows of 30 fields have half as many bytes."""

MAX_ROWS = 1000

MAX_FAULTS = 1000
"""Faults that an answer lists; more are usually one mistake repeated in every row."""

_MAX_SUGGESTIONS = 20
"""Unknown keys for which a similar field is looked up; each takes 0.1 ms."""

_MAX_KEY = 60
"""Characters of an unknown key that the answer repeats; no field has more than 41."""


class UnreadableError(ValueError):
    """The text is not unambiguous JSON; the message says where."""


def read_json_body(environ: WSGIEnvironment) -> bytes:
    """Read the body of a request of type JSON.

    Raises:
        LengthRequired: for a body without a length that the server does not end.
        BadRequest: for one whose chunks are malformed, or that ends before its length.
        RequestEntityTooLarge: for one over ``BODY_BYTES``.
        UnsupportedMediaType: for another type, or one that is compressed.
    """
    chunked = is_chunked(environ)
    length = get_content_length(environ.get("CONTENT_LENGTH")) or 0
    if length > BODY_BYTES:
        raise RequestEntityTooLarge
    media_type, _ = parse_options_header(environ.get("CONTENT_TYPE", ""))
    encoding = environ.get("HTTP_CONTENT_ENCODING", "identity")
    if media_type.lower() != "application/json" or encoding.lower() != "identity":
        raise UnsupportedMediaType
    source = environ["wsgi.input"]
    return ChunkedBody(source, BODY_BYTES).read() if chunked else read_whole(source, length)


def parse_json(body: bytes) -> object:
    """Parse JSON strictly, so that nothing in it has two meanings.

    Raises:
        UnreadableError: for what RFC 8259 does not allow (NaN, Infinity), the same key twice in
            one object, text that is not UTF-8, and nesting or numbers that are far too long.
    """
    try:
        text = body.decode()
        if text.startswith("\ufeff"):
            raise UnreadableError("it begins with a byte order mark of UTF-8")
        return _decode(text)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UnreadableError(f"{error.msg} at {where}") from None
    except RecursionError:
        raise UnreadableError("it is nested too deeply") from None
    except UnreadableError:
        raise
    except ValueError:  # more digits than Python converts
        raise UnreadableError("it has a number of thousands of digits") from None


def _reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableError("an object has the same key twice")
    return found


def _reject_constant(name: str) -> float:
    raise UnreadableError(f"{name} is not a number in JSON")


_decode = json.JSONDecoder(
    object_pairs_hook=_reject_duplicates, parse_constant=_reject_constant
).decode


def read_rows(card: Card, body: object) -> JsonRows[Features]:
    """Read one row or a list of them; a fault in any row means that none is answered."""
    if isinstance(body, dict):
        return _RowReader(card).read([body], single=True)
    if not isinstance(body, list):
        text = "Send a row as an object, or a list of rows"
        return JsonRows([], [Fault(None, text, "")], single=True)
    if len(body) > MAX_ROWS:
        text = f"A list can have {MAX_ROWS:,} rows at most; this one has {len(body):,}"
        return JsonRows([], [Fault(None, text, "")], single=False)
    return _RowReader(card).read(body, single=False)


class _RowReader:
    """Reads the rows of one request."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._faults: list[Fault] = []
        self._count = 0
        self._suggestions: dict[str, str] = {}
        self._refused: dict[str, None] = {}

    def read(self, rows: list[Any], single: bool) -> JsonRows[Features]:
        """Read every row, with the faults of all of them in order."""
        features, wrong = [], 0
        for index, row in enumerate(rows):
            before = self._count
            parsed = self._read_row(row, "" if single else f"/{index}")
            if parsed is not None:
                features.append(parsed)
            wrong += self._count > before
        detail = self._summarize(wrong, len(rows)) if wrong else ""
        inputs = None
        if single and features:  # a text that somebody wrote is not logged
            texts = self._card.texts
            inputs = {name: known for name, known in features[0].items() if name not in texts}
        return JsonRows(features, self._faults, single, detail, tuple(self._refused), inputs)

    def _summarize(self, wrong: int, rows: int) -> str:
        text = "The row has errors." if rows == 1 else f"{wrong:,} of {rows:,} rows have errors."
        text += " No prediction was made."
        if self._count > len(self._faults):
            text += f" The first {len(self._faults):,} of {self._count:,} errors are listed."
        return text

    def _read_row(self, row: object, pointer: str) -> Features | None:
        before = self._count
        if not isinstance(row, dict):
            self._add(None, "A row must be an object", pointer)
            return None
        known = self._card.by_name
        raw = {name: known[name].read_json(row[name]) for name in known if name in row}
        features, errors = self._card.validate_row(raw)
        for name, message in errors.items():
            self._add(name, message, f"{pointer}/{name}")
            if raw.get(name) is not None:
                self._refused[name] = None
        if len(raw) < len(row):
            for key in row:
                if key not in known:
                    self._add_unknown(key, pointer)
        return features if self._count == before else None

    def _add(self, field: str | None, message: str, pointer: str) -> None:
        self._count += 1
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(Fault(field, message, pointer))

    def _add_unknown(self, key: str, pointer: str) -> None:
        if len(key) > _MAX_KEY or not key.isprintable():
            self._add(None, "There is no such field", pointer)
            return
        escaped = key.replace("~", "~0").replace("/", "~1")
        self._add(None, f'There is no field "{key}"{self._suggest(key)}', f"{pointer}/{escaped}")

    def _suggest(self, key: str) -> str:
        suggestion = self._suggestions.get(key)
        if suggestion is None:
            if len(self._suggestions) >= _MAX_SUGGESTIONS:
                return ""
            suggestion = self._suggestions[key] = suggest(key, self._card.by_name)
        return suggestion


def suggest(word: str, names: Mapping[str, object]) -> str:
    """Ask whether a similar name was meant; "" where none is similar."""
    plain = word.lower().replace("-", "_").replace(" ", "_")
    matches = difflib.get_close_matches(plain, names, n=1, cutoff=0.5)
    return f'. Did you mean "{matches[0]}"?' if matches else ""
