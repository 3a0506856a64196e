"""The pages of one model: form, answer, fragment and card; one blueprint a served model."""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from markupsafe import Markup

from app.http.forms import form_data, query_data
from app.http.responses import REVALIDATED, respond
from app.kinds.registry import presenter_of, view_site
from app.presentation.about import about_context
from app.presentation.contexts import (
    BesideContext,
    PageContext,
    Renderer,
    framed,
)
from app.presentation.form import view_form
from app.presentation.result import Problem, Result
from app.presentation.submission import Submission, read_submission
from app.telemetry.request_records import Outcome, record_outcome
from model import Classifier, Regressor

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def pages_blueprint(
    model: Regressor | Classifier, prefix: str, render: Renderer, embedded: bool = False
) -> Blueprint:
    """The routes of one model under ``prefix``, "" for the default model.

    Where ``embedded``, those of the form for frames alone.
    """
    kind, here = ("embed", "/embed") if embedded else ("pages", "/")
    template = "pages/embed.html" if embedded else "pages/page.html"
    blueprint = Blueprint(f"{kind}-{model.slug}", __name__, url_prefix=prefix or None)
    site = view_site(model, prefix)
    if embedded:
        site = framed(site)
    presenter = presenter_of(model)
    about = render("pages/about.html", about_context(model, presenter, site))

    cached_template = render.cached_template("kinds/_result.html", site=site, version=model.version)

    def result_of(submission: Submission | None, environ: "WSGIEnvironment") -> bytes:
        result = presenter.result(submission)
        if submission is not None:
            record_outcome(_outcome(submission, result), environ)
        return cached_template.render("result", result)

    def beside(errors: dict[str, str]) -> bytes:
        every = tuple((name, errors.get(name, "")) for name in model.card.names)
        return render("presentation/errors_beside.html", BesideContext(every)).encode()

    no_errors = beside({})

    def page(submission: Submission | None, posted: bool) -> Response:
        failed = submission is not None and submission.features is None
        context = PageContext(
            site=site,
            form=view_form(model.card, submission),
            result=Markup(  # noqa: S704 (escaped there)
                result_of(submission, request.environ).decode()
            ),
            problems=_problems(submission) if posted and submission else (),
            heading=("Error: " if posted and failed else "") + site.title,
        )
        status = 422 if posted and failed else 200
        return respond(render(template, context), status, REVALIDATED)

    @blueprint.get(here)
    def form() -> Response:
        data = query_data()
        given = any(name in data for name in model.card.names)
        return page(read_submission(model.card, data) if given else None, posted=False)

    @blueprint.post(here)
    def full_post() -> Response:
        return page(read_submission(model.card, form_data()), posted=True)

    @blueprint.post(f"{here.rstrip('/')}/predict-fragment")
    def fragment() -> Response:
        environ = request.environ  # looked up once: it is no plain attribute
        submission = read_submission(model.card, form_data(environ))
        body = result_of(submission, environ) + (
            beside(submission.errors) if submission.errors else no_errors
        )
        status = 200 if submission.features is not None else 422
        query = submission.query
        address = f"{site.action}?{query}" if query else site.action
        headers = {"Cache-Control": "no-store", "HX-Replace-Url": address}
        return respond(body, status, headers, environ=environ)

    if not embedded:

        @blueprint.get("/about")
        def card() -> Response:
            return respond(about, 200, REVALIDATED)

    return blueprint


def _outcome(submission: Submission, result: Result) -> Outcome:
    if submission.features is not None:
        outside = result.reasons is not None and bool(result.reasons.outside)
        return Outcome(predictions=1, outside=int(outside), inputs=submission.values)
    wrong = tuple(name for name in submission.errors if name not in submission.lacking)
    return Outcome(refused=wrong, inputs=submission.values)


def _problems(submission: Submission) -> tuple[Problem, ...]:
    return tuple(Problem(name, text) for name, text in submission.errors.items())
