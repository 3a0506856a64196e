"""The graph of ONNX that a model of Keras becomes, as far as it is written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from model.making.pictures.keras.files import Config, UnknownLayerError, Weights


class Tensor(NamedTuple):
    """A tensor of the graph: its name, and how many dimensions it has in Keras."""

    name: str
    rank: int


class LayerCall(NamedTuple):
    """One use of a layer: its configuration, what it is given, its arrays, other arguments.

    The arrays ``weights`` have the shape that Keras gives each of them.
    """

    config: Config
    given: Sequence[Tensor]
    weights: Weights
    extra: Mapping[str, Any]

    @property
    def first(self) -> Tensor:
        """The tensor of a layer that is given one."""
        return self.given[0]

    def weight(self, name: str) -> NDArray[Any]:
        """Return an array of the layer as float32, in the shape that Keras gives it.

        Raises:
            UnknownLayerError: if the file does not have it.
        """
        if name not in self.weights:
            raise UnknownLayerError(
                f"The file has no array {name!r} for the layer {self.config.get('name')!r}"
            )
        return np.asarray(self.weights[name], dtype=np.float32)


class Nodes:
    """The nodes and the constants of a graph so far.

    ``release`` is the release of Keras that wrote the model.
    """

    def __init__(self, release: str) -> None:
        self.release = release
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._count = 0

    def _name(self, what: str) -> str:
        self._count += 1
        return f"{what}_{self._count}"

    def add_constant(self, values: Any, what: str = "constant") -> str:
        """Add a constant of any shape, floats as float32, and return its name."""
        array = np.asarray(values)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        name = self._name(what)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(
        self, operator: str, inputs: Sequence[str], rank: int, place: int = 0, **keys: Any
    ) -> Tensor:
        """Add a node of whose outputs one is used, by its place, and return that."""
        name = self._name(operator.lower())
        outputs = [*[""] * place, name]
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, **keys))
        return Tensor(name, rank)

    def to_channels_first(self, given: Tensor) -> Tensor:
        """Turn (N, height, width, channels) into (N, channels, height, width)."""
        return self.add("Transpose", [given.name], 4, perm=[0, 3, 1, 2])

    def to_channels_last(self, given: Tensor) -> Tensor:
        """Turn (N, channels, height, width) back; another tensor stays as it is."""
        if given.rank != 4:
            return given
        return self.add("Transpose", [given.name], 4, perm=[0, 2, 3, 1])

    def add_channels(self, values: Any, rank: int) -> str:
        """Add a constant with a value a channel, or one for all, and return its name."""
        array: NDArray[Any] = np.asarray(values, dtype=np.float32).reshape(-1)
        if array.size > 1 and rank == 4:
            array = array.reshape(1, -1, 1, 1)
        return self.add_constant(array)


AddLayer = Callable[[Nodes, LayerCall], Tensor]
"""Adds the nodes of a layer, and returns its output.

Raises UnknownLayerError where the layer is used in a way that is not known."""
