"""The pages of one model of rows: form, result, fragment and about."""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from markupsafe import Markup

from app.http.forms import read_form, read_query
from app.http.responses import REVALIDATED, respond
from app.http.routes import Surface
from app.kinds.registry import build_site, make_presenter
from app.presentation.about import build_about_context
from app.presentation.contexts import FieldErrorsContext, PageContext, Renderer, embed_site
from app.presentation.form import build_form
from app.presentation.result import Result
from app.presentation.submission import Submission, read_submission
from app.telemetry.request_records import Outcome, record_outcome
from model import Classifier, Regressor

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def pages_blueprint(
    model: Regressor | Classifier, prefix: str, render: Renderer, embedded: bool = False
) -> Blueprint:
    """Create the routes of one model.

    Args:
        model: the model.
        prefix: where its addresses begin, "" for the default model.
        render: renders the templates.
        embedded: whether these are the routes of the form for frames.
    """
    kind, here = ("embed", "/embed") if embedded else ("pages", "/")
    page_surface = Surface.FRAME if embedded else Surface.PAGE
    fragment_surface = Surface.FRAME_FRAGMENT if embedded else Surface.FRAGMENT
    template = "pages/embed.html" if embedded else "pages/page.html"
    blueprint = Blueprint(f"{kind}-{model.slug}", __name__, url_prefix=prefix or None)
    site = build_site(model, prefix)
    if embedded:
        site = embed_site(site)
    presenter = make_presenter(model)
    about = render("pages/about.html", build_about_context(model, presenter, site))

    cached_template = render.cached_template("kinds/_result.html", site=site, version=model.version)

    def render_result(submission: Submission | None, environ: "WSGIEnvironment") -> bytes:
        result = presenter.present(submission)
        if submission is not None:
            record_outcome(_build_outcome(submission, result), environ)
        return cached_template.render("result", result)

    def render_errors(errors: dict[str, str]) -> bytes:
        by_field = tuple((name, errors.get(name, "")) for name in model.card.names)
        return render("presentation/field_errors.html", FieldErrorsContext(by_field)).encode()

    no_errors = render_errors({})

    def respond_page(submission: Submission | None, posted: bool) -> Response:
        problems = submission.problems if posted and submission else ()
        context = PageContext(
            site=site,
            form=build_form(model.card, submission),
            result=Markup(  # noqa: S704 (escaped there)
                render_result(submission, request.environ).decode()
            ),
            problems=problems,
            heading=("Error: " if problems else "") + site.title,
        )
        return respond(render(template, context), 422 if problems else 200, REVALIDATED)

    @blueprint.get(here, surface=page_surface, model=model.slug)
    def form() -> Response:
        data = read_query()
        given = any(name in data for name in model.card.names)
        return respond_page(read_submission(model.card, data) if given else None, posted=False)

    @blueprint.post(here, surface=page_surface, model=model.slug)
    def full_post() -> Response:
        return respond_page(read_submission(model.card, read_form()), posted=True)

    @blueprint.post(
        f"{here.rstrip('/')}/predict-fragment", surface=fragment_surface, model=model.slug
    )
    def fragment() -> Response:
        environ = request.environ  # a local name: each look-up goes through a context variable
        submission = read_submission(model.card, read_form(environ))
        body = render_result(submission, environ) + (
            render_errors(submission.errors) if submission.errors else no_errors
        )
        status = 200 if submission.features is not None else 422
        query = submission.query
        address = f"{site.action}?{query}" if query else site.action
        headers = {"Cache-Control": "no-store", "HX-Replace-Url": address}
        return respond(body, status, headers, environ=environ)

    if not embedded:

        @blueprint.get("/about", surface=Surface.PAGE, model=model.slug)
        def card() -> Response:
            return respond(about, 200, REVALIDATED)

    return blueprint


def _build_outcome(submission: Submission, result: Result) -> Outcome:
    if submission.features is not None:
        explanation = result.explanation
        out_of_distribution = explanation is not None and explanation.out_of_distribution
        return Outcome(
            predictions=1,
            out_of_distribution=int(out_of_distribution),
            inputs=submission.values,
        )
    return Outcome(refused=submission.invalid, inputs=submission.values)
