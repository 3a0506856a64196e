"""Models that test a server: a changed one, a broken one, one that hangs."""

import datetime as dt
import hashlib
import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnx

from model import NumberModel
from model.serving.predictors import OnnxPredictor
from tests.loading import load_as

HANGS_AT = 4321.0
"""The input for which the hanging model never returns."""

CARD = """
format = 2
kind = "number"
title = "How much is it?"
summary = "A price by size."
limits = ["Made up."]
not_for = ["anything but tests"]

[output]
label = "Price"
noun = "price"
format = "number"

[[fields]]
name = "size"
kind = "number"
label = "Size"
noun = "size"
min = 0
max = 10000
example = 100

[[examples]]
title = "A hundred"
values = { size = 100 }
"""

Matrix = np.ndarray[Any, np.dtype[np.float32]]


class HangingEstimator:
    """An estimator that never returns for one input, so its worker stops serving."""

    def predict(self, rows: Matrix) -> Matrix:
        while (rows == HANGS_AT).any():
            pass
        return rows[:, 0] * 2


def write_model(folder: Path, estimator: Any) -> None:
    """Write a model's folder with this estimator, sound by every check before loading."""
    sizes = np.array([[1], [2], [3]], dtype=np.float32)
    golden = zip(sizes[:, 0].tolist(), estimator.predict(sizes).tolist(), strict=True)
    folder.mkdir(exist_ok=True)
    (folder / "card.toml").write_text(CARD)
    artifact = folder / "model.joblib"
    joblib.dump(estimator, artifact)
    manifest = {
        "format": 3,
        "trained": str(dt.date.today()),
        "seed": 0,
        "columns": ["size"],
        "choices": {},
        "served": artifact.name,
        "artifacts": {artifact.name: describe_artifact(artifact)},
        "versions": {"scikit-learn": version("scikit-learn")},
        "data": {"file": "none", "sha256": "", "rows": 0, "text": "no rows", "source": "none"},
        "how": "by hand",
        "metrics": [],
        "accuracy": "",
        "runs_code": True,
        "reference": {"size": 50},
        "axis": [0, 20000],
        "golden": [{"features": {"size": size}, "value": value} for size, value in golden],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def change_artifact(folder: Path) -> None:
    """Replace the ONNX model by one whose every value is 1.25 times the old."""
    old, path = load_as(NumberModel, folder), folder / "model.onnx"
    graph = onnx.load(str(path))
    for node in graph.graph.node:
        node.output[:] = ["old value" if name == "value" else name for name in node.output]
    factor = onnx.helper.make_tensor("factor", onnx.TensorProto.FLOAT, [1], [1.25])
    graph.graph.initializer.append(factor)
    graph.graph.node.append(onnx.helper.make_node("Mul", ["old value", "factor"], ["value"]))
    onnx.save(graph, str(path))
    _update_manifest(folder, replace(old, predictor=OnnxPredictor(path.read_bytes())))


def break_artifact(folder: Path) -> None:
    """Flip one bit in the artifact, as a faulty copy would."""
    path = folder / "model.onnx"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def describe_artifact(path: Path) -> dict[str, Any]:
    """Return an artifact's entry in the manifest."""
    data = path.read_bytes()
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def _update_manifest(folder: Path, model: NumberModel) -> None:
    """Update the manifest to match the artifact, golden predictions included."""
    manifest_path, path = folder / "manifest.json", folder / "model.onnx"
    manifest = json.loads(manifest_path.read_text())
    manifest["artifacts"][path.name] = describe_artifact(path)
    for golden in manifest["golden"]:
        features, _ = model.card.validate_row(golden["features"])
        assert features is not None
        (prediction,) = model.predict([features])
        golden["value"] = prediction.value
        if prediction.interval is not None:
            golden["low"], golden["high"] = prediction.interval.low, prediction.interval.high
    manifest_path.write_text(json.dumps(manifest))
