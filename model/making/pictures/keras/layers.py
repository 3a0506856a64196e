"""Writes each kind of layer of Keras as nodes of ONNX."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.making.pictures.keras.activations import ACTIVATION_LAYERS, add_activation
from model.making.pictures.keras.files import Config, UnknownLayerError
from model.making.pictures.keras.nodes import AddLayer, LayerCall, Nodes, Tensor
from model.making.pictures.keras.sequences import SEQUENCE_LAYERS


def _add_dense(nodes: Nodes, call: LayerCall) -> Tensor:
    last = nodes.to_channels_last(call.first)
    kernel = nodes.add_constant(call.weight("kernel"), "kernel")
    last = nodes.add("MatMul", [last.name, kernel], last.rank)
    if call.config.get("use_bias", True):
        bias = nodes.add_constant(call.weight("bias"), "bias")
        last = nodes.add("Add", [last.name, bias], last.rank)
    return nodes.to_channels_first(last) if last.rank == 4 else last


def _add_convolution(nodes: Nodes, call: LayerCall) -> Tensor:
    kernel = call.weight("kernel").transpose(3, 2, 0, 1)
    return _convolve(nodes, call, kernel, int(call.config.get("groups") or 1))


def _add_depthwise(nodes: Nodes, call: LayerCall) -> Tensor:
    kernel = call.weight("depthwise_kernel")
    height, width, channels, times = kernel.shape
    kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, height, width)
    return _convolve(nodes, call, kernel, channels)


def _add_separable(nodes: Nodes, call: LayerCall) -> Tensor:
    depth = _add_depthwise(nodes, call._replace(config={**call.config, "use_bias": False}))
    kernel = call.weight("pointwise_kernel").transpose(3, 2, 0, 1)
    second = {"use_bias": call.config.get("use_bias", True), "name": call.config.get("name")}
    return _convolve(nodes, call._replace(config=second, given=[depth]), kernel, 1)


def _flatten(nodes: Nodes, call: LayerCall) -> Tensor:
    return nodes.add("Flatten", [nodes.to_channels_last(call.first).name], 2)


def _reshape(nodes: Nodes, call: LayerCall) -> Tensor:
    target = [int(size) for size in call.config["target_shape"]]
    shape = nodes.add_constant(np.array([0, *target], np.int64))
    last = nodes.to_channels_last(call.first)
    last = nodes.add("Reshape", [last.name, shape], len(target) + 1)
    return nodes.to_channels_first(last) if last.rank == 4 else last


def _normalize_batch(nodes: Nodes, call: LayerCall) -> Tensor:
    axis = call.config.get("axis", -1)
    axis = axis[0] if isinstance(axis, list) else axis
    if axis not in (-1, call.first.rank - 1):
        raise UnknownLayerError(
            f"The layer {call.config.get('name')!r} normalizes another axis than the channels"
        )
    mean = call.weight("moving_mean")
    variance = call.weight("moving_variance")
    gamma, beta = (
        call.weight(name) if call.config.get(key, True) else fill(mean)
        for name, key, fill in (
            ("gamma", "scale", np.ones_like),
            ("beta", "center", np.zeros_like),
        )
    )
    values = [nodes.add_constant(array) for array in (gamma, beta, mean, variance)]
    epsilon = float(call.config.get("epsilon", 1e-3))
    return nodes.add(
        "BatchNormalization", [call.first.name, *values], call.first.rank, epsilon=epsilon
    )


def _normalize(nodes: Nodes, call: LayerCall) -> Tensor:
    mean = call.weights.get("mean", call.config.get("mean"))
    variance = call.weights.get("variance", call.config.get("variance"))
    if mean is None or variance is None:
        raise UnknownLayerError("Its Normalization was never adapted")
    rank = call.first.rank
    spread = np.maximum(np.sqrt(np.asarray(variance, dtype=np.float32)), 1e-7)
    centred = nodes.add("Sub", [call.first.name, nodes.add_channels(mean, rank)], rank)
    return nodes.add("Div", [centred.name, nodes.add_channels(spread, rank)], rank)


def _rescale(nodes: Nodes, call: LayerCall) -> Tensor:
    rank = call.first.rank
    scaled = nodes.add(
        "Mul", [call.first.name, nodes.add_channels(call.config["scale"], rank)], rank
    )
    return nodes.add(
        "Add", [scaled.name, nodes.add_channels(call.config.get("offset", 0), rank)], rank
    )


def _resize_to(nodes: Nodes, call: LayerCall) -> Tensor:
    if call.config.get("crop_to_aspect_ratio") or call.config.get("interpolation") not in (
        None,
        "bilinear",
        "nearest",
    ):
        raise UnknownLayerError("Its Resizing crops, or interpolates in another way")
    nearest = call.config.get("interpolation") == "nearest"
    return _resize(nodes, call.first, nearest, (call.config["height"], call.config["width"]), None)


def _upsample(nodes: Nodes, call: LayerCall) -> Tensor:
    if call.config.get("interpolation", "nearest") not in ("nearest", "bilinear"):
        raise UnknownLayerError("Its UpSampling2D interpolates in another way")
    nearest = call.config.get("interpolation", "nearest") == "nearest"
    return _resize(nodes, call.first, nearest, None, _pair(call.config.get("size", 2)))


def _pad_zeros(nodes: Nodes, call: LayerCall) -> Tensor:
    (top, bottom), (left, right) = _read_sides(call.config["padding"])
    pads = nodes.add_constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
    return nodes.add("Pad", [call.first.name, pads], 4)


def _crop(nodes: Nodes, call: LayerCall) -> Tensor:
    (top, bottom), (left, right) = _read_sides(call.config["cropping"])
    most = np.iinfo(np.int64).max
    starts = nodes.add_constant(np.array([top, left], np.int64))
    ends = nodes.add_constant(np.array([-bottom or most, -right or most], np.int64))
    axes = nodes.add_constant(np.array([2, 3], np.int64))
    return nodes.add("Slice", [call.first.name, starts, ends, axes], 4)


def _average(nodes: Nodes, call: LayerCall) -> Tensor:
    return nodes.add("Mean", [tensor.name for tensor in call.given], call.first.rank)


def _concatenate(nodes: Nodes, call: LayerCall) -> Tensor:
    rank = call.first.rank
    axis = int(call.config.get("axis", -1)) % rank
    if rank == 4:
        axis = {0: 0, 1: 2, 2: 3, 3: 1}[axis]
    return nodes.add("Concat", [tensor.name for tensor in call.given], rank, axis=axis)


def _compute(nodes: Nodes, call: LayerCall) -> Tensor:
    """What Keras 2 made of arithmetic between layers, such as preprocess_input of MobileNet."""
    function = str(call.config.get("function", ""))
    operators = {
        "math.truediv": "Div", "math.divide": "Div", "math.subtract": "Sub", "math.add": "Add",
        "__operators__.add": "Add", "math.multiply": "Mul",
    }  # fmt: skip
    if function in ("nn.relu", "nn.softmax", "math.sigmoid", "nn.sigmoid", "math.tanh"):
        return add_activation(nodes, function.partition(".")[2], call.first)
    if function in ("cast", "identity"):
        return call.first
    if function not in operators:
        raise UnknownLayerError(f"It computes {function} between its layers")
    return _merge(operators[function], nodes, call)


def _convolve(nodes: Nodes, call: LayerCall, kernel: NDArray[Any], group: int) -> Tensor:
    """Add a convolution; the kernel is [out, in / group, height, width]."""
    inputs = [call.first.name, nodes.add_constant(kernel, "kernel")]
    if call.config.get("use_bias", True):
        inputs.append(nodes.add_constant(call.weight("bias"), "bias"))
    return nodes.add(
        "Conv",
        inputs,
        4,
        strides=_pair(call.config.get("strides", 1)),
        dilations=_pair(call.config.get("dilation_rate", 1)),
        group=group,
        **_pad(call.config, kernel.shape[2:]),
    )


def _pool(operator: str, nodes: Nodes, call: LayerCall) -> Tensor:
    size = _pair(call.config.get("pool_size", 2))
    strides = call.config.get("strides")
    return nodes.add(
        operator,
        [call.first.name],
        4,
        kernel_shape=size,
        strides=size if strides is None else _pair(strides),
        **_pad(call.config, size),
    )


def _pool_globally(operator: str, nodes: Nodes, call: LayerCall) -> Tensor:
    pooled = nodes.add(operator, [call.first.name], 4)
    return pooled if call.config.get("keepdims") else nodes.add("Flatten", [pooled.name], 2)


def _resize(
    nodes: Nodes,
    given: Tensor,
    nearest: bool,
    size: tuple[int, int] | None,
    factors: Sequence[int] | None,
) -> Tensor:
    keys: dict[str, Any] = {"coordinate_transformation_mode": "half_pixel", "mode": "linear"}
    if nearest:
        keys = {**keys, "mode": "nearest", "nearest_mode": "floor"}
        if factors is not None:
            keys["coordinate_transformation_mode"] = "asymmetric"
    if factors is not None:
        scales = nodes.add_constant(np.array([1, 1, *factors], np.float32))
        return nodes.add("Resize", [given.name, "", scales], 4, **keys)
    shape = nodes.add("Shape", [given.name], 1, start=0, end=2)
    wanted = nodes.add_constant(np.array(size, np.int64))
    sizes = nodes.add("Concat", [shape.name, wanted], 1, axis=0)
    return nodes.add("Resize", [given.name, "", "", sizes.name], 4, **keys)


def _merge(operator: str, nodes: Nodes, call: LayerCall) -> Tensor:
    """Compute with several tensors, or with one and plain numbers."""
    last = call.first
    for other in call.given[1:]:
        last = nodes.add(operator, [last.name, other.name], max(last.rank, other.rank))
    for value in call.extra.values():
        if isinstance(value, int | float | list):
            last = nodes.add(operator, [last.name, nodes.add_channels(value, last.rank)], last.rank)
    return last


def _pair(value: Any) -> list[int]:
    """A height and a width, given as one number or as two."""
    return [int(value)] * 2 if isinstance(value, int | float) else [int(item) for item in value]


def _pad(config: Config, size: Sequence[int]) -> dict[str, Any]:
    """The padding of a convolution; more of it goes below and to the right, as in TensorFlow."""
    dilations = _pair(config.get("dilation_rate", 1))
    if config.get("padding") != "same":
        return {"auto_pad": "VALID"}
    if dilations == [1, 1]:
        return {"auto_pad": "SAME_UPPER"}
    # ONNX Runtime has no automatic padding here, and Keras no strides.
    totals = [(length - 1) * step for length, step in zip(size, dilations, strict=True)]
    before = [total // 2 for total in totals]
    after = [total - first for total, first in zip(totals, before, strict=True)]
    return {"pads": [*before, *after]}


def _read_sides(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Top and bottom, left and right."""
    if isinstance(value, int):
        return (value, value), (value, value)
    down, across = ((side, side) if isinstance(side, int) else tuple(side) for side in value)
    return (int(down[0]), int(down[1])), (int(across[0]), int(across[1]))


