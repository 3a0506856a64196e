"""Reports of visitors on answers, sent from below an answer."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl

from flask import Blueprint, Response, request
from markupsafe import Markup
from pydantic_core import PydanticCustomError
from werkzeug.exceptions import RequestEntityTooLarge

from app.feedback.outcomes import OutputValue, ReportedOutcome
from app.feedback.receipts import Receipt, ReceiptError
from app.feedback.service import FeedbackService
from app.feedback.store import StoreError
from app.http.forms import FormData, read_form
from app.http.request_id import READER
from app.http.responses import NO_STORE, respond
from app.http.routes import Surface
from app.kinds.hosted import HostedModel
from app.kinds.truths import TRUTH
from app.limits.rate_limits import identify_client
from app.presentation.contexts import FieldContext, ReportContext, Told, ToldContext
from app.presentation.form import FieldView, build_field
from app.presentation.pictures import hash_data_url, read_data_url
from app.presentation.reports import (
    MAX_COMMENT,
    NO_PICTURE,
    NOT_KEPT,
    PICTURE,
    TOO_LARGE,
    tell_again,
    tell_kept,
)
from app.presentation.submission import Submission
from app.telemetry.request_records import Outcome, record_outcome
from model.contract import formatting

RETRY_AFTER = 30
"""Seconds in the Retry-After header of a report that could not be kept."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class RefusedError(Exception):
    """A report that is not kept: a status, and why in words."""

    def __init__(self, status: int, told: Told) -> None:
        super().__init__(told.text)
        self.status, self.told = status, told


def refuse(status: int, text: str) -> RefusedError:
    """Make the refusal of a report."""
    return RefusedError(status, Told(text))


def count_client(service: FeedbackService) -> None:
    """Count the present request against the limit of reports.

    Raises:
        TooManyRequests: beyond it.
    """
    environ = request.environ
    service.limit(environ.get(READER) or identify_client(environ.get("REMOTE_ADDR", "")))


