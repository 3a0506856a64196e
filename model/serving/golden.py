"""Golden rows and pictures: a model must still answer them as it did when it was made."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.contract.card import Golden
from model.contract.errors import AGAIN, AGAIN_OR, CLASSES, ModelError, gather
from model.serving.image_classifier import TOLERANCE as PICTURE_TOLERANCE
from model.serving.image_classifier import ImageClassifier
from model.serving.prediction import Classification
from model.serving.tabular_models import Classifier, Regressor

TOLERANCE = 1e-4
"""Relative difference at which an answer is no longer the one in the manifest."""


def check_pictures(model: ImageClassifier) -> None:
    """Let a model of pictures answer its golden pictures.

    Raises:
        ModelError: if it does not answer, or not as when it was made.
    """
    where = model.folder / "manifest.json"
    for golden in model.manifest.golden:
        try:
            seen = model.predictor.look(_read_square(model.folder / golden.picture))
        except Exception as error:
            raise ModelError(f"{where}: {golden.picture} does not predict: {error}") from error
        for here, there in (
            (seen.probability, golden.probability),
            (seen.strangeness, golden.strangeness),
        ):
            if not abs(here - there) <= PICTURE_TOLERANCE:  # NaN is no answer
                raise ModelError(
                    f"{where}: {golden.picture} gives {here:.4f}, it was "
                    f"{there:.4f} when the model was made. Train it again."
                )


def _read_square(path: Path) -> NDArray[np.uint8]:
    """The grey picture in a PNG file, uint8 [224, 224]."""
    with Image.open(path, formats=("PNG",)) as image:
        return np.asarray(image.convert("L"))


def check_answers(model: Regressor | Classifier) -> None:
    """Let a model of rows answer its golden rows.

    Raises:
        ModelError: with what is wrong with each that it does not answer as when it was made.
    """
    where = model.folder / "manifest.json"
    gather(
        *(
            partial(_check_answer, model, golden, f"{where}: golden row {number}")
            for number, golden in enumerate(model.manifest.golden)
        )
    )


def _check_answer(model: Regressor | Classifier, golden: Golden, where: str) -> None:
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
                f"model was made. {CLASSES} {AGAIN_OR}"
            )
        pairs = [(prediction.probability or 1.0, golden.value)]
    else:
        pairs = [(prediction.value, golden.value)]
        interval = prediction.interval
        if interval is not None and golden.low is not None and golden.high is not None:
            pairs += [(interval.low, golden.low), (interval.high, golden.high)]
    for here, there in pairs:
        if not abs(here - there) <= TOLERANCE * max(abs(there), 1e-9):  # NaN is no answer
            raise ModelError(
                f"{where} predicts {here:.6g}, it was {there:.6g} when the model was made. {AGAIN}"
            )
