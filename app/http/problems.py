"""What the API answers where it has no prediction: problem details (RFC 9457)."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

from flask import Response

MEDIA_TYPE = "application/problem+json"

DETAILS = {
    400: "The request could not be read.",
    404: "There is nothing at this address. GET /api lists what there is.",
    405: "This address does not take this method; the Allow header says which it takes.",
    411: "Say in Content-Length how long the body is.",
    413: "The body is larger than what is read here.",
    415: "The body has a type that is not read here.",
    422: "The request was read, but there is no answer to it: see errors.",
    429: "Too many requests. Wait as long as Retry-After says.",
    500: "Something went wrong on our side. Try again in a moment.",
    503: "Too busy just now. Wait as long as Retry-After says.",
}
"""What to say where nobody knows better; also the descriptions in the OpenAPI text."""

_API = re.compile(r"(?:/[^/]+)?/api(?:/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    ``message`` is what the form says, ``pointer`` where it stands in the JSON text (RFC 6901), None
    where that is no JSON; ``field`` is None where it is about no field of the card.
    """

    field: str | None
    message: str
    pointer: str | None


def is_api(method: str, path: str) -> bool:
    """Whether a program reads the answer; ``GET /api`` is a page for people."""
    if "/api" not in path or not _API.fullmatch(path):
        return False
    return method not in ("GET", "HEAD") or not path.rstrip("/").endswith("/api")


def phrase(status: int) -> str:
    """The title of a status as RFC 9110 has it."""
    try:
        # Python before 3.13 has the phrases of the RFC before.
        return {413: "Content Too Large", 422: "Unprocessable Content"}.get(
            status, HTTPStatus(status).phrase
        )
    except ValueError:
        return "Error"


def problem(status: int, detail: str = "", errors: Sequence[Fault] = ()) -> Response:
    """The answer for what went wrong; ``detail`` defaults to what is always true of the status."""
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
    return Response(problem_text(status, detail, errors), status, headers)


def problem_text(status: int, detail: str = "", errors: Sequence[Fault] = ()) -> str:
    """Its body."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": phrase(status),
        "status": status,
        "detail": detail or DETAILS.get(status, phrase(status) + "."),
    }
    if errors:
        body["errors"] = [asdict(error) for error in errors]
    return json.dumps(body) + "\n"
