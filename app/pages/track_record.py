"""The page that says what became of a model's answers, and what is asked."""

from flask import Blueprint, Response

from app.http.responses import respond
from app.http.routes import Surface
from app.kinds.hosted import HostedModel
from app.kinds.rows import RowAdapter
from app.monitoring.watcher import LEAST_AGE, Watcher
from app.presentation.track_record import TrackWords, build_track_record

NO_STORE = {"Cache-Control": "no-store"}


def track_record_blueprint(hosted: HostedModel, watcher: Watcher) -> Blueprint:
    """Create the route of one model."""
    adapter, render = hosted.adapter, hosted.render
    model = adapter.model
    blueprint = hosted.make_blueprint("track-record", __name__)
    site = hosted.build_site()
    watch, words = watcher.watches[model.slug], None
    if isinstance(adapter, RowAdapter):
        words = TrackWords(adapter.error_text, adapter.format_error, adapter.format_value)

    @blueprint.get("/about/track-record", surface=Surface.PAGE, model=model.slug)
    def track_record() -> Response:
        watcher.look(model.slug, LEAST_AGE)
        page = render("pages/track_record.html", build_track_record(watch, site, words))
        return respond(page, 200, NO_STORE)

    return blueprint
