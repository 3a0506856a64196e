"""From a request with a picture to its classification, within the limits of memory and time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import request
from pydantic_core import PydanticCustomError
from werkzeug.exceptions import UnsupportedMediaType

from app.limits.background import run_in_thread
from app.limits.upload_budget import UploadSlot, decoding_turn, get_upload_budget
from app.limits.uploads import read_body, read_uploads
from app.telemetry.request_records import Outcome
from model import ImageClassification, ImageClassifier, OutOfDistributionError, Picture
from model.contract.pictures import LARGE_BYTES

PICTURE_TYPES = ("image/jpeg", "image/png")
"""Media types of a body that is the picture itself."""


@dataclass(frozen=True, slots=True)
class ImageOutcome:
    """What became of one upload: a picture with its classification, or an error.

    ``missing`` where no file was sent, ``out_of_distribution`` where the picture is like nothing
    that the model has seen.
    """

    picture: Picture | None = None
    classification: ImageClassification | None = None
    error: str = ""
    missing: bool = False
    out_of_distribution: bool = False


def classify_upload(
    model: ImageClassifier, read_files: Callable[[UploadSlot], list[bytes]]
) -> ImageOutcome:
    """Read the present request's upload and classify it.

    Waits for memory to read it into and, where it is large, for its turn to be decoded.

    Args:
        model: classifies the picture.
        read_files: reads the files; see ``read_uploads`` and ``read_picture_files``.

    Raises:
        HTTPException: what ``read_files`` raises; 503 where waiting takes too long.
    """
    with get_upload_budget().slot() as slot:
        files = read_files(slot)
        if run_in_thread(estimate_memory, model, files) < LARGE_BYTES:
            return run_in_thread(classify_files, model, files)
        with decoding_turn(slot):
            return run_in_thread(classify_files, model, files)


def estimate_memory(model: ImageClassifier, files: Sequence[bytes]) -> int:
    """Estimate the bytes that decoding takes; 0 where ``classify_files`` refuses the upload."""
    return model.card.field.estimate_memory(files[0]) if len(files) == 1 else 0


def classify_files(model: ImageClassifier, files: Sequence[bytes]) -> ImageOutcome:
    """Decode and classify the one file of an upload."""
    field = model.card.field
    if len(files) > 1:
        return ImageOutcome(error=field.repeated_text)
    try:
        picture = field.validate_value(files[0] if files else None)
        return ImageOutcome(picture, model.classify(picture))
    except PydanticCustomError as error:
        return ImageOutcome(error=error.message(), missing=not files)
    except OutOfDistributionError as error:
        return ImageOutcome(error=str(error), out_of_distribution=True)


def build_outcome(name: str, outcome: ImageOutcome) -> Outcome:
    """Build what is recorded of an upload to the field ``name``."""
    if outcome.classification is not None:
        return Outcome(predictions=1)
    if outcome.out_of_distribution:
        return Outcome(out_of_distribution=1)
    return Outcome(refused=() if outcome.missing else (name,))


def read_picture_files(name: str, slot: UploadSlot) -> list[bytes]:
    """Read the files that were sent: under ``name`` in a form, or one as the body itself.

    Raises:
        UnsupportedMediaType: for a body that is compressed, or neither a form nor a picture.
        HTTPException: 408, 411, 413 or 503 for a body that is not read.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType
    if request.mimetype == "multipart/form-data":
        return read_uploads(name, slot)
    if request.mimetype in PICTURE_TYPES:
        return [read_body(slot)]
    raise UnsupportedMediaType
