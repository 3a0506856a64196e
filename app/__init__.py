"""Formcast: a trained model as a live web form."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if os.getpid() == 1 and "app.server" in sys.orig_argv:
    # The first process of a container drops a signal that it has no handler for. Until gunicorn has
    # one, a stop would be lost, and the server killed later, in the middle of answers.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

from flask import Blueprint
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from app.api.blueprint import api_blueprint
from app.cli.commands import add_commands
from app.config import ROOT, SettingError, Settings
from app.http.application import Application
from app.http.assets import assets_blueprint, read_assets
from app.http.client_header import ClientHeader
from app.http.cors import CrossOrigin
from app.http.framing import Framing
from app.http.headers import SecureHeaders
from app.http.hosts import restrict_hosts
from app.http.mounting import Mounted
from app.http.owner import read_owner
from app.kinds import make_adapter
from app.kinds.adapter import KindAdapter
from app.kinds.hosted import HostedModel
from app.limits.access import PUBLIC, AccessControl, AccessPolicy
from app.limits.background import CallTimer
from app.limits.load_shedding import LoadMonitor, LoadShedder
from app.limits.rate_limits import make_limit
from app.pages.batch import batch_blueprint
from app.pages.blueprint import pages_blueprint
from app.pages.errors import handle_errors
from app.pages.previews import preview_blueprint, robots_blueprint, samples_blueprint
from app.presentation.contexts import Link, Renderer
from app.presentation.figures import protect_figures
from app.telemetry.health import health_blueprint
from app.telemetry.request_log import RequestLog, wants_json
from app.telemetry.request_records import RequestListener, RequestObserver
from model import load_models
from model.serving.permissions import check_writers
from model.serving.served_model import ServedModel

if TYPE_CHECKING:
    from app.feedback.service import FeedbackService
    from app.monitoring.watcher import Watcher

_log = logging.getLogger(__name__)


def create_app(
    settings: Settings | None = None, models: Path | str = ROOT / "model"
) -> Application:
    """Wire the app: settings, models, routes, middleware.

    Args:
        settings: what the person who runs it chose; None reads the environment.
        models: the folder with the models' folders.

    Raises:
        SettingError: if a setting cannot be used.
        ModelError: if a model that is to be served is broken.
    """
    settings = settings or Settings.from_environment()
    models = Path(models)
    if settings.trust_folders:
        _log.warning("FORMCAST_TRUST_FOLDERS: others may write to what is loaded")
    else:
        check_writers(models / name.replace("-", "_") for name in settings.models)
    served = load_models(models, settings.models)
    redis_url = os.environ.get("REDIS_URL", "").strip()
    feedback = make_feedback(settings, redis_url)
    watcher = None if feedback is None else make_watcher(feedback, served)
    listeners, blueprints = make_listeners(settings, watcher)
    access = AccessPolicy(settings, redis_url)
    shared = Shared(
        models=served,
        limit=make_limit(settings, redis_url),
        listeners=listeners,
        blueprints=[robots_blueprint(), health_blueprint(served), *blueprints],
        monitor=LoadMonitor(),
        access=None if access.mode == PUBLIC else access,
        feedback=feedback,
        watcher=watcher,
    )
    app = build_app(settings, shared, settings.root_path)
    check_root(app)
    app.has_links = bool(settings.link_key)
    app.mounted = Mounted(app, partial(build_app, settings, shared), settings.proxies)

    def render_refusal(first: bytes, status: int, fragment: bool, identity: str) -> str:
        mounted = app.mounted and app.mounted.render_error(first, status, fragment, identity)
        return mounted or str(app.extensions["render_error"](status, fragment, identity))

    app.extensions["render_refusal"] = render_refusal
    add_commands(app)
    return app


class Shared(NamedTuple):
    """What is made once, under however many roots the app is built."""

    models: Mapping[str, ServedModel[Any, Any]]
    limit: Callable[[], None] | None
    listeners: Sequence[RequestListener]
    blueprints: Sequence[Blueprint]
    monitor: LoadMonitor
    access: AccessPolicy | None
    feedback: "FeedbackService | None"
    watcher: "Watcher | None"


def make_feedback(settings: Settings, redis_url: str) -> "FeedbackService | None":
    """Make what keeps the reports of visitors, where the settings ask for it.

    Raises:
        SettingError: if the database that they name cannot be used.
    """
    if not settings.wants_feedback(os.environ.get("DATABASE_URL", "").strip()):
        return None
    from app.feedback.service import make_service  # imported only where a setting asks for it

    return make_service(settings, redis_url)


def make_watcher(
    feedback: "FeedbackService", models: Mapping[str, ServedModel[Any, Any]]
) -> "Watcher":
    """Make what watches the models' promises, where feedback is kept."""
    from app.monitoring.watcher import Watcher

    return Watcher(models, feedback.run, feedback.retention_days)


