"""Formcast: a trained model as a live web form."""

import os
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api.blueprint import api_blueprint
from app.cli.commands import add_commands
from app.config import ROOT, Settings
from app.http.application import Application
from app.http.assets import assets_blueprint, read_assets
from app.http.cors import CrossOrigin
from app.http.framing import Framing
from app.http.headers import SecureHeaders
from app.http.hosts import restrict_hosts
from app.kinds import make_adapter
from app.kinds.adapter import KindAdapter
from app.limits.load_shedding import LoadMonitor, LoadShedder
from app.limits.rate_limits import limit_clients
from app.pages.blueprint import pages_blueprint
from app.pages.errors import handle_errors
from app.pages.previews import preview_blueprint, robots_blueprint, samples_blueprint
from app.presentation.contexts import Link, Renderer
from app.telemetry.health import health_blueprint
from app.telemetry.request_log import RequestLog, wants_json
from app.telemetry.request_records import RequestListener, RequestObserver
from model import load_models
from model.serving.served_model import ServedModel


def create_app(settings: Settings | None = None, models: Path = ROOT / "model") -> Application:
    """Wire the app: settings, models, routes, middleware.

    Args:
        settings: what the person who runs it chose; None reads the environment.
        models: the folder with the models' folders.

    Raises:
        SettingError: if a setting cannot be used.
        ModelError: if a model that is to be served is broken.
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
    prefixes = {slug: f"/{slug}" if number else "" for number, slug in enumerate(served)}
    app.jinja_env.globals["models"] = tuple(
        Link(model.card.name or slug.replace("-", " ").capitalize(), f"{prefixes[slug]}/")
        for slug, model in served.items()
    )
    adapters = {
        slug: register_model(app, model, prefixes[slug], render, settings)
        for slug, model in served.items()
    }
    if settings.mcp:
        from app.api.mcp import mcp_blueprint  # imported only where a setting asks for it

        app.register_blueprint(mcp_blueprint(adapters, settings.api_origins))
    app.register_blueprint(robots_blueprint())
    app.register_blueprint(health_blueprint(served))
    restrict_hosts(app, settings)
    limit_clients(app, settings, os.environ.get("REDIS_URL", ""))
    listeners = make_listeners(app, settings)
    proxies = settings.proxies
    monitor = app.extensions["load_monitor"] = LoadMonitor()
    render_error = app.extensions["render_error"] = handle_errors(app, render)
    app.wrap(
        (
            partial(RequestObserver, listeners=listeners, trust_id=proxies > 0),
            partial(CrossOrigin, origins=settings.api_origins) if settings.api_origins else None,
            partial(Framing, ancestors=settings.embed_ancestors)
            if settings.embed_ancestors
            else None,
            # No platform's router cleans X-Forwarded-Host, and Host itself comes through.
            partial(ProxyFix, x_for=proxies, x_proto=proxies, x_host=0) if proxies else None,
            SecureHeaders,
            partial(LoadShedder, monitor=monitor, render_error=render_error),
        )
    )
    add_commands(app)
    return app


def register_model(
    app: Application,
    model: ServedModel[Any, Any],
    prefix: str,
    render: Renderer,
    settings: Settings,
) -> KindAdapter[Any, Any]:
    """Register the pages and the API of one model under ``prefix``, "" for the default model."""
    adapter = make_adapter(model)
    for embedded in (False, True) if settings.embed_ancestors else (False,):
        app.register_blueprint(
            pages_blueprint(adapter, prefix, render, settings.public_url, embedded)
        )
    if settings.public_url:
        app.register_blueprint(preview_blueprint(adapter, prefix))
    if adapter.thumbnails:
        app.register_blueprint(samples_blueprint(adapter, prefix))
    app.register_blueprint(api_blueprint(adapter, prefix, render))
    return adapter


def make_listeners(app: Application, settings: Settings) -> list[RequestListener]:
    """Make what reads the record of each request: the log and the metrics, where they are on."""
    listeners: list[RequestListener] = []
    if wants_json(settings.log):
        listeners.append(RequestLog(inputs=settings.log_inputs))
    if settings.metrics:
        from app.telemetry.metrics import (  # imported only where a setting asks for it
            Metrics,
            metrics_blueprint,
        )

        metrics = Metrics()
        app.register_blueprint(metrics_blueprint(metrics))
        listeners.append(metrics)
    return listeners
