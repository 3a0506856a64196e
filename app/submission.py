"""From request data to features: what was typed, what it means, and what is wrong with it."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, quote_plus

from flask import request
from werkzeug.exceptions import LengthRequired, RequestEntityTooLarge

from model import Card, Features

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Data = Mapping[str, list[str]]
"""Every value that was sent, by field name."""

WHAT_IF = "what_if"
"""The name under which form and address say which fact the what-if goes over."""

FORM_BYTES = 64 * 1024
"""The largest form that is read; one with every field filled has a hundredth of it."""

LONGEST = 200
"""Characters of a value that an address holds; nothing that can be right is longer."""

_STAYS = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Whether a value stands in an address as it is."""

MOST_FIELDS = 500
"""Fields of a form that are read; a card has tens, an attack has thousands."""


class Submission(NamedTuple):
    """One filled form.

    ``values`` holds every field of the card as it was typed, ``features`` what they mean (None
    while anything is wrong), ``errors`` the words for each wrong field, in the card's order, and
    ``lacking`` the required fields that are simply still empty. ``query`` is the whole state as a
    query string, without empty fields and what no address can hold; ``what_if`` is the fact that
    the what-if goes over, "" for the card's own choice.
    """

    values: dict[str, str]
    features: Features | None
    errors: dict[str, str]
    lacking: tuple[str, ...]
    query: str
    what_if: str = ""


def form_data(environ: "WSGIEnvironment | None" = None) -> Data:
    """The fields of a posted form; another type than urlencoded has none.

    Reads the body itself, once its length is known to be small: ``request.form`` wraps and copies
    it for uploads that this form does not have, at three times the cost.

    Args:
        environ: the present request's, if it is at hand.

    Raises:
        LengthRequired: for a body whose length is not said in advance.
        RequestEntityTooLarge: for one over ``FORM_BYTES``, or with too many fields.
    """
    environ = request.environ if environ is None else environ
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise LengthRequired
    said = environ.get("CONTENT_LENGTH", "")
    length = int(said) if said.isdecimal() and len(said) < 100 else 0
    if length > FORM_BYTES:
        raise RequestEntityTooLarge
    if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body: bytes = environ["wsgi.input"].read(length)
    return _fields(body.decode("utf-8", "replace"))


def query_data() -> Data:
    """The fields of the address."""
    return _fields(request.query_string.decode("utf-8", "replace"))


def _fields(text: str) -> Data:
    if text.count("&") >= MOST_FIELDS:
        raise RequestEntityTooLarge
    if "%" in text or "+" in text:
        return parse_qs(text, keep_blank_values=True)
    # Nothing is encoded in most forms; a test holds this against parse_qs, which takes four times
    # as long.
    fields: dict[str, list[str]] = {}
    for pair in text.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            fields.setdefault(name, []).append(value)
    return fields


def read_submission(card: Card, data: Data) -> Submission:
    """Read a form or a query; fields that the card does not know are ignored."""
    values: dict[str, str] = {}
    given: dict[str, str] = {}
    twice: dict[str, str] = {}
    for name in card.names:
        sent = data.get(name)
        text = values[name] = sent[0] if sent else ""
        if text:
            given[name] = text
        if sent and len(sent) > 1:
            twice[name] = card.by_name[name].twice
    what_if = data[WHAT_IF][-1] if WHAT_IF in data else ""
    if what_if not in card.by_name or what_if == card.what_if:
        what_if = ""
    features, errors = card.validate_row(given)
    query = _query(given, what_if)
    if not errors and not twice:
        return Submission(values, features, {}, (), query, what_if)
    errors = errors | twice
    lacking = tuple(name for name in errors if not values[name].strip() and name not in twice)
    ordered = {name: errors[name] for name in card.names if name in errors}
    return Submission(values, None, ordered, lacking, query, what_if)


def _query(given: Mapping[str, str], what_if: str) -> str:
    parts = []
    for name, value in given.items():
        if len(value) <= LONGEST and not value.isspace():
            parts.append(f"{name}={value if _STAYS(value) else quote_plus(value)}")
    if what_if:
        parts.append(f"{WHAT_IF}={what_if}")
    return "&".join(parts)
