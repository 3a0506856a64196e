"""Probes: whether the process lives, and whether its models answer correctly."""

import time
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, jsonify

from app.http.routes import Surface
from app.limits.background import run_in_thread
from model import ModelError, ServedModel

FRESH = 5.0
"""Seconds for which ``/readyz`` keeps an answer, so that it cannot keep the models busy."""


def health_blueprint(served: Mapping[str, ServedModel[Any, Any]]) -> Blueprint:
    """Make the routes ``/healthz`` and ``/readyz``."""
    blueprint = Blueprint("health", __name__)
    checked_at, errors = -FRESH, dict[str, str]()

    @blueprint.get("/healthz", surface=Surface.PROBE)
    def alive() -> Response:
        headers = {"Cache-Control": "no-store"}
        return Response("ok\n", mimetype="text/plain", headers=headers)

    @blueprint.get("/readyz", surface=Surface.PROBE)
    def ready() -> tuple[Response, int]:
        nonlocal checked_at, errors
        now = time.monotonic()
        if now - checked_at >= FRESH:
            checked_at, errors = now, run_in_thread(_check_all, served)
            for slug, error in errors.items():
                # The answer says which model; the reason is for those who read the log.
                current_app.logger.error("%s is not ready: %s", slug, error)
        models = {slug: slug not in errors for slug in served}
        response = jsonify(ready=not errors, models=models)
        response.headers["Cache-Control"] = "no-store"
        return response, 503 if errors else 200

    return blueprint


def _check_all(served: Mapping[str, ServedModel[Any, Any]]) -> dict[str, str]:
    """Compare every model with its golden rows; return the errors of those that fail, by slug."""
    errors = {}
    for slug, model in served.items():
        try:
            model.check_golden()
        except ModelError as error:
            errors[slug] = str(error)
    return errors
