"""From a folder to a model that has been checked: nothing is loaded that the manifest doesn't name.

The order matters: card and manifest are read and held against each other, then each artifact's hash
is compared, then versions, and only then is anything loaded; last, the golden rows must predict.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from model.card import Card, Manifest
from model.checking import (
    ModelError,
    check_hashes,
    check_versions,
    compare,
)
from model.diagnosing import TOLERANCE as PICTURE_TOLERANCE
from model.diagnosing import ImageModel, OnnxPicturePredictor
from model.drawing import draw_chest
from model.fields import Features
from model.files import read_any_card, read_image_manifest, read_manifest
from model.image_card import ImageCard
from model.intervals import Ranges
from model.prediction import Interval, Prediction
from model.predictors import JoblibPredictor, OnnxPredictor, Predictor
from model.similar import Neighbors

TOLERANCE = 1e-4
"""Relative difference at which an answer is no longer the one in the manifest."""


@dataclass(frozen=True)
class Model:
    """A model that has passed its checks, ready to answer."""

    name: str
    folder: Path
    card: Card
    manifest: Manifest
    predictor: Predictor
    neighbors: Neighbors | None = None

    @property
    def slug(self) -> str:
        """The name as it stands in a URL."""
        return self.name.replace("_", "-")

    @cached_property
    def version(self) -> str:
        """What tells one artifact from the next: the first 8 digits of the served one's SHA-256."""
        return self.manifest.artifacts[self.manifest.served].sha256[:8]

    @cached_property
    def ranges(self) -> Ranges | None:
        """The calibration by known facts; None for a model without an interval."""
        calibration = self.manifest.calibration
        return None if calibration is None else Ranges(calibration, self.card.optional)

    def support(self, known: frozenset[str]) -> float | None:
        """The distance to its nearest rows up to which a row is like what the model has seen."""
        return None if self.ranges is None else self.ranges.group(known).support

    def known(self, features: Features) -> frozenset[str]:
        """Names of the optional facts that are given."""
        return frozenset(name for name in self.card.optional if features[name] is not None)

    def predict(self, features: Features) -> Prediction:
        """Answer one row.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        values, spreads = self.predictor.predict(self.card.encode(features))
        spread = None if spreads is None else float(spreads[0])
        return self.predicted(float(values[0]), spread, self.known(features))

    def predicted(self, value: float, spread: float | None, known: frozenset[str]) -> Prediction:
        """The prediction from what the predictor said of one row, in which these are known.

        Raises:
            ArithmeticError: if that is not finite.
        """
        if not math.isfinite(value):
            raise ArithmeticError(f"{self.name} answered {value}")
        ranges = self.ranges
        if ranges is None or spread is None:
            return Prediction(value)
        low, high = ranges.ends(value, spread, ranges.group(known))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ArithmeticError(f"{self.name} answered {value} from {low} to {high}")
        return Prediction(value, Interval(low, high, ranges.coverage))


def load_models(root: Path, names: tuple[str, ...]) -> dict[str, Model | ImageModel]:
    """Load the named models, and no others, from their folders under ``root``.

    Returns:
        The models by slug, in the order of ``names``.

    Raises:
        ModelError: for the first that is not sound.
    """
    models: dict[str, Model | ImageModel] = {}
    for name in names:
        folder = root / name.replace("-", "_")
        card = _read_card(folder)
        model = (
            _load_image_model(card, folder)
            if isinstance(card, ImageCard)
            else _load_row_model(card, folder)
        )
        models[model.slug] = model
    return models


def load_model(folder: Path) -> Model:
    """Read, check and load the folder of one model of rows.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    card = _read_card(folder)
    if isinstance(card, ImageCard):
        raise ModelError(f'{folder / "card.toml"}: output.kind = "class" is not for rows.')
    return _load_row_model(card, folder)


