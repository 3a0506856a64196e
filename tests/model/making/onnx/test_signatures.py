"""What is wrong with an ONNX file is said in a sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model.making.errors import AddError
from model.making.onnx.signatures import load_onnx


def test_weights_in_a_file_of_their_own_that_is_missing_are_named(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 99])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 9])],
        [numpy_helper.from_array(np.ones((99, 9), np.float32), "w")],
    )
    path, weights = tmp_path / "model.onnx", tmp_path / "weights.bin"
    onnx.save(
        helper.make_model(graph),
        path,
        save_as_external_data=True,
        location=weights.name,
        size_threshold=0,
    )
    assert load_onnx(path).graph.node
    weights.unlink()
    with pytest.raises(AddError, match=r"keeps its weights in a file of its own.*weights\.bin"):
        load_onnx(path)
