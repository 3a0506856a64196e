"""From a picture and its diagnosis to what ``kinds/picture_result.html`` shows: words and coordinates."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

import numpy as np
from flask import request
from numpy.typing import NDArray
from PIL import Image
from pydantic_core import PydanticCustomError
from werkzeug.exceptions import UnsupportedMediaType

from app.kinds.payload import OPTION, Payload, name_of
from app.limits.background import run_in_thread
from app.limits.upload_budget import UploadSlot, decoding_turn, upload_budget
from app.limits.uploads import uploaded, whole_body
from app.presentation.about import figures, made_of
from app.presentation.contexts import AboutContext, Link, Row, Site
from app.presentation.form import FieldView
from app.presentation.result import ClassView, Problem
from app.presentation.scales import ShareScale
from app.telemetry.request_records import Outcome
from model import ImageClassification, ImageClassifier, OutOfDistributionError, Picture
from model.contract import formatting
from model.contract.pictures import LARGE

LONGER_SIDE = 320
"""Units of the view box for the longer side of the picture."""

FLATTEST = 0.4
"""The shorter side's least share of the longer one; a strip is shown a little less narrow."""

STRONGEST = 0.65
"""Opacity of the place that weighs most."""


@dataclass(frozen=True, slots=True)
class ImageOutcome:
    """One upload looked at: an answer, or what is wrong.

    ``lacking`` where there was no file, ``strange`` where the model knows nothing like it.
    """

    picture: Picture | None = None
    diagnosis: ImageClassification | None = None
    error: str = ""
    lacking: bool = False
    strange: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the map, in units of the view box; ``way`` is "for" or "against"."""

    x: float
    y: float
    width: float
    height: float
    way: str
    opacity: float


@dataclass(frozen=True, slots=True)
class PictureView:
    """The picture as the network saw it, in its own shape, and the map over it."""

    url: str
    width: int
    height: int
    title: str
    cells: tuple[Cell, ...]
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
    odds: str = ""
    classes: tuple[ClassView, ...] = ()
    picture: PictureView | None = None
    origin: str = ""


class ImagePresenter:
    """Words and figures for one model's answers to pictures."""

    def __init__(self, model: ImageClassifier) -> None:
        self._model = model
        self._card = model.card
        self._output = model.card.output
        self._scale = ShareScale(model.card.output, model.card.locale)
        trained = formatting.long_date(model.manifest.trained, self._card.locale)
        text = self._card.data_text or model.manifest.data.text
        self.origin = f"Trained on {trained} on {text}."

    def weigh(self, files: Sequence[bytes]) -> int:
        """Bytes that decoding what was uploaded takes; 0 where ``look`` refuses it."""
        return self._card.field.weigh(files[0]) if len(files) == 1 else 0

    def look(self, files: Sequence[bytes]) -> ImageOutcome:
        """Read, decode and answer what was uploaded."""
        field = self._card.field
        if len(files) > 1:
            return ImageOutcome(error=field.twice)
        try:
            picture = field.validate_value(files[0] if files else None)
            return ImageOutcome(picture, self._model.classify(picture))
        except PydanticCustomError as refused:
            return ImageOutcome(error=refused.message(), lacking=not files)
        except OutOfDistributionError as refused:
            return ImageOutcome(error=str(refused), strange=True)

    def result(self, look: ImageOutcome | None) -> ImageResult:
        """The result for an upload; None where nothing was chosen yet."""
        if look is None or look.lacking:
            sentence = f"{self._card.field.missing}, and the {self._output.noun} appears here."
            state: Literal["empty", "withdrawn"] = "empty" if look is None else "withdrawn"
            spoken = "" if look is None else sentence
            return ImageResult(
                state, self._output.label, spoken, sentence, warning=self._output.warning
            )
        if look.picture is None or look.diagnosis is None:
            heading = f"No {self._output.noun}"
            return ImageResult(
                "withdrawn",
                heading,
                f"{heading}. {look.error}",
                "To see one, mend this:",
                (Problem(self._card.field.name, look.error),),
                warning=self._output.warning,
            )
        return self._fresh(look.picture, look.diagnosis)

    def _fresh(self, picture: Picture, diagnosis: ImageClassification) -> ImageResult:
        classes = self._classes(diagnosis.probabilities)
        (answer,) = (item for item in classes if item.value == diagnosis.value)
        odds = " and ".join(f"{item.label.lower()} {item.text}" for item in reversed(classes))
        odds = f"The network gives {odds}, were both equally common."
        return ImageResult(
            "fresh",
            self._output.label,
            f"{self._output.label}: {answer.label}, {answer.text}. {self._output.warning}.",
            value=answer.value,
            label=answer.label,
            warning=self._output.warning,
            odds=odds,
            classes=classes,
            picture=self._picture(picture, diagnosis.heat),
            origin=f"{self._model.manifest.accuracy} {self.origin}",
        )

    def _classes(self, probabilities: tuple[float, float]) -> tuple[ClassView, ...]:
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

    def _picture(self, picture: Picture, heat: NDArray[np.float32]) -> PictureView:
        longer = max(picture.width, picture.height)
        width, height = (
            round(LONGER_SIDE * max(side / longer, FLATTEST))
            for side in (picture.width, picture.height)
        )
        return PictureView(
            data_url(picture.square),
            width,
            height,
            f"Your {self._card.field.noun}, as the network saw it",
            _cells(heat, width, height),
            self._output.map_text,
        )


