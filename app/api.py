"""The JSON API of one model of rows: ``POST /api/predict``, for programs."""

import json
from collections.abc import Iterable

from flask import Blueprint, Response, abort, request

from app.answers import JSON, answer
from app.aside import aside
from app.openapi import openapi
from app.pages import REVALIDATED
from app.problem import Fault, problem
from app.rows import UnreadableError, json_body, nearest, parse, read_rows
from model import Model
from model.batch import Batch, RowAnswer
from model.explain import Explanation

OPTION = "contributions"
"""The one option, in the address."""

SMALL = 4096
"""Bytes of a body up to which it is answered at once, without handing it to another thread."""

FRESH = {"Cache-Control": "no-store"}

OUTSIDE = {
    "code": "outside",
    "message": "The model has seen nothing like this row, so the prediction is a guess and the "
    "interval has no coverage.",
}


def api_blueprint(model: Model, prefix: str) -> Blueprint:
    """The API of one model under ``prefix``, "" for the default model."""
    blueprint = Blueprint(f"api-{model.slug}", __name__, url_prefix=prefix or None)
    speaker = Speaker(model)
    batch = Batch(model)

    def text_for(body: bytes, contributions: bool) -> str | Response:
        """The answer in JSON, or the problem; needs no request, so that any thread can do it."""
        try:
            rows = read_rows(model.card, parse(body))
        except UnreadableError as error:
            return problem(400, f"The body is not JSON that can be read: {error}.")
        if rows.faults:
            return problem(422, rows.detail, rows.faults)
        answers = [speaker.say(found) for found in batch.ask(rows.features, contributions)]
        return write(answers[0] if rows.single else answers)

    text = write(openapi(model, prefix))

    @blueprint.get("/api/openapi.json")
    def describe() -> Response:
        return answer(text, 200, REVALIDATED, JSON)

    @blueprint.post("/api/predict")
    def predict() -> Response:
        contributions, body = asked_for_contributions(), json_body()
        if len(body) <= SMALL:
            found = text_for(body, contributions)
        else:
            found = aside(text_for, body, contributions)
        return answer(found, 200, FRESH, JSON) if isinstance(found, str) else found

    return blueprint


class Speaker:
    """Says answers of one model in JSON."""

    def __init__(self, model: Model) -> None:
        self._card = model.card
        self._reference = model.manifest.reference
        self._model = {"name": model.slug, "version": model.version}

    def say(self, found: RowAnswer) -> dict[str, object]:
        """One row's answer; ``app.openapi`` has its schema."""
        interval = found.prediction.interval
        said: dict[str, object] = {
            "prediction": found.prediction.value,
            "interval": None
            if interval is None
            else {
                "low": interval.low,
                "high": interval.high,
                "coverage": None if found.outside else interval.coverage,
            },
        }
        if found.explanation is not None:
            said["contributions"] = self._contributions(found.explanation)
        said["warnings"] = [OUTSIDE] if found.outside else []
        said["model"] = self._model
        return said

    def _contributions(self, explanation: Explanation) -> dict[str, object]:
        names = [self._card.names[column] for column in explanation.columns]
        return {
            "reference": {
                "prediction": explanation.base,
                "row": {name: self._reference[name] for name in names},
            },
            "values": dict(zip(names, explanation.contributions, strict=True)),
            "standard_error": explanation.error,
        }


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
