"""Finds what of a model's file runs code, or reads and writes files, when Keras loads it.

Keras has a safe mode of its own, which Keras 2 does not apply to ``.h5`` files and which older
releases left ways around.
"""

from collections.abc import Iterator
from typing import Any

from model.making.pictures.keras.files import Config

_RUNNING = frozenset(
    (
        "Lambda", "__lambda__", "function", "TFSMLayer", "TorchModuleWrapper", "JaxLayer",
        "FlaxLayer", "TensorFlowOpLayer", "InstanceMethod", "InstanceProperty", "ClassMethod",
        "StringLookup", "IntegerLookup", "TextVectorization",
    )
)  # fmt: skip
"""Classes that hold code, or name a file that is opened."""

_MODULES = ("keras", "tf_keras", "builtins")

_OPERATIONS = ("math", "nn", "image", "linalg", "__operators__")
"""Modules of TensorFlow with arithmetic alone; ``io`` and others write files."""

_PLAIN = frozenset(
    (
        "cast", "clip_by_value", "concat", "convert_to_tensor", "expand_dims", "gather", "identity",
        "ones_like", "pad", "repeat", "reshape", "reverse", "shape", "slice", "split", "squeeze",
        "stack", "strided_slice", "tile", "transpose", "unstack", "where", "zeros_like",
        "compat.v1.shape", "compat.v1.transpose", "compat.v1.squeeze", "compat.v1.pad",
    )
)  # fmt: skip


def find_code(model: Config) -> str:
    """Name the first thing in a model that may run code when it is loaded, "" without one."""
    for item in _walk(model):
        kind, module = str(item.get("class_name", "")), item.get("module")
        if kind in _RUNNING:
            return f"a layer or function of the kind {kind}"
        if isinstance(module, str) and module.partition(".")[0] not in _MODULES:
            return f"{kind} of the module {module}"
        if kind in ("TFOpLambda", "SlicingOpLambda"):
            config = item.get("config")
            operation = str(config.get("function", "") if isinstance(config, dict) else config)
            if operation not in _PLAIN and operation.partition(".")[0] not in _OPERATIONS:
                return f"the operation tf.{operation}"
    return ""


def _walk(item: Any) -> Iterator[Config]:
    """All dictionaries in a model, but not how it was fitted, which is not loaded."""
    waiting = [item]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            yield item
            waiting += [value for key, value in item.items() if key != "compile_config"]
        elif isinstance(item, list):
            waiting += item
