"""The /about page: the card and the manifest in words, built once at start-up."""

from collections.abc import Sequence

from app.presentation.contexts import AboutContext, KindAbout, MetricTable, Row, Site
from model.contract import formatting
from model.contract.card import CardBase
from model.contract.manifest import ManifestBase, Metric

_LEAST = 2
"""Figures and conditions from which on a table is easier to read than a list."""


def build_about_context(
    card: CardBase, manifest: ManifestBase, version: str, site: Site, kind: KindAbout
) -> AboutContext:
    """Describe a model's data, metrics, limits, fields and versions in words."""
    table, others = _arrange_metrics(manifest.metrics, card.locale)
    size = formatting.format_number(manifest.artifacts[manifest.served].bytes, card.locale)
    return AboutContext(
        site=site,
        heading=f"How good is this {site.answer_noun}?",
        origin=describe_origin(card, manifest),
        trained=f"Trained on {formatting.format_date(manifest.trained, card.locale)}.",
        source=manifest.data.source,
        table=table,
        metrics=others,
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


def _arrange_metrics(
    metrics: Sequence[Metric], locale: str
) -> tuple[MetricTable | None, tuple[Row, ...]]:
    """Arrange figures in a table where they were measured under several conditions.

    The label of such a figure names the condition after a comma: "Median error, three facts".

    Returns:
        The table, if there is one, and the figures that are not in it.
    """
    found: dict[str, dict[str, Metric]] = {}
    for metric in metrics:
        measure, _, condition = metric.label.partition(", ")
        found.setdefault(condition, {})[measure] = metric
    names = max(map(list, found.values()), key=len, default=[])
    conditions = [condition for condition, measured in found.items() if list(measured) == names]
    if len(names) < _LEAST or len(conditions) < _LEAST:
        return None, tuple(Row(metric.label, metric.format(locale)) for metric in metrics)
    columns = [list(found[condition].values()) for condition in conditions]
    cells = [[metric.format(locale) for metric in column] for column in columns]
    if len(names) > len(conditions):  # a page is high rather than wide
        cells = [list(row) for row in zip(*cells, strict=True)]
        conditions, names = names, conditions
    table = MetricTable(
        tuple(map(formatting.capitalize, names)),
        tuple(
            (formatting.capitalize(label), tuple(row))
            for label, row in zip(conditions, cells, strict=True)
        ),
    )
    arranged = {metric.name for column in columns for metric in column}
    return table, tuple(
        Row(metric.label, metric.format(locale))
        for metric in metrics
        if metric.name not in arranged
    )
