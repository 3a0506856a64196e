"""The functions and dtypes that a file may name."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from model.contract.pickles.records import GlobalName, Record
from model.serving.estimators.attributes import State
from model.serving.estimators.errors import MismatchError, UnknownNameError

_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in (
        "abs", "absolute", "arcsinh", "arctan", "cbrt", "ceil", "cos", "cosh", "deg2rad", "exp",
        "exp2", "expm1", "fabs", "floor", "log", "log10", "log1p", "log2", "nan_to_num", "negative",
        "positive", "rad2deg", "reciprocal", "rint", "sign", "sin", "sinh", "sqrt", "square", "tan",
        "tanh", "trunc",
    )
}  # fmt: skip
"""Functions of one array, by the names that NumPy has for them."""

_DTYPES: Mapping[str, Any] = {
    **{
        f"numpy.{name}": getattr(np, name)
        for name in (
            "float32",
            "float64",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "object_",
            "bool_",
        )
    },
    "numpy.float": np.float64,  # Python's own, until NumPy 1.20
    "numpy.int": np.int64,
    "builtins.float": np.float64,
    "builtins.int": np.int64,
    "builtins.object": np.object_,
    "builtins.bool": np.bool_,
    "builtins.str": np.object_,
}


def decode_function(value: Any, state: State) -> Any:
    """Decode a function of one array.

    Raises:
        UnknownNameError: if it is another one.
        MismatchError: if it is none.
    """
    if value is None:
        return None
    if isinstance(value, Record) and value.name == "_ufunc_reconstruct":
        path = ".".join(part for part in value.args if isinstance(part, str))
    elif isinstance(value, GlobalName | Record):
        path = value.path
    else:
        raise MismatchError
    module, _, name = path.rpartition(".")
    if module.partition(".")[0] != "numpy" or name not in _FUNCTIONS:
        raise UnknownNameError(path)
    return _FUNCTIONS[name]


def decode_dtype(value: Any, state: State) -> Any:
    """Decode a dtype of numbers, flags or objects.

    Raises:
        MismatchError: if it is none.
    """
    if isinstance(value, np.dtype) and value.kind in "biufO":
        return value
    path = value.path if isinstance(value, GlobalName) else f"numpy.{value}"
    if value is None:
        return None
    if path not in _DTYPES:
        raise MismatchError
    return _DTYPES[path]
