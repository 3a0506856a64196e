"""The JSON API of one model: ``/api/predict``, its OpenAPI document, its page for people."""

from collections.abc import Callable

from flask import Blueprint, Response

from app.api.openapi import build_openapi
from app.api.page import make_page_view
from app.api.pictures import make_picture_view
from app.api.rows import make_row_view
from app.api.serializing import dump_json
from app.http.responses import JSON, REVALIDATED, respond
from app.http.routes import Surface
from app.kinds.pictures.contexts import build_image_site
from app.kinds.registry import build_site
from app.presentation.contexts import Renderer
from model import AnyModel, ImageClassifier


def api_blueprint(model: AnyModel, prefix: str, render: Renderer) -> Blueprint:
    """Create the routes of one model's API under ``prefix``, "" for the default model."""
    blueprint = Blueprint(f"api-{model.slug}", __name__, url_prefix=prefix or None)
    text = dump_json(build_openapi(model, prefix))
    view: Callable[[], Response]
    if isinstance(model, ImageClassifier):
        view, site = make_picture_view(model), build_image_site(model, prefix)
    else:
        view, site = make_row_view(model), build_site(model, prefix)
    page = make_page_view(model, site, prefix, render)

    @blueprint.get("/api", surface=Surface.PAGE, model=model.slug, strict_slashes=False)
    def document() -> Response:
        return page()

    @blueprint.post("/api/predict", surface=Surface.API, model=model.slug)
    def predict() -> Response:
        return view()

    @blueprint.get("/api/openapi.json", surface=Surface.API, model=model.slug)
    def describe() -> Response:
        return respond(text, 200, REVALIDATED, JSON)

    return blueprint
