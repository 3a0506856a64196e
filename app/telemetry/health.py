"""For whoever watches over the server: is the process alive, do its models answer."""

import time
from collections.abc import Mapping

from flask import Blueprint, Response, current_app, jsonify

from app.http.routes import Surface
from app.limits.background import run_in_thread
from model import AnyModel, ModelError, check_model

FRESH = 5.0
"""Seconds for which an answer of ``/readyz`` holds: nobody can keep the models busy with it."""


def health_blueprint(served: Mapping[str, AnyModel]) -> Blueprint:
    """The routes ``/healthz`` and ``/readyz``."""
    blueprint = Blueprint("health", __name__)
    last: tuple[float, dict[str, str]] = (-FRESH, {})

    @blueprint.get("/healthz", surface=Surface.PROBE)
    def alive() -> Response:
        headers = {"Cache-Control": "no-store"}
        return Response("ok\n", mimetype="text/plain", headers=headers)

    @blueprint.get("/readyz", surface=Surface.PROBE)
    def ready() -> tuple[Response, int]:
        nonlocal last
        now = time.monotonic()
        if now - last[0] >= FRESH:
            last = now, run_in_thread(_ask_all, served)
            for slug, fault in last[1].items():
                # Whoever asks is told which model; why is for those who read the log.
                current_app.logger.error("%s is not ready: %s", slug, fault)
        faults = last[1]
        answers = {slug: slug not in faults for slug in served}
        response = jsonify(ready=not faults, models=answers)
        response.headers["Cache-Control"] = "no-store"
        return response, 503 if faults else 200

    return blueprint


def _ask_all(served: Mapping[str, AnyModel]) -> dict[str, str]:
    """Ask every model its golden questions: what is wrong with those that fail, by slug."""
    faults = {}
    for slug, model in served.items():
        try:
            check_model(model)
        except ModelError as error:
            faults[slug] = str(error)
    return faults
