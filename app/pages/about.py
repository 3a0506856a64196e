"""The page about one model: how good it is, what it cannot know, what it is not for."""

from functools import lru_cache

from flask import Blueprint, Response
from markupsafe import Markup

from app.http.responses import REVALIDATED, respond
from app.http.routes import Surface
from app.kinds.hosted import HostedModel
from app.presentation.about import build_about_context
from app.presentation.contexts import Site


def add_about_page(blueprint: Blueprint, hosted: HostedModel, site: Site) -> None:
    """Add the route to the blueprint of the model's pages."""
    model, watch = hosted.adapter.model, hosted.watch
    context = build_about_context(
        model.card, model.manifest, model.version, site, hosted.adapter.about()
    )
    if watch is not None:
        context = context._replace(track_record=f"{site.about}/track-record")

    @lru_cache(maxsize=1)
    def render_about(broken: str) -> Markup:
        return hosted.render("pages/about.html", context._replace(broken=broken))

    render_about("")

    @blueprint.get("/about", surface=Surface.PAGE, model=model.slug)
    def card() -> Response:
        broken = watch.verdict if watch is not None and watch.is_broken else ""
        return respond(render_about(broken), 200, REVALIDATED)
