"""What Keras writes of the graph of a model: its inputs, its outputs, the calls of its layers."""

from typing import Any

from model.making.pictures.keras.files import (
    MODELS,
    Config,
    UnknownLayerError,
    list_layers,
    name_of,
)


def find_input_shape(model: Config) -> tuple[int | None, ...] | None:
    """Find the shape of the input without the number of pictures; None where the file has none.

    Raises:
        UnknownLayerError: if the model takes several inputs.
    """
    layers = list_layers(model)
    first = layers[0] if layers else {}
    if model.get("class_name") != "Sequential":
        ends = list_ends(model["config"]["input_layers"])
        if len(ends) != 1:
            raise UnknownLayerError(f"The model takes {len(ends)} inputs; one is shown.")
        first = next(layer for layer in layers if name_of(layer) == ends[0][0])
    elif first.get("class_name") in MODELS:
        found = find_input_shape(first)
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


def list_ends(found: Any) -> list[tuple[str, int, int]]:
    """List the inputs or outputs of a model: name, call and number of the tensor."""
    if isinstance(found, dict):
        found = list(found.values())
    if found and isinstance(found[0], str):
        found = [found]
    return [(str(name), int(node), int(tensor)) for name, node, tensor in found]


def read_calls(layer: Config) -> list[tuple[list[tuple[str, int, int]], dict[str, Any]]]:
    """Read the calls of a layer: the tensors that it is given, and the other arguments."""
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
