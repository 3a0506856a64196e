"""What manifests and pictures may say: the first and the last value taken, and those beyond."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from model.contract.image_card import GoldenPicture, SamplePicture
from model.contract.manifest import (
    BINS,
    Calibration,
    CalibrationGroup,
    FieldBins,
    HeldOutCell,
    OrdinalCalibration,
    Outcomes,
    ProbabilityCalibration,
    TypicalFact,
)
from model.contract.pictures import ImageField
from model.contract.preprocessing import Preprocessing

FACT = {"field": "beds", "low": 2, "high": 2, "outside": 0.1}
CELL = {"truth": 1, "prediction": 1, "count": 1}
GROUP = {"knots": [1], "lows": [0], "highs": [0], "width": 1, "error": 1}
GROUPS = {"method": "", "scale": "linear", "groups": [GROUP]}
PROBABILITIES = {"temperature": 1}
IMAGE = {"kind": "image", "name": "scan", "label": "Scan", "noun": "scan"}
PICTURE = {"picture": "", "ood_score": 0}


@pytest.mark.parametrize(
    ("model", "values", "key", "taken", "refused"),
    [
        (TypicalFact, FACT, "inside", [0, 0.4, 1], [-0.01, 1.01]),
        (GoldenPicture, PICTURE, "probability", [0, 0.4, 1], [-0.01, 1.01]),
        (HeldOutCell, CELL, "truth", [0, BINS - 1], [-1, BINS]),
        (HeldOutCell, CELL, "prediction", [0, BINS - 1], [-1, BINS]),
        (HeldOutCell, CELL, "count", [1], [0]),
        (Calibration, GROUPS, "coverage", [0.51, 0.99], [0.5, 1]),
        (OrdinalCalibration, {"order": [], "groups": []}, "coverage", [0.51, 0.99], [0.5, 1]),
        (ProbabilityCalibration, PROBABILITIES, "uniform", [0, 0.99], [-0.01, 1]),
        (ProbabilityCalibration, PROBABILITIES, "most", [0.51, 1], [0.5, 1.01]),
        (ProbabilityCalibration, PROBABILITIES, "temperature", [0.01], [0]),
        (Outcomes, {}, "counts", [[0] * BINS], [[0] * (BINS - 1), [0] * (BINS + 1)]),
        (FieldBins, {}, "counts", [[1, 0, 0]], [[1, 0]]),
        (CalibrationGroup, GROUP, "knots", [[1]], [[]]),
        (CalibrationGroup, GROUP | {"lows": [0, 0], "highs": [0, 0]}, "knots", [[1, 2]], [[1, 1]]),
        (Preprocessing, {}, "width", [1, 2048], [0, 2049]),
        (Preprocessing, {}, "height", [1, 2048], [0, 2049]),
        (ImageField, IMAGE, "side", [8, 2048], [7, 2049]),
        (SamplePicture, {"file": "samples/a.png"}, "label", ["x", "x" * 100], ["", "x" * 101]),
    ],
)
def test_the_ends_of_what_is_taken(
    model: type[BaseModel], values: dict[str, Any], key: str, taken: list[Any], refused: list[Any]
) -> None:
    for value in taken:
        model.model_validate(values | {key: value})
    for value in refused:
        with pytest.raises(ValidationError, match=f"\n{key}\n|knots must"):
            model.model_validate(values | {key: value})


def test_what_was_not_measured_is_zero_or_changes_nothing() -> None:
    outcomes = Outcomes(counts=(0,) * BINS)
    assert (outcomes.below, outcomes.above) == (0, 0)
    calibration = ProbabilityCalibration(temperature=1)
    assert (calibration.uniform, calibration.most) == (0, 1)
