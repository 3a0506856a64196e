"""The card for people: everything on /about, made once at start-up."""

from app.result import Presenter
from app.views import AboutContext, Row, Site
from model import Model, formatting
from model.card import CardBase, ManifestBase
from model.fields import AnyField, ChoiceField, FlagField


def about_context(model: Model, presenter: Presenter, site: Site) -> AboutContext:
    """Data, figures, limits and make of one model, in words."""
    card, manifest = model.card, model.manifest
    facts = tuple(Row(field.label, _asked(field)) for field in card.fields)
    return AboutContext(
        site=site,
        heading="About this estimate",
        origin=presenter.origin,
        source=manifest.data.source,
        accuracy=manifest.accuracy,
        metrics=figures(card, manifest),
        how=manifest.how,
        method="" if manifest.calibration is None else manifest.calibration.method,
        limits=card.limits,
        not_for=card.not_for,
        facts=facts,
        made=made_of(card, manifest, model.version),
    )


def figures(card: CardBase, manifest: ManifestBase) -> tuple[Row, ...]:
    """The measured figures, each with its label."""
    return tuple(
        Row(
            metric.label,
            formatting.percent(metric.value, card.locale, digits=1)
            if metric.share
            else formatting.number(metric.value, card.locale),
        )
        for metric in manifest.metrics
    )


def made_of(card: CardBase, manifest: ManifestBase, version: str) -> tuple[Row, ...]:
    """Model, artifact and libraries."""
    size = formatting.number(manifest.artifacts[manifest.served].bytes, card.locale)
    return (
        Row("Model", f"{card.title} {version}"),
        Row("Artifact", f"{manifest.served}, {size} bytes"),
        *(Row(name, number) for name, number in manifest.versions.items()),
    )


def _asked(field: AnyField) -> str:
    """What a field takes, in words."""
    if isinstance(field, ChoiceField):
        takes = f"one of {len(field.choices)}"
    elif isinstance(field, FlagField):
        takes = f"{field.yes} or {field.no}"
    else:
        takes = f"{field.format(field.min)} to {field.display(field.max)}"
    return takes if field.required else f"{takes}, may be left empty"
