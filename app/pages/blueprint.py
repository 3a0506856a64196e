"""The pages of one model: form, result and fragment."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request
from markupsafe import Markup, escape
from werkzeug.exceptions import Conflict, RequestEntityTooLarge

from app.http.responses import REVALIDATED, respond
from app.http.routes import Surface
from app.kinds.hosted import HostedModel
from app.limits.background import run_in_thread
from app.pages.about import add_about_page
from app.presentation.contexts import FieldContext, FieldErrorsContext, HintsContext, PageContext
from app.presentation.form import FieldView, FormView, Hints
from app.presentation.result import Result
from app.presentation.submission import MAX_QUERY_VALUE, Feedback, Problem, Submission
from app.telemetry.request_records import Outcome, record_outcome
from model.serving.served_model import Explained

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_TYPED = "\ufdd0"
"""Stands for what was typed in a field that is rendered once; it is no character (Unicode 23.7)."""

MOST_ADDRESS = 3_500
"""Characters of an address that a live form gets: the server takes no request line over 4,094, and
nginx no headers of a response over 4 KB."""

CHANGED_TEXT = "This form has changed. Check what is filled in, then send it again"
"""The notice above a new form that was posted from an older one."""


Presenter = Callable[[Submission[Any] | None, Explained[Any] | None], Result]
"""Words an answer; without one, what stands in its place."""


def make_presenter(hosted: HostedModel) -> Presenter:
    """Make what words an answer, together with its receipt where visitors can report on it."""
    adapter, feedback = hosted.adapter, hosted.feedback
    if feedback is None:
        return adapter.present
    signer = feedback.make_signer(hosted.slug, adapter.model.version)

    def present(submission: Submission[Any] | None, explained: Explained[Any] | None) -> Result:
        shown = adapter.present(submission, explained)
        if submission is None or explained is None:
            return shown
        answer = adapter.summarize_answer(explained)
        facts = adapter.spell_facts(submission, shown)
        return shown._replace(receipt=signer.sign(dt.date.today(), answer, facts))

    return present


def pages_blueprint(hosted: HostedModel, embedded: bool = False) -> Blueprint:
    """Create the routes of one model.

    ``embedded`` says whether these are the routes of the form for frames.
    """
    adapter, render, feedback = hosted.adapter, hosted.render, hosted.feedback
    model, public_url = adapter.model, hosted.settings.public_url
    watch = hosted.watch
    kind, here = ("embed", "/embed") if embedded else ("pages", "/")
    page_surface = Surface.FRAME if embedded else Surface.PAGE
    fragment_surface = Surface.FRAME_FRAGMENT if embedded else Surface.FRAGMENT
    template = "pages/embed.html" if embedded else "pages/page.html"
    blueprint = hosted.make_blueprint(kind, __name__)
    site = hosted.build_site(embedded)
    long = adapter.takes_long(1, contributions=True)
    result_template = render.result_template(
        adapter.result_template, site=site, version=model.version
    )

    present, report = make_presenter(hosted), None
    if feedback is not None:
        report = adapter.build_report_form(site, feedback.retention_days)

    def explain(
        submission: Submission[Any], environ: "WSGIEnvironment"
    ) -> tuple[Submission[Any], Explained[Any] | None]:
        """Answer a submission; it comes back with an error where the model has no prediction."""
        if submission.row is None:
            inputs = adapter.list_inputs(submission.values)
            outcome = Outcome(refused=submission.invalid, inputs=inputs)
            record_outcome(outcome, environ)
            return submission, None
        asked = (
            [submission.row],
            submission.what_if or adapter.default_what_if,
            submission.contributions,
        )
        (explained,) = (run_in_thread if long else hosted.timer.run)(model.explain, *asked)
        if explained.prediction is None:
            record_outcome(Outcome(out_of_distribution=1), environ)
            return submission.refuse(adapter.refusal), None
        outcome = Outcome(
            predictions=1,
            out_of_distribution=int(explained.out_of_distribution),
            inputs=adapter.list_inputs(submission.values),
        )
        record_outcome(outcome, environ)
        return submission, explained

    def render_feedback(fields: Iterable[Feedback]) -> bytes:
        context = FieldErrorsContext(tuple(fields))
        return render("presentation/field_errors.html", context).encode()

    nothing_read: Submission[Any] = Submission(dict.fromkeys(adapter.names, ""), None, {}, ())
    no_feedback = render_feedback(map(Feedback, adapter.names))

    @lru_cache(maxsize=1024)
    def render_hints(hints: Hints) -> bytes:
        return render("presentation/hints.html", HintsContext(hints)).encode()

    @lru_cache(maxsize=2048)
    def draw_usual(field: FieldView) -> Markup:
        return render("presentation/fields/field.html", FieldContext(field))

    def draw_field(field: FieldView) -> Markup:
        """Render a field; most recur but for what was typed, which stands in its input alone."""
        if field.options:
            return draw_usual(field)
        if len(field.value) > MAX_QUERY_VALUE:
            return draw_usual.__wrapped__(field)
        drawn = str(draw_usual(replace(field, value=_TYPED)))
        return Markup(drawn.replace(_TYPED, escape(field.value)))  # noqa: S704 (it is escaped)

    def is_outdated(submission: Submission[Any]) -> bool:
        return bool(submission.form_hash) and submission.form_hash != adapter.form_hash

    def respond_page(submission: Submission[Any] | None, posted: bool) -> Response:
        explained = None
        if submission is not None:
            submission, explained = explain(submission, request.environ)
            if watch is not None and posted and submission.row is not None:
                watch.counter.note(request.environ, submission.row, settled=True)
        problems = submission.problems if posted and submission else ()
        shown = present(submission, explained)
        query = submission.query if submission else ""
        form = adapter.build_form(submission)
        return render_page(form, shown, problems, 422 if problems else 200, query)

    def render_page(
        form: FormView,
        shown: Result,
        problems: tuple[Problem, ...],
        status: int,
        query: str = "",
    ) -> Response:
        context = PageContext(
            site=site,
            form=form,
            draw_field=draw_field,
            result=Markup(result_template(shown).decode()),  # noqa: S704 (escaped there)
            problems=problems,
            heading="Error: " + site.title if problems else shown.title or site.title,
            description=shown.announcement if shown.title else site.summary,
            indexed=request.method != "POST" and not request.query_string,
            url=public_url and public_url + site.home + (f"?{query}" if query else ""),
            preview=public_url and f"{public_url}{site.home}preview.png",
            report=report,
        )
        return respond(render(template, context), status, REVALIDATED)

    @blueprint.get(here, surface=page_surface, model=model.slug)
    def form() -> Response:
        return respond_page(adapter.read_query(), posted=False)

    @blueprint.post(here, surface=page_surface, model=model.slug)
    def full_post() -> Response:
        submission = adapter.read_form(request.environ)
        if is_outdated(submission):
            # What was typed may mean something else here, so it gets no answer yet.
            notice = Problem(adapter.names[0], CHANGED_TEXT)
            form = adapter.build_form(submission.keep_valid())
            return render_page(form, adapter.present(None, None), (notice,), 409)
        return respond_page(submission, posted=True)

    @blueprint.post(
        f"{here.rstrip('/')}/predict-fragment", surface=fragment_surface, model=model.slug
    )
    def fragment() -> Response:
        environ = request.environ  # a local name: each look-up goes through a context variable
        refused = 422
        try:
            submission = adapter.read_form(environ)
        except RequestEntityTooLarge:
            submission, refused = nothing_read.refuse(adapter.too_large), 413
        if is_outdated(submission):
            raise Conflict
        submission, explained = explain(submission, environ)
        if watch is not None and submission.row is not None:
            watch.counter.note(environ, submission.row)
        shown = present(submission, explained)._replace(correlation_id=submission.correlation_id)
        body = b"".join(
            (
                result_template(shown),
                render_feedback(map(submission.get_feedback, adapter.names))
                if submission.errors or submission.readings or submission.warnings
                else no_feedback,
                render_hints(adapter.read_hints(submission)),
            )
        )
        query = submission.query
        address = f"{site.action}?{query}" if query else site.action
        if len(address) > MOST_ADDRESS:
            address = site.action
        headers = {"Cache-Control": "no-store", "HX-Replace-Url": address}
        status = refused if submission.row is None else 200
        return respond(body, status, headers, environ=environ)

    if not embedded:
        add_about_page(blueprint, hosted, site)
    return blueprint
