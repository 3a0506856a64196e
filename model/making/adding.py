"""Adding a model: from a person's file and data to a folder that is served as it is."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from model.contract.errors import ModelError
from model.making.cards import draft_words, write_card
from model.making.columns import study
from model.making.dataset import build_dataset, hold_bounds, optional_notes, require_one
from model.making.errors import AddError
from model.making.evaluating import evaluate
from model.making.examples import choose_examples
from model.making.features import match_features
from model.making.indexing import importance_of, index_rows
from model.making.manifests import write_manifest
from model.making.opening import open_subject
from model.making.request import Request
from model.making.summary import AddedModel, summarize
from model.making.tables import read_rows
from model.making.targets import draft_output, read_truth
from model.serving.loading import load_model

STAGES = (
    "reading",
    "looking at the columns",
    "compiling and comparing",
    "weighing the facts",
    "indexing similar rows",
    "measuring on held-out rows",
    "writing and checking",
)
"""What is done, one after the other; a progress bar counts them."""

_RESERVED = ("about", "api", "embed", "healthz", "metrics", "predict-fragment", "readyz", "static")


def add_model(request: Request, root: Path, report: Callable[[str], object]) -> AddedModel:
    """Make a model's folder under ``root``; nothing is left behind where that fails.

    A model that is replaced stays until the new one is in its place. If the process is killed
    between the two, the next run with the same name puts the old one back.

    Args:
        request: what to make it from.
        root: the folder in which the models' folders stand.
        report: is told each of ``STAGES`` as it begins.

    Raises:
        AddError: if it cannot be done; says why and what to do.
    """
    folder = _free_folder(request, root)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{folder.name}-") as temporary:
        work = Path(temporary) / folder.name
        work.mkdir()
        try:
            added = _make(request, folder, work, report)
            load_model(work)
        except ModelError as error:
            text = str(error).replace(str(work), str(folder))
            raise AddError(f"What was drafted does not pass its own check: {text}") from error
        except ValidationError as error:
            raise AddError(
                f"What was measured of the model cannot be kept: {error}. Look for rows of the "
                "data to which it gives no usable answer."
            ) from error
        _put(work, folder, Path(temporary))
    return added


def _put(work: Path, folder: Path, temporary: Path) -> None:
    """Rename ``work`` to ``folder``; a model that was there comes back where that fails.

    Args:
        work: the new model.
        folder: where it is to stand.
        temporary: takes the replaced model; whoever made this folder deletes it.

    Raises:
        AddError: if the file system refuses.
    """
    kept = _kept(folder)
    if kept.exists():  # beside a model, so another run put that in its place and was then killed
        kept.rename(temporary / "older")
    try:
        if folder.exists():
            folder.rename(kept)
        work.rename(folder)
    except OSError as error:
        raise AddError(f"{folder} could not be put in its place: {error}.") from error
    finally:  # after an interrupt, too
        _put_back(folder)
        if kept.exists():
            kept.rename(temporary / "old")


def _put_back(folder: Path) -> None:
    """Undo a replacement that was broken off after the old model had left its place."""
    kept = _kept(folder)
    if kept.exists() and not folder.exists():
        kept.rename(folder)


def _kept(folder: Path) -> Path:
    """Where a model stands while another takes its place; a later run finds it there."""
    return folder.with_name(f".{folder.name}.old")


def _free_folder(request: Request, root: Path) -> Path:
    slug = request.name.replace("_", "-")
    if not (slug.replace("-", "").isalnum() and slug.isascii() and slug == slug.lower()):
        raise AddError(f"--name {request.name}: write lower-case letters, digits and dashes.")
    if not slug[0].isalpha() or slug in _RESERVED:
        raise AddError(f"--name {request.name} cannot stand in an address. Take another.")
    folder = root / slug.replace("-", "_")
    if not root.is_dir():
        raise AddError(f"{root} is no folder.")
    _put_back(folder)
    if folder.exists() and not (folder / "card.toml").is_file():
        raise AddError(f"{folder} is there and is no model. Take another --name.")
    if folder.exists() and not request.force:
        raise AddError(f"{folder} is there. Take another --name, or say --force to replace it.")
    return folder


def _make(
    request: Request, folder: Path, work: Path, report: Callable[[str], object]
) -> AddedModel:
    """Make the files in ``work`` that are to stand in ``folder``."""
    notes: list[str] = []
    stage = iter(STAGES)

    report(next(stage))
    subject = open_subject(request.path, request.trust)
    rows = read_rows(request.data, request.target, request.holdout)
    notes += rows.notes
    names = match_features(subject, rows, request, notes.append)

    report(next(stage))
    columns = study(rows.table, names, subject.encoded(names), request.kinds, request.required)
    subject = subject.told(rows.table[request.target], request.classes)
    truth = read_truth(rows, request, subject.classes)

    report(next(stage))
    ready = subject.ready(rows.table, columns, work)
    notes += ready.notes
    dataset = build_dataset(ready, columns, truth, rows.held_out, notes.append)
    dataset = hold_bounds(dataset, ready.answer)

    report(next(stage))
    importance = importance_of(ready.answer, dataset.matrix, dataset.fields)
    dataset = require_one(dataset, importance, notes.append)
    notes += optional_notes(dataset)

    report(next(stage))
    seen = ~dataset.held_out
    index = index_rows(
        ready.answer, dataset.matrix[seen], dataset.truth[seen], dataset.fields, importance
    )
    if index is None:
        notes.append("No similar rows are shown: fewer than 100 rows have every fact.")

    report(next(stage))
    classes = tuple(str(item) for item in subject.classes)
    output = draft_output(dataset.truth, request, classes, ready.probabilities)
    evaluation = evaluate(ready.answer, dataset, output, request.coverage, notes.append)

    report(next(stage))
    words = draft_words(subject.title, request.data.name, dataset, output)
    examples = choose_examples(ready.answer, dataset, output)
    card = write_card(work / "card.toml", dataset, output, words, examples, importance)
    manifest = write_manifest(work, request, ready, card, dataset, evaluation, index)
    return summarize(folder, dataset, output, ready, manifest, notes)
