"""What must hold before a model is served: card, manifest and artifacts against each other.

Every failure is a ModelError that says which line to change.
"""

import hashlib
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pydantic_core import PydanticCustomError

from model.contract.card import Card, Manifest, ManifestBase
from model.contract.errors import AGAIN, AGAIN_OR, CLASSES, ModelError, gather
from model.contract.lines import line_of
from model.contract.outputs import ClassOutput
from model.serving.intervals import ConformalIntervals


def compare(card: Card, manifest: Manifest, folder: Path, text: str = "") -> None:
    """Hold the card's fields, choices and coverage against the manifest's.

    Args:
        card: the card.
        manifest: the manifest.
        folder: where both lie.
        text: the card as it is written, for the numbers of its lines.

    Raises:
        ModelError: with every difference.
    """
    problems = [*_columns(card, manifest, folder, text), *_choices(card, manifest, folder, text)]
    problems += [*_reference(card, manifest, folder), *_output(card, manifest, folder, text)]
    if problems:
        raise ModelError(*problems)


def _at(folder: Path, text: str, *loc: int | str) -> str:
    """The place in the card, with its line."""
    line = line_of(text, loc) if loc else None
    return f"{folder / 'card.toml'}{f', line {line}' if line else ''}"


def _columns(card: Card, manifest: Manifest, folder: Path, text: str) -> Iterator[str]:
    strange = False
    for name in manifest.columns:
        if name not in card.names:
            strange = True
            yield (
                f"{_at(folder, text)}: the model was trained on {name!r}, which no field asks "
                f'for. Add a block [[fields]] with name = "{name}".'
            )
    for place, name in enumerate(card.names):
        if name not in manifest.columns:
            strange = True
            yield (
                f"{_at(folder, text, 'fields', place, 'name')}: the model knows no column "
                f"{name!r}. Remove its [[fields]] block, or train the model with it."
            )
    if not strange and card.names != manifest.columns:
        yield (
            f"{_at(folder, text)}: the fields must stand in the order of the model's columns: "
            f"{', '.join(manifest.columns)}."
        )


def _choices(card: Card, manifest: Manifest, folder: Path, text: str) -> Iterator[str]:
    for place, field in enumerate(card.fields):
        if field.kind != "choice" or field.name not in manifest.columns:
            continue
        values = tuple(choice.value for choice in field.choices)
        if values != manifest.choices.get(field.name):
            yield (
                f"{_at(folder, text, 'fields', place, 'choices')}: the choices of {field.name!r} "
                "must be those that the model was compiled with, in their order: "
                f"{', '.join(manifest.choices.get(field.name, ()))}."
            )


def _reference(card: Card, manifest: Manifest, folder: Path) -> Iterator[str]:
    where = folder / "manifest.json"
    for name, value in manifest.reference.items():
        if name not in card.by_name:
            if name not in manifest.columns:
                yield f"{where}: reference names {name!r}, no field."
            continue
        try:
            card.by_name[name].validate_value(value)
        except PydanticCustomError as error:
            yield f"{where}: reference, {name}: {error.message()}. Widen the field's bounds."
    for name in card.names:
        if name not in manifest.reference and name in manifest.columns:
            yield f"{where}: reference lacks {name!r}."


def _output(card: Card, manifest: Manifest, folder: Path, text: str) -> Iterator[str]:
    where = folder / "manifest.json"
    calibration = manifest.calibration
    if isinstance(card.output, ClassOutput):
        if calibration is not None:
            yield f"{where}: classes have no calibrated range."
        values = {item.value for item in card.output.classes}
        said = dict.fromkeys(golden.label or "" for golden in manifest.golden)
        for label in said:
            if label not in values:
                yield (
                    f"{_at(folder, text, 'output', 'classes')}: {label!r} is missing, which the "
                    f"model answered when it was made. {CLASSES}"
                )
        return
    if manifest.axis is None:
        yield f"{where}: a model of numbers needs an axis."
    if calibration is None:
        return
    if calibration.coverage != card.output.coverage:
        yield (
            f"{_at(folder, text, 'output', 'coverage')}: output.coverage = "
            f"{card.output.coverage}, but the range was calibrated for {calibration.coverage}. "
            "Write that, or train again."
        )
    if missing_groups := ConformalIntervals(calibration, card.optional).missing_groups():
        yield (
            f"{where}: the calibration lacks {missing_groups} subsets of the optional fields. "
            f"{AGAIN}"
        )


def check_hashes(manifest: ManifestBase, folder: Path, *more: str) -> None:
    """Compare the SHA-256 of every file that is going to be loaded, before it is loaded.

    Args:
        manifest: names the served artifact.
        folder: where it lies.
        more: names of further files that are going to be loaded.

    Raises:
        ModelError: with every one that is missing or another than the manifest says.
    """
    gather(*(partial(_check_hash, manifest, folder, name) for name in (manifest.served, *more)))


def _check_hash(manifest: ManifestBase, folder: Path, name: str) -> None:
    path, artifact = folder / name, manifest.artifacts.get(name)
    if artifact is None:
        raise ModelError(f"{folder / 'manifest.json'}: {name!r} is not among its artifacts.")
    if path.parent != folder or not path.is_file():
        raise ModelError(
            f"{path} is missing. Fetch it from where the manifest came from. {AGAIN_OR}"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != artifact.sha256:
        raise ModelError(
            f"{path} is not the file that was trained: its SHA-256 is {found}, the manifest "
            f"says {artifact.sha256}. It was not loaded. Restore it. {AGAIN_OR}"
        )


def check_versions(manifest: Manifest, folder: Path) -> None:
    """A joblib file is loaded by the very scikit-learn that saved it, or not at all.

    Raises:
        ModelError: with both versions.
    """
    if not manifest.served.endswith(".joblib"):
        return
    trained, here = manifest.versions.get("scikit-learn"), version("scikit-learn")
    if trained != here:
        raise ModelError(
            f"{folder / manifest.served} was saved by scikit-learn {trained}, this is "
            f"{here}: the answers could differ without a word. Put "
            f"scikit-learn=={trained} into pyproject.toml, or train again."
        )
