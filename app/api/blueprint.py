"""The JSON API of one model: ``/api/predict``, its OpenAPI document, its page for people."""

from typing import Any

from flask import Blueprint, Response, request

from app.api.openapi import build_openapi
from app.api.page import make_page_view
from app.api.serializing import dump_json, read_contributions_option
from app.api.streaming import answer_stream
from app.http.problems import Fault, make_problem
from app.http.responses import JSON, NO_STORE, REVALIDATED, respond
from app.http.routes import Surface
from app.kinds.adapter import JsonRows
from app.kinds.hosted import HostedModel
from app.limits.background import CallTimer, run_in_thread
from app.telemetry.request_records import Outcome, record_outcome

TIMEOUT = 10.0
"""Seconds for contributions; a thread counts as hanging after 20."""

TIMEOUT_TEXT = (
    f"The contributions of so many rows take longer than {TIMEOUT:g} seconds. Send fewer at once."
)


def api_blueprint(hosted: HostedModel) -> Blueprint:
    """Create the routes of one model's API."""
    adapter, slug, limits, timer = hosted.adapter, hosted.slug, hosted.limits, hosted.timer
    blueprint = hosted.make_blueprint("api", __name__)
    text = dump_json(build_openapi(hosted))
    page = make_page_view(hosted)
    timer_of_several = CallTimer()

    def answer(asked: JsonRows[Any], contributions: bool) -> tuple[str, int]:
        """Write the answers, "" where there are none, and count the rows out of distribution."""
        explained = adapter.model.explain(asked.rows, "", contributions, TIMEOUT)
        out_of_distribution = sum(item.out_of_distribution for item in explained)
        if any(item.prediction is None for item in explained):
            return "", out_of_distribution
        answers = [adapter.serialize(item) for item in explained]
        return dump_json(answers[0] if asked.single else answers), out_of_distribution

    @blueprint.get("/api", surface=Surface.PAGE, model=slug, strict_slashes=False)
    def document() -> Response:
        return page()

    @blueprint.post("/api/predict", surface=Surface.API, model=slug)
    def predict() -> Response:
        environ = request.environ  # a local name: each look-up goes through a context variable
        kind = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind in adapter.streams:
            return answer_stream(adapter, kind, read_contributions_option(environ), limits)
        contributions, asked = read_contributions_option(environ), adapter.read_json(environ)
        if asked.faults:
            record_outcome(Outcome(refused=asked.refused), environ)
            return make_problem(422, asked.detail, asked.faults)
        try:
            if adapter.takes_long(len(asked.rows), contributions):
                body, out_of_distribution = run_in_thread(answer, asked, contributions)
            else:
                learns = timer if timer.is_long or asked.single else timer_of_several
                body, out_of_distribution = learns.run(answer, asked, contributions)
        except TimeoutError:
            return make_problem(413, TIMEOUT_TEXT)
        if not body:
            record_outcome(Outcome(out_of_distribution=out_of_distribution), environ)
            return make_problem(422, asked.detail, [Fault(*adapter.refusal, pointer=None)])
        outcome = Outcome(len(asked.rows), out_of_distribution, inputs=asked.inputs)
        record_outcome(outcome, environ)
        return respond(body, 200, NO_STORE, JSON, environ)

    @blueprint.get("/api/openapi.json", surface=Surface.API, model=slug)
    def describe() -> Response:
        return respond(text, 200, REVALIDATED, JSON)

    return blueprint
