"""``POST /api/predict`` of a model of pictures: a file in, the answer in JSON out."""

from collections.abc import Callable
from functools import partial

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from app.answers import JSON, answer
from app.api_answers import FRESH, PictureSpeaker, asked_for_contributions, write
from app.image_pages import outcome_of
from app.image_result import ImagePresenter
from app.observing import note
from app.problem import Fault, problem
from app.room import Place
from app.upload import look_at, uploaded, whole_body
from model import ImageModel

RAW = ("image/jpeg", "image/png")
"""Types of a body that is the picture itself."""


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


def picture_files(name: str, place: Place) -> list[bytes]:
    """The files that were sent: as a form has them under ``name``, or one as the body itself.

    Raises:
        HTTPException: 408, 411, 413, 415 or 503 for a body that is not read.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType
    if request.mimetype == "multipart/form-data":
        return uploaded(name, place)
    if request.mimetype in RAW:
        return [whole_body(place)]
    raise UnsupportedMediaType
