"""What a person reads once their model is added."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.contract import formatting
from model.contract.manifest import Manifest
from model.making.columns.drafting import DraftOutput
from model.making.measuring.baselines import Comparison
from model.making.options import LOCALE
from model.making.rows.dataset import Dataset
from model.making.rows.prepared import PreparedModel
from model.serving.served_model import ServedModel

_QUICK = 0.02
"""Seconds below which a number of visitors says nothing: other things limit them."""

_PATIENT = 2.0
"""Seconds that a visitor waits for an answer while typing."""

_CORES = 2


@dataclass(frozen=True)
class AddedModel:
    """What was made: the folder, the guesses, and notes.

    ``fields`` have a row (name, kind, what it accepts, column and guess) each, ``figures`` a label
    and a formatted value. ``tried`` says how it was put together, "" where it was not. ``how`` says
    on what the figures were measured, ``without_unit`` are the numbers whose unit is not known,
    ``derived`` the columns that are computed, with the expressions. ``uncompared`` says that
    there is no comparison. ``advice`` is what to do before anything else, "" for nothing.
    ``conflicts`` are lines of the card that stayed although a new draft
    has others: both, of each place.
    """

    folder: Path
    slug: str
    fields: tuple[tuple[str, str, str, str], ...]
    output: str
    served: str
    figures: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    title: str
    how: str
    comparison: Comparison | None
    without_unit: tuple[str, ...]
    derived: tuple[tuple[str, str], ...] = ()
    tried: str = ""
    advice: str = ""
    conflicts: tuple[tuple[str, str], ...] = ()
    uncompared: str = (
        "It was not compared with a plain baseline: that takes 30 held-out rows and 30 others, "
        "with different answers among these."
    )


def summarize(
    folder: Path,
    dataset: Dataset,
    output: DraftOutput,
    prepared: PreparedModel,
    manifest: Manifest,
    notes: Sequence[str],
    comparison: Comparison | None,
    tried: str = "",
) -> AddedModel:
    """Say what was made and guessed, in words for people.

    ``notes`` are what a person should know, ``tried`` is how the model was put together.
    """
    fields = tuple(
        (
            item.name,
            item.column.kind + ("" if item.required else ", may be empty"),
            ", ".join(option.label for option in item.field.options) or item.field.accepted_text,
            f"{item.column.source.column}: {item.column.guess}",
        )
        for item in dataset.fields
    )
    return AddedModel(
        folder,
        folder.name.replace("_", "-"),
        fields,
        output.description,
        _describe_served(prepared),
        tuple((metric.label, metric.format(LOCALE)) for metric in manifest.metrics),
        tuple(notes),
        output.title,
        manifest.how,
        comparison,
        tuple(item.name for item in dataset.fields if getattr(item.field, "unit", None) == ""),
        tuple((item.name, item.expression) for item in prepared.features.computed)
        if prepared.features
        else (),
        tried,
    )


def describe_speed(served: ServedModel[Any, Any]) -> str:
    """Say what one answer with its reasons costs, and how many visitors that lets type at once.

    Someone who types has about one answer made a second.
    """
    seconds = min(_time(served.explain_golden) for _ in range(3))
    if seconds < _QUICK:
        return f"One answer with its reasons takes {max(seconds * 1000, 0.1):.1f} ms."
    visitors = _CORES / seconds
    can = f"about {visitors:.0f} visitors typing" if visitors >= 1.5 else "one visitor typing"
    text = f"One answer with its reasons takes {seconds:.2g} s: {can} at once on two cores."
    if seconds > _PATIENT:
        text += " That is too long for a page that answers while one types: use a smaller model."
    return text


def _time(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def _describe_served(prepared: PreparedModel) -> str:
    count = formatting.format_number(len(prepared.matrix), LOCALE)
    if prepared.exporter:
        return (
            f"as ONNX, which {prepared.exporter} exported, compared with its own answers to all "
            f"{count} rows"
        )
    if prepared.frame is None:
        return (
            f"as the ONNX file that you gave, in the app's form, compared with it on all {count} "
            "rows.\nIt was not compared with the model that it was exported from."
        )
    if prepared.served != "model.joblib":
        return f"as ONNX, compiled and compared with the saved model on all {count} rows"
    text = f"as it was saved, which is slower: it did not compile.\n{prepared.reason}"
    if prepared.frame.needs_pandas:
        text += (
            "\nServing it needs pandas: add it to the dependencies in pyproject.toml and "
            "run `make requirements UPGRADE=` before you deploy it."
        )
    return text
