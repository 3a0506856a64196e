"""What other programs than browsers ask for: the picture of a link's preview, and robots.txt."""

from typing import Any

from flask import Blueprint, Response, abort

from app.http.routes import Surface
from app.kinds.adapter import KindAdapter
from app.presentation.preview import draw_preview

ROBOTS = "User-agent: *\nAllow: /\n"
"""Every page may be read; one with an answer says itself that it is not to be listed."""

_DAY = 24 * 3600


def preview_blueprint(adapter: KindAdapter[Any, Any], prefix: str) -> Blueprint:
    """Create the route of the picture for one model; ``prefix`` is where its addresses begin."""
    model = adapter.model
    blueprint = Blueprint(f"preview-{model.slug}", __name__, url_prefix=prefix or None)
    drawn = draw_preview(model.card.title, model.card.summary, adapter.outcomes)

    @blueprint.get("/preview.png", surface=Surface.ASSET, model=model.slug)
    def preview() -> Response:
        headers = {"Cache-Control": f"public, max-age={_DAY}"}
        return Response(drawn, mimetype="image/png", headers=headers)

    return blueprint


def samples_blueprint(adapter: KindAdapter[Any, Any], prefix: str) -> Blueprint:
    """Create the route of the pictures that visitors of one model can try."""
    slug = adapter.model.slug
    blueprint = Blueprint(f"samples-{slug}", __name__, url_prefix=prefix or None)

    @blueprint.get("/samples/<int:number>.jpg", surface=Surface.ASSET, model=slug)
    def sample(number: int) -> Response:
        if not 1 <= number <= len(adapter.thumbnails):
            abort(404)
        headers = {"Cache-Control": f"public, max-age={_DAY}"}
        return Response(adapter.thumbnails[number - 1], mimetype="image/jpeg", headers=headers)

    return blueprint


def robots_blueprint() -> Blueprint:
    """Create the route ``/robots.txt``."""
    blueprint = Blueprint("robots", __name__)

    @blueprint.get("/robots.txt", surface=Surface.ASSET)
    def robots() -> Response:
        headers = {"Cache-Control": f"public, max-age={_DAY}"}
        return Response(ROBOTS, mimetype="text/plain", headers=headers)

    return blueprint