def data_url(square: NDArray[np.uint8]) -> str:
    """A grey picture as a small JPEG inside an address."""
    file = BytesIO()
    Image.fromarray(square).save(file, "JPEG", quality=70)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _cells(heat: NDArray[np.float32], width: int, height: int) -> tuple[Cell, ...]:
    rows, columns = heat.shape
    most = float(np.abs(heat).max()) or 1.0
    across, down = width / columns, height / rows
    return tuple(
        Cell(
            round(column * across, 1),
            round(row * down, 1),
            round(across, 1),
            round(down, 1),
            "for" if value > 0 else "against",
            round(abs(value) / most * STRONGEST, 2),
        )
        for row, line in enumerate(heat.tolist())
        for column, value in enumerate(line)
    )


def look_at(presenter: ImagePresenter, files: Callable[[UploadSlot], list[bytes]]) -> ImageOutcome:
    """Read what was uploaded, when there is room, and look at it, when it is its turn.

    Args:
        presenter: looks at the files.
        files: reads them; see ``uploaded`` and ``whole_body``.

    Raises:
        HTTPException: what reading them raises; 503 where there is no room in time.
    """
    with upload_budget().slot() as slot:
        contents = files(slot)
        if run_in_thread(presenter.weigh, contents) < LARGE:
            return run_in_thread(presenter.look, contents)
        with decoding_turn(slot):
            return run_in_thread(presenter.look, contents)


def outcome_of(name: str, look: ImageOutcome) -> Outcome:
    """What is told of an upload."""
    if look.diagnosis is not None:
        return Outcome(predictions=1)
    if look.strange:
        return Outcome(outside=1)
    return Outcome(refused=() if look.lacking else (name,))


def view_image_site(model: ImageClassifier, prefix: str) -> Site:
    """The texts and addresses of one model's pages."""
    home = f"{prefix}/"
    return Site(
        title=model.card.title,
        summary=model.card.summary,
        home=home,
        action=home,
        fragment=f"{home}predict-fragment",
        about=f"{home}about",
        examples=(),
    )


def view_image_field(model: ImageClassifier, error: str) -> FieldView:
    """The one field; a file that was chosen before cannot be put back by any server."""
    field = model.card.field
    return FieldView(
        name=field.name,
        kind=field.kind,
        label=field.label,
        help=field.help,
        unit="",
        required=field.required,
        value="",
        error=error,
        input_mode="",
        options=(),
    )


def image_about_context(
    model: ImageClassifier, presenter: ImagePresenter, site: Site
) -> AboutContext:
    """Data, figures, limits and make of one model, in words."""
    card, manifest = model.card, model.manifest
    return AboutContext(
        site=site,
        heading="About this answer",
        origin=presenter.origin,
        source=manifest.data.source,
        accuracy=f"{card.output.warning}. {manifest.accuracy}",
        metrics=figures(card, manifest),
        how=manifest.how,
        method="",
        method_title="",
        limits=card.limits,
        not_for=card.not_for,
        facts=(Row(card.field.label, card.field.takes),),
        made=made_of(card, manifest, model.version),
    )


class PictureSerializer:
    """Says what a model of pictures answers."""

    def __init__(self, model: ImageClassifier) -> None:
        output = model.card.output
        self._model = name_of(model)
        self._classes = [item.value for item in output.classes]
        self._warnings = [{"code": "use", "message": f"{output.warning}."}]

    def serialize(self, found: ImageClassification, with_map: bool) -> Payload:
        """One picture's answer; the map is that of the last class, in log-odds."""
        shares = dict(zip(self._classes, found.probabilities, strict=True))
        said: Payload = {
            "label": found.value,
            "probability": shares[found.value],
            "probabilities": shares,
        }
        if with_map:
            said[OPTION] = {"label": self._classes[-1], "map": found.heat.tolist()}
        said["warnings"] = self._warnings
        said["model"] = self._model
        return said


RAW = ("image/jpeg", "image/png")
"""Types of a body that is the picture itself."""


def picture_files(name: str, slot: UploadSlot) -> list[bytes]:
    """The files that were sent: as a form has them under ``name``, or one as the body itself.

    Raises:
        HTTPException: 408, 411, 413, 415 or 503 for a body that is not read.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType
    if request.mimetype == "multipart/form-data":
        return uploaded(name, slot)
    if request.mimetype in RAW:
        return [whole_body(slot)]
    raise UnsupportedMediaType


@dataclass(frozen=True, slots=True)
class ImageResultContext:
    """``kinds/picture_result.html``: the result alone; ``samples`` leads to pictures to try."""

    site: Site
    samples: Link
    version: str
    result: ImageResult
