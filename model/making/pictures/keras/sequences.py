"""Writes the layers of Keras for the words of a text as nodes of ONNX: (N, words, channels)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto

from model.making.pictures.keras.files import Config, UnknownLayerError
from model.making.pictures.keras.nodes import AddLayer, LayerCall, Nodes, Tensor


def _embed(nodes: Nodes, call: LayerCall) -> Tensor:
    if call.config.get("mask_zero"):
        raise UnknownLayerError("Its Embedding masks zeros (mask_zero)")
    table = nodes.add_constant(call.weight("embeddings"), "embeddings")
    numbers = nodes.add("Cast", [call.first.name], call.first.rank, to=TensorProto.INT64)
    return nodes.add("Gather", [table, numbers.name], call.first.rank + 1, axis=0)


def _pool_words(operator: str, nodes: Nodes, call: LayerCall) -> Tensor:
    keeps = bool(call.config.get("keepdims"))
    _require_words(call)
    return nodes.add(operator, [call.first.name], 3 if keeps else 2, axes=[1], keepdims=int(keeps))


def _convolve_words(nodes: Nodes, call: LayerCall) -> Tensor:
    _require_words(call)
    kernel = call.weight("kernel").transpose(2, 1, 0)
    (dilation,) = np.atleast_1d(call.config.get("dilation_rate", 1)).tolist()
    (stride,) = np.atleast_1d(call.config.get("strides", 1)).tolist()
    padding, span = call.config.get("padding", "valid"), (kernel.shape[2] - 1) * dilation
    if padding == "same" and stride > 1:
        raise UnknownLayerError(f"The layer {call.config.get('name')!r} pads, and leaves words out")
    before = {"valid": 0, "same": span // 2, "causal": span}[padding]
    after = span - before if padding == "same" else 0
    inputs = [
        nodes.add("Transpose", [call.first.name], 3, perm=[0, 2, 1]).name,
        nodes.add_constant(kernel, "kernel"),
    ]
    if call.config.get("use_bias", True):
        inputs.append(nodes.add_constant(call.weight("bias"), "bias"))
    made = nodes.add(
        "Conv", inputs, 3, strides=[stride], dilations=[dilation], pads=[before, after],
        group=int(call.config.get("groups") or 1),
    )  # fmt: skip
    return nodes.add("Transpose", [made.name], 3, perm=[0, 2, 1])


def _recur(operator: str, nodes: Nodes, call: LayerCall) -> Tensor:
    return _run(operator, nodes, call, call.config, ("",))


def _recur_both_ways(nodes: Nodes, call: LayerCall) -> Tensor:
    layer = call.config["layer"]
    if layer["class_name"] not in ("LSTM", "GRU") or call.config.get("merge_mode") != "concat":
        raise UnknownLayerError("Its Bidirectional is of another layer, or adds up both ways")
    return _run(layer["class_name"], nodes, call, layer["config"], ("forward_", "backward_"))


def _run(
    operator: str, nodes: Nodes, call: LayerCall, config: Config, ways: Sequence[str]
) -> Tensor:
    """Add an LSTM or a GRU that reads the words in each of some ways."""
    _require_words(call)
    usual = ("tanh", "sigmoid")
    if (config["activation"], config["recurrent_activation"]) != usual or config.get(
        "go_backwards"
    ):
        raise UnknownLayerError(f"The layer {call.config.get('name')!r} is no usual {operator}")
    units, keys = int(config["units"]), {}
    # Keras has the gates i, f, c, o of an LSTM, and ONNX i, o, f, c.
    order = (0, 3, 1, 2) if operator == "LSTM" else (0, 1, 2)
    if operator == "GRU":
        keys["linear_before_reset"] = int(bool(config.get("reset_after")))

    def arrange(array: NDArray[Any]) -> NDArray[Any]:
        gates = [array[..., gate * units : (gate + 1) * units] for gate in order]
        return np.concatenate(gates, axis=-1)

    found: list[list[NDArray[Any]]] = []
    for way in ways:
        kernel, recurrent = (
            arrange(call.weight(f"{way}{name}")) for name in ("kernel", "recurrent_kernel")
        )
        bias = np.zeros((2, len(order) * units), np.float32)
        if config.get("use_bias", True):
            given = arrange(call.weight(f"{way}bias"))
            bias[: 1 if given.ndim == 1 else 2] = given
        found.append([kernel.T, recurrent.T, bias.ravel()])
    arrays = [nodes.add_constant(np.stack(each)) for each in zip(*found, strict=True)]
    first = nodes.add("Transpose", [call.first.name], 3, perm=[1, 0, 2])
    is_long = bool(config.get("return_sequences"))
    made = nodes.add(
        operator, [first.name, *arrays], 4 if is_long else 3, 0 if is_long else 1,
        hidden_size=units, direction="bidirectional" if ways[1:] else "forward", **keys,
    )  # fmt: skip
    perm = [2, 0, 1, 3] if is_long else [1, 0, 2]
    last = nodes.add("Transpose", [made.name], made.rank, perm=perm)
    shape = [0, 0, len(ways) * units] if is_long else [0, len(ways) * units]
    return nodes.add(
        "Reshape", [last.name, nodes.add_constant(np.array(shape, np.int64))], len(shape)
    )


def _require_words(call: LayerCall) -> None:
    if call.first.rank != 3 or call.config.get("data_format") == "channels_first":
        raise UnknownLayerError(f"The layer {call.config.get('name')!r} takes another shape")


SEQUENCE_LAYERS: Mapping[str, AddLayer] = {
    "embedding": _embed,
    "globalaveragepooling1d": partial(_pool_words, "ReduceMean"),
    "globalmaxpooling1d": partial(_pool_words, "ReduceMax"),
    "conv1d": _convolve_words,
    "lstm": partial(_recur, "LSTM"),
    "gru": partial(_recur, "GRU"),
    "bidirectional": _recur_both_ways,
}
"""What adds a layer, by its class in small letters."""
