"""``POST /api/predict`` of a model of pictures: a file in, JSON out."""

from collections.abc import Callable
from functools import partial

from flask import Response

from app.api.serializing import NO_STORE, dump_json, read_contributions_option
from app.http.problems import Fault, make_problem
from app.http.responses import JSON, respond
from app.kinds.pictures.serializer import PictureSerializer
from app.kinds.pictures.uploads import build_outcome, classify_upload, read_picture_files
from app.telemetry.request_records import record_outcome
from model import ImageClassifier


def make_picture_view(model: ImageClassifier) -> Callable[[], Response]:
    """Make the view of one model."""
    name = model.card.field.name
    serializer = PictureSerializer(model)

    def predict() -> Response:
        with_map = read_contributions_option()
        outcome = classify_upload(model, partial(read_picture_files, name))
        record_outcome(build_outcome(name, outcome))
        if outcome.classification is None:
            faults = [Fault(name, outcome.error, None)]
            return make_problem(422, "There is no answer to this picture.", faults)
        body = dump_json(serializer.serialize(outcome.classification, with_map))
        return respond(body, 200, NO_STORE, JSON)

    return predict
