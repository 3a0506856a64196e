"""The pages of one model of pictures: form, answer, fragment and card; see ``app.pages``."""

from functools import partial

from flask import Blueprint, Response

from app.about import figures, made_of
from app.answers import answer
from app.embedding import framed
from app.form import FieldView
from app.image_result import ImagePresenter, Look
from app.observing import Outcome, note
from app.pages import REVALIDATED
from app.result import Problem
from app.upload import look_at, uploaded
from app.views import (
    AboutContext,
    BesideContext,
    ImagePageContext,
    ImageResultContext,
    Link,
    Renderer,
    Row,
    Site,
)
from model import ImageModel


def image_pages_blueprint(
    model: ImageModel, prefix: str, render: Renderer, embedded: bool = False
) -> Blueprint:
    """The routes of one model under ``prefix``; where ``embedded``, those for frames alone."""
    kind, here = ("embed", "/embed") if embedded else ("pages", "/")
    blueprint = Blueprint(f"{kind}-{model.slug}", __name__, url_prefix=prefix or None)
    site, name = view_image_site(model, prefix), model.card.field.name
    if embedded:
        site = framed(site)
    template = "image_embed.html" if embedded else "image_page.html"
    presenter = ImagePresenter(model)
    about = render("about.html", image_about_context(model, presenter, site))
    samples = Link(model.card.samples.text, model.card.samples.url)

    def look_at_upload() -> Look:
        look = look_at(presenter, partial(uploaded, name))
        note(outcome_of(name, look))
        return look

    def page(look: Look | None) -> Response:
        error = "" if look is None else look.error
        context = ImagePageContext(
            site=site,
            field=view_image_field(model, error),
            result=render(
                "image_result.html",
                ImageResultContext(site, samples, model.version, presenter.result(look)),
            ),
            problems=(Problem(name, error),) if error else (),
            heading=("Error: " if error else "") + site.title,
        )
        return answer(render(template, context), 422 if error else 200, REVALIDATED)

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
        body = render("image_result.html", context)
        body += render("errors_beside.html", BesideContext(((name, look.error),)))
        return answer(body, 422 if look.error else 200, {"Cache-Control": "no-store"})

    if not embedded:

        @blueprint.get("/about")
        def card() -> Response:
            return answer(about, 200, REVALIDATED)

    return blueprint


def outcome_of(name: str, look: Look) -> Outcome:
    """What is told of an upload."""
    if look.diagnosis is not None:
        return Outcome(predictions=1)
    if look.strange:
        return Outcome(outside=1)
    return Outcome(refused=() if look.lacking else (name,))


def view_image_site(model: ImageModel, prefix: str) -> Site:
    """The texts and addresses of one model's pages."""
    home = f"{prefix}/"
    return Site(
        title=model.card.title,
        summary=model.card.summary,
        home=home,
        action=home,
        fragment=f"{home}predict-fragment",
        about=f"{home}about",
        examples=(),
    )


def view_image_field(model: ImageModel, error: str) -> FieldView:
    """The one field; a file that was chosen before cannot be put back by any server."""
    field = model.card.field
    return FieldView(
        name=field.name,
        kind=field.kind,
        label=field.label,
        help=field.help,
        unit="",
        required=field.required,
        value="",
        error=error,
        input_mode="",
        options=(),
    )


def image_about_context(model: ImageModel, presenter: ImagePresenter, site: Site) -> AboutContext:
    """Data, figures, limits and make of one model, in words."""
    card, manifest = model.card, model.manifest
    return AboutContext(
        site=site,
        heading="About this answer",
        origin=presenter.origin,
        source=manifest.data.source,
        accuracy=f"{card.output.warning}. {manifest.accuracy}",
        metrics=figures(card, manifest),
        how=manifest.how,
        method="",
        method_title="",
        limits=card.limits,
        not_for=card.not_for,
        facts=(Row(card.field.label, card.field.takes),),
        made=made_of(card, manifest, model.version),
    )
