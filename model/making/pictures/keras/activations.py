"""Writes the activations of Keras as nodes of ONNX, those that are layers and those by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from model.making.pictures.keras.files import Config, UnknownLayerError
from model.making.pictures.keras.nodes import AddLayer, LayerCall, Nodes, Tensor


def _add_relu(nodes: Nodes, call: LayerCall) -> Tensor:
    slope = float(_first(call.config.get("negative_slope"), 0.0))
    most, threshold = call.config.get("max_value"), float(_first(call.config.get("threshold"), 0.0))
    rank = call.first.rank
    if threshold:
        raise UnknownLayerError("Its ReLU has a threshold")
    last = (
        nodes.add("LeakyRelu", [call.first.name], rank, alpha=slope)
        if slope
        else nodes.add("Relu", [call.first.name], rank)
    )
    if most is not None:
        limit = nodes.add_constant(np.float32(_first(most, 6.0)))
        last = nodes.add("Min", [last.name, limit], rank)
    return last


def _first(value: Any, default: float) -> Any:
    """A number, which Keras may write as an array."""
    if value is None:
        return default
    if isinstance(value, dict):  # a NumPy number, serialized
        value = value.get("config", {}).get("value", default)
    return value[0] if isinstance(value, list) else value


def _add_leakyrelu(nodes: Nodes, call: LayerCall) -> Tensor:
    slope = float(_first(call.config.get("negative_slope", call.config.get("alpha")), 0.3))
    return nodes.add("LeakyRelu", [call.first.name], call.first.rank, alpha=slope)


def _add_prelu(nodes: Nodes, call: LayerCall) -> Tensor:
    alpha = call.weight("alpha")
    if alpha.ndim == 3:
        alpha = alpha.transpose(2, 0, 1)
    return nodes.add("PRelu", [call.first.name, nodes.add_constant(alpha)], call.first.rank)


def _add_elu(nodes: Nodes, call: LayerCall) -> Tensor:
    alpha = float(_first(call.config.get("alpha"), 1.0))
    return nodes.add("Elu", [call.first.name], call.first.rank, alpha=alpha)


def _add_softmax(nodes: Nodes, call: LayerCall) -> Tensor:
    if call.config.get("axis", -1) not in (-1, call.first.rank - 1, [-1]):
        raise UnknownLayerError("Its Softmax goes over another axis than the last one")
    axis = 1 if call.first.rank == 4 else -1
    return nodes.add("Softmax", [call.first.name], call.first.rank, axis=axis)


def add_activation(nodes: Nodes, name: str, tensor: Tensor) -> Tensor:
    """Add an activation by its name.

    Raises:
        UnknownLayerError: if it is not known.
    """
    plain = {
        "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus",
        "softsign": "Softsign", "exponential": "Exp", "exp": "Exp", "selu": "Selu",
    }  # fmt: skip
    if name in ("linear", "None"):
        return tensor
    if name in plain:
        return nodes.add(plain[name], [tensor.name], tensor.rank)
    if name == "elu":
        return _add_elu(nodes, _call({}, tensor))
    if name == "softmax":
        return _add_softmax(nodes, _call({}, tensor))
    if name in ("relu6", "ReLU6"):
        return _add_relu(nodes, _call({"max_value": 6.0}, tensor))
    if name in ("leaky_relu", "LeakyReLU"):
        return _add_leakyrelu(nodes, _call({"negative_slope": 0.2}, tensor))
    if name in ("swish", "silu"):
        share = nodes.add("Sigmoid", [tensor.name], tensor.rank)
        return nodes.add("Mul", [tensor.name, share.name], tensor.rank)
    if name == "gelu":
        return _add_gelu(nodes, tensor)
    if name == "hard_sigmoid":
        slope = 1 / 6 if nodes.release.startswith("3") else 0.2
        return nodes.add("HardSigmoid", [tensor.name], tensor.rank, alpha=slope, beta=0.5)
    if name in ("hard_swish", "hard_silu"):
        share = nodes.add("HardSigmoid", [tensor.name], tensor.rank, alpha=1 / 6, beta=0.5)
        return nodes.add("Mul", [tensor.name, share.name], tensor.rank)
    raise UnknownLayerError(f"It has the activation {name!r}")


def _add_gelu(nodes: Nodes, tensor: Tensor) -> Tensor:
    scaled = nodes.add(
        "Mul", [tensor.name, nodes.add_constant(np.float32(np.sqrt(0.5)))], tensor.rank
    )
    error = nodes.add("Erf", [scaled.name], tensor.rank)
    shifted = nodes.add("Add", [error.name, nodes.add_constant(np.float32(1))], tensor.rank)
    halved = nodes.add("Mul", [shifted.name, nodes.add_constant(np.float32(0.5))], tensor.rank)
    return nodes.add("Mul", [tensor.name, halved.name], tensor.rank)


def activate(nodes: Nodes, given: Any, tensor: Tensor) -> Tensor:
    """Add an activation, given by name or as Keras serializes it; None is none.

    Raises:
        UnknownLayerError: if it is not known.
    """
    if given is None:
        return tensor
    if isinstance(given, dict):
        config, name = given.get("config"), given.get("class_name")
        add = ACTIVATION_LAYERS.get(str(name).lower())
        if isinstance(config, dict) and add is not None:
            return add(nodes, _call(config, tensor))
        given = config if isinstance(config, str) else name
    return add_activation(nodes, str(given), tensor)


def _call(config: Config, tensor: Tensor) -> LayerCall:
    return LayerCall(config, [tensor], {}, {})


ACTIVATION_LAYERS: Mapping[str, AddLayer] = {
    "relu": _add_relu,
    "leakyrelu": _add_leakyrelu,
    "prelu": _add_prelu,
    "elu": _add_elu,
    "softmax": _add_softmax,
    "activation": lambda nodes, call: activate(nodes, call.config["activation"], call.first),
}
"""Layers that are an activation, by their class in small letters."""
