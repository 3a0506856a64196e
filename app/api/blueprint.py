"""The JSON API of one model: ``/api/predict`` for programs, its text, its page for people."""

from collections.abc import Callable

from flask import Blueprint, Response

from app.api.openapi import openapi
from app.api.page import api_page
from app.api.pictures import picture_answerer
from app.api.rows import row_answerer
from app.api.serializing import write
from app.http.responses import JSON, REVALIDATED, respond
from app.kinds.pictures import view_image_site
from app.kinds.registry import view_site
from app.presentation.contexts import Renderer
from model import AnyModel, ImageClassifier


def api_blueprint(model: AnyModel, prefix: str, render: Renderer) -> Blueprint:
    """The API of one model under ``prefix``, "" for the default model."""
    blueprint = Blueprint(f"api-{model.slug}", __name__, url_prefix=prefix or None)
    text = write(openapi(model, prefix))
    answerer: Callable[[], Response]
    if isinstance(model, ImageClassifier):
        answerer, site = picture_answerer(model), view_image_site(model, prefix)
    else:
        answerer, site = row_answerer(model), view_site(model, prefix)
    page = api_page(model, site, prefix, render)

    @blueprint.get("/api", strict_slashes=False)
    def document() -> Response:
        return page()

    @blueprint.post("/api/predict")
    def predict() -> Response:
        return answerer()

    @blueprint.get("/api/openapi.json")
    def describe() -> Response:
        return respond(text, 200, REVALIDATED, JSON)

    return blueprint
