"""Loads a model from its folder, after checks: no file is loaded that the manifest does not name.

Card and manifest are read and compared first, then each artifact's hash, then versions. Only then
is anything loaded. The golden rows are predicted last.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from model.contract.card import Card
from model.contract.errors import KEEP_CLASSES, MAKE_AGAIN, ModelError, run_checks
from model.contract.files import read_any_card, read_image_manifest, read_manifest, read_text
from model.contract.image_card import ImageCard
from model.contract.lines import find_line
from model.contract.manifest import Manifest
from model.contract.outputs import ClassOutput
from model.contract.sources import Frame
from model.serving.checking import check_card, check_hashes, check_versions
from model.serving.golden import check_golden_pictures, check_golden_rows
from model.serving.image_classifier import ImageClassifier, OnnxPicturePredictor
from model.serving.neighbors import Neighbors
from model.serving.predictors import (
    ClassPredictor,
    JoblibClassPredictor,
    JoblibPredictor,
    OnnxClassPredictor,
    OnnxPredictor,
)
from model.serving.tabular_models import Classifier, Regressor

CompiledT = TypeVar("CompiledT")
SavedT = TypeVar("SavedT")

AnyModel = Regressor | Classifier | ImageClassifier
"""Every kind of model that can be served."""

ModelT = TypeVar("ModelT", Regressor, Classifier, ImageClassifier)


def load_models(root: Path, names: tuple[str, ...]) -> dict[str, AnyModel]:
    """Load the named models, and no others, from their folders under ``root``.

    Returns:
        The models by slug, in the order of ``names``.

    Raises:
        ModelError: with the problems of all that are not sound.
    """
    models: dict[str, AnyModel] = {}

    def load(name: str) -> None:
        model = load_model(root / name.replace("-", "_"))
        models[model.slug] = model

    run_checks(*(partial(load, name) for name in names))
    return models


def load_model(folder: Path) -> AnyModel:
    """Read, check and load the model in one folder; its card says of which kind it is.

    Raises:
        ModelError: with all that contradicts something else, and how to fix it.
    """
    try:
        card = _read_card(folder)
    except ModelError as error:
        raise ModelError(*error.problems, *_find_manifest_problems(folder)) from error
    if isinstance(card, ImageCard):
        return _load_image_classifier(card, folder)
    return _load_tabular_model(card, folder)


def load_as(kind: type[ModelT], folder: Path) -> ModelT:
    """Load a model of a known kind; see ``load_model``.

    Raises:
        ModelError: if the model is not sound, or of another kind.
    """
    model = load_model(folder)
    if not isinstance(model, kind):
        found, expected = type(model).__name__, kind.__name__
        raise ModelError(f"{folder / 'card.toml'}: the model's kind is {found}, not {expected}.")
    return model


def check_model(model: AnyModel) -> None:
    """Predict the golden rows or pictures of a loaded model once more.

    Raises:
        ModelError: if a prediction fails, or differs from the manifest's.
    """
    if isinstance(model, ImageClassifier):
        check_golden_pictures(model)
    else:
        check_golden_rows(model)


def _read_card(folder: Path) -> Card | ImageCard:
    if not folder.is_dir():
        names = sorted(p.parent.name.replace("_", "-") for p in folder.parent.glob("*/card.toml"))
        raise ModelError(
            f"There is no model {folder.name.replace('_', '-')!r}: {folder} is not a folder. "
            f"FORMCAST_MODELS can name: {', '.join(names) or 'none'}."
        )
    return read_any_card(folder / "card.toml")


def _find_manifest_problems(folder: Path) -> tuple[str, ...]:
    """The problems of the manifest, where the card has problems, too."""
    path = folder / "manifest.json"
    if not path.is_file() or '"axis"' not in path.read_text(encoding="utf-8", errors="replace"):
        return ()  # the folder is missing, or its model classifies pictures
    try:
        read_manifest(path)
    except ModelError as error:
        return error.problems
    return ()


def _load_tabular_model(card: Card, folder: Path) -> Regressor | Classifier:
    manifest = read_manifest(folder / "manifest.json")
    text = read_text(folder / "card.toml")
    run_checks(
        lambda: check_card(card, manifest, folder, text),
        lambda: check_hashes(manifest, folder, *filter(None, [manifest.neighbors])),
        lambda: check_versions(manifest, folder),
    )
    neighbors = _load_neighbors(folder / manifest.neighbors) if manifest.neighbors else None
    model: Regressor | Classifier
    if isinstance(card.output, ClassOutput):
        classifier = _load(card, manifest, folder, OnnxClassPredictor, JoblibClassPredictor)
        _check_classes(card, manifest, folder, text, classifier)
        model = Classifier(folder.name, folder, card, manifest, neighbors, classifier)
    else:
        regressor = _load(card, manifest, folder, OnnxPredictor, JoblibPredictor)
        model = Regressor(folder.name, folder, card, manifest, neighbors, regressor)
    check_golden_rows(model)
    return model


def _load_neighbors(path: Path) -> Neighbors:
    try:
        return Neighbors.load(path)
    except Exception as error:  # NumPy raises anything for a file that it did not write
        raise ModelError(f"{path} does not load. {MAKE_AGAIN}") from error


def _check_classes(
    card: Card, manifest: Manifest, folder: Path, text: str, predictor: ClassPredictor
) -> None:
    features, _ = card.validate_row(manifest.reference)
    if features is None:
        return  # the reference lacks a fact; a golden row says what is wrong
    try:
        count = predictor.classify(card.encode(features)).shape[1]
    except Exception:
        return  # the golden rows say what is wrong
    if count != len(card.class_output.classes):
        line = find_line(text, ("output", "classes"))
        raise ModelError(
            f"{folder / 'card.toml'}, line {line}: the model answers {count} classes, and not "
            f"{len(card.class_output.classes)}. {KEEP_CLASSES}"
        )


def _load_image_classifier(card: ImageCard, folder: Path) -> ImageClassifier:
    manifest = read_image_manifest(folder / "manifest.json")
    values = tuple(option.value for option in card.output.classes)
    if values != manifest.classes:
        raise ModelError(
            f"{folder / 'card.toml'}: output.classes must be those that the network was trained "
            f"on, in their order: {', '.join(manifest.classes)}."
        )
    check_hashes(manifest, folder, *(golden.picture for golden in manifest.golden))
    path = folder / manifest.served
    try:
        predictor = OnnxPicturePredictor(path.read_bytes())
    except Exception as error:
        raise ModelError(f"{path} does not load: {error}") from error
    model = ImageClassifier(folder.name, folder, card, manifest, predictor)
    check_golden_pictures(model)
    return model


def _load(
    card: Card,
    manifest: Manifest,
    folder: Path,
    compiled: Callable[[bytes], CompiledT],
    saved: Callable[[Path, Card, Frame | None], SavedT],
) -> CompiledT | SavedT:
    path = folder / manifest.served
    try:
        if path.suffix == ".onnx":
            return compiled(path.read_bytes())
        if path.suffix == ".joblib":
            return saved(path, card, manifest.frame)
    except Exception as error:
        raise ModelError(f"{path} does not load: {error}") from error
    raise ModelError(f"{path}: can serve .onnx and .joblib, not {path.suffix or 'this'}.")
