"""What other programs than browsers ask for: the picture of a link's preview, and robots.txt."""

from flask import Blueprint, Response, abort

from app.http.routes import Surface
from app.kinds.hosted import HostedModel
from app.presentation.preview import draw_preview

ROBOTS = "User-agent: *\nAllow: /\n"
"""Every page may be read; one with an answer says itself that it is not to be listed."""

_DAY = 24 * 3600


def preview_blueprint(hosted: HostedModel) -> Blueprint:
    """Create the route of the picture for one model of a site, by its name.

    ``prefix`` is where its addresses begin.
    """
    adapter, model = hosted.adapter, hosted.adapter.model
    blueprint = hosted.make_blueprint("preview", __name__)
    drawn = draw_preview(
        model.card.title, model.card.summary, hosted.settings.name, adapter.outcomes
    )

    @blueprint.get("/preview.png", surface=Surface.ASSET, model=model.slug)
    def preview() -> Response:
        headers = {"Cache-Control": f"public, max-age={_DAY}"}
        return Response(drawn, mimetype="image/png", headers=headers)

    return blueprint


def samples_blueprint(hosted: HostedModel) -> Blueprint:
    """Create the route of the pictures that visitors of one model can try."""
    adapter, slug = hosted.adapter, hosted.slug
    blueprint = hosted.make_blueprint("samples", __name__)

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
