"""The pages of one model of pictures: form, answer, fragment and card; see ``app.pages.blueprint``."""

from functools import partial

from flask import Blueprint, Response

from app.http.responses import REVALIDATED, respond
from app.kinds.pictures import (
    ImageOutcome,
    ImagePresenter,
    ImageResultContext,
    image_about_context,
    look_at,
    outcome_of,
    view_image_field,
    view_image_site,
)
from app.limits.uploads import uploaded
from app.presentation.contexts import BesideContext, ImagePageContext, Link, Renderer, framed
from app.presentation.result import Problem
from app.telemetry.request_records import record_outcome
from model import ImageClassifier


def image_pages_blueprint(
    model: ImageClassifier, prefix: str, render: Renderer, embedded: bool = False
) -> Blueprint:
    """The routes of one model under ``prefix``; where ``embedded``, those for frames alone."""
    kind, here = ("embed", "/embed") if embedded else ("pages", "/")
    blueprint = Blueprint(f"{kind}-{model.slug}", __name__, url_prefix=prefix or None)
    site, name = view_image_site(model, prefix), model.card.field.name
    if embedded:
        site = framed(site)
    template = "pages/picture_embed.html" if embedded else "pages/picture_page.html"
    presenter = ImagePresenter(model)
    about = render("pages/about.html", image_about_context(model, presenter, site))
    samples = Link(model.card.samples.text, model.card.samples.url)

    def look_at_upload() -> ImageOutcome:
        look = look_at(presenter, partial(uploaded, name))
        record_outcome(outcome_of(name, look))
        return look

    def page(look: ImageOutcome | None) -> Response:
        error = "" if look is None else look.error
        context = ImagePageContext(
            site=site,
            field=view_image_field(model, error),
            result=render(
                "kinds/picture_result.html",
                ImageResultContext(site, samples, model.version, presenter.result(look)),
            ),
            problems=(Problem(name, error),) if error else (),
            heading=("Error: " if error else "") + site.title,
        )
        return respond(render(template, context), 422 if error else 200, REVALIDATED)

    @blueprint.get(here)
    def form() -> Response:
        return page(None)

    @blueprint.post(here)
    def full_post() -> Response:
        return page(look_at_upload())

    @blueprint.post(f"{here.rstrip('/')}/predict-fragment")
    def fragment() -> Response:
        look = look_at_upload()
        context = ImageResultContext(site, samples, model.version, presenter.result(look))
        body = render("kinds/picture_result.html", context)
        body += render("presentation/errors_beside.html", BesideContext(((name, look.error),)))
        return respond(body, 422 if look.error else 200, {"Cache-Control": "no-store"})

    if not embedded:

        @blueprint.get("/about")
        def card() -> Response:
            return respond(about, 200, REVALIDATED)

    return blueprint
