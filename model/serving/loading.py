"""From a folder to a model that has been checked: nothing is loaded that the manifest doesn't name.

The order matters: card and manifest are read and held against each other, then each artifact's hash
is compared, then versions, and only then is anything loaded; last, the golden rows must predict.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from model.contract.card import Card, Manifest
from model.contract.errors import AGAIN, CLASSES, ModelError, gather
from model.contract.files import read_any_card, read_image_manifest, read_manifest
from model.contract.image_card import ImageCard
from model.contract.lines import line_of
from model.contract.outputs import ClassOutput
from model.contract.sources import Frame
from model.serving.checking import check_hashes, check_versions, compare
from model.serving.golden import check_answers, check_pictures
from model.serving.image_classifier import ImageClassifier, OnnxPicturePredictor
from model.serving.neighbors import Neighbors
from model.serving.predictors import (
    JoblibClassPredictor,
    JoblibPredictor,
    OnnxClassPredictor,
    OnnxPredictor,
)
from model.serving.tabular_models import Classifier, Regressor

Compiled = TypeVar("Compiled")
Saved = TypeVar("Saved")

AnyModel = Regressor | Classifier | ImageClassifier
"""Every kind of model that can be served."""


def load_models(root: Path, names: tuple[str, ...]) -> dict[str, AnyModel]:
    """Load the named models, and no others, from their folders under ``root``.

    Returns:
        The models by slug, in the order of ``names``.

    Raises:
        ModelError: with the problems of all that are not sound.
    """
    models: dict[str, AnyModel] = {}

    def load(name: str) -> None:
        model = load_any_model(root / name.replace("-", "_"))
        models[model.slug] = model

    gather(*(partial(load, name) for name in names))
    return models


def load_any_model(folder: Path) -> AnyModel:
    """Read, check and load the folder of one model; its card says of which kind it is.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    try:
        card = _read_card(folder)
    except ModelError as error:
        raise ModelError(*error.problems, *_manifest_problems(folder)) from error
    if isinstance(card, ImageCard):
        return _load_image_model(card, folder)
    return _load_row_model(card, folder)


def load_model(folder: Path) -> Regressor:
    """The same for one model that answers with a number.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    model = load_any_model(folder)
    if not isinstance(model, Regressor):
        raise ModelError(f"{folder / 'card.toml'}: this model does not answer with a number.")
    return model


def load_classifier(folder: Path) -> Classifier:
    """The same for one model of rows that answers with a class.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    model = load_any_model(folder)
    if not isinstance(model, Classifier):
        raise ModelError(f"{folder / 'card.toml'}: this model does not sort rows into classes.")
    return model


def load_image_model(folder: Path) -> ImageClassifier:
    """The same for one model of pictures.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    model = load_any_model(folder)
    if not isinstance(model, ImageClassifier):
        raise ModelError(f"{folder / 'card.toml'}: this is not the card of a model of pictures.")
    return model


def check_model(model: AnyModel) -> None:
    """Ask a loaded model its golden questions once more.

    Raises:
        ModelError: if it does not answer, or not as when it was made.
    """
    if isinstance(model, ImageClassifier):
        check_pictures(model)
    else:
        check_answers(model)


def _read_card(folder: Path) -> Card | ImageCard:
    if not folder.is_dir():
        there = sorted(p.parent.name.replace("_", "-") for p in folder.parent.glob("*/card.toml"))
        raise ModelError(
            f"There is no model {folder.name.replace('_', '-')!r}: {folder} is not a folder. "
            f"FORMCAST_MODELS can name: {', '.join(there) or 'none'}."
        )
    return read_any_card(folder / "card.toml")


def _manifest_problems(folder: Path) -> tuple[str, ...]:
    """What is wrong with the manifest beside a card that is wrong, too."""
    path = folder / "manifest.json"
    if not path.is_file() or '"axis"' not in path.read_text(encoding="utf-8", errors="replace"):
        return ()  # missing as well, or that of a model of pictures
    try:
        read_manifest(path)
    except ModelError as error:
        return error.problems
    return ()


def _load_row_model(card: Card, folder: Path) -> Regressor | Classifier:
    manifest = read_manifest(folder / "manifest.json")
    text = (folder / "card.toml").read_text(encoding="utf-8-sig")
    gather(
        lambda: compare(card, manifest, folder, text),
        lambda: check_hashes(manifest, folder, *filter(None, [manifest.neighbors])),
        lambda: check_versions(manifest, folder),
    )
    neighbors = _load_neighbors(folder / manifest.neighbors) if manifest.neighbors else None
    model: Regressor | Classifier
    if isinstance(card.output, ClassOutput):
        classify = _load(card, manifest, folder, OnnxClassPredictor, JoblibClassPredictor)
        _check_classes(card, manifest, folder, text, classify)
        model = Classifier(folder.name, folder, card, manifest, neighbors, classify)
    else:
        predict = _load(card, manifest, folder, OnnxPredictor, JoblibPredictor)
        model = Regressor(folder.name, folder, card, manifest, neighbors, predict)
    check_answers(model)
    return model


def _load_neighbors(path: Path) -> Neighbors:
    try:
        return Neighbors.load(path)
    except Exception as error:  # NumPy raises what it likes for a file that it did not write
        raise ModelError(f"{path} does not load. {AGAIN}") from error


def _check_classes(
    card: Card,
    manifest: Manifest,
    folder: Path,
    text: str,
    predictor: OnnxClassPredictor | JoblibClassPredictor,
) -> None:
    features, _ = card.validate_row(manifest.reference)
    if features is None:
        return  # an optional fact of the reference, for one: its golden row says what is wrong
    try:
        count = predictor.classify(card.encode(features)).shape[1]
    except Exception:
        return  # the golden rows say what is wrong with that
    if count != len(card.classes.classes):
        line = line_of(text, ("output", "classes"))
        raise ModelError(
            f"{folder / 'card.toml'}, line {line}: the model answers {count} classes, and not "
            f"{len(card.classes.classes)}. {CLASSES}"
        )


def _load_image_model(card: ImageCard, folder: Path) -> ImageClassifier:
    manifest = read_image_manifest(folder / "manifest.json")
    values = tuple(item.value for item in card.output.classes)
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
    check_pictures(model)
    return model


def _load(
    card: Card,
    manifest: Manifest,
    folder: Path,
    compiled: Callable[[bytes], Compiled],
    saved: Callable[[Path, Card, Frame | None], Saved],
) -> Compiled | Saved:
    path = folder / manifest.served
    try:
        if path.suffix == ".onnx":
            return compiled(path.read_bytes())
        if path.suffix == ".joblib":
            return saved(path, card, manifest.frame)
    except Exception as error:
        raise ModelError(f"{path} does not load: {error}") from error
    raise ModelError(f"{path}: can serve .onnx and .joblib, not {path.suffix or 'this'}.")
