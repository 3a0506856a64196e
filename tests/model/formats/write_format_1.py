"""Write the model of format_1: its network and its manifest, as format 1 had it; the card stays."""

import hashlib
import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).parent / "format_1"


def build_network() -> bytes:
    """Build a network: 300 for each room, 100 less for oil."""
    weights = np.array([[300], [-100]], dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("IsNaN", ["features"], ["unknown"]),
            helper.make_node("Where", ["unknown", "zero", "features"], ["known"]),
            helper.make_node("MatMul", ["known", "weights"], ["value"]),
        ],
        "rent",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("value", TensorProto.FLOAT, [None, 1])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.zeros(1, dtype=np.float32), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


def main() -> None:
    """Write both files."""
    network = build_network()
    (FOLDER / "model.onnx").write_bytes(network)
    groups = [
        {"known": known, "low": 50, "high": 60, "width": 110, "error": 20, "support": 0.5}
        for known in ([], ["heating"])
    ]
    golden = [
        {"features": {"rooms": rooms}, "value": value, "low": value - 50, "high": value + 60}
        for rooms, value in ((1, 300), (2, 600), (3, 900))
    ]
    manifest = {
        "trained": "2026-11-01",
        "seed": 0,
        "served": "model.onnx",
        "artifacts": {
            "model.onnx": {"sha256": hashlib.sha256(network).hexdigest(), "bytes": len(network)}
        },
        "versions": {},
        "data": {"file": "none", "sha256": "", "rows": 9, "text": "nine flats", "source": "none"},
        "how": "",
        "metrics": [],
        "accuracy": "",
        "columns": ["rooms", "heating"],
        "choices": {"heating": ["gas", "oil"]},
        "reference": {"rooms": 2, "heating": "gas"},
        "axis": [0, 3000],
        "calibration": {"method": "", "coverage": 0.9, "scale": "linear", "groups": groups},
        "support": [],
        "golden": golden,
    }
    (FOLDER / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
