"""The files in which Keras keeps a model: HDF5 of Keras 2 and 3, and the archive of Keras 3."""

import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.making.errors import AddError, quote_error, require_file

Config = Mapping[str, Any]
Weights = Mapping[str, NDArray[Any]]
"""The arrays of one layer by their names in Keras 2, such as "kernel"."""

MODELS = ("Sequential", "Functional", "Model")
"""What Keras calls a layer that is a model with layers of its own."""

_MAX_BYTES = 2_000_000_000
"""Bytes of weights above which ONNX cannot hold them in one file."""

_ORDERS: dict[str, tuple[str, ...]] = {
    "Bidirectional": ("kernel", "recurrent_kernel", "bias"),
    "Conv1D": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "Dense": ("kernel", "bias"),
    "DepthwiseConv2D": ("depthwise_kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "Embedding": ("embeddings",),
    "GRU": ("kernel", "recurrent_kernel", "bias"),
    "LSTM": ("kernel", "recurrent_kernel", "bias"),
    "PReLU": ("alpha",),
    "Normalization": ("mean", "variance", "count"),
}
"""The arrays of a layer in the order of a file that numbers them."""

_PLACES = {
    "": "",
    "cell/": "",
    "forward_layer/cell/": "forward_",
    "backward_layer/cell/": "backward_",
}
"""Where the arrays of a layer lie in its group, and what their names begin with."""


class UnknownLayerError(AddError):
    """A layer, or a way to use one, is not known here; another program may convert it."""


@dataclass(frozen=True, eq=False)
class KerasFile:
    """The architecture of a model, and its arrays by the path of the layer's names.

    Each array has the shape that Keras gave it.
    """

    path: Path
    config: Config
    release: str
    weights: dict[tuple[str, ...], Weights] = field(default_factory=dict)

    @property
    def described(self) -> str:
        """The file in words."""
        return f"a model of Keras {self.release}" if self.release else "a model of Keras"


def read_keras(path: Path) -> KerasFile:
    """Read an ``.h5`` or ``.keras`` file.

    Raises:
        AddError: if it is none, or has no architecture, and what to do.
    """
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise AddError("A file of Keras needs h5py. Run `make add-tools`.") from error
    require_file(path)
    try:
        if zipfile.is_zipfile(path):
            return _read_archive(path, h5py)
        with h5py.File(path, "r") as file:
            return _read_hdf5(path, file, h5py)
    except AddError:
        raise
    except Exception as error:  # what h5py raises depends on the file's bytes
        raise AddError(
            f"{path} cannot be read as a model of Keras ({quote_error(error)}). It may be cut "
            "short: save it again with model.save()."
        ) from error


def _read_hdf5(path: Path, file: Any, h5py: Any) -> KerasFile:
    text = file.attrs.get("model_config")
    if text is None:
        raise AddError(
            f"{path} holds weights alone and not the network itself. Save it whole, with "
            "model.save('model.keras') instead of model.save_weights()."
        )
    config = json.loads(text.decode() if isinstance(text, bytes) else text)
    release = file.attrs.get("keras_version", "")
    release = release.decode() if isinstance(release, bytes) else str(release)
    arrays = _list_arrays(file.get("model_weights", file), h5py)
    found = KerasFile(path, config, release)
    flat: dict[tuple[str, str], NDArray[Any]] = {}
    for name, array in arrays.items():
        parts = name.split("/")
        variable = re.sub(r":\d+$", "", parts[-1])
        if len(parts) > 2 and re.fullmatch(r"(lstm|gru)_cell(_\d+)?", parts[-2]):
            parts = parts[:-1]
            if side := re.match(r"(forward|backward)_", parts[-2]):
                parts, variable = parts[:-1], f"{side[0]}{variable}"
        # A layer in a model stands in the group of that: its own name is the last but one.
        flat[parts[-2] if len(parts) > 1 else "", variable] = array
    for place, layer in _walk(config):
        own = {variable: array for (name, variable), array in flat.items() if name == place[-1]}
        if layer["class_name"] == "DepthwiseConv2D" and "kernel" in own:
            own["depthwise_kernel"] = own.pop("kernel")
        found.weights[place] = own
    return found


def _read_archive(path: Path, h5py: Any) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if "config.json" not in names or "model.weights.h5" not in names:
            raise AddError(
                f"{path} is a ZIP archive, but no model of Keras 3: that has a config.json and a "
                "model.weights.h5."
            )
        if archive.getinfo("model.weights.h5").file_size > _MAX_BYTES:
            raise AddError(f"{path} has more than 2 GB of weights, too many to be served.")
        config = json.loads(archive.read("config.json"))
        release = ""
        if "metadata.json" in names:
            release = str(json.loads(archive.read("metadata.json")).get("keras_version", ""))
        with h5py.File(BytesIO(archive.read("model.weights.h5")), "r") as file:
            arrays = _list_arrays(file, h5py)
    found = KerasFile(path, config, release)
    _number_layers(config, "", (), arrays, found.weights)
    return found


def _list_arrays(group: Any, h5py: Any) -> dict[str, NDArray[Any]]:
    """The arrays below a group by their paths; links to other files are not followed."""
    arrays: dict[str, NDArray[Any]] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu":
            if item.nbytes > _MAX_BYTES:
                raise AddError("It has more than 2 GB of weights, too many to be served.")
            arrays[name] = np.asarray(item[()])

    group.visititems(visit)
    return arrays


def _number_layers(
    model: Config,
    prefix: str,
    place: tuple[str, ...],
    arrays: Mapping[str, NDArray[Any]],
    weights: dict[tuple[str, ...], Weights],
) -> None:
    """Find the arrays of each layer in a file that names groups by class and number."""
    counts: dict[str, int] = {}
    for layer in list_layers(model):
        kind = layer["class_name"]
        group = _to_snake_case("functional" if kind in ("Functional", "Model") else kind)
        number = counts.get(group, 0)
        counts[group] = number + 1
        where = f"{prefix}layers/{group}{f'_{number}' if number else ''}"
        own = (*place, name_of(layer))
        if kind in MODELS:
            _number_layers(layer, f"{where}/", own, arrays, weights)
            continue
        found: dict[str, NDArray[Any]] = {}
        for inside, before in _PLACES.items():
            numbered: list[NDArray[Any]] = []
            while (array := arrays.get(f"{where}/{inside}vars/{len(numbered)}")) is not None:
                numbered.append(array)
            names = (f"{before}{name}" for name in _list_names(kind, layer["config"]))
            found |= zip(names, numbered, strict=False)
        weights[own] = found


def _list_names(kind: str, config: Config) -> tuple[str, ...]:
    if kind == "BatchNormalization":
        names = ["gamma"] if config.get("scale", True) else []
        names += ["beta"] if config.get("center", True) else []
        return (*names, "moving_mean", "moving_variance")
    return _ORDERS.get(kind, ())


def _to_snake_case(name: str) -> str:
    """Write a class's name as Keras names its group."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def list_layers(model: Config) -> Sequence[Config]:
    """The layers of a model; Keras before 2.2.3 kept those of a Sequential as a bare list.

    A class of the author's own lists none.
    """
    config = model["config"]
    layers = config if isinstance(config, list) else config.get("layers", ())
    return [layer for layer in layers if isinstance(layer, dict)]


def name_of(layer: Config) -> str:
    """The name of a layer."""
    config = layer["config"]
    inner = config.get("name") if isinstance(config, dict) else None
    return str(layer.get("name") or inner or layer["class_name"])


def _walk(model: Config, place: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Config]]:
    """All layers, those of models in it as well, with their paths."""
    found: list[tuple[tuple[str, ...], Config]] = []
    for layer in list_layers(model):
        own = (*place, name_of(layer))
        if layer["class_name"] in MODELS:
            found += _walk(layer, own)
        else:
            found.append((own, layer))
    return found
