"""The /about page: the card and the manifest in words, built once at start-up."""

from app.presentation.contexts import AboutContext, KindAbout, Row, Site
from model.contract import formatting
from model.contract.card import CardBase
from model.contract.manifest import ManifestBase


def build_about_context(
    card: CardBase, manifest: ManifestBase, version: str, site: Site, kind: KindAbout
) -> AboutContext:
    """Describe a model's data, metrics, limits, fields and versions in words."""
    size = formatting.format_number(manifest.artifacts[manifest.served].bytes, card.locale)
    return AboutContext(
        site=site,
        heading=f"How good is this {site.answer_noun}?",
        origin=describe_origin(card, manifest),
        source=manifest.data.source,
        metrics=tuple(
            Row(
                metric.label,
                formatting.format_percent(metric.value, card.locale, digits=1)
                if metric.share
                else formatting.format_number(metric.value, card.locale),
            )
            for metric in manifest.metrics
        ),
        how=manifest.how,
        limits=card.limits,
        not_for=card.not_for,
        versions=(
            Row("Model", f"{card.title} {version}"),
            Row("Artifact", f"{manifest.served}, {size} bytes"),
            *(Row(name, number) for name, number in manifest.versions.items()),
        ),
        kind=kind,
    )


def describe_origin(card: CardBase, manifest: ManifestBase) -> str:
    """Say what the model learned from."""
    return f"Learned from {card.data_text or manifest.data.text}."
