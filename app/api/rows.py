"""``POST /api/predict`` of a model of rows: JSON in, one answer or a list of them out."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response

from app.api.parsing import UnreadableError, parse_json, read_json_body, read_rows
from app.api.serializing import NO_STORE, dump_json, read_contributions_option
from app.http.problems import make_problem
from app.http.responses import JSON, respond
from app.kinds.classes import ClassSerializer
from app.kinds.number import NumberSerializer
from app.kinds.payload import Payload
from app.limits.background import run_in_thread
from app.telemetry.request_records import Outcome, record_outcome
from model import Classification, Classifier, Prediction, Regressor, TabularModel
from model.serving.batch import BatchPredictor, RowPrediction

MAX_INLINE_BYTES = 4096
"""Bytes of a body up to which it is answered in the request's own greenlet, not in a thread."""

MAX_INLINE_EXPLAINED_BYTES = 512
"""The same where contributions are asked for: a row or two."""

TIMEOUT = 10.0
"""Seconds for contributions; a thread counts as hanging after 20."""

TIMEOUT_TEXT = (
    f"The contributions of so many rows take longer than {TIMEOUT:g} seconds. Send fewer at once."
)

AnswerT = TypeVar("AnswerT", Prediction, Classification)


def make_row_view(model: Regressor | Classifier) -> Callable[[], Response]:
    """Make the view of one model."""
    if isinstance(model, Classifier):
        return _make_view(model, ClassSerializer(model).serialize)
    return _make_view(model, NumberSerializer(model).serialize)


def _make_view(
    model: TabularModel[AnswerT], serialize: Callable[[RowPrediction[AnswerT]], Payload]
) -> Callable[[], Response]:
    batch = BatchPredictor(model)

    def make_reply(body: bytes, contributions: bool) -> tuple[str | Response, Outcome]:
        """Make the answer in JSON or the problem, without the request: it may run in a thread."""
        try:
            rows = read_rows(model.card, parse_json(body))
        except UnreadableError as error:
            detail = f"The body is not JSON that can be read: {error}."
            return make_problem(400, detail), Outcome()
        if rows.faults:
            return make_problem(422, rows.detail, rows.faults), Outcome(refused=rows.refused)
        try:
            predicted = batch.predict(rows.features, contributions, TIMEOUT)
        except TimeoutError:
            return make_problem(413, TIMEOUT_TEXT), Outcome()
        answers = [serialize(answer) for answer in predicted]
        out_of_distribution = sum(answer.out_of_distribution for answer in predicted)
        inputs = rows.features[0] if rows.single else None
        outcome = Outcome(
            predictions=len(predicted), out_of_distribution=out_of_distribution, inputs=inputs
        )
        return dump_json(answers[0] if rows.single else answers), outcome

    def predict() -> Response:
        contributions, body = read_contributions_option(), read_json_body()
        if len(body) <= (MAX_INLINE_EXPLAINED_BYTES if contributions else MAX_INLINE_BYTES):
            reply, outcome = make_reply(body, contributions)
        else:
            reply, outcome = run_in_thread(make_reply, body, contributions)
        record_outcome(outcome)
        return respond(reply, 200, NO_STORE, JSON) if isinstance(reply, str) else reply

    return predict
