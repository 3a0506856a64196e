"""Formcast: a trained model as a live web form."""

import os
from pathlib import Path

from flask import Flask
from jinja2 import StrictUndefined

from app.api.blueprint import api_blueprint
from app.cli.commands import add_commands
from app.config import ROOT, Settings
from app.http.application import Application
from app.http.assets import assets_blueprint, read_assets
from app.http.cors import CrossOrigin
from app.http.framing import Framing
from app.http.hosts import restrict_hosts
from app.limits.rate_limits import limit_clients
from app.pages.blueprint import pages_blueprint
from app.pages.errors import secure
from app.pages.picture_pages import image_pages_blueprint
from app.presentation.contexts import Link, Renderer
from app.telemetry.health import health_blueprint
from app.telemetry.request_log import RequestLog, wants_json
from app.telemetry.request_records import RequestListener, RequestObserver
from model import ImageClassifier, load_models


def create_app(settings: Settings | None = None, models: Path = ROOT / "model") -> Flask:
    """Wire the app: settings, models, routes, headers.

    Args:
        settings: what the person who runs it chose; None reads the environment.
        models: the folder in which the models' folders stand.

    Raises:
        SettingError: if a setting cannot be used.
        ModelError: if a model that is to be served is not sound.
    """
    settings = settings or Settings.from_environment()
    served = load_models(models, settings.models)
    app = Application(__name__, static_folder=None, template_folder=str(ROOT / "templates"))
    app.jinja_options = {
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "auto_reload": False,
    }
    assets = read_assets(ROOT / "static")
    app.jinja_env.globals["assets"] = assets
    app.register_blueprint(assets_blueprint(assets))
    render = Renderer(app.jinja_env)
    prefixes = [f"/{model.slug}" if place else "" for place, model in enumerate(served.values())]
    app.jinja_env.globals["models"] = tuple(
        Link(model.card.name or model.slug.replace("-", " ").capitalize(), f"{prefix}/")
        for prefix, model in zip(prefixes, served.values(), strict=True)
    )
    for prefix, model in zip(prefixes, served.values(), strict=True):
        for embedded in (False, True) if settings.embed_ancestors else (False,):
            if isinstance(model, ImageClassifier):
                app.register_blueprint(image_pages_blueprint(model, prefix, render, embedded))
            else:
                app.register_blueprint(pages_blueprint(model, prefix, render, embedded))
        app.register_blueprint(api_blueprint(model, prefix, render))
    app.register_blueprint(health_blueprint(served))
    secure(app, render)
    restrict_hosts(app, settings)
    limit_clients(app, settings, os.environ.get("REDIS_URL", ""))
    if settings.embed_ancestors:
        # Wrapping the method is what Flask documents for middleware; mypy knows it as a method.
        app.wsgi_app = Framing(app.wsgi_app, settings.embed_ancestors)  # type: ignore[method-assign, assignment]
    if settings.api_origins:
        # Wrapping the method is what Flask documents for middleware; mypy knows it as a method.
        app.wsgi_app = CrossOrigin(app.wsgi_app, settings.api_origins)  # type: ignore[method-assign, assignment]
    listeners: list[RequestListener] = []
    if wants_json(settings.log):
        listeners.append(RequestLog(inputs=settings.log_inputs))
    if settings.metrics:
        from app.telemetry.metrics import (  # imported only where it is asked for
            Metrics,
            metrics_blueprint,
        )

        metrics = Metrics()
        app.register_blueprint(metrics_blueprint(metrics))
        listeners.append(metrics)
    observed = RequestObserver(app, served, listeners, believe_id=settings.proxies > 0)
    # Wrapping the method is what Flask documents for middleware; mypy knows it as a method.
    app.wsgi_app = observed  # type: ignore[method-assign, assignment]
    return add_commands(app)
