"""Formcast: a trained model as a live web form."""

from pathlib import Path

from flask import Flask
from jinja2 import StrictUndefined

from app.assets import assets_blueprint, read_assets
from app.config import Settings
from app.pages import pages_blueprint
from app.security import secure
from app.views import Renderer
from model import load_models

ROOT = Path(__file__).parent.parent


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
    app = Flask(__name__, static_folder=None, template_folder=str(ROOT / "templates"))
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
    for place, model in enumerate(served.values()):
        app.register_blueprint(pages_blueprint(model, f"/{model.slug}" if place else "", render))
    secure(app, render)
    return app
