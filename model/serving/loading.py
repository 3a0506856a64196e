"""Loads a model from its folder, after checks: no file is loaded that the manifest does not name.

Card and manifest are read and compared first, then each artifact's hash, then versions. Only then
is anything loaded. The golden rows are predicted last.
"""

from functools import partial
from pathlib import Path
from typing import Any

from model.contract.card import CardBase
from model.contract.errors import ModelError, run_checks
from model.contract.files import parse, read_manifest, read_toml
from model.contract.formats import CARD_STEPS, Data, upgrade
from model.contract.lines import find_line
from model.serving.checking import ModelFolder
from model.serving.kinds import KINDS
from model.serving.served_model import ServedModel


def load_models(root: Path, names: tuple[str, ...]) -> dict[str, ServedModel[Any, Any]]:
    """Load the named models, and no others, from their folders under ``root``.

    Returns:
        The models by slug, in the order of ``names``.

    Raises:
        ModelError: with the problems of all that are not sound.
    """
    models: dict[str, ServedModel[Any, Any]] = {}

    def load(name: str) -> None:
        model = load_model(root / name.replace("-", "_"))
        models[model.slug] = model

    run_checks(*(partial(load, name) for name in names))
    return models


def load_model(folder: Path) -> ServedModel[Any, Any]:
    """Read, check and load the model in one folder; its card says of which kind it is.

    Raises:
        ModelError: with all that contradicts something else, and how to fix it.
    """
    if not folder.is_dir():
        names = sorted(p.parent.name.replace("_", "-") for p in folder.parent.glob("*/card.toml"))
        raise ModelError(
            f"There is no model {folder.name.replace('_', '-')!r}: {folder} is not a folder. "
            f"FORMCAST_MODELS can name: {', '.join(names) or 'none'}."
        )
    path = folder / "card.toml"
    kind, data, text = _read_kind(path)
    read: list[Any] = []
    run_checks(
        lambda: read.append(parse(kind.card_type, data, path, text)),
        lambda: read.append(read_manifest(kind.manifest_type, folder / "manifest.json")),
    )
    card, manifest = read
    return kind.load(ModelFolder(folder, card, manifest, text))


def read_card(path: Path) -> CardBase:
    """Read and check ``card.toml``.

    Raises:
        ModelError: with the line to change.
    """
    kind, data, text = _read_kind(path)
    return parse(kind.card_type, data, path, text)


def _read_kind(path: Path) -> tuple[type[ServedModel[Any, Any]], Data, str]:
    """The kind of model that a card is for, the card's tables and its text."""
    data, text = read_toml(path)
    data = upgrade(data, CARD_STEPS, path)
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        line = find_line(text, ("kind",))
        raise ModelError(
            f"{path}{f', line {line}' if line else ''}: kind must be one of "
            f"{', '.join(map(repr, KINDS))}."
        )
    return kind, data, text
