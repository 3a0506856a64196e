"""Checks card, manifest and artifacts against each other, before a model is served.

Every failure is a ModelError that says which line to change.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic_core import PydanticCustomError

from model.contract.card import Card, CardBase
from model.contract.errors import MAKE_AGAIN, OR_MAKE_AGAIN, ModelError, run_checks
from model.contract.files import ManifestT
from model.contract.lines import find_line
from model.contract.manifest import FactGroup, Manifest
from model.serving.fact_groups import FactGroups

CardT = TypeVar("CardT", bound=CardBase)


class ModelFolder(NamedTuple, Generic[CardT, ManifestT]):
    """A model's folder with what was read from it; ``text`` is that of the card."""

    path: Path
    card: CardT
    manifest: ManifestT
    text: str

    @property
    def manifest_path(self) -> Path:
        """The file of the manifest, for messages."""
        return self.path / "manifest.json"

    def locate(self, *loc: int | str) -> str:
        """The file and line of a location in the card."""
        line = find_line(self.text, loc) if loc else None
        return f"{self.path / 'card.toml'}{f', line {line}' if line else ''}"


TabularFolder = ModelFolder[Card, Manifest]


def compare_fields(folder: TabularFolder) -> Iterator[str]:
    """Compare the card's fields and choices with the manifest; the problems."""
    yield from _compare_columns(folder)
    yield from _compare_choices(folder)
    yield from _check_reference(folder)


def _compare_columns(folder: TabularFolder) -> Iterator[str]:
    card, manifest = folder.card, folder.manifest
    for name in manifest.columns:
        if name not in card.names:
            yield (
                f"{folder.locate()}: the model was trained on {name!r}, which no field asks "
                f'for. Add a block [[fields]] with name = "{name}".'
            )
    for index, name in enumerate(card.names):
        if name not in manifest.columns:
            yield (
                f"{folder.locate('fields', index, 'name')}: the model knows no column "
                f"{name!r}. Remove its [[fields]] block, or train the model with it."
            )


def _compare_choices(folder: TabularFolder) -> Iterator[str]:
    card, manifest = folder.card, folder.manifest
    for index, field in enumerate(card.fields):
        if not field.categories or field.name not in manifest.columns:
            continue
        if field.categories != manifest.choices.get(field.name):
            yield (
                f"{folder.locate('fields', index, 'choices')}: the choices of "
                f"{field.name!r} must be those that the model was compiled with, in their order: "
                f"{', '.join(manifest.choices.get(field.name, ()))}."
            )


def _check_reference(folder: TabularFolder) -> Iterator[str]:
    card, manifest, where = folder.card, folder.manifest, folder.manifest_path
    for name, value in manifest.reference.items():
        if name not in card.by_name or card.by_name[name].is_text:
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


def compare_groups(
    folder: ModelFolder[Any, Manifest], groups: Sequence[FactGroup], what: str
) -> Iterator[str]:
    """Compare what was measured, by known facts, with the card's optional fields; the problems."""
    found = FactGroups(groups, folder.card.optional)
    measured = {name for group in groups for name in group.known}
    changed = measured.symmetric_difference(folder.card.optional)
    if found.by_set and changed:
        yield (
            f"{folder.locate()}: `required` of {', '.join(sorted(changed))} must stay as the model "
            "was measured. To have a fact always asked for, add the model again with --required; "
            "which facts may stay empty, its data say."
        )
    elif missing := found.count_missing():
        yield (
            f"{folder.manifest_path}: {what} {missing} of the sets of optional fields. {MAKE_AGAIN}"
        )


def check_hashes(folder: ModelFolder[Any, Any], *others: str) -> None:
    """Compare the SHA-256 of every file with the manifest's, before it is loaded.

    Args:
        folder: its manifest names the served artifact.
        others: names of the other files that will be loaded.

    Raises:
        ModelError: with every file that is missing, or differs from the manifest.
    """
    names = (folder.manifest.served, *others)
    run_checks(*(partial(_check_hash, folder, name) for name in names))


def _check_hash(folder: ModelFolder[Any, Any], name: str) -> None:
    path, artifact = folder.path / name, folder.manifest.artifacts.get(name)
    if artifact is None:
        raise ModelError(f"{folder.manifest_path}: {name!r} is not among its artifacts.")
    if path.parent not in (folder.path, folder.path / "samples") or not path.is_file():
        raise ModelError(
            f"{path} is missing. Fetch it from where the manifest came from. {OR_MAKE_AGAIN}"
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != artifact.sha256:
        raise ModelError(
            f"{path} is not the file that was trained: its SHA-256 is {found}, the manifest "
            f"says {artifact.sha256}. It was not loaded. Restore it. {OR_MAKE_AGAIN}"
        )


def check_versions(folder: TabularFolder) -> None:
    """Check that the installed scikit-learn is the one that saved a served joblib file.

    Raises:
        ModelError: if it is not; with both versions.
    """
    served = folder.manifest.served
    if not served.endswith(".joblib"):
        return
    saved_by, installed = folder.manifest.versions.get("scikit-learn"), version("scikit-learn")
    if saved_by != installed:
        raise ModelError(
            f"{folder.path / served} was saved by scikit-learn {saved_by}, this is "
            f"{installed}: its predictions could differ without an error. Put "
            f"scikit-learn=={saved_by} into pyproject.toml, or train again."
        )
