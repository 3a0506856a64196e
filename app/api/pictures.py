"""``POST /api/predict`` of a model of pictures: a file in, the answer in JSON out."""

from collections.abc import Callable
from functools import partial

from flask import Response

from app.api.serializing import FRESH, asked_for_contributions, write
from app.http.problems import Fault, problem
from app.http.responses import JSON, answer
from app.kinds.pictures import ImagePresenter, PictureSpeaker, look_at, outcome_of, picture_files
from app.telemetry.request_records import note
from model import ImageModel


def picture_answerer(model: ImageModel) -> Callable[[], Response]:
    """The view of one model."""
    name = model.card.field.name
    presenter, speaker = ImagePresenter(model), PictureSpeaker(model)

    def predict() -> Response:
        with_map = asked_for_contributions()
        look = look_at(presenter, partial(picture_files, name))
        note(outcome_of(name, look))
        if look.diagnosis is None:
            faults = [Fault(name, look.error, None)]
            return problem(422, "There is no answer to this picture.", faults)
        return answer(write(speaker.say(look.diagnosis, with_map)), 200, FRESH, JSON)

    return predict
