"""``POST /api/predict`` of a model of rows: JSON in, one answer or a list of them out."""

from collections.abc import Callable
from typing import TypeVar

from flask import Response

from app.answers import JSON, answer
from app.api_answers import (
    FRESH,
    ClassSpeaker,
    NumberSpeaker,
    Said,
    asked_for_contributions,
    write,
)
from app.aside import aside
from app.problem import problem
from app.rows import UnreadableError, json_body, parse, read_rows
from model import Classification, Classifier, Model, Prediction, RowModel
from model.batch import Batch, RowAnswer

SMALL = 4096
"""Bytes of a body up to which it is answered at once, without handing it to another thread."""

Answered = TypeVar("Answered", Prediction, Classification)


def row_answerer(model: Model | Classifier) -> Callable[[], Response]:
    """The view of one model."""
    if isinstance(model, Classifier):
        return _answerer(model, ClassSpeaker(model).say)
    return _answerer(model, NumberSpeaker(model).say)


def _answerer(
    model: RowModel[Answered], say: Callable[[RowAnswer[Answered]], Said]
) -> Callable[[], Response]:
    batch = Batch(model)

    def text_for(body: bytes, contributions: bool) -> str | Response:
        """The answer in JSON, or the problem; needs no request, so that any thread can do it."""
        try:
            rows = read_rows(model.card, parse(body))
        except UnreadableError as error:
            return problem(400, f"The body is not JSON that can be read: {error}.")
        if rows.faults:
            return problem(422, rows.detail, rows.faults)
        answers = [say(found) for found in batch.ask(rows.features, contributions)]
        return write(answers[0] if rows.single else answers)

    def predict() -> Response:
        contributions, body = asked_for_contributions(), json_body()
        if len(body) <= SMALL:
            found = text_for(body, contributions)
        else:
            found = aside(text_for, body, contributions)
        return answer(found, 200, FRESH, JSON) if isinstance(found, str) else found

    return predict
