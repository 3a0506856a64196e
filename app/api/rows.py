"""``POST /api/predict`` of a model of rows: JSON in, one answer or a list of them out."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response

from app.api.parsing import UnreadableError, json_body, parse, read_rows
from app.api.serializing import FRESH, asked_for_contributions, write
from app.http.problems import problem
from app.http.responses import JSON, respond
from app.kinds.classes import ClassSerializer
from app.kinds.number import NumberSerializer
from app.kinds.payload import Payload
from app.limits.background import run_in_thread
from app.telemetry.request_records import Outcome, record_outcome
from model import Classification, Classifier, Prediction, Regressor, TabularModel
from model.serving.batch import BatchPredictor, RowAnswer

SMALL = 4096
"""Bytes of a body up to which it is answered at once, without handing it to another thread."""

DEAR = 512
"""The same where contributions are asked for: a row or two."""

PATIENCE = 10.0
"""Seconds for contributions; a thread that takes 20 is taken for hanging (``app.limits.background``)."""

TOO_LONG = (
    f"The contributions of so many rows take longer than {PATIENCE:g} seconds: send fewer at once."
)

Answered = TypeVar("Answered", Prediction, Classification)


def row_answerer(model: Regressor | Classifier) -> Callable[[], Response]:
    """The view of one model."""
    if isinstance(model, Classifier):
        return _answerer(model, ClassSerializer(model).serialize)
    return _answerer(model, NumberSerializer(model).serialize)


def _answerer(
    model: TabularModel[Answered], serialize: Callable[[RowAnswer[Answered]], Payload]
) -> Callable[[], Response]:
    batch = BatchPredictor(model)

    def reply_to(body: bytes, contributions: bool) -> tuple[str | Response, Outcome]:
        """The answer in JSON, or the problem; needs no request, so that any thread can do it."""
        try:
            rows = read_rows(model.card, parse(body))
        except UnreadableError as error:
            detail = f"The body is not JSON that can be read: {error}."
            return problem(400, detail), Outcome()
        if rows.faults:
            return problem(422, rows.detail, rows.faults), Outcome(refused=rows.refused)
        try:
            found = batch.predict(rows.features, contributions, PATIENCE)
        except TimeoutError:
            return problem(413, TOO_LONG), Outcome()
        answers = [serialize(answered) for answered in found]
        outside = sum(answered.outside for answered in found)
        inputs = rows.features[0] if rows.single else None
        outcome = Outcome(predictions=len(found), outside=outside, inputs=inputs)
        return write(answers[0] if rows.single else answers), outcome

    def predict() -> Response:
        contributions, body = asked_for_contributions(), json_body()
        if len(body) <= (DEAR if contributions else SMALL):
            reply, outcome = reply_to(body, contributions)
        else:
            reply, outcome = run_in_thread(reply_to, body, contributions)
        record_outcome(outcome)
        return respond(reply, 200, FRESH, JSON) if isinstance(reply, str) else reply

    return predict
