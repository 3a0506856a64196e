"""What the API says: answers of models as JSON, and the one option that asks for more of them."""

import json
from collections.abc import Iterable

from flask import abort, request

from app.api.parsing import nearest
from app.http.problems import Fault, problem
from app.kinds.payload import OPTION

FRESH = {"Cache-Control": "no-store"}


def write(body: object) -> str:
    """The JSON text of an answer; a number that is not finite is a fault of ours, and raises."""
    return json.dumps(body, allow_nan=False, separators=(",", ":")) + "\n"


def asked_for_contributions() -> bool:
    """Whether the address has ``?contributions=true``.

    Raises:
        HTTPException: 422 for anything else in the query: what is misspelt would do nothing.
    """
    if not request.query_string:
        return False
    given = request.args.to_dict(flat=False)
    faults = list(_query_faults(given))
    if faults:
        abort(problem(422, "The address has errors. No prediction was made.", faults))
    return given[OPTION] == ["true"]


def _query_faults(given: dict[str, list[str]]) -> Iterable[Fault]:
    for name in given:
        if name != OPTION:
            guess = nearest(name[:60], {OPTION: None})
            yield Fault(None, f"The address takes no such option{guess}", None)
            return
    if given[OPTION] not in (["true"], ["false"]):
        yield Fault(None, f"{OPTION} must be true or false, given once", None)
