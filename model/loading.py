"""From a folder to a model that has been checked: nothing is loaded that the manifest doesn't name.

The order matters: card and manifest are read and held against each other, then each artifact's hash
is compared, then versions, and only then is anything loaded; last, the golden rows must predict.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Generic, TypeVar

from model.card import Card, Golden, Manifest
from model.checking import (
    ModelError,
    check_hashes,
    check_versions,
    compare,
    gather,
)
from model.classes import cool
from model.diagnosing import TOLERANCE as PICTURE_TOLERANCE
from model.diagnosing import ImageModel, OnnxPicturePredictor
from model.drawing import draw_chest
from model.fields import Features
from model.files import read_any_card, read_image_manifest, read_manifest
from model.image_card import ImageCard
from model.intervals import Ranges
from model.outputs import ClassOutput
from model.prediction import Classification, Interval, Prediction
from model.predictors import (
    ClassPredictor,
    Column,
    JoblibClassPredictor,
    JoblibPredictor,
    Matrix,
    OnnxClassPredictor,
    OnnxPredictor,
    Predictor,
)
from model.similar import Neighbors
from model.sources import Frame

TOLERANCE = 1e-4
"""Relative difference at which an answer is no longer the one in the manifest."""


Said = TypeVar("Said", Prediction, Classification)
"""What a model says of one row."""


Compiled = TypeVar("Compiled")
Saved = TypeVar("Saved")


@dataclass(frozen=True)
class RowModel(Generic[Said]):
    """A model of rows that has passed its checks, ready to answer with what ``Said`` stands for."""

    name: str
    folder: Path
    card: Card
    manifest: Manifest
    neighbors: Neighbors | None

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
        if self.manifest.support:
            return self.manifest.support[len(self.card.optional) - len(known)]
        return None if self.ranges is None else self.ranges.group(known).support

    def known(self, features: Features) -> frozenset[str]:
        """Names of the optional facts that are given."""
        return frozenset(name for name in self.card.optional if features[name] is not None)

    def ask(
        self, rows: Matrix, place: int, known: frozenset[str]
    ) -> tuple[Said, Column, Column | None]:
        """Answer rows that belong together, in one call of the predictor.

        Args:
            rows: shape (rows, fields), float32.
            place: the row that is the question; the others are variations of it.
            known: names of the optional facts that are given in it.

        Returns:
            The answer to the question; and for every row, shape (rows,), its value, which for
            classes is the probability of the class that the question was answered with, and its
            spread, None for a model without.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        raise NotImplementedError

    def ask_each(
        self, rows: Matrix, questions: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[Said, Column]]:
        """Answer questions that have nothing to do with each other, in one call of the predictor.

        Args:
            rows: shape (rows, fields), float32.
            questions: for each the part of the rows that belongs to it, of which the last row is
                the question, and names of the optional facts that are given in it.

        Returns:
            For each question what ``ask`` returns for its part alone, without the spread.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        raise NotImplementedError

    def predict(self, features: Features) -> Said:
        """Answer one row.

        Raises:
            ArithmeticError: if the model answers with a number that is not finite.
        """
        return self.ask(self.card.encode(features), 0, self.known(features))[0]


@dataclass(frozen=True)
class Model(RowModel[Prediction]):
    """A model that answers with a number."""

    predictor: Predictor

    def ask(
        self, rows: Matrix, place: int, known: frozenset[str]
    ) -> tuple[Prediction, Column, Column | None]:
        values, spreads = self.predictor.predict(rows)
        spread = None if spreads is None else float(spreads[place])
        return self.predicted(float(values[place]), spread, known), values, spreads

    def ask_each(
        self, rows: Matrix, questions: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[Prediction, Column]]:
        values, spreads = self.predictor.predict(rows)
        answers = []
        for part, known in questions:
            spread = None if spreads is None else float(spreads[part][-1])
            answers.append((self.predicted(float(values[part][-1]), spread, known), values[part]))
        return answers

    def predicted(self, value: float, spread: float | None, known: frozenset[str]) -> Prediction:
        """The prediction from what the predictor said of one row, in which these are known.

        A predictor that says no spread has the same one, 1, for every row.

        Raises:
            ArithmeticError: if that is not finite.
        """
        if not math.isfinite(value):
            raise ArithmeticError(f"{self.name} answered {value}")
        ranges = self.ranges
        if ranges is None:
            return Prediction(value)
        low, high = ranges.ends(value, 1.0 if spread is None else spread, ranges.group(known))
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ArithmeticError(f"{self.name} answered {value} from {low} to {high}")
        return Prediction(value, Interval(low, high, ranges.coverage))


@dataclass(frozen=True)
class Classifier(RowModel[Classification]):
    """A model that answers with one of several classes."""

    predictor: ClassPredictor

    def ask(
        self, rows: Matrix, place: int, known: frozenset[str]
    ) -> tuple[Classification, Column, None]:
        probabilities = cool(self.predictor.classify(rows), self.manifest.temperature)
        said, most = self.classified(probabilities[place].tolist())
        return said, probabilities[:, most], None

    def ask_each(
        self, rows: Matrix, questions: Sequence[tuple[slice, frozenset[str]]]
    ) -> list[tuple[Classification, Column]]:
        probabilities = cool(self.predictor.classify(rows), self.manifest.temperature)
        answers = []
        for part, _ in questions:
            said, most = self.classified(probabilities[part][-1].tolist())
            answers.append((said, probabilities[part, most]))
        return answers

    def classified(self, shares: list[float]) -> tuple[Classification, int]:
        """The classification from the probabilities of one row, and the place of its class.

        Raises:
            ArithmeticError: if they are not finite.
        """
        if not all(map(math.isfinite, shares)):
            raise ArithmeticError(f"{self.name} answered {shares}")
        most = max(range(len(shares)), key=shares.__getitem__)
        label = self.card.classes.classes[most].value
        if not self.card.classes.probabilities:
            return Classification(label), most
        return Classification(label, shares[most], tuple(shares)), most


AnyModel = Model | Classifier | ImageModel
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


def load_model(folder: Path) -> Model:
    """The same for one model that answers with a number.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    model = load_any_model(folder)
    if not isinstance(model, Model):
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


