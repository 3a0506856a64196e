"""What must hold before a model is served: card, manifest and artifacts against each other.

Every failure is a ModelError that says which line to change.
"""

import hashlib
from importlib.metadata import version
from pathlib import Path

from model.card import Card, Manifest, ManifestBase
from model.intervals import Ranges
from model.outputs import ClassOutput


class ModelError(Exception):
    """The model cannot be served; the message says which line to change."""


def compare(card: Card, manifest: Manifest, folder: Path) -> None:
    """Hold the card's fields, choices and coverage against the manifest's.

    Raises:
        ModelError: for the first difference.
    """
    where = folder / "card.toml"
    if missing := [name for name in manifest.columns if name not in card.names]:
        raise ModelError(
            f"{where}: the model was trained on {missing[0]!r}, which no field asks "
            f'for. Add a block [[fields]] with name = "{missing[0]}".'
        )
    if extra := [name for name in card.names if name not in manifest.columns]:
        raise ModelError(
            f"{where}: the model knows no column {extra[0]!r}. Remove its [[fields]] "
            "block, or train the model with it."
        )
    if card.names != manifest.columns:
        raise ModelError(
            f"{where}: the fields must stand in the order of the model's columns: "
            f"{', '.join(manifest.columns)}."
        )
    for field in card.fields:
        if field.kind != "choice":
            continue
        values = tuple(choice.value for choice in field.choices)
        if values != manifest.choices.get(field.name):
            raise ModelError(
                f"{where}: the choices of {field.name!r} must be those that the model "
                f"was compiled with, in their order: "
                f"{', '.join(manifest.choices.get(field.name, ()))}."
            )
    for name, value in manifest.reference.items():
        if name not in card.by_name:
            raise ModelError(f"{folder / 'manifest.json'}: reference names {name!r}, no field.")
        card.by_name[name].validate_value(value)
    if isinstance(card.output, ClassOutput):
        if manifest.calibration is not None:
            raise ModelError(f"{folder / 'manifest.json'}: classes have no calibrated range.")
        return
    if manifest.axis is None:
        raise ModelError(f"{folder / 'manifest.json'}: a model of numbers needs an axis.")
    calibration = manifest.calibration
    if calibration is None:
        return
    if calibration.coverage != card.output.coverage:
        raise ModelError(
            f"{where}: output.coverage = {card.output.coverage}, but the range was "
            f"calibrated for {calibration.coverage}. Write that, or train again."
        )
    if missing_groups := Ranges(calibration, card.optional).missing_groups():
        raise ModelError(
            f"{folder / 'manifest.json'}: the calibration lacks {missing_groups} "
            "subsets of the optional fields. Run `make train`."
        )


def check_hashes(manifest: ManifestBase, folder: Path, *more: str) -> None:
    """Compare the SHA-256 of every file that is going to be loaded, before it is loaded.

    Args:
        manifest: names the served artifact.
        folder: where it lies.
        more: names of further files that are going to be loaded.

    Raises:
        ModelError: if one is missing or another than the manifest says.
    """
    for name in (manifest.served, *more):
        path, artifact = folder / name, manifest.artifacts.get(name)
        if artifact is None:
            raise ModelError(f"{folder / 'manifest.json'}: {name!r} is not among its artifacts.")
        if path.parent != folder or not path.is_file():
            raise ModelError(
                f"{path} is missing. Run `make train`, or fetch it from where the manifest came "
                "from."
            )
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != artifact.sha256:
            raise ModelError(
                f"{path} is not the file that was trained: its SHA-256 is {found}, the manifest "
                f"says {artifact.sha256}. It was not loaded. Restore it or run `make train`."
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
