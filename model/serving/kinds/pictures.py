"""The kind of model that classifies a picture."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, Self

import numpy as np
from PIL import Image

from model.contract.arrays import ByteArray, Float32Array, Float64Array
from model.contract.errors import ModelError
from model.contract.image_card import ImageCard, ImageManifest
from model.contract.pictures import Picture
from model.contract.preprocessing import Preprocessing
from model.serving.checking import ModelFolder, check_hashes
from model.serving.picture_statistics import PictureStatistics, describe_thumbnail
from model.serving.predictors import open_session
from model.serving.probabilities import apply_calibration, settle_ties
from model.serving.served_model import ClassPrediction, Explained, ServedModel

_GOLDEN_TOLERANCE = 0.02
"""Absolute difference above which an output is no longer the one in the manifest.

Processors add up convolutions in different orders; a visitor could notice larger differences.
"""

_OCCLUDED = 7
"""Places across and down that are hidden, one at a time, for the map of a network without one."""

_LEAST = 1e-6
"""Smaller probabilities count as this one in the map, because the logarithm of 0 is no number."""


class NetworkOutput(NamedTuple):
    """The output of a network for one picture.

    ``probabilities`` [C] are those of the card's classes. ``heat`` is the class activation map in
    logits, [h, w] about the last class or [C, h, w], None for a network without one. ``ood_score``
    is above 0 for an out-of-distribution picture.
    """

    probabilities: Float64Array
    heat: Float32Array | None
    ood_score: float

    @property
    def probability(self) -> float:
        """That of the last class."""
        return float(self.probabilities[-1])


class PicturePredictor(Protocol):
    """Predicts a picture."""

    has_map: bool
    """Whether its output has a map."""

    def predict(self, seen: ByteArray) -> NetworkOutput:
        """Predict a picture as the network sees it, uint8 [height, width] or with 3 channels."""


class OnnxPicturePredictor:
    """A network in ONNX Runtime.

    Its one input is as ``preprocessing`` makes it. Of its outputs, ``probabilities`` [N, C] or
    ``probability`` [N] of the last of two classes must be there; ``map``, ``strangeness`` [N]
    and ``embedding`` [N, D] may be.
    """

    def __init__(
        self,
        artifact: bytes | Path,
        preprocessing: Preprocessing | None = None,
        statistics: PictureStatistics | None = None,
    ) -> None:
        self._session = open_session(artifact, plan_memory=False)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [item.name for item in self._session.get_outputs()]
        self._preprocessing = preprocessing or Preprocessing()
        self._statistics = statistics
        self.has_map = "map" in self._outputs

    def predict(self, seen: ByteArray) -> NetworkOutput:
        """Predict a picture, uint8 [height, width] or with 3 channels; see ``PicturePredictor``."""
        given = {self._input: self._preprocessing.to_input(seen)}
        found = dict(zip(self._outputs, self._session.run(self._outputs, given), strict=True))
        if "probabilities" in found:
            probabilities = found["probabilities"][0].astype(float)
        else:
            last = float(found["probability"][0])
            probabilities = np.array([1 - last, last])
        (probabilities,) = settle_ties(probabilities[None])
        score = float(found["strangeness"][0]) if "strangeness" in found else -1.0
        if self._statistics is not None:
            embedding = found["embedding"].astype(float) if "embedding" in found else None
            thumbnail = describe_thumbnail(seen)[None]
            score = max(score, float(self._statistics.score(thumbnail, embedding)[0]))
        heat = found["map"][0] if self.has_map else None
        return NetworkOutput(probabilities, heat, score)


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
        files = [golden.picture for golden in manifest.golden]
        files += [sample.file for sample in manifest.samples]
        check_hashes(folder, *files, *filter(None, [manifest.ood]))
        path = folder_path / manifest.served
        try:
            statistics = None
            if manifest.ood:
                statistics = PictureStatistics.load(folder_path / manifest.ood)
            predictor = OnnxPicturePredictor(path, manifest.preprocessing, statistics)
        except Exception as error:
            raise ModelError(f"{path} does not load: {error}") from error
        model = cls(folder_path.name, folder_path, card, manifest, predictor)
        model.check_golden()
        return model

    @property
    def preprocessing(self) -> Preprocessing:
        """How a picture becomes the network's input."""
        return self.manifest.preprocessing

    @property
    def gives_map(self) -> Literal["at once", "on request", "never"]:
        """Whether an answer has a map; without probabilities nothing says what counts for it."""
        if not self.card.output.probabilities:
            return "never"
        return "at once" if self.predictor.has_map else "on request"

    def _explain(
        self, rows: Sequence[Picture], what_if: str, contributions: bool, timeout: float
    ) -> list[Explained[ClassPrediction | None]]:
        return [self._explain_one(picture, contributions) for picture in rows]

    def _explain_one(
        self, picture: Picture, contributions: bool
    ) -> Explained[ClassPrediction | None]:
        refused: Explained[ClassPrediction | None] = Explained(None, out_of_distribution=True)
        limit = self.manifest.colour_limit
        if limit is not None and picture.colourfulness > limit:
            return refused
        seen = self.preprocessing.fit(picture.image)
        output = self.predictor.predict(seen)
        self._check_finite(output)
        if output.ood_score > 0:
            return refused
        given = output.probabilities[None]
        (found,) = apply_calibration(given, self.manifest.probabilities).tolist()
        probabilities = tuple(found)
        if len(probabilities) == 2:
            place = int(output.probability >= self.manifest.threshold)
        else:
            place = int(np.argmax(probabilities))
        if not self.card.output.probabilities:
            return Explained(ClassPrediction(self._labels[place]))
        prediction = ClassPrediction(self._labels[place], probabilities[place], probabilities)
        if not contributions:
            return Explained(prediction)
        about = 1 if len(probabilities) == 2 else place
        heat = self._hide(seen, about) if output.heat is None else output.heat
        return Explained(
            prediction,
            saliency=heat if heat.ndim == 2 else heat[about],
            saliency_label=self._labels[about],
        )

    @cached_property
    def _labels(self) -> tuple[str, ...]:
        return tuple(option.value for option in self.card.output.classes)

    def _check_finite(self, output: NetworkOutput) -> None:
        finite = np.isfinite(output.probabilities).all() and not math.isnan(output.ood_score)
        if not finite or (output.heat is not None and not np.isfinite(output.heat).all()):
            raise ArithmeticError(f"{self.name} answered {output.probabilities.tolist()}")

    def _hide(self, seen: ByteArray, about: int) -> Float32Array:
        """Map what counts for a class: by how much its logit falls where a place is hidden.

        Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014. The
        place is filled with the picture's mean colour.
        """

        def ask(picture: ByteArray) -> float:
            output = self.predictor.predict(picture)
            share = min(max(float(output.probabilities[about]), _LEAST), 1 - _LEAST)
            return math.log(share / (1 - share))

        whole, fill = ask(seen), seen.mean(axis=(0, 1)).astype(np.uint8)
        rows = np.linspace(0, seen.shape[0], _OCCLUDED + 1).round().astype(int)
        columns = np.linspace(0, seen.shape[1], _OCCLUDED + 1).round().astype(int)
        heat = np.zeros((_OCCLUDED, _OCCLUDED), np.float32)
        for row in range(_OCCLUDED):
            for column in range(_OCCLUDED):
                hidden = seen.copy()
                # Half a place more on each side, so that a thing on a border is hidden as well.
                margin = seen.shape[0] // (2 * _OCCLUDED), seen.shape[1] // (2 * _OCCLUDED)
                top, left = max(rows[row] - margin[0], 0), max(columns[column] - margin[1], 0)
                down, right = rows[row + 1] + margin[0], columns[column + 1] + margin[1]
                hidden[top:down, left:right] = fill
                heat[row, column] = whole - ask(hidden)
        return heat

    @property
    def answer_columns(self) -> tuple[str, ...]:
        if not self.card.output.probabilities:
            return ("label",)
        return ("label", *(f"probability_{value}" for value in self._labels))

    def tabulate(self, prediction: ClassPrediction | None) -> tuple[float | str | None, ...]:
        if prediction is None:
            return (None,) * len(self.answer_columns)
        return prediction.label, *(prediction.probabilities or ())

    def explain_golden(self) -> Explained[ClassPrediction | None]:
        seen = Image.fromarray(self._read_golden(self.folder / self.manifest.golden[0].picture))
        return self._explain_one(Picture(seen, *seen.size, colourfulness=0), contributions=True)

    def check_golden(self) -> None:
        where = self.folder / "manifest.json"
        for golden in self.manifest.golden:
            try:
                output = self.predictor.predict(self._read_golden(self.folder / golden.picture))
            except Exception as error:
                raise ModelError(f"{where}: {golden.picture} does not predict: {error}") from error
            pairs = [
                (output.probability, golden.probability),
                (output.ood_score, golden.ood_score),
                *zip(output.probabilities.tolist(), golden.probabilities, strict=False),
            ]
            for found, expected in pairs:
                if not abs(found - expected) <= _GOLDEN_TOLERANCE:  # NaN is never close
                    raise ModelError(
                        f"{where}: {golden.picture} gives {found:.4f}, it was "
                        f"{expected:.4f} when the model was made. Make it again."
                    )

    def _read_golden(self, path: Path) -> ByteArray:
        """Read the picture in a PNG file, uint8 [height, width] or with 3 channels."""
        with Image.open(path, formats=("PNG",)) as image:
            mode = "L" if self.preprocessing.colour == "grey" else "RGB"
            return np.asarray(image.convert(mode))
