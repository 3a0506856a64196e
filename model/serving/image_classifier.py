"""A checked model for pictures: its predictor, its answer, its folder."""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.contract.image_card import ImageCard, ImageManifest
from model.contract.pictures import Picture, to_input
from model.serving.predictors import open_session

TOLERANCE = 0.02
"""Difference at which an answer to a drawn picture is no longer the one in the manifest.

Processors add up convolutions in different orders; what a visitor could notice starts here.
"""


class OutOfDistributionError(ValueError):
    """The picture is like nothing that the model has seen, so there is no answer to it."""


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """What a network says of one picture.

    ``probability`` is that of the card's last class; ``heat`` [7, 7] the class activation map in
    logits, above 0 where a place speaks for that class; ``strangeness`` is above 0 where the
    picture is none of the kind that the network knows.
    """

    probability: float
    heat: NDArray[np.float32]
    strangeness: float


class PicturePredictor(Protocol):
    """Anything that answers a picture."""

    def look(self, square: NDArray[np.uint8]) -> NetworkOutput:
        """Answer a grey picture, uint8 [224, 224]."""


class OnnxPicturePredictor:
    """A convolutional network, answered by ONNX Runtime on one thread; see ``OnnxPredictor``."""

    def __init__(self, artifact: bytes) -> None:
        self._session = open_session(artifact)

    def look(self, square: NDArray[np.uint8]) -> NetworkOutput:
        """Answer one picture; see ``PicturePredictor``."""
        probability, heat, strangeness = self._session.run(
            ["probability", "map", "strangeness"], {"picture": to_input(square)}
        )
        return NetworkOutput(float(probability[0]), heat[0], float(strangeness[0]))


@dataclass(frozen=True, eq=False)
class ImageClassification:
    """The answer to one picture; ``probabilities`` in the order of the card's classes."""

    value: str
    probabilities: tuple[float, float]
    heat: NDArray[np.float32]


@dataclass(frozen=True)
class ImageClassifier:
    """A model for pictures that has passed its checks, ready to answer."""

    name: str
    folder: Path
    card: ImageCard
    manifest: ImageManifest
    predictor: PicturePredictor

    @property
    def slug(self) -> str:
        """The name as it stands in a URL."""
        return self.name.replace("_", "-")

    @cached_property
    def version(self) -> str:
        """What tells one artifact from the next: the first 8 digits of the served one's SHA-256."""
        return self.manifest.artifacts[self.manifest.served].sha256[:8]

    def classify(self, picture: Picture) -> ImageClassification:
        """Answer one picture.

        Raises:
            StrangePictureError: if it is like nothing that the model was trained on.
            ArithmeticError: if the network answers with a number that is not finite.
        """
        if picture.colourfulness > self.manifest.colour_limit:
            raise OutOfDistributionError(self.card.output.refusal_text)
        seen = self.predictor.look(picture.square)
        finite = math.isfinite(seen.probability) and bool(np.isfinite(seen.heat).all())
        if not finite or math.isnan(seen.strangeness):
            raise ArithmeticError(f"{self.name} answered {seen.probability}")
        if seen.strangeness > 0:
            raise OutOfDistributionError(self.card.output.refusal_text)
        last = seen.probability >= self.manifest.threshold
        return ImageClassification(
            self.card.output.classes[int(last)].value,
            (1 - seen.probability, seen.probability),
            seen.heat,
        )
