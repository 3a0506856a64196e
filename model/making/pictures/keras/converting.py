"""Writes a model of Keras as ONNX, layer by layer.

Tensors with a height and a width are kept with their channels first inside, as ONNX has them; the
input keeps the order of Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from model.making.pictures.keras.files import (
    MODELS,
    Config,
    KerasFile,
    UnknownLayerError,
    Weights,
    list_layers,
    name_of,
)

_OPSET = 17
_IR_VERSION = 8

_NOTHING = frozenset(
    (
        "Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout",
        "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast",
        "RandomTranslation", "RandomHeight", "RandomWidth", "RandomBrightness", "RandomHue",
        "RandomSaturation", "RandomColorJitter", "RandomShear", "RandomSharpness", "RandomErasing",
        "RandomPerspective", "RandomGaussianBlur", "RandomGrayscale", "RandomInvert",
        "RandomPosterization", "RandomColorDegeneration", "RandomElasticTransform", "Identity",
    )
)  # fmt: skip
"""Layers that change nothing once a network is trained."""


class Tensor(NamedTuple):
    """A tensor of the graph: its name, and how many dimensions it has in Keras."""

    name: str
    rank: int


def convert_keras(file: KerasFile) -> onnx.ModelProto:
    """Write a Sequential or Functional model as ONNX.

    Raises:
        UnknownLayerError: with the first layer that is not known, or that is used in a way that is
            not.
    """
    return _Converter(file).convert()


class _Converter:
    """The nodes and the constants so far."""

    def __init__(self, file: KerasFile) -> None:
        self._file = file
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._count = 0

    def convert(self) -> onnx.ModelProto:
        shape = _find_input_shape(self._file.config)
        if shape is None:
            raise UnknownLayerError(
                f"{self._file.path} does not say which shape of input it takes. Build the model, "
                "for instance by calling it once, and save it again."
            )
        kind = self._file.config.get("class_name")
        if kind not in MODELS:
            raise UnknownLayerError(f"{self._file.path} holds a {kind}, not a model of layers.")
        given = Tensor("input", len(shape) + 1)
        inner = self._to_channels_first(given) if given.rank == 4 else given
        found = self._add_model(self._file.config, [inner], ())
        if len(found) != 1:
            raise UnknownLayerError(f"{self._file.path} has {len(found)} outputs; one is shown.")
        last = self._to_channels_last(found[0])
        self._nodes.append(helper.make_node("Identity", [last.name], ["output"]))
        dims = ["N", *(size if size else f"d{place}" for place, size in enumerate(shape))]
        graph = helper.make_graph(
            self._nodes,
            "keras",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, dims)],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
            self._constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION
        )
        model = onnx.shape_inference.infer_shapes(model)
        onnx.checker.check_model(model)
        return model

    def _add_model(
        self, model: Config, given: Sequence[Tensor], place: tuple[str, ...]
    ) -> list[Tensor]:
        """Add the layers of a model that is given tensors; its outputs."""
        if model["class_name"] == "Sequential":
            (last,) = given
            for layer in list_layers(model):
                if layer["class_name"] != "InputLayer":
                    (last,) = self._add_layer(layer, [last], (*place, name_of(layer)), {})
            return [last]
        return self._add_graph(model, given, place)

    def _add_graph(
        self, model: Config, given: Sequence[Tensor], place: tuple[str, ...]
    ) -> list[Tensor]:
        layers = {name_of(layer): layer for layer in list_layers(model)}
        inputs = _list_ends(model["config"]["input_layers"])
        made: dict[tuple[str, int], list[Tensor]] = {}
        for (name, node, _), tensor in zip(inputs, given, strict=True):
            made[name, node] = [tensor]

        def find(name: str, node: int, output: int) -> Tensor:
            if (name, node) not in made:
                layer = layers[name]
                calls = _read_calls(layer)
                if not calls:
                    raise UnknownLayerError(f"The layer {name!r} is given nothing.")
                # A model in a model counts the call that made it.
                sources, extra = calls[min(node, len(calls) - 1)]
                tensors = [find(*source) for source in sources]
                made[name, node] = self._add_layer(layer, tensors, (*place, name), extra)
            return made[name, node][output]

        # Deep networks have more layers than Python has room for calls in calls.
        for name in layers:
            for node in range(len(_read_calls(layers[name]))):
                sources, _ = _read_calls(layers[name])[node]
                if all((source[0], source[1]) in made for source in sources):
                    find(name, node, 0)
        return [find(*end) for end in _list_ends(model["config"]["output_layers"])]

    def _add_layer(
        self,
        layer: Config,
        given: Sequence[Tensor],
        place: tuple[str, ...],
        extra: Mapping[str, Any],
    ) -> list[Tensor]:
        kind = layer["class_name"]
        if kind in MODELS:
            return self._add_model(layer, given, place)
        if kind in _NOTHING:
            return list(given)
        config = layer["config"]
        if config.get("data_format", "channels_last") == "channels_first":
            raise UnknownLayerError(f"The layer {place[-1]!r} keeps its channels first.")
        method: Callable[..., Tensor] | None = getattr(self, f"_add_{kind.lower()}", None)
        if method is None:
            raise UnknownLayerError(f"It has a layer of the kind {kind} ({place[-1]!r})")
        found = method(config, given, self._file.weights.get(place, {}), extra)
        return [self._activate(config.get("activation"), found, kind)]

    # What every layer uses

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what}_{self._count}"

    def _constant(self, values: Any, what: str = "constant") -> str:
        array = np.asarray(values)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        name = self._name(what)
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _node(self, operator: str, inputs: Sequence[str], rank: int, **keys: Any) -> Tensor:
        name = self._name(operator.lower())
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **keys))
        return Tensor(name, rank)

    def _to_channels_first(self, given: Tensor) -> Tensor:
        return self._node("Transpose", [given.name], 4, perm=[0, 3, 1, 2])

    def _to_channels_last(self, given: Tensor) -> Tensor:
        if given.rank != 4:
            return given
        return self._node("Transpose", [given.name], 4, perm=[0, 2, 3, 1])

    def _weight(self, weights: Weights, name: str, what: Config) -> NDArray[Any]:
        if name not in weights:
            raise UnknownLayerError(
                f"The file has no array {name!r} for the layer {what.get('name')!r}"
            )
        return np.asarray(weights[name], dtype=np.float32)

    def _channels(self, values: Any, rank: int) -> str:
        """A constant with a value a channel, or one for all."""
        array: NDArray[Any] = np.asarray(values, dtype=np.float32).reshape(-1)
        if array.size > 1 and rank == 4:
            array = array.reshape(1, -1, 1, 1)
        return self._constant(array)

    def _activate(self, given: Any, tensor: Tensor, kind: str) -> Tensor:
        """Add an activation, given by name or as Keras serializes it."""
        if given is None or kind in ("Activation", "LeakyReLU"):
            return tensor
        if isinstance(given, dict):
            config = given.get("config")
            if isinstance(config, dict) and given.get("class_name") not in (None, "function"):
                method = getattr(self, f"_add_{str(given['class_name']).lower()}", None)
                if method is not None:
                    found: Tensor = method(config, [tensor], {}, {})
                    return found
            given = config if isinstance(config, str) else given.get("class_name")
        return self._add_activation({"activation": given}, [tensor], {}, {})

    # Layers, in the order of Keras' own documentation

    def _add_inputlayer(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        return given[0]

    def _add_dense(
        self, config: Config, given: Sequence[Tensor], weights: Weights, *_: Any
    ) -> Tensor:
        last = self._to_channels_last(given[0])
        kernel = self._constant(self._weight(weights, "kernel", config), "kernel")
        last = self._node("MatMul", [last.name, kernel], last.rank)
        if config.get("use_bias", True):
            bias = self._constant(self._weight(weights, "bias", config), "bias")
            last = self._node("Add", [last.name, bias], last.rank)
        return self._to_channels_first(last) if last.rank == 4 else last

    def _convolve(
        self, config: Config, given: Tensor, kernel: NDArray[Any], weights: Weights, group: int
    ) -> Tensor:
        """Add a convolution; the kernel is [out, in / group, height, width]."""
        inputs = [given.name, self._constant(kernel, "kernel")]
        if config.get("use_bias", True):
            inputs.append(self._constant(self._weight(weights, "bias", config), "bias"))
        return self._node(
            "Conv",
            inputs,
            4,
            strides=_pair(config.get("strides", 1)),
            dilations=_pair(config.get("dilation_rate", 1)),
            group=group,
            **_pad(config, kernel.shape[2:]),
        )

    def _add_conv2d(
        self, config: Config, given: Sequence[Tensor], weights: Weights, *_: Any
    ) -> Tensor:
        kernel = self._weight(weights, "kernel", config).transpose(3, 2, 0, 1)
        return self._convolve(config, given[0], kernel, weights, int(config.get("groups") or 1))

    def _add_depthwiseconv2d(
        self, config: Config, given: Sequence[Tensor], weights: Weights, *_: Any
    ) -> Tensor:
        kernel = self._weight(weights, "depthwise_kernel", config)
        height, width, channels, times = kernel.shape
        kernel = kernel.transpose(2, 3, 0, 1).reshape(channels * times, 1, height, width)
        return self._convolve(config, given[0], kernel, weights, channels)

    def _add_separableconv2d(
        self, config: Config, given: Sequence[Tensor], weights: Weights, *_: Any
    ) -> Tensor:
        first = {**config, "use_bias": False}
        depth = self._add_depthwiseconv2d(first, given, weights)
        kernel = self._weight(weights, "pointwise_kernel", config).transpose(3, 2, 0, 1)
        second = {"use_bias": config.get("use_bias", True), "name": config.get("name")}
        return self._convolve(second, depth, kernel, weights, 1)

    def _pool(self, operator: str, config: Config, given: Tensor) -> Tensor:
        size = _pair(config.get("pool_size", 2))
        strides = config.get("strides")
        return self._node(
            operator,
            [given.name],
            4,
            kernel_shape=size,
            strides=size if strides is None else _pair(strides),
            **_pad(config, size),
        )

    def _add_maxpooling2d(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        return self._pool("MaxPool", config, given[0])

    def _add_averagepooling2d(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        return self._pool("AveragePool", config, given[0])

    def _pool_all(self, operator: str, config: Config, given: Tensor) -> Tensor:
        pooled = self._node(operator, [given.name], 4)
        return pooled if config.get("keepdims") else self._node("Flatten", [pooled.name], 2)

    def _add_globalaveragepooling2d(
        self, config: Config, given: Sequence[Tensor], *_: Any
    ) -> Tensor:
        return self._pool_all("GlobalAveragePool", config, given[0])

    def _add_globalmaxpooling2d(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        return self._pool_all("GlobalMaxPool", config, given[0])

    def _add_flatten(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        return self._node("Flatten", [self._to_channels_last(given[0]).name], 2)

    def _add_reshape(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        target = [int(size) for size in config["target_shape"]]
        shape = self._constant(np.array([0, *target], np.int64))
        last = self._to_channels_last(given[0])
        last = self._node("Reshape", [last.name, shape], len(target) + 1)
        return self._to_channels_first(last) if last.rank == 4 else last

    def _add_batchnormalization(
        self, config: Config, given: Sequence[Tensor], weights: Weights, *_: Any
    ) -> Tensor:
        axis = config.get("axis", -1)
        axis = axis[0] if isinstance(axis, list) else axis
        if axis not in (-1, given[0].rank - 1):
            raise UnknownLayerError(
                f"The layer {config.get('name')!r} normalizes another axis than the channels"
            )
        mean = self._weight(weights, "moving_mean", config)
        variance = self._weight(weights, "moving_variance", config)
        gamma, beta = (
            self._weight(weights, name, config) if config.get(key, True) else fill(mean)
            for name, key, fill in (
                ("gamma", "scale", np.ones_like),
                ("beta", "center", np.zeros_like),
            )
        )
        values = [self._constant(array) for array in (gamma, beta, mean, variance)]
        epsilon = float(config.get("epsilon", 1e-3))
        return self._node(
            "BatchNormalization", [given[0].name, *values], given[0].rank, epsilon=epsilon
        )

    def _add_normalization(
        self, config: Config, given: Sequence[Tensor], weights: Weights, *_: Any
    ) -> Tensor:
        mean = weights.get("mean", config.get("mean"))
        variance = weights.get("variance", config.get("variance"))
        if mean is None or variance is None:
            raise UnknownLayerError("Its Normalization was never adapted")
        rank = given[0].rank
        spread = np.maximum(np.sqrt(np.asarray(variance, dtype=np.float32)), 1e-7)
        centred = self._node("Sub", [given[0].name, self._channels(mean, rank)], rank)
        return self._node("Div", [centred.name, self._channels(spread, rank)], rank)

    def _add_rescaling(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        rank = given[0].rank
        scaled = self._node("Mul", [given[0].name, self._channels(config["scale"], rank)], rank)
        return self._node("Add", [scaled.name, self._channels(config.get("offset", 0), rank)], rank)

    def _add_resizing(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        if config.get("crop_to_aspect_ratio") or config.get("interpolation") not in (
            None,
            "bilinear",
            "nearest",
        ):
            raise UnknownLayerError("Its Resizing crops, or interpolates in another way")
        nearest = config.get("interpolation") == "nearest"
        return self._resize(given[0], nearest, (config["height"], config["width"]), None)

    def _add_upsampling2d(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        if config.get("interpolation", "nearest") not in ("nearest", "bilinear"):
            raise UnknownLayerError("Its UpSampling2D interpolates in another way")
        nearest = config.get("interpolation", "nearest") == "nearest"
        return self._resize(given[0], nearest, None, _pair(config.get("size", 2)))

    def _resize(
        self,
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
            scales = self._constant(np.array([1, 1, *factors], np.float32))
            return self._node("Resize", [given.name, "", scales], 4, **keys)
        shape = self._node("Shape", [given.name], 1, start=0, end=2)
        wanted = self._constant(np.array(size, np.int64))
        sizes = self._node("Concat", [shape.name, wanted], 1, axis=0)
        return self._node("Resize", [given.name, "", "", sizes.name], 4, **keys)

    def _add_zeropadding2d(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        (top, bottom), (left, right) = _read_sides(config["padding"])
        pads = self._constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
        return self._node("Pad", [given[0].name, pads], 4)

    def _add_cropping2d(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        (top, bottom), (left, right) = _read_sides(config["cropping"])
        most = np.iinfo(np.int64).max
        starts = self._constant(np.array([top, left], np.int64))
        ends = self._constant(np.array([-bottom or most, -right or most], np.int64))
        axes = self._constant(np.array([2, 3], np.int64))
        return self._node("Slice", [given[0].name, starts, ends, axes], 4)

    # Layers of several tensors, and of plain arithmetic

    def _merge(self, operator: str, given: Sequence[Tensor], extra: Mapping[str, Any]) -> Tensor:
        last = given[0]
        for other in given[1:]:
            last = self._node(operator, [last.name, other.name], max(last.rank, other.rank))
        for value in extra.values():
            if isinstance(value, int | float | list):
                last = self._node(
                    operator, [last.name, self._channels(value, last.rank)], last.rank
                )
        return last

    def _add_add(self, _: Config, given: Sequence[Tensor], __: Weights, extra: Config) -> Tensor:
        return self._merge("Add", given, extra)

    def _add_subtract(
        self, _: Config, given: Sequence[Tensor], __: Weights, extra: Config
    ) -> Tensor:
        return self._merge("Sub", given, extra)

    def _add_multiply(
        self, _: Config, given: Sequence[Tensor], __: Weights, extra: Config
    ) -> Tensor:
        return self._merge("Mul", given, extra)

    def _add_truedivide(
        self, _: Config, given: Sequence[Tensor], __: Weights, extra: Config
    ) -> Tensor:
        return self._merge("Div", given, extra)

    def _add_maximum(
        self, _: Config, given: Sequence[Tensor], __: Weights, extra: Config
    ) -> Tensor:
        return self._merge("Max", given, extra)

    def _add_average(self, _: Config, given: Sequence[Tensor], *__: Any) -> Tensor:
        return self._node("Mean", [tensor.name for tensor in given], given[0].rank)

    def _add_concatenate(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        rank = given[0].rank
        axis = int(config.get("axis", -1)) % rank
        if rank == 4:
            axis = {0: 0, 1: 2, 2: 3, 3: 1}[axis]
        return self._node("Concat", [tensor.name for tensor in given], rank, axis=axis)

    def _add_tfoplambda(
        self, config: Config, given: Sequence[Tensor], _: Weights, extra: Config
    ) -> Tensor:
        """What Keras 2 made of arithmetic between layers, such as preprocess_input of MobileNet."""
        function = str(config.get("function", ""))
        operators = {
            "math.truediv": "Div", "math.divide": "Div", "math.subtract": "Sub", "math.add": "Add",
            "__operators__.add": "Add", "math.multiply": "Mul",
        }  # fmt: skip
        values = {key: value for key, value in extra.items() if key != "name"}
        if function in ("nn.relu", "nn.softmax", "math.sigmoid", "nn.sigmoid", "math.tanh"):
            name = function.partition(".")[2]
            return self._add_activation({"activation": name}, given, {}, {})
        if function in ("cast", "identity") or function not in operators:
            if function in ("cast", "identity"):
                return given[0]
            raise UnknownLayerError(f"It computes {function} between its layers")
        return self._merge(operators[function], given, values)

    # Activations

    def _add_relu(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        slope = float(_first(config.get("negative_slope"), 0.0))
        most, threshold = config.get("max_value"), float(_first(config.get("threshold"), 0.0))
        rank = given[0].rank
        if threshold:
            raise UnknownLayerError("Its ReLU has a threshold")
        last = (
            self._node("LeakyRelu", [given[0].name], rank, alpha=slope)
            if slope
            else self._node("Relu", [given[0].name], rank)
        )
        if most is not None:
            limit = self._constant(np.float32(_first(most, 6.0)))
            last = self._node("Min", [last.name, limit], rank)
        return last

    def _add_leakyrelu(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        slope = float(_first(config.get("negative_slope", config.get("alpha")), 0.3))
        return self._node("LeakyRelu", [given[0].name], given[0].rank, alpha=slope)

    def _add_prelu(
        self, config: Config, given: Sequence[Tensor], weights: Weights, *_: Any
    ) -> Tensor:
        alpha = self._weight(weights, "alpha", config)
        if alpha.ndim == 3:
            alpha = alpha.transpose(2, 0, 1)
        return self._node("PRelu", [given[0].name, self._constant(alpha)], given[0].rank)

    def _add_elu(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        alpha = float(_first(config.get("alpha"), 1.0))
        return self._node("Elu", [given[0].name], given[0].rank, alpha=alpha)

    def _add_softmax(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        if config.get("axis", -1) not in (-1, given[0].rank - 1, [-1]):
            raise UnknownLayerError("Its Softmax goes over another axis than the last one")
        axis = 1 if given[0].rank == 4 else -1
        return self._node("Softmax", [given[0].name], given[0].rank, axis=axis)

    def _add_activation(self, config: Config, given: Sequence[Tensor], *_: Any) -> Tensor:
        name = config["activation"]
        if isinstance(name, dict):
            return self._activate(name, given[0], "")
        name, tensor = str(name), given[0]
        plain = {
            "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus",
            "softsign": "Softsign", "exponential": "Exp", "exp": "Exp", "selu": "Selu",
        }  # fmt: skip
        if name in ("linear", "None"):
            return tensor
        if name in plain:
            return self._node(plain[name], [tensor.name], tensor.rank)
        if name == "elu":
            return self._add_elu({}, given)
        if name == "softmax":
            return self._add_softmax({}, given)
        if name in ("relu6", "ReLU6"):
            return self._add_relu({"max_value": 6.0}, given)
        if name in ("leaky_relu", "LeakyReLU"):
            return self._add_leakyrelu({"negative_slope": 0.2}, given)
        if name in ("swish", "silu"):
            share = self._node("Sigmoid", [tensor.name], tensor.rank)
            return self._node("Mul", [tensor.name, share.name], tensor.rank)
        if name == "gelu":
            return self._add_gelu(tensor)
        if name == "hard_sigmoid":
            return self._node(
                "HardSigmoid", [tensor.name], tensor.rank, alpha=self._hard_slope, beta=0.5
            )
        if name in ("hard_swish", "hard_silu"):
            share = self._node("HardSigmoid", [tensor.name], tensor.rank, alpha=1 / 6, beta=0.5)
            return self._node("Mul", [tensor.name, share.name], tensor.rank)
        raise UnknownLayerError(f"It has the activation {name!r}")

    @property
    def _hard_slope(self) -> float:
        return 1 / 6 if self._file.release.startswith("3") else 0.2

    def _add_gelu(self, tensor: Tensor) -> Tensor:
        scaled = self._node(
            "Mul", [tensor.name, self._constant(np.float32(np.sqrt(0.5)))], tensor.rank
        )
        error = self._node("Erf", [scaled.name], tensor.rank)
        shifted = self._node("Add", [error.name, self._constant(np.float32(1))], tensor.rank)
        halved = self._node("Mul", [shifted.name, self._constant(np.float32(0.5))], tensor.rank)
        return self._node("Mul", [tensor.name, halved.name], tensor.rank)


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


def _first(value: Any, default: float) -> Any:
    """A number, which Keras may write as an array."""
    if value is None:
        return default
    if isinstance(value, dict):  # a NumPy number, serialized
        value = value.get("config", {}).get("value", default)
    return value[0] if isinstance(value, list) else value


def _find_input_shape(model: Config) -> tuple[int | None, ...] | None:
    """The shape of the input without the number of pictures; None where the file has none."""
    layers = list_layers(model)
    first = layers[0] if layers else {}
    if model.get("class_name") != "Sequential":
        ends = _list_ends(model["config"]["input_layers"])
        if len(ends) != 1:
            raise UnknownLayerError(f"The model takes {len(ends)} inputs; one is shown.")
        first = next(layer for layer in layers if name_of(layer) == ends[0][0])
    elif first.get("class_name") in MODELS:
        found = _find_input_shape(first)
        if found is not None:
            return found
    config = first.get("config", {})
    shape = None
    if isinstance(config, dict):
        shape = config.get("batch_input_shape", config.get("batch_shape"))
    if shape is None and isinstance(model["config"], dict):
        shape = model["config"].get("build_input_shape")
    if shape is None:
        built = model.get("build_config") or {}
        shape = built.get("input_shape")
    return None if shape is None else tuple(shape[1:])


def _list_ends(found: Any) -> list[tuple[str, int, int]]:
    """The inputs or outputs of a model: name, call and number of the tensor."""
    if found and isinstance(found[0], str):
        found = [found]
    if isinstance(found, dict):
        found = list(found.values())
    return [(str(name), int(node), int(tensor)) for name, node, tensor in found]


def _read_calls(layer: Config) -> list[tuple[list[tuple[str, int, int]], dict[str, Any]]]:
    """The calls of a layer: the tensors that it is given, and the other arguments."""
    calls = []
    for call in layer.get("inbound_nodes") or []:
        sources: list[tuple[str, int, int]] = []
        extra: dict[str, Any] = {}
        if isinstance(call, dict):  # Keras 3
            _collect(call.get("args"), sources, extra)
            for key, value in (call.get("kwargs") or {}).items():
                if key not in ("training", "mask"):
                    _collect({key: value}, sources, extra)
        else:
            for item in [call] if call and isinstance(call[0], str) else call:
                sources.append((str(item[0]), int(item[1]), int(item[2])))
                if len(item) > 3 and isinstance(item[3], dict):
                    extra |= {
                        key: value
                        for key, value in item[3].items()
                        if key not in ("training", "mask", "name", "dtype") and value is not None
                    }
        calls.append((sources, extra))
    return calls


def _collect(value: Any, sources: list[tuple[str, int, int]], extra: dict[str, Any]) -> None:
    """Collect the tensors and the plain numbers in the arguments of a call of Keras 3."""
    if isinstance(value, dict) and value.get("class_name") == "__keras_tensor__":
        name, node, tensor = value["config"]["keras_history"]
        sources.append((str(name), int(node), int(tensor)))
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, sources, extra)
    elif isinstance(value, list):
        for item in value:
            _collect(item, sources, extra)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        extra[str(len(extra))] = value
