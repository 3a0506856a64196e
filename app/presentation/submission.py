"""From request data to features: what was typed, what it means, and what is wrong with it."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote_plus

from app.http.forms import FormData
from model import Card, Features

if TYPE_CHECKING:
    pass


WHAT_IF = "what_if"
"""The name under which form and address say which fact the what-if goes over."""


LONGEST = 200
"""Characters of a value that an address holds; nothing that can be right is longer."""

_STAYS = re.compile(r"[A-Za-z0-9_.~-]*").fullmatch
"""Whether a value stands in an address as it is."""


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


def read_submission(card: Card, data: FormData) -> Submission:
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