LAYERS: Mapping[str, AddLayer] = {
    **ACTIVATION_LAYERS,
    **SEQUENCE_LAYERS,
    "inputlayer": lambda _, call: call.first,
    "dense": _add_dense,
    "conv2d": _add_convolution,
    "depthwiseconv2d": _add_depthwise,
    "separableconv2d": _add_separable,
    "maxpooling2d": partial(_pool, "MaxPool"),
    "averagepooling2d": partial(_pool, "AveragePool"),
    "globalaveragepooling2d": partial(_pool_globally, "GlobalAveragePool"),
    "globalmaxpooling2d": partial(_pool_globally, "GlobalMaxPool"),
    "flatten": _flatten,
    "reshape": _reshape,
    "batchnormalization": _normalize_batch,
    "normalization": _normalize,
    "rescaling": _rescale,
    "resizing": _resize_to,
    "upsampling2d": _upsample,
    "zeropadding2d": _pad_zeros,
    "cropping2d": _crop,
    "add": partial(_merge, "Add"),
    "subtract": partial(_merge, "Sub"),
    "multiply": partial(_merge, "Mul"),
    "truedivide": partial(_merge, "Div"),
    "maximum": partial(_merge, "Max"),
    "average": _average,
    "concatenate": _concatenate,
    "tfoplambda": _compute,
}
"""What adds a layer, by its class in small letters; those that change nothing are not here."""
