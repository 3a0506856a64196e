"""The page that says what became of a model's answers, and what is asked."""

from typing import Any

from flask import Blueprint, Response

from app.http.responses import respond
from app.http.routes import Surface
from app.kinds.adapter import KindAdapter
from app.monitoring.watcher import LEAST_AGE, Watcher
from app.presentation.contexts import Renderer
from app.presentation.track_record import build_track_record

NO_STORE = {"Cache-Control": "no-store"}


def track_record_blueprint(
    adapter: KindAdapter[Any, Any], prefix: str, render: Renderer, watcher: Watcher
) -> Blueprint:
    """Create the route of one model under ``prefix``, "" for the default model."""
    model = adapter.model
    blueprint = Blueprint(f"track-record-{model.slug}", __name__, url_prefix=prefix or None)
    site = adapter.build_site(render.root + prefix)
    watch, words = watcher.watches[model.slug], adapter.track_words

    @blueprint.get("/about/track-record", surface=Surface.PAGE, model=model.slug)
    def track_record() -> Response:
        watcher.look(model.slug, LEAST_AGE)
        page = render("pages/track_record.html", build_track_record(watch, site, words))
        return respond(page, 200, NO_STORE)

    return blueprint
