"""From a picture and its classification to what ``kinds/picture_result.html`` shows."""

import base64
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.kinds.pictures.uploads import ImageOutcome
from app.presentation.result import FIX_TEXT, ClassView
from app.presentation.scales import ShareScale
from app.presentation.submission import Problem
from model import ImageClassification, ImageClassifier, Picture
from model.contract import formatting

LONGER_SIDE = 320
"""Units of the view box for the longer side of the picture."""

MIN_ASPECT = 0.4
"""The least ratio of the shorter side to the longer one; a narrower strip is shown wider."""

MAX_OPACITY = 0.65
"""Opacity of the cell that weighs most."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell of the map, in units of the view box; ``direction`` is "for" or "against"."""

    x: float
    y: float
    width: float
    height: float
    direction: str
    opacity: float


@dataclass(frozen=True, slots=True)
class PictureView:
    """The picture as the network saw it, in the upload's own shape, and the map over it."""

    url: str
    width: int
    height: int
    title: str
    cells: tuple[HeatCell, ...]
    words: str


@dataclass(frozen=True, slots=True)
class ImageResult:
    """What stands in ``#result``; see ``app.presentation.result.Result``."""

    state: Literal["empty", "fresh", "withdrawn"]
    heading: str
    announcement: str = ""
    sentence: str = ""
    problems: tuple[Problem, ...] = ()
    value: str = ""
    label: str = ""
    warning: str = ""
    certainty: str = ""
    classes: tuple[ClassView, ...] = ()
    picture: PictureView | None = None
    origin: str = ""


class ImagePresenter:
    """Turns one model's outcomes into results."""

    def __init__(self, model: ImageClassifier) -> None:
        self._accuracy = model.manifest.accuracy
        self._field = model.card.field
        self._output = model.card.output
        self._scale = ShareScale(model.card.output, model.card.locale)
        trained = formatting.format_date(model.manifest.trained, model.card.locale)
        text = model.card.data_text or model.manifest.data.text
        self.origin = f"Trained on {trained} on {text}."

    def present(self, outcome: ImageOutcome | None) -> ImageResult:
        """Present the result for an upload; None where no file was chosen yet."""
        if outcome is None or outcome.missing:
            sentence = f"{self._field.missing_text}, and the {self._output.noun} appears here."
            return ImageResult(
                "empty" if outcome is None else "withdrawn",
                self._output.label,
                "" if outcome is None else sentence,
                sentence,
                warning=self._output.warning,
            )
        if outcome.picture is None or outcome.classification is None:
            heading = f"No {self._output.noun}"
            return ImageResult(
                "withdrawn",
                heading,
                f"{heading}. {outcome.error}",
                FIX_TEXT,
                (Problem(self._field.name, outcome.error),),
                warning=self._output.warning,
            )
        return self._present_fresh(outcome.picture, outcome.classification)

    def _present_fresh(self, picture: Picture, classification: ImageClassification) -> ImageResult:
        classes = self._present_classes(classification.probabilities)
        (predicted,) = (item for item in classes if item.value == classification.value)
        shares = " and ".join(f"{item.label.lower()} {item.text}" for item in reversed(classes))
        return ImageResult(
            "fresh",
            self._output.label,
            f"{self._output.label}: {predicted.label}, {predicted.text}. {self._output.warning}.",
            value=predicted.value,
            label=predicted.label,
            warning=self._output.warning,
            certainty=f"The network gives {shares}, if both are equally common.",
            classes=classes,
            picture=self._present_picture(picture, classification.heat),
            origin=f"{self._accuracy} {self.origin}",
        )

    def _present_classes(self, probabilities: tuple[float, float]) -> tuple[ClassView, ...]:
        last = round(probabilities[1], 4)
        return tuple(
            ClassView(
                item.value,
                item.label,
                format(share, ".4f"),
                self._scale.format(share),
                round(share * 100, 1),
            )
            for item, share in zip(self._output.classes, (1 - last, last), strict=True)
        )

    def _present_picture(self, picture: Picture, heat: NDArray[np.float32]) -> PictureView:
        longer = max(picture.width, picture.height)
        width, height = (
            round(LONGER_SIDE * max(side / longer, MIN_ASPECT))
            for side in (picture.width, picture.height)
        )
        return PictureView(
            encode_data_url(picture.square),
            width,
            height,
            f"Your {self._field.noun}, as the network saw it",
            lay_out_cells(heat, width, height),
            self._output.map_text,
        )


def encode_data_url(square: NDArray[np.uint8]) -> str:
    """Encode a grey picture as a small JPEG in a data URL.

    Args:
        square: uint8 [height, width], 0 is black.
    """
    file = BytesIO()
    Image.fromarray(square).save(file, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def lay_out_cells(heat: NDArray[np.float32], width: int, height: int) -> tuple[HeatCell, ...]:
    """Lay out the map over a picture, one cell for each value.

    Args:
        heat: float32 [rows, columns], the class activation map in logits.
        width: the picture's width, in units of the view box.
        height: its height.
    """
    rows, columns = heat.shape
    highest = float(np.abs(heat).max()) or 1.0
    cell_width, cell_height = width / columns, height / rows
    return tuple(
        HeatCell(
            round(column * cell_width, 1),
            round(row * cell_height, 1),
            round(cell_width, 1),
            round(cell_height, 1),
            "for" if value > 0 else "against",
            round(abs(value) / highest * MAX_OPACITY, 2),
        )
        for row, values in enumerate(heat.tolist())
        for column, value in enumerate(values)
    )
