"""``POST /api/predict`` of a model of pictures: a file in, the answer in JSON out."""

from collections.abc import Callable
from functools import partial

from flask import Response

from app.api.serializing import FRESH, asked_for_contributions, write
from app.http.problems import Fault, problem
from app.http.responses import JSON, respond
from app.kinds.pictures import ImagePresenter, PictureSerializer, look_at, outcome_of, picture_files
from app.telemetry.request_records import record_outcome
from model import ImageClassifier


def picture_answerer(model: ImageClassifier) -> Callable[[], Response]:
    """The view of one model."""
    name = model.card.field.name
    presenter, serializer = ImagePresenter(model), PictureSerializer(model)

    def predict() -> Response:
        with_map = asked_for_contributions()
        look = look_at(presenter, partial(picture_files, name))
        record_outcome(outcome_of(name, look))
        if look.diagnosis is None:
            faults = [Fault(name, look.error, None)]
            return problem(422, "There is no answer to this picture.", faults)
        return respond(write(serializer.serialize(look.diagnosis, with_map)), 200, FRESH, JSON)

    return predict
