"""A small tabular classifier, made by code: which flower is it, by its two measures?"""

import datetime as dt
import hashlib
import json
from pathlib import Path

import joblib
import numpy as np
import sklearn
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from model.contract.manifest import ProbabilityCalibration
from model.serving.probabilities import apply_calibration

CARD = """
format = 2
kind = "classes"
title = "Which flower is it?"
summary = "From the size of its petals."
limits = ["Two measures only."]
not_for = ["Eating."]

[output]
label = "Flower"
noun = "flower"
classes = [{ value = "rose", label = "Rose" }, { value = "iris", label = "Iris" }]
probabilities = PROBABILITIES

[[fields]]
name = "length"
kind = "number"
label = "Length"
noun = "length"
min = 0
max = 10
example = 5

[[fields]]
name = "width"
kind = "number"
label = "Width"
noun = "width"
min = 0
max = 10
example = 5

[[examples]]
title = "A long one"
values = { length = 8, width = 2 }
"""

FEATURES = {"length": 8.0, "width": 2.0}


def write_flowers(
    folder: Path,
    probabilities: bool = True,
    temperature: float = 2.0,
    rows_held_out: int | None = 500,
    most: float = 1.0,
) -> Path:
    """Write a model that predicts "iris" for a flower longer than wide; return its folder."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = rng.uniform(0, 10, (200, 2)).astype(np.float32)
    labels = np.where(rows[:, 0] + rng.normal(0, 1, 200) > rows[:, 1], "iris", "rose")
    estimator = (LogisticRegression() if probabilities else RidgeClassifier()).fit(rows, labels)
    joblib.dump(estimator, folder / "model.joblib")
    artifact = (folder / "model.joblib").read_bytes()
    (folder / "card.toml").write_text(
        CARD.replace("PROBABILITIES", str(probabilities).lower()), encoding="utf-8"
    )
    value, calibration = (
        1.0,
        ProbabilityCalibration(rows=rows_held_out, temperature=temperature, most=most),
    )
    if probabilities:
        asked = np.array([list(FEATURES.values())], dtype=np.float32)
        answers = apply_calibration(estimator.predict_proba(asked), calibration)
        value = float(answers.max())
    golden = {"features": FEATURES, "value": value, "label": "iris"}
    manifest = {
        "format": 3,
        "trained": dt.date(2026, 11, 22).isoformat(),
        "seed": 0,
        "served": "model.joblib",
        "artifacts": {
            "model.joblib": {
                "sha256": hashlib.sha256(artifact).hexdigest(),
                "bytes": len(artifact),
            }
        },
        "versions": {"scikit-learn": sklearn.__version__},
        "data": {"file": "", "sha256": "", "rows": 200, "text": "200 flowers", "source": "drawn"},
        "how": "",
        "metrics": [],
        "accuracy": "",
        "columns": ["length", "width"],
        "choices": {},
        "reference": {"length": 5.0, "width": 5.0},
        "probabilities": calibration.model_dump() if probabilities else None,
        "golden": [golden] * 3,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder
