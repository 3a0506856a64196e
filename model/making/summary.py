"""What a person is told once their model is added."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from model.contract import formatting
from model.contract.manifest import Manifest
from model.making.dataset import Dataset
from model.making.drafting import LOCALE, Output
from model.making.model_sources import PreparedModel


@dataclass(frozen=True)
class AddedModel:
    """What was made: the folder, the guesses, one row (field, kind, takes, from) a field, notes."""

    folder: Path
    slug: str
    fields: tuple[tuple[str, str, str, str], ...]
    output: str
    served: str
    figures: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def summarize(
    folder: Path,
    dataset: Dataset,
    output: Output,
    ready: PreparedModel,
    manifest: Manifest,
    notes: Sequence[str],
) -> AddedModel:
    """What was made and guessed, in words for people."""
    fields = tuple(
        (
            item.name,
            item.column.kind + ("" if item.required else ", may be empty"),
            item.takes,
            f"{item.column.source.column}: {item.column.guess}",
        )
        for item in dataset.fields
    )
    if output.classes:
        said = f"{output.naming.label}: {', '.join(label for _, label in output.classes)}"
    else:
        step = formatting.format_short(output.round_to, LOCALE)
        said = f"{output.naming.label}, in steps of {step} {output.naming.unit}"
    count = formatting.format_number(len(ready.matrix), LOCALE)
    served = f"as ONNX, compiled and compared with the saved model on all {count} rows"
    if ready.frame is None:
        served = (
            f"as the ONNX file that you gave, in the app's form, compared with it on all {count} "
            "rows.\nWhether it answers like the model that it was exported from was not checked."
        )
    if ready.served == "model.joblib":
        served = f"as it was saved, which is slower: it did not compile.\n{ready.reason}"
        if ready.frame is not None and ready.frame.needs_pandas:
            served += (
                "\nServing it needs pandas: add it to the dependencies in pyproject.toml and "
                "run `make requirements UPGRADE=` before you deploy it."
            )
    figures = tuple(
        (
            metric.label,
            formatting.format_percent(metric.value, LOCALE, digits=1)
            if metric.share
            else formatting.format_short(float(f"{metric.value:.4g}"), LOCALE),
        )
        for metric in manifest.metrics
    )
    return AddedModel(
        folder, folder.name.replace("_", "-"), fields, said.strip(), served, figures,
        tuple(notes),
    )  # fmt: skip
