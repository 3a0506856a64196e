"""Answers as JSON text, and the one option of a request."""

import json
from collections.abc import Iterable
from wsgiref.types import WSGIEnvironment

from flask import abort, request
from pydantic_core import to_json

from app.http.problems import Fault, make_problem
from app.kinds.adapter import OPTION
from app.kinds.parsing import suggest

_encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode


def dump_json(body: object) -> str:
    """Serialize an answer.

    Raises:
        ValueError: for a number that is not finite, which would be a fault of the app.
    """
    return _encode(body) + "\n"


def dump_line(body: object) -> bytes:
    """Serialize one of many answers, in a fifth of the time; its numbers are known to be finite."""
    return to_json(body) + b"\n"


def read_contributions_option(environ: WSGIEnvironment) -> bool:
    """Read whether the address of the present request has ``?contributions=true``.

    Raises:
        HTTPException: 422 for anything else in the query, so that a misspelt option is noticed.
    """
    if not environ.get("QUERY_STRING"):
        return False
    given = request.args.to_dict(flat=False)
    if not given:  # "?&" asks for nothing
        return False
    faults = list(_find_faults(given))
    if faults:
        abort(make_problem(422, "The address has errors. No prediction was made.", faults))
    return given[OPTION] == ["true"]


def _find_faults(given: dict[str, list[str]]) -> Iterable[Fault]:
    for name in given:
        if name != OPTION:
            suggestion = suggest(name[:60], {OPTION: None})
            yield Fault(None, f"The address takes no such option{suggestion}", None)
            return
    if given[OPTION] not in (["true"], ["false"]):
        yield Fault(None, f"{OPTION} must be true or false, given once", None)
