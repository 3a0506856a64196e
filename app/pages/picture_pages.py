"""The pages of one model of pictures; see ``app.pages.blueprint``."""

from functools import partial

from flask import Blueprint, Response
from markupsafe import Markup

from app.http.responses import REVALIDATED, respond
from app.http.routes import Surface
from app.kinds.pictures.contexts import (
    ImageResultContext,
    build_image_about_context,
    build_image_field,
    build_image_site,
)
from app.kinds.pictures.presenter import ImagePresenter
from app.kinds.pictures.uploads import ImageOutcome, build_outcome, classify_upload
from app.limits.uploads import read_uploads
from app.presentation.contexts import (
    FieldErrorsContext,
    ImagePageContext,
    Link,
    Renderer,
    embed_site,
)
from app.presentation.submission import Problem
from app.telemetry.request_records import record_outcome
from model import ImageClassifier


def image_pages_blueprint(
    model: ImageClassifier, prefix: str, render: Renderer, embedded: bool = False
) -> Blueprint:
    """Create the routes of one model; see ``pages_blueprint``."""
    kind, here = ("embed", "/embed") if embedded else ("pages", "/")
    page_surface = Surface.FRAME if embedded else Surface.PAGE
    fragment_surface = Surface.FRAME_FRAGMENT if embedded else Surface.FRAGMENT
    blueprint = Blueprint(f"{kind}-{model.slug}", __name__, url_prefix=prefix or None)
    site, name = build_image_site(model, prefix), model.card.field.name
    if embedded:
        site = embed_site(site)
    template = "pages/picture_embed.html" if embedded else "pages/picture_page.html"
    presenter = ImagePresenter(model)
    about = render("pages/about.html", build_image_about_context(model, presenter, site))
    samples = Link(model.card.samples.text, model.card.samples.url)

    def read_outcome() -> ImageOutcome:
        outcome = classify_upload(model, partial(read_uploads, name))
        record_outcome(build_outcome(name, outcome))
        return outcome

    def render_result(outcome: ImageOutcome | None) -> Markup:
        context = ImageResultContext(site, samples, model.version, presenter.present(outcome))
        return render("kinds/picture_result.html", context)

    def respond_page(outcome: ImageOutcome | None) -> Response:
        error = "" if outcome is None else outcome.error
        context = ImagePageContext(
            site=site,
            field=build_image_field(model, error),
            result=render_result(outcome),
            problems=(Problem(name, error),) if error else (),
            heading=("Error: " if error else "") + site.title,
        )
        return respond(render(template, context), 422 if error else 200, REVALIDATED)

    @blueprint.get(here, surface=page_surface, model=model.slug)
    def form() -> Response:
        return respond_page(None)

    @blueprint.post(here, surface=page_surface, model=model.slug)
    def full_post() -> Response:
        return respond_page(read_outcome())

    @blueprint.post(
        f"{here.rstrip('/')}/predict-fragment", surface=fragment_surface, model=model.slug
    )
    def fragment() -> Response:
        outcome = read_outcome()
        errors = FieldErrorsContext(((name, outcome.error),))
        body = render_result(outcome) + render("presentation/field_errors.html", errors)
        return respond(body, 422 if outcome.error else 200, {"Cache-Control": "no-store"})

    if not embedded:

        @blueprint.get("/about", surface=Surface.PAGE, model=model.slug)
        def card() -> Response:
            return respond(about, 200, REVALIDATED)

    return blueprint