def build_app(settings: Settings, shared: Shared, root: str) -> Application:
    """Wire the app under a root.

    Raises:
        SettingError: if a setting does not go with another.
    """
    served = shared.models
    app = Application(__name__, static_folder=None, template_folder=str(ROOT / "templates"))
    app.root = root
    app.jinja_options = {
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "auto_reload": False,
    }
    assets = read_assets(ROOT / "static", root)
    owner = read_owner(settings, root)
    own = {name: asset for name, asset in (("logo", owner.logo), ("style", owner.style)) if asset}
    keeps = shared.feedback is not None
    app.jinja_env.filters["figures"] = protect_figures
    app.jinja_env.globals |= {"assets": assets, "owner": owner, "keeps_feedback": keeps}
    app.register_blueprint(assets_blueprint(assets | own))
    render = Renderer(app.jinja_env, root)
    prefixes = {slug: f"/{slug}" if number else "" for number, slug in enumerate(served)}
    app.jinja_env.globals["models"] = tuple(
        Link(model.card.name or slug.replace("-", " ").capitalize(), f"{root}{prefixes[slug]}/")
        for slug, model in served.items()
    )
    adapters = {}
    for slug, model in served.items():
        adapter = adapters[slug] = make_adapter(model)
        register_model(
            app,
            HostedModel(
                adapter,
                prefixes[slug],
                render,
                make_timer(adapter),
                settings,
                shared.feedback,
                shared.watcher,
            ),
        )
    if shared.feedback is not None:
        from app.pages.receipts import receipts_blueprint

        app.register_blueprint(receipts_blueprint(adapters, render, shared.feedback))
    if settings.mcp:
        from app.api.mcp import mcp_blueprint  # imported only where a setting asks for it

        app.register_blueprint(mcp_blueprint(adapters, settings.api_origins))
    for blueprint in shared.blueprints:
        app.register_blueprint(blueprint)
    restrict_hosts(app, settings)
    if shared.limit:
        app.before_request(shared.limit)
    proxies = settings.proxies
    app.extensions["load_monitor"] = shared.monitor
    render_error = app.extensions["render_error"] = handle_errors(app, render)
    app.wrap(
        (
            partial(RequestObserver, listeners=shared.listeners, trust_id=proxies > 0),
            partial(CrossOrigin, origins=settings.api_origins) if settings.api_origins else None,
            partial(Framing, ancestors=settings.embed_ancestors)
            if settings.embed_ancestors
            else None,
            # No platform's router cleans X-Forwarded-Host, and Host itself comes through.
            partial(ProxyFix, x_for=proxies, x_proto=proxies, x_host=0) if proxies else None,
            partial(ClientHeader, name=settings.client_header) if settings.client_header else None,
            SecureHeaders,
            partial(AccessControl, policy=shared.access, render_error=render_error)
            if shared.access
            else None,
            partial(LoadShedder, monitor=shared.monitor, render_error=render_error),
        )
    )
    return app


def check_root(app: Application) -> None:
    """Hold the root against the routes: a path must not mean two pages.

    Raises:
        SettingError: for a root that is the address of a page, too.
    """
    if app.root and app.routes.has_below(app.root):
        raise SettingError(
            f"FORMCAST_ROOT_PATH is {app.root}, but the app has pages at {app.root} itself. "
            "Choose another path."
        )


def make_timer(adapter: KindAdapter[Any, Any]) -> CallTimer:
    """Make what knows whether a model takes long, where its kind does not say so."""
    timer = CallTimer()
    if not adapter.takes_long(1, contributions=True):
        timer.learn(adapter.model.explain_golden)
    return timer


def register_model(app: Application, hosted: HostedModel) -> None:
    """Register the pages and the API of one model."""
    adapter, settings = hosted.adapter, hosted.settings
    if hosted.watcher is not None:
        from app.pages.track_record import track_record_blueprint

        watch = hosted.watcher.watches[hosted.slug]
        adapter.find_broken, adapter.find_too_sure = watch.find_broken, watch.find_too_sure
        app.register_blueprint(track_record_blueprint(hosted, hosted.watcher))
    for embedded in (False, True) if settings.embed_ancestors else (False,):
        app.register_blueprint(pages_blueprint(hosted, embedded))
        if hosted.feedback is not None:
            from app.pages.feedback import report_blueprint

            app.register_blueprint(report_blueprint(hosted, hosted.feedback, embedded))
    if settings.public_url:
        app.register_blueprint(preview_blueprint(hosted))
    if adapter.thumbnails:
        app.register_blueprint(samples_blueprint(hosted))
    app.register_blueprint(api_blueprint(hosted))
    app.register_blueprint(batch_blueprint(hosted))


def make_listeners(
    settings: Settings, watcher: "Watcher | None" = None
) -> tuple[list[RequestListener], list[Blueprint]]:
    """Make what reads the record of each request, the log and the metrics, where they are on.

    Returns:
        The listeners, and the blueprints that show what they have counted.
    """
    listeners: list[RequestListener] = [] if watcher is None else [watcher]
    if wants_json(settings.log):
        listeners.append(RequestLog(inputs=settings.log_inputs))
    if not settings.metrics:
        return listeners, []
    from app.telemetry.metrics import (  # imported only where a setting asks for it
        Metrics,
        metrics_blueprint,
    )

    metrics = Metrics(() if watcher is None else (watcher,))
    return [*listeners, metrics], [metrics_blueprint(metrics)]
