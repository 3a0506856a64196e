"""The kind of model that classifies a picture into one of two classes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol, Self

import numpy as np
from PIL import Image

from model.contract.arrays import ByteArray, Float32Array
from model.contract.errors import ModelError
from model.contract.image_card import ImageCard, ImageManifest
from model.contract.pictures import Picture, to_input
from model.serving.checking import ModelFolder, check_hashes
from model.serving.predictors import open_session
from model.serving.probabilities import apply_calibration
from model.serving.served_model import ClassPrediction, Explained, ServedModel

_GOLDEN_TOLERANCE = 0.02
"""Absolute difference above which an output is no longer the one in the manifest.

Processors add up convolutions in different orders; a visitor could notice larger differences.
"""


class NetworkOutput(NamedTuple):
    """The output of a network for one picture.

    ``probability`` is that of the card's last class. ``heat`` [7, 7] is the class activation map in
    logits. ``ood_score`` is above 0 for an out-of-distribution picture.
    """

    probability: float
    heat: Float32Array
    ood_score: float


class PicturePredictor(Protocol):
    """Predicts a picture."""

    def predict(self, square: ByteArray) -> NetworkOutput:
        """Predict a grey picture, uint8 [224, 224]."""


class OnnxPicturePredictor:
    """A convolutional network in ONNX Runtime."""

    def __init__(self, artifact: bytes) -> None:
        self._session = open_session(artifact)

    def predict(self, square: ByteArray) -> NetworkOutput:
        """Predict a grey picture, uint8 [224, 224]; see ``PicturePredictor``."""
        probability, heat, ood_score = self._session.run(
            ["probability", "map", "strangeness"], {"picture": to_input(square)}
        )
        return NetworkOutput(float(probability[0]), heat[0], float(ood_score[0]))


@dataclass(eq=False)
class PictureModel(ServedModel[Picture, ClassPrediction | None]):
    """A model that classifies pictures; it predicts nothing out of its distribution."""

    card_type = ImageCard
    manifest_type = ImageManifest

    card: ImageCard
    manifest: ImageManifest
    predictor: PicturePredictor

    @classmethod
    def load(cls, folder: ModelFolder[ImageCard, ImageManifest]) -> Self:
        folder_path, card, manifest, _ = folder
        values = tuple(option.value for option in card.output.classes)
        if values != manifest.classes:
            raise ModelError(
                f"{folder.locate()}: output.classes must be those that the network was trained "
                f"on, in their order: {', '.join(manifest.classes)}."
            )
        check_hashes(folder, *(golden.picture for golden in manifest.golden))
        path = folder_path / manifest.served
        try:
            predictor = OnnxPicturePredictor(path.read_bytes())
        except Exception as error:
            raise ModelError(f"{path} does not load: {error}") from error
        model = cls(folder_path.name, folder_path, card, manifest, predictor)
        model.check_golden()
        return model

    def explain(
        self,
        rows: Sequence[Picture],
        what_if: str = "",
        contributions: bool = True,
        timeout: float = math.inf,
    ) -> list[Explained[ClassPrediction | None]]:
        return [self._explain_one(picture, contributions) for picture in rows]

    def _explain_one(
        self, picture: Picture, contributions: bool
    ) -> Explained[ClassPrediction | None]:
        refused: Explained[ClassPrediction | None] = Explained(None, out_of_distribution=True)
        if picture.colourfulness > self.manifest.colour_limit:
            return refused
        output = self.predictor.predict(picture.square)
        finite = math.isfinite(output.probability) and bool(np.isfinite(output.heat).all())
        if not finite or math.isnan(output.ood_score):
            raise ArithmeticError(f"{self.name} answered {output.probability}")
        if output.ood_score > 0:
            return refused
        given = np.array([[1 - output.probability, output.probability]])
        ((first, second),) = apply_calibration(given, self.manifest.probabilities).tolist()
        probabilities = first, second
        last = int(output.probability >= self.manifest.threshold)
        label = self.card.output.classes[last].value
        return Explained(
            ClassPrediction(label, probabilities[last], probabilities),
            saliency=output.heat if contributions else None,
        )

    @property
    def answer_columns(self) -> tuple[str, ...]:
        values = [option.value for option in self.card.output.classes]
        return ("label", *(f"probability_{value}" for value in values))

    def tabulate(self, prediction: ClassPrediction | None) -> tuple[float | str | None, ...]:
        if prediction is None:
            return (None,) * len(self.answer_columns)
        return prediction.label, *(prediction.probabilities or ())

    def check_golden(self) -> None:
        where = self.folder / "manifest.json"
        for golden in self.manifest.golden:
            try:
                output = self.predictor.predict(_read_square(self.folder / golden.picture))
            except Exception as error:
                raise ModelError(f"{where}: {golden.picture} does not predict: {error}") from error
            for found, expected in (
                (output.probability, golden.probability),
                (output.ood_score, golden.ood_score),
            ):
                if not abs(found - expected) <= _GOLDEN_TOLERANCE:  # NaN is never close
                    raise ModelError(
                        f"{where}: {golden.picture} gives {found:.4f}, it was "
                        f"{expected:.4f} when the model was made. Train it again."
                    )


def _read_square(path: Path) -> ByteArray:
    """The grey picture in a PNG file, uint8 [224, 224]."""
    with Image.open(path, formats=("PNG",)) as image:
        return np.asarray(image.convert("L"))
