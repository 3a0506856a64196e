"""The errors of the API: problem details (RFC 9457)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http import HTTPStatus

from flask import Response

MEDIA_TYPE = "application/problem+json"

DETAILS = {
    400: "The request could not be read.",
    401: "Send a key in the header Authorization: Bearer …, or the password by HTTP Basic.",
    403: "You are not signed in with the proxy in front of this API.",
    404: "There is nothing at this address. GET /api lists what there is.",
    405: "This address does not take this method; the Allow header says which it takes.",
    411: "Say in Content-Length how long the body is; this server cannot read it in chunks.",
    413: "The body is larger than what is read here.",
    415: "The body is compressed, or its type is not read here. GET /api lists those that are.",
    422: "The request was read, but there is no answer to it: see errors.",
    429: "Too many requests. Wait as long as Retry-After says.",
    500: "Something went wrong on our side. Try again in a moment.",
    503: "Too busy just now. Wait as long as Retry-After says.",
}
"""The details of a problem that has none of its own; the OpenAPI text has them, too."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One error in a request.

    ``message`` is the sentence that the form shows, ``pointer`` the place in the JSON text (RFC
    6901), None where the body is no JSON; ``field`` is None for an error outside of every field.
    """

    field: str | None
    message: str
    pointer: str | None


def get_phrase(status: int) -> str:
    """Return the title of a status from RFC 9110."""
    try:
        # Before Python 3.13 HTTPStatus has the older phrases of RFC 7231.
        return {413: "Content Too Large", 422: "Unprocessable Content"}.get(
            status, HTTPStatus(status).phrase
        )
    except ValueError:
        return "Error"


def make_problem(status: int, detail: str = "", errors: Sequence[Fault] = ()) -> Response:
    """Make the response for an error; ``detail`` defaults to that of the status."""
    headers = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
    return Response(write_problem(status, detail, errors), status, headers)


def write_problem(status: int, detail: str = "", errors: Sequence[Fault] = ()) -> str:
    """Write the body of a problem, in JSON."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": get_phrase(status),
        "status": status,
        "detail": detail or DETAILS.get(status, get_phrase(status) + "."),
    }
    if errors:
        body["errors"] = [asdict(error) for error in errors]
    return json.dumps(body) + "\n"
