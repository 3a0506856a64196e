"""The page that says what became of a model's answers, and what is asked."""

from flask import Blueprint, Response

from app.http.responses import NO_STORE, respond
from app.http.routes import Surface
from app.kinds.hosted import HostedModel
from app.monitoring.watcher import LEAST_AGE, Watcher
from app.presentation.track_record import build_track_record


def track_record_blueprint(hosted: HostedModel, watcher: Watcher) -> Blueprint:
    """Create the route of one model."""
    slug, site, words = hosted.slug, hosted.build_site(), hosted.adapter.track_words
    blueprint = hosted.make_blueprint("track-record", __name__)

    @blueprint.get("/about/track-record", surface=Surface.PAGE, model=slug)
    def track_record() -> Response:
        watcher.look(slug, LEAST_AGE)
        context = build_track_record(watcher.watches[slug], site, words)
        return respond(hosted.render("pages/track_record.html", context), 200, NO_STORE)

    return blueprint
