"""``POST /api/predict`` of a model of pictures: a file in, the answer in JSON out."""

from collections.abc import Callable

from flask import Response, request
from werkzeug.exceptions import UnsupportedMediaType

from app.answers import JSON, answer
from app.api_answers import FRESH, PictureSpeaker, asked_for_contributions, write
from app.aside import aside
from app.image_result import ImagePresenter
from app.problem import Fault, problem
from app.upload import uploaded, whole_body
from model import ImageModel

RAW = ("image/jpeg", "image/png")
"""Types of a body that is the picture itself."""


def picture_answerer(model: ImageModel) -> Callable[[], Response]:
    """The view of one model."""
    name = model.card.field.name
    presenter, speaker = ImagePresenter(model), PictureSpeaker(model)

    def predict() -> Response:
        with_map = asked_for_contributions()
        look = aside(presenter.look, picture_files(name))
        if look.diagnosis is None:
            faults = [Fault(name, look.error, None)]
            return problem(422, "There is no answer to this picture.", faults)
        return answer(write(speaker.say(look.diagnosis, with_map)), 200, FRESH, JSON)

    return predict


def picture_files(name: str) -> list[bytes]:
    """The files that were sent: as a form has them under ``name``, or one as the body itself.

    Raises:
        HTTPException: 411, 413 or 415 for a body that is not read.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType
    if request.mimetype == "multipart/form-data":
        return uploaded(name)
    if request.mimetype in RAW:
        return [whole_body()]
    raise UnsupportedMediaType
