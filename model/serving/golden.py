"""Golden rows and pictures: a model must still predict them as it did when it was made."""

from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from model.contract.arrays import ByteArray
from model.contract.errors import KEEP_CLASSES, MAKE_AGAIN, OR_MAKE_AGAIN, ModelError, run_checks
from model.contract.manifest import GoldenRow
from model.serving.image_classifier import ImageClassifier
from model.serving.prediction import Classification
from model.serving.tabular_models import Classifier, Regressor

_ROW_TOLERANCE = 1e-4
"""Relative difference above which a prediction is no longer the one in the manifest."""

_PICTURE_TOLERANCE = 0.02
"""Absolute difference above which an output is no longer the one in the manifest.

Processors add up convolutions in different orders; a visitor could notice larger differences.
"""


def check_golden_pictures(model: ImageClassifier) -> None:
    """Predict the golden pictures of an image classifier.

    Raises:
        ModelError: if a prediction fails, or differs from the manifest's.
    """
    where = model.folder / "manifest.json"
    for golden in model.manifest.golden:
        try:
            output = model.predictor.predict(_read_square(model.folder / golden.picture))
        except Exception as error:
            raise ModelError(f"{where}: {golden.picture} does not predict: {error}") from error
        for found, expected in (
            (output.probability, golden.probability),
            (output.ood_score, golden.strangeness),
        ):
            if not abs(found - expected) <= _PICTURE_TOLERANCE:  # NaN is never close
                raise ModelError(
                    f"{where}: {golden.picture} gives {found:.4f}, it was "
                    f"{expected:.4f} when the model was made. Train it again."
                )


def _read_square(path: Path) -> ByteArray:
    """The grey picture in a PNG file, uint8 [224, 224]."""
    with Image.open(path, formats=("PNG",)) as image:
        return np.asarray(image.convert("L"))


def check_golden_rows(model: Regressor | Classifier) -> None:
    """Predict the golden rows of a tabular model.

    Raises:
        ModelError: with every prediction that fails, or differs from the manifest's.
    """
    where = model.folder / "manifest.json"
    run_checks(
        *(
            partial(_check_golden_row, model, golden, f"{where}: golden row {index}")
            for index, golden in enumerate(model.manifest.golden)
        )
    )


def _check_golden_row(model: Regressor | Classifier, golden: GoldenRow, where: str) -> None:
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
                f"model was made. {KEEP_CLASSES} {OR_MAKE_AGAIN}"
            )
        pairs = [(prediction.probability or 1.0, golden.value)]
    else:
        pairs = [(prediction.value, golden.value)]
        interval = prediction.interval
        if interval is not None and golden.low is not None and golden.high is not None:
            pairs += [(interval.low, golden.low), (interval.high, golden.high)]
    for found, expected in pairs:
        tolerance = _ROW_TOLERANCE * max(abs(expected), 1e-9)
        if not abs(found - expected) <= tolerance:  # NaN is never close
            raise ModelError(
                f"{where} predicts {found:.6g}, it was {expected:.6g} when the model was made. "
                f"{MAKE_AGAIN}"
            )
