"""Writes a model of Keras as ONNX, layer by layer.

Tensors with a height and a width are kept with their channels first inside, as ONNX has them; the
input keeps the order of Keras.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import onnx
from onnx import TensorProto, helper

from model.making.pictures.keras.activations import activate
from model.making.pictures.keras.calls import find_input_shape, list_ends, read_calls
from model.making.pictures.keras.files import (
    MODELS,
    Config,
    KerasFile,
    UnknownLayerError,
    list_layers,
    name_of,
)
from model.making.pictures.keras.layers import LAYERS
from model.making.pictures.keras.nodes import LayerCall, Nodes, Tensor

_OPSET = 17
_IR_VERSION = 8

_NOTHING = frozenset(
    (
        "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise", "GaussianDropout",
        "AlphaDropout",
        "ActivityRegularization", "RandomFlip", "RandomRotation", "RandomZoom", "RandomContrast",
        "RandomTranslation", "RandomHeight", "RandomWidth", "RandomBrightness", "RandomHue",
        "RandomSaturation", "RandomColorJitter", "RandomShear", "RandomSharpness", "RandomErasing",
        "RandomPerspective", "RandomGaussianBlur", "RandomGrayscale", "RandomInvert",
        "RandomPosterization", "RandomColorDegeneration", "RandomElasticTransform", "Identity",
    )
)  # fmt: skip
"""Layers that change nothing once a network is trained."""


def convert_keras(file: KerasFile) -> onnx.ModelProto:
    """Write a Sequential or Functional model as ONNX.

    Raises:
        UnknownLayerError: with the first layer that is not known, or that is used in a way that is
            not.
    """
    return _Converter(file).convert()


class _Converter:
    """Walks through the layers, from the input to the output."""

    def __init__(self, file: KerasFile) -> None:
        self._file = file
        self._nodes = Nodes(file.release)

    def convert(self) -> onnx.ModelProto:
        kind = self._file.config.get("class_name")
        if kind not in MODELS:
            raise UnknownLayerError(f"{self._file.path} holds a {kind}, not a model of layers.")
        shape = find_input_shape(self._file.config)
        if shape is None:
            raise UnknownLayerError(
                f"{self._file.path} does not say which shape of input it takes. Build the model, "
                "for instance by calling it once, and save it again."
            )
        given = Tensor("input", len(shape) + 1)
        inner = self._nodes.to_channels_first(given) if given.rank == 4 else given
        found = self._add_model(self._file.config, [inner], ())
        if len(found) != 1:
            raise UnknownLayerError(f"{self._file.path} has {len(found)} outputs; one is shown.")
        last = self._nodes.to_channels_last(found[0])
        self._nodes.nodes.append(helper.make_node("Identity", [last.name], ["output"]))
        dims = ["N", *(size if size else f"d{place}" for place, size in enumerate(shape))]
        graph = helper.make_graph(
            self._nodes.nodes,
            "keras",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, dims)],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
            self._nodes.constants,
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
        inputs = list_ends(model["config"]["input_layers"])
        made: dict[tuple[str, int], list[Tensor]] = {}
        for (name, node, _), tensor in zip(inputs, given, strict=True):
            made[name, node] = [tensor]

        def find(name: str, node: int, output: int) -> Tensor:
            if (name, node) not in made:
                layer = layers[name]
                calls = read_calls(layer)
                if not calls:
                    raise UnknownLayerError(f"The layer {name!r} is given nothing.")
                # A model in a model counts the call that made it.
                sources, extra = calls[min(node, len(calls) - 1)]
                tensors = [find(*source) for source in sources]
                made[name, node] = self._add_layer(layer, tensors, (*place, name), extra)
            return made[name, node][output]

        # Deep networks have more layers than Python has room for calls in calls.
        for name, layer in layers.items():
            for node, (sources, _) in enumerate(read_calls(layer)):
                if all(source[:2] in made for source in sources):
                    find(name, node, 0)
        return [find(*end) for end in list_ends(model["config"]["output_layers"])]

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
        add = LAYERS.get(kind.lower())
        if add is None:
            raise UnknownLayerError(f"It has a layer of the kind {kind} ({place[-1]!r})")
        weights = self._file.weights.get(place, {})
        found = add(self._nodes, LayerCall(config, given, weights, extra))
        if kind in ("Activation", "LeakyReLU", "LSTM", "GRU"):  # they are one, or have it inside
            return [found]
        return [activate(self._nodes, config.get("activation"), found)]
