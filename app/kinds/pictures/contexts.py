"""The contexts of the pages of a model of pictures."""

from dataclasses import dataclass

from app.kinds.pictures.presenter import ImagePresenter, ImageResult
from app.presentation.about import format_metrics, list_versions
from app.presentation.contexts import AboutContext, Link, Row, Site
from app.presentation.form import FieldView
from model import ImageClassifier


@dataclass(frozen=True, slots=True)
class ImageResultContext:
    """``kinds/picture_result.html``: the result alone; ``samples`` leads to pictures to try."""

    site: Site
    samples: Link
    version: str
    result: ImageResult


def build_image_site(model: ImageClassifier, prefix: str) -> Site:
    """Build what all pages of one model share."""
    home = f"{prefix}/"
    return Site(
        title=model.card.title,
        summary=model.card.summary,
        home=home,
        action=home,
        fragment=f"{home}predict-fragment",
        about=f"{home}about",
        examples=(),
    )


def build_image_field(model: ImageClassifier, error: str) -> FieldView:
    """Build the one field; no server can put back a file that was chosen before."""
    field = model.card.field
    return FieldView(
        name=field.name,
        kind=field.kind,
        label=field.label,
        help=field.help,
        unit="",
        required=field.required,
        value="",
        error=error,
        input_mode="",
        options=(),
    )


def build_image_about_context(
    model: ImageClassifier, presenter: ImagePresenter, site: Site
) -> AboutContext:
    """Describe a model's data, metrics, limits, field and versions in words."""
    card, manifest = model.card, model.manifest
    return AboutContext(
        site=site,
        heading="About this answer",
        origin=presenter.origin,
        source=manifest.data.source,
        accuracy=f"{card.output.warning}. {manifest.accuracy}",
        metrics=format_metrics(card, manifest),
        how=manifest.how,
        method="",
        method_title="",
        limits=card.limits,
        not_for=card.not_for,
        fields=(Row(card.field.label, card.field.accepted_text),),
        versions=list_versions(card, manifest, model.version),
    )