def report_blueprint(
    hosted: HostedModel, service: FeedbackService, embedded: bool = False
) -> Blueprint:
    """Create the routes that take reports on the answers of one model.

    ``embedded`` says whether these are the routes of the form for frames.
    """
    adapter, render = hosted.adapter, hosted.render
    model = adapter.model
    name, here = ("feedback-embed", "/embed") if embedded else ("feedback", "")
    blueprint = hosted.make_blueprint(name, __name__)
    site = hosted.build_site(embedded)
    signer = service.make_signer(model.slug, model.version)
    field = adapter.make_truth_field()
    form = adapter.build_report_form(site, service.retention_days)
    noun = site.answer_noun

    def draw_field(view: FieldView) -> Markup:
        return render("presentation/fields/field.html", FieldContext(view))

    def read_data() -> FormData:
        try:
            return read_form(request.environ, 2 * adapter.form_bytes)  # a text is quoted twice
        except RequestEntityTooLarge:
            raise refuse(413, TOO_LARGE) from None

    def read_receipt(data: FormData) -> Receipt:
        sent = data.get("receipt", [])
        if not sent:
            raise refuse(
                422, f"There is no {noun} to report on. Fill in the form first, then send."
            )
        try:
            receipt = signer.read(sent[0])
        except ReceiptError:
            raise refuse(
                422,
                f"This does not belong to an {noun} of this page. Show the {noun} again, then "
                "report on that.",
            ) from None
        if receipt.version != model.version:
            raise refuse(
                409,
                f"The model was replaced meanwhile. Show the {noun} again, then report on that.",
            )
        if receipt.day < service.oldest:
            raise refuse(409, f"This {noun} is too old. Show it again, then report on that.")
        return receipt

    def read_truth(data: FormData) -> OutputValue | None:
        typed = data.get(TRUTH, [""])[0]
        if data.get("wrong") and not typed.strip():
            return None
        try:
            truth: OutputValue = field.validate_value(typed)
        except PydanticCustomError as error:
            known = "" if typed.strip() else ", or press “This looks wrong”"
            raise refuse(422, formatting.end_sentence(f"{error.message()}{known}")) from None
        return truth

    def read_comment(data: FormData) -> str:
        said = _CONTROL.sub("", data.get("said", [""])[0].replace("\r\n", "\n")).strip()
        if len(said) > MAX_COMMENT:
            raise refuse(
                422, f"Your comment has {len(said):,} characters. Write {MAX_COMMENT:,} at most."
            )
        return said

    def read_picture(data: FormData, shown: str) -> bytes | None:
        """The picture that was answered, whose hash is ``shown``, where it is to be kept."""
        if adapter.personal != "picture" or not data.get("keep"):
            return None
        sent = data.get(PICTURE, [""])[0]
        if not shown:
            raise refuse(422, NO_PICTURE)
        if hash_data_url(sent) != shown:
            raise refuse(
                422, f"The picture is not the one of this {noun}. Show the {noun} again, then send."
            )
        return read_data_url(sent)

    def keep(data: FormData) -> Told:
        receipt = read_receipt(data)
        facts = dict(parse_qsl(receipt.facts, keep_blank_values=True))
        picture = read_picture(data, facts.pop(PICTURE, ""))
        kept = facts if data.get("keep") else adapter.list_inputs(facts)
        outcome = ReportedOutcome(
            receipt.number,
            model.slug,
            receipt.version,
            receipt.day,
            {name: facts[name] for name in kept},
            receipt.answer.value,
            read_truth(data),
            receipt.answer.low,
            receipt.answer.high,
            receipt.answer.probability,
            read_comment(data),
            picture=picture,
        )
        try:
            new = service.keep(outcome)
        except StoreError:
            raise refuse(503, NOT_KEPT) from None
        if not new:
            raise RefusedError(409, tell_again(receipt.number, render.root))
        truth = "" if outcome.truth is None else adapter.format_value(outcome.truth)
        return tell_kept(receipt.number, render.root, truth)

    def take(draw: Callable[[Told, FormData], str]) -> Response:
        """Keep the present report, and say what came of it."""
        count_client(service)
        data: FormData = {}
        headers = dict(NO_STORE)
        try:
            data = read_data()
            told, status, result = keep(data), 200, "kept"
        except RefusedError as error:
            told, status, result = error.told, error.status, "refused"
            if status == 503:
                result, headers["Retry-After"] = "lost", str(RETRY_AFTER)
        record_outcome(Outcome(report=result))
        return respond(draw(told, data), status, headers)

    def draw_fragment(told: Told, data: FormData) -> str:
        return render("pages/told.html", ToldContext(site, told))

    def draw_page(told: Told, data: FormData) -> str:
        """The page for a full post: that it is kept, or the form with all that was typed."""
        again = None
        if not told.number and data.get("receipt"):
            typed = Submission({TRUTH: data.get(TRUTH, [""])[0]}, None, {}, ())
            again = form._replace(
                field=build_field(field, typed),
                receipt=data["receipt"][0],
                picture=data.get(PICTURE, [""])[0],
                ticked=bool(data.get("keep")),
                said=data.get("said", [""])[0][: 2 * MAX_COMMENT],
                problem=told.text,
            )
        heading = "Your report" if told.number else "Your report was not kept"
        return render("pages/report.html", ReportContext(site, heading, told, again, draw_field))

    page = Surface.FRAME if embedded else Surface.PAGE
    fragment = Surface.FRAME_FRAGMENT if embedded else Surface.FRAGMENT

    @blueprint.post(f"{here}/feedback", surface=page, model=model.slug)
    def full_post() -> Response:
        return take(draw_page)

    @blueprint.post(f"{here}/feedback-fragment", surface=fragment, model=model.slug)
    def live_post() -> Response:
        return take(draw_fragment)

    return blueprint
