"""A checked model that classifies pictures, and its predictor."""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from model.contract.arrays import ByteArray, Float32Array
from model.contract.image_card import ImageCard, ImageManifest
from model.contract.pictures import Picture, to_input
from model.serving.predictors import open_session


class OutOfDistributionError(ValueError):
    """The picture is unlike all that the model was trained on, so there is no prediction."""


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """The output of a network for one picture.

    ``probability`` is that of the card's last class. ``heat`` [7, 7] is the class activation map in
    logits, above 0 where a place speaks for that class. ``ood_score`` is above 0 for an
    out-of-distribution picture.
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


@dataclass(frozen=True, eq=False)
class ImageClassification:
    """The prediction for one picture.

    ``value`` is the class, ``probabilities`` are in the order of the card's classes, and ``heat``
    [7, 7] is the class activation map in logits.
    """

    value: str
    probabilities: tuple[float, float]
    heat: Float32Array


@dataclass(frozen=True)
class ImageClassifier:
    """A model that classifies pictures, and has passed its checks."""

    name: str
    folder: Path
    card: ImageCard
    manifest: ImageManifest
    predictor: PicturePredictor

    @property
    def slug(self) -> str:
        """The model's name in a URL."""
        return self.name.replace("_", "-")

    @cached_property
    def version(self) -> str:
        """The first 8 digits of the served artifact's SHA-256."""
        return self.manifest.artifacts[self.manifest.served].sha256[:8]

    def classify(self, picture: Picture) -> ImageClassification:
        """Classify one picture.

        Args:
            picture: an upload, its square uint8 [224, 224].

        Raises:
            OutOfDistributionError: if it is unlike all that the model was trained on.
            ArithmeticError: if the network's output is not finite.
        """
        if picture.colourfulness > self.manifest.colour_limit:
            raise OutOfDistributionError(self.card.output.refusal_text)
        output = self.predictor.predict(picture.square)
        finite = math.isfinite(output.probability) and bool(np.isfinite(output.heat).all())
        if not finite or math.isnan(output.ood_score):
            raise ArithmeticError(f"{self.name} answered {output.probability}")
        if output.ood_score > 0:
            raise OutOfDistributionError(self.card.output.refusal_text)
        last = output.probability >= self.manifest.threshold
        return ImageClassification(
            self.card.output.classes[int(last)].value,
            (1 - output.probability, output.probability),
            output.heat,
        )
