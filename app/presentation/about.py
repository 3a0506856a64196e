"""The /about page: the card and the manifest in words, built once at start-up."""

from typing import Any

from app.presentation.contexts import AboutContext, Row, Site
from app.presentation.result import Presenter
from model import TabularModel
from model.contract import formatting
from model.contract.card import CardBase
from model.contract.fields import AnyField, ChoiceField, FlagField
from model.contract.manifest import Manifest, ManifestBase


def build_about_context(
    model: TabularModel[Any], presenter: Presenter[Any], site: Site
) -> AboutContext:
    """Describe a model's data, metrics, limits, fields and versions in words."""
    card, manifest = model.card, model.manifest
    return AboutContext(
        site=site,
        heading=f"About this {site.answer_noun}",
        origin=presenter.origin,
        source=manifest.data.source,
        accuracy=manifest.accuracy,
        metrics=format_metrics(card, manifest),
        how=manifest.how,
        method=_describe_calibration(manifest),
        method_title="What the range means"
        if manifest.temperature is None
        else "What the probabilities mean",
        limits=card.limits,
        not_for=card.not_for,
        fields=tuple(Row(field.label, _describe_values(field)) for field in card.fields),
        versions=list_versions(card, manifest, model.version),
    )


def format_metrics(card: CardBase, manifest: ManifestBase) -> tuple[Row, ...]:
    """Format the measured metrics, each with its label."""
    return tuple(
        Row(
            metric.label,
            formatting.format_percent(metric.value, card.locale, digits=1)
            if metric.share
            else formatting.format_number(metric.value, card.locale),
        )
        for metric in manifest.metrics
    )


def list_versions(card: CardBase, manifest: ManifestBase, version: str) -> tuple[Row, ...]:
    """List model, artifact and libraries."""
    size = formatting.format_number(manifest.artifacts[manifest.served].bytes, card.locale)
    return (
        Row("Model", f"{card.title} {version}"),
        Row("Artifact", f"{manifest.served}, {size} bytes"),
        *(Row(name, number) for name, number in manifest.versions.items()),
    )


def _describe_calibration(manifest: Manifest) -> str:
    """How ranges or probabilities were calibrated; "" where they were not."""
    if manifest.calibration is not None:
        return manifest.calibration.method
    if manifest.temperature is None:
        return ""
    return (
        "They were calibrated on rows that the model had not seen: their logarithms are divided by "
        f"{manifest.temperature:.2f}, the number that makes those rows most likely (temperature "
        "scaling)."
    )


def _describe_values(field: AnyField) -> str:
    if isinstance(field, ChoiceField):
        values = f"one of {len(field.choices)}"
    elif isinstance(field, FlagField):
        values = f"{field.yes} or {field.no}"
    else:
        values = f"{field.format_number(field.min)} to {field.format_value(field.max)}"
    return values if field.required else f"{values}, may be left empty"