def load_image_model(folder: Path) -> ImageModel:
    """The same for one model of pictures.

    Raises:
        ModelError: if anything in it disagrees with anything else; says how to mend it.
    """
    model = load_any_model(folder)
    if not isinstance(model, ImageModel):
        raise ModelError(f"{folder / 'card.toml'}: this is not the card of a model of pictures.")
    return model


def check_model(model: AnyModel) -> None:
    """Ask a loaded model its golden questions once more.

    Raises:
        ModelError: if it does not answer, or not as when it was made.
    """
    if isinstance(model, ImageModel):
        _check_pictures(model)
    else:
        _check_answers(model)


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


def _load_row_model(card: Card, folder: Path) -> Model | Classifier:
    manifest = read_manifest(folder / "manifest.json")
    text = (folder / "card.toml").read_text(encoding="utf-8")
    gather(
        lambda: compare(card, manifest, folder, text),
        lambda: check_hashes(manifest, folder, *filter(None, [manifest.neighbors])),
        lambda: check_versions(manifest, folder),
    )
    neighbors = Neighbors.load(folder / manifest.neighbors) if manifest.neighbors else None
    model: Model | Classifier
    if isinstance(card.output, ClassOutput):
        classify = _load(card, manifest, folder, OnnxClassPredictor, JoblibClassPredictor)
        model = Classifier(folder.name, folder, card, manifest, neighbors, classify)
    else:
        predict = _load(card, manifest, folder, OnnxPredictor, JoblibPredictor)
        model = Model(folder.name, folder, card, manifest, neighbors, predict)
    _check_answers(model)
    return model


def _load_image_model(card: ImageCard, folder: Path) -> ImageModel:
    manifest = read_image_manifest(folder / "manifest.json")
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
    model = ImageModel(folder.name, folder, card, manifest, predictor)
    _check_pictures(model)
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


def _check_pictures(model: ImageModel) -> None:
    where = model.folder / "manifest.json"
    for golden in model.manifest.golden:
        try:
            seen = model.predictor.look(draw_chest(golden.seed))
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


def _check_answers(model: Model | Classifier) -> None:
    where = model.folder / "manifest.json"
    gather(
        *(
            partial(_check_answer, model, golden, f"{where}: golden row {number}")
            for number, golden in enumerate(model.manifest.golden)
        )
    )


def _check_answer(model: Model | Classifier, golden: Golden, where: str) -> None:
    features, errors = model.card.validate_row(golden.features)
    if features is None:
        raise ModelError(*(f"{where}, {name}: {message}" for name, message in errors.items()))
    try:
        prediction = model.predict(features)
    except Exception as error:
        raise ModelError(f"{where} does not predict: {error}") from error
    if isinstance(prediction, Classification):
        if prediction.label != golden.label:
            raise ModelError(
                f"{where} is {prediction.label}, it was {golden.label or 'no class'} when the "
                "model was made. Train it again."
            )
        pairs = [(prediction.probability or 1.0, golden.value)]
    else:
        pairs = [(prediction.value, golden.value)]
        interval = prediction.interval
        if interval is not None and golden.low is not None and golden.high is not None:
            pairs += [(interval.low, golden.low), (interval.high, golden.high)]
    for here, there in pairs:
        if abs(here - there) > TOLERANCE * max(abs(there), 1e-9):
            raise ModelError(
                f"{where} predicts {here:.6g}, it was {there:.6g} when the model was made. "
                "Run `make train`."
            )
