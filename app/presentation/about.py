"""The card for people: everything on /about, made once at start-up."""

from typing import Any

from app.presentation.contexts import AboutContext, Row, Site
from app.presentation.result import Presenter
from model import TabularModel
from model.contract import formatting
from model.contract.card import CardBase, Manifest, ManifestBase
from model.contract.fields import AnyField, ChoiceField, FlagField


def about_context(model: TabularModel[Any], presenter: Presenter[Any], site: Site) -> AboutContext:
    """Data, figures, limits and make of one model, in words."""
    card, manifest = model.card, model.manifest
    facts = tuple(Row(field.label, _asked(field)) for field in card.fields)
    return AboutContext(
        site=site,
        heading=f"About this {site.thing}",
        origin=presenter.origin,
        source=manifest.data.source,
        accuracy=manifest.accuracy,
        metrics=figures(card, manifest),
        how=manifest.how,
        method=_method(manifest),
        method_title="What the range means"
        if manifest.temperature is None
        else "What the probabilities mean",
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
        Row("Regressor", f"{card.title} {version}"),
        Row("Artifact", f"{manifest.served}, {size} bytes"),
        *(Row(name, number) for name, number in manifest.versions.items()),
    )


def _method(manifest: Manifest) -> str:
    """How the range or the probabilities were made honest; "" where they were not."""
    if manifest.calibration is not None:
        return manifest.calibration.method
    if manifest.temperature is None:
        return ""
    return (
        "They were calibrated on rows that the model had not seen: their logarithms are divided by "
        f"{manifest.temperature:.2f}, the number that makes those rows most likely (temperature "
        "scaling)."
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