def load_image_model(folder: Path) -> ImageModel:
    """The same for one model of pictures.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    card = _read_card(folder)
    if not isinstance(card, ImageCard):
        raise ModelError(f'{folder / "card.toml"}: a model of pictures has output.kind = "class".')
    return _load_image_model(card, folder)


def _read_card(folder: Path) -> Card | ImageCard:
    if not folder.is_dir():
        there = sorted(p.parent.name.replace("_", "-") for p in folder.parent.glob("*/card.toml"))
        raise ModelError(
            f"There is no model {folder.name.replace('_', '-')!r}: {folder} is not a folder. "
            f"FORMCAST_MODELS can name: {', '.join(there) or 'none'}."
        )
    return read_any_card(folder / "card.toml")


def _load_row_model(card: Card, folder: Path) -> Model:
    manifest = read_manifest(folder / "manifest.json")
    compare(card, manifest, folder)
    check_hashes(manifest, folder, *([manifest.neighbors] if manifest.neighbors else []))
    check_versions(manifest, folder)
    neighbors = Neighbors.load(folder / manifest.neighbors) if manifest.neighbors else None
    model = Model(folder.name, folder, card, manifest, _load(card, manifest, folder), neighbors)
    _check_answers(model)
    return model


def _load_image_model(card: ImageCard, folder: Path) -> ImageModel:
    where = folder / "manifest.json"
    manifest = read_image_manifest(where)
    values = tuple(item.value for item in card.output.classes)
    if values != manifest.classes:
        raise ModelError(
            f"{folder / 'card.toml'}: output.classes must be those that the network was trained "
            f"on, in their order: {', '.join(manifest.classes)}."
        )
    check_hashes(manifest, folder)
    path = folder / manifest.served
    try:
        predictor = OnnxPicturePredictor(path.read_bytes())
    except Exception as error:
        raise ModelError(f"{path} does not load: {error}") from error
    for golden in manifest.golden:
        try:
            seen = predictor.look(draw_chest(golden.seed))
        except Exception as error:
            raise ModelError(f"{where}: golden {golden.seed} does not predict: {error}") from error
        for here, there in (
            (seen.probability, golden.probability),
            (seen.strangeness, golden.strangeness),
        ):
            if not abs(here - there) <= PICTURE_TOLERANCE:
                raise ModelError(
                    f"{where}: the drawn picture {golden.seed} gives {here:.4f}, it was "
                    f"{there:.4f} when the model was made. Train it again."
                )
    return ImageModel(folder.name, folder, card, manifest, predictor)


def _load(card: Card, manifest: Manifest, folder: Path) -> Predictor:
    path = folder / manifest.served
    try:
        if path.suffix == ".onnx":
            return OnnxPredictor(path.read_bytes())
        if path.suffix == ".joblib":
            return JoblibPredictor(path, card)
    except Exception as error:
        raise ModelError(f"{path} does not load: {error}") from error
    raise ModelError(f"{path}: can serve .onnx and .joblib, not {path.suffix or 'this'}.")


def _check_answers(model: Model) -> None:
    where = model.folder / "manifest.json"
    for number, golden in enumerate(model.manifest.golden):
        features, errors = model.card.validate_row(golden.features)
        if features is None:
            name, message = next(iter(errors.items()))
            raise ModelError(f"{where}: golden row {number}, {name}: {message}")
        try:
            prediction = model.predict(features)
        except Exception as error:
            raise ModelError(f"{where}: golden row {number} does not predict: {error}") from error
        pairs = [(prediction.value, golden.value)]
        if prediction.interval is not None and golden.low is not None and golden.high is not None:
            pairs += [
                (prediction.interval.low, golden.low),
                (prediction.interval.high, golden.high),
            ]
        for here, there in pairs:
            if abs(here - there) > TOLERANCE * max(abs(there), 1e-9):
                raise ModelError(
                    f"{where}: golden row {number} predicts {here:.6g}, it was "
                    f"{there:.6g} when the model was made. Run `make train`."
                )
