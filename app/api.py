"""The JSON API of one model: ``/api/predict`` for programs, its text, its page for people."""

from collections.abc import Callable

from flask import Blueprint, Response

from app.answers import JSON, answer
from app.api_answers import write
from app.api_page import api_page
from app.api_pictures import picture_answerer
from app.api_rows import row_answerer
from app.image_pages import view_image_site
from app.openapi import openapi
from app.pages import REVALIDATED, view_site
from app.views import Renderer
from model import AnyModel, ImageModel


def api_blueprint(model: AnyModel, prefix: str, render: Renderer) -> Blueprint:
    """The API of one model under ``prefix``, "" for the default model."""
    blueprint = Blueprint(f"api-{model.slug}", __name__, url_prefix=prefix or None)
    text = write(openapi(model, prefix))
    answerer: Callable[[], Response]
    if isinstance(model, ImageModel):
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
        return answer(text, 200, REVALIDATED, JSON)

    return blueprint
