"""Checks card, manifest and artifacts against each other, before a model is served.

Every failure is a ModelError that says which line to change.
"""

import hashlib
from collections.abc import Iterator
from functools import partial
from importlib.metadata import version
from pathlib import Path

from pydantic_core import PydanticCustomError

from model.contract.card import Card
from model.contract.errors import KEEP_CLASSES, MAKE_AGAIN, OR_MAKE_AGAIN, ModelError, run_checks
from model.contract.lines import find_line
from model.contract.manifest import Manifest, ManifestBase
from model.contract.outputs import ClassOutput
from model.serving.intervals import ConformalIntervals


def check_card(card: Card, manifest: Manifest, folder: Path, text: str) -> None:
    """Compare the card's fields, choices and coverage with the manifest's.

    Args:
        card: the card.
        manifest: the manifest.
        folder: the model's folder.
        text: the text of the card, for the line numbers.

    Raises:
        ModelError: with every difference.
    """
    problems = [
        *_compare_columns(card, manifest, folder, text),
        *_compare_choices(card, manifest, folder, text),
        *_check_reference(card, manifest, folder),
        *_compare_output(card, manifest, folder, text),
    ]
    if problems:
        raise ModelError(*problems)


def _locate(folder: Path, text: str, *loc: int | str) -> str:
    """The file and line of a location in the card."""
    line = find_line(text, loc) if loc else None
    return f"{folder / 'card.toml'}{f', line {line}' if line else ''}"


def _compare_columns(card: Card, manifest: Manifest, folder: Path, text: str) -> Iterator[str]:
    same = True
    for name in manifest.columns:
        if name not in card.names:
            same = False
            yield (
                f"{_locate(folder, text)}: the model was trained on {name!r}, which no field asks "
                f'for. Add a block [[fields]] with name = "{name}".'
            )
    for index, name in enumerate(card.names):
        if name not in manifest.columns:
            same = False
            yield (
                f"{_locate(folder, text, 'fields', index, 'name')}: the model knows no column "
                f"{name!r}. Remove its [[fields]] block, or train the model with it."
            )
    if same and card.names != manifest.columns:
        yield (
            f"{_locate(folder, text)}: the fields must stand in the order of the model's columns: "
            f"{', '.join(manifest.columns)}."
        )


def _compare_choices(card: Card, manifest: Manifest, folder: Path, text: str) -> Iterator[str]:
    for index, field in enumerate(card.fields):
        if field.kind != "choice" or field.name not in manifest.columns:
            continue
        values = tuple(choice.value for choice in field.choices)
        if values != manifest.choices.get(field.name):
            yield (
                f"{_locate(folder, text, 'fields', index, 'choices')}: the choices of "
                f"{field.name!r} must be those that the model was compiled with, in their order: "
                f"{', '.join(manifest.choices.get(field.name, ()))}."
            )


def _check_reference(card: Card, manifest: Manifest, folder: Path) -> Iterator[str]:
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


def _compare_output(card: Card, manifest: Manifest, folder: Path, text: str) -> Iterator[str]:
    where = folder / "manifest.json"
    calibration = manifest.calibration
    if isinstance(card.output, ClassOutput):
        if calibration is not None:
            yield f"{where}: classes have no calibrated range."
        values = {option.value for option in card.output.classes}
        for label in dict.fromkeys(golden.label for golden in manifest.golden):
            if label not in values:
                yield (
                    f"{_locate(folder, text, 'output', 'classes')}: {label!r} is missing, which "
                    f"the model predicted when it was made. {KEEP_CLASSES}"
                )
        return
    if manifest.axis is None:
        yield f"{where}: a regressor needs an axis."
    if calibration is None:
        return
    if calibration.coverage != card.output.coverage:
        yield (
            f"{_locate(folder, text, 'output', 'coverage')}: output.coverage = "
            f"{card.output.coverage}, but the range was calibrated for {calibration.coverage}. "
            "Write that, or train again."
        )
    if missing_groups := ConformalIntervals(calibration, card.optional).count_missing_groups():
        yield (
            f"{where}: the calibration lacks {missing_groups} subsets of the optional fields. "
            f"{MAKE_AGAIN}"
        )


def check_hashes(manifest: ManifestBase, folder: Path, *others: str) -> None:
    """Compare the SHA-256 of every file with the manifest's, before it is loaded.

    Args:
        manifest: names the served artifact.
        folder: the model's folder.
        others: names of the other files that will be loaded.

    Raises:
        ModelError: with every file that is missing, or differs from the manifest.
    """
    names = (manifest.served, *others)
    run_checks(*(partial(_check_hash, manifest, folder, name) for name in names))


def _check_hash(manifest: ManifestBase, folder: Path, name: str) -> None:
    path, artifact = folder / name, manifest.artifacts.get(name)
    if artifact is None:
        raise ModelError(f"{folder / 'manifest.json'}: {name!r} is not among its artifacts.")
    if path.parent != folder or not path.is_file():
        raise ModelError(
            f"{path} is missing. Fetch it from where the manifest came from. {OR_MAKE_AGAIN}"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != artifact.sha256:
        raise ModelError(
            f"{path} is not the file that was trained: its SHA-256 is {found}, the manifest "
            f"says {artifact.sha256}. It was not loaded. Restore it. {OR_MAKE_AGAIN}"
        )


def check_versions(manifest: Manifest, folder: Path) -> None:
    """Check that the installed scikit-learn is the one that saved a served joblib file.

    Raises:
        ModelError: if it is not; with both versions.
    """
    if not manifest.served.endswith(".joblib"):
        return
    saved_by, installed = manifest.versions.get("scikit-learn"), version("scikit-learn")
    if saved_by != installed:
        raise ModelError(
            f"{folder / manifest.served} was saved by scikit-learn {saved_by}, this is "
            f"{installed}: its predictions could differ without an error. Put "
            f"scikit-learn=={saved_by} into pyproject.toml, or train again."
        )
