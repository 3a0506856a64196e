"""What a file's calls give: a few plain values are made here, all else is a record of the call."""

from collections.abc import Callable
from typing import Any

import numpy as np

from model.contract.pickles.arrays import (
    ARRAY_CLASSES,
    UnfinishedArray,
    UnfinishedDtype,
    make_array,
    make_scalar,
)
from model.contract.pickles.errors import PickleError
from model.contract.pickles.limits import Budget
from model.contract.pickles.records import GlobalName, Record

_RECORD = 512
"""Bytes that a record with its lists counts for, which is about twice what it takes."""
_FLOAT_KEY = 4096
"""Up to 2,000 floats share a hash; this keeps them so few that they cannot slow a dict down."""
_SHOWN = 10
"""The most that a sign takes where Python shows it, like \\U0010ffff; a number takes 30 at most."""
_NUMBER = 3
_LONGEST_NAME = 100
_CODE = frozenset(("dill._dill._create_function", "dill._dill._create_type"))
"""What dill calls for code that it wrote into the file; --trust would need dill to run it."""
_CODECS = frozenset(("latin-1", "latin1", "ascii", "utf-8", "utf8"))


def make_key(value: object, budget: Budget) -> str | bytes | int | float | None:
    """Return a key of a dict or a member of a set.

    A tuple becomes its text: tuples can be made to share a hash, and no model that is known here
    has them.

    Raises:
        PickleError: if it is of another kind, or an integer of more than 64 bits.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple) and not any(isinstance(item, tuple) for item in value):
        lengths = (len(item) if isinstance(item, (str, bytes)) else _NUMBER for item in value)
        budget.take_memory(_SHOWN * sum(lengths))
        value = repr(tuple(make_key(item, budget) for item in value))
    if isinstance(value, float):
        budget.take_memory(_FLOAT_KEY)
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**64:  # larger ones can be made to share a hash
            raise PickleError("The file has a key that is a number of more than 64 bits.")
    elif not (value is None or isinstance(value, (str, bytes))):
        raise PickleError("The file has a key that is neither text nor a number.")
    return value


def call(function: object, args: object, budget: Budget) -> object:
    """Return what a call gives, which is a record unless it makes a plain value.

    Args:
        function: what the file calls.
        args: what it is called with.
        budget: of the file.

    Raises:
        PickleError: if that is no class or function of a name, or cannot be called like this.
    """
    path = function.path if isinstance(function, (GlobalName, Record)) else ""
    if path in _CODE or (isinstance(function, Record) and path.startswith("cloudpickle.")):
        raise PickleError(
            f"{path.partition('.')[0]} wrote classes or functions of a notebook into the "
            "file. Write them into a Python file, import them from there, fit and save the model "
            "with joblib, and add it with --trust --module FILE.py."
        )
    if not isinstance(function, GlobalName) or not isinstance(args, tuple):
        raise PickleError("The file calls something that is not a class or a function.")
    budget.take_memory(8 * len(args))
    make = _MAKERS.get(function.path)
    if make is None:
        return make_record(function.path, args, budget)
    try:
        return make(args, budget)
    except (AttributeError, IndexError, OverflowError, TypeError, ValueError) as error:
        raise PickleError(f"The file calls {function.path} in a way that cannot be.") from error


def make_record(path: str, args: tuple[object, ...], budget: Budget) -> Record:
    """Make a record.

    Raises:
        PickleError: if the file has too many.
    """
    budget.take_memory(_RECORD)
    return Record(path, args)


def _make_array_shell(args: tuple[Any, ...], budget: Budget) -> object:
    cls, *rest = args
    if not isinstance(cls, GlobalName):
        raise TypeError
    if cls.path in ARRAY_CLASSES:
        return UnfinishedArray(budget)
    return make_record(cls.path, tuple(rest), budget)


def _make_array_at_once(args: tuple[Any, ...], budget: Budget) -> object:
    """An array as dill writes it: what makes it and what fills it, in one call."""
    make, shell, state, *_ = args
    if make.path != "numpy.core.multiarray._reconstruct":
        raise TypeError
    made = _make_array_shell(shell, budget)
    if not isinstance(made, UnfinishedArray):
        raise TypeError
    return made.finish(state)


def _make_scalar(args: tuple[Any, ...], budget: Budget) -> object:
    dtype, data = args
    return make_scalar(dtype, data, budget)


def _make_array_of_buffer(args: tuple[Any, ...], budget: Budget) -> object:
    data, dtype, shape, order, *axes = args
    if not isinstance(dtype, np.dtype) or dtype.hasobject or order not in ("C", "F", "K"):
        raise TypeError
    if order != "K":
        return make_array(dtype, shape, data, order == "F", budget)
    return make_array(dtype, shape, data, False, budget).transpose(*axes)  # since NumPy 2.4


def _encode(args: tuple[Any, ...], budget: Budget) -> bytes:
    text, codec = args if len(args) == 2 else (*args, "utf-8")
    if not isinstance(text, str) or not isinstance(codec, str) or codec not in _CODECS:
        raise TypeError
    budget.take_memory(4 * len(text))
    return text.encode(codec)


def _make_bytes(args: tuple[Any, ...], budget: Budget) -> bytes:
    match args:
        case ():
            return b""
        case (bytes(data),):
            return data
        case (bytearray(data),):
            budget.take_memory(len(data))
            return bytes(data)
        case (str(), str()):
            return _encode(args, budget)
        case _:
            raise TypeError


def _make_bytearray(args: tuple[Any, ...], budget: Budget) -> bytearray:
    data = _make_bytes(args, budget)
    budget.take_memory(len(data))
    return bytearray(data)


def _list_items(args: tuple[Any, ...], budget: Budget) -> tuple[object, ...]:
    """The items of the one sequence that a container is made of."""
    match args:
        case ():
            return ()
        case ((list() | tuple() | set() | frozenset()) as items,):
            budget.take_memory(64 * len(items))
            return tuple(items)
        case _:
            raise TypeError


def _make_set(args: tuple[Any, ...], budget: Budget) -> set[object]:
    return {make_key(item, budget) for item in _list_items(args, budget)}


def _make_dict(args: tuple[Any, ...], budget: Budget) -> dict[object, object]:
    pairs: Any = _list_items(args, budget)  # Python 2 wrote lists of two
    return {make_key(key, budget): value for key, value in pairs}


def _make_complex(args: tuple[Any, ...], budget: Budget) -> complex:
    real, imaginary = args
    if not isinstance(real, (int, float)) or not isinstance(imaginary, (int, float)):
        raise TypeError
    return complex(real, imaginary)


def _make_slice(args: tuple[Any, ...], budget: Budget) -> slice:
    ends = [end.item() if isinstance(end, np.generic) else end for end in args]
    if not all(end is None or isinstance(end, (int, str)) for end in ends):
        raise TypeError
    return slice(*ends)


def _reconstruct(args: tuple[Any, ...], budget: Budget) -> object:
    """What Python's protocols 0 and 1 make: an object of a class, of a base with a value."""
    cls, base, value = args
    if isinstance(base, GlobalName) and base.path == "builtins.tuple" and isinstance(value, tuple):
        return _call_class(cls, value, budget)  # a named tuple is made of its fields
    return _call_class(cls, () if value is None else (value,), budget)


def _make_new_with_names(args: tuple[Any, ...], budget: Budget) -> object:
    cls, positional, named = args
    budget.take_memory(8 * len(positional) + 8 * len(named))
    return _call_class(cls, (*positional, *named.values()), budget)


def _call_class(cls: object, args: tuple[object, ...], budget: Budget) -> object:
    """Call what copyreg calls, which is never copyreg again."""
    if isinstance(cls, GlobalName) and cls.path.startswith("copyreg."):
        raise TypeError
    return call(cls, args, budget)


def _name_attribute(args: tuple[Any, ...], budget: Budget) -> object:
    """A method of a class, as protocols before 4 write it: its name, and nothing is looked up."""
    match args:
        case (GlobalName(path), str(name)) if name.isidentifier() and len(name) <= _LONGEST_NAME:
            return GlobalName(f"{path}.{name}")
    return make_record("builtins.getattr", args, budget)


def _name_type(args: tuple[Any, ...], budget: Budget) -> object:
    """A type of Python's own that has no name in a module, as cloudpickle writes it."""
    (name,) = args
    return GlobalName(f"types.{name}")


def _name_function(args: tuple[Any, ...], budget: Budget) -> object:
    """A function whose code is in the file, as cloudpickle writes it: a record of its name alone.

    Nothing is made of its code, and nobody knows the name, so the person is told it.
    """
    code, names, *_ = args
    _file, name, *_ = (part for part in code.args if isinstance(part, str))
    return make_record(f"{names.get('__name__', '__main__')}.{name}", (), budget)


_MAKERS: dict[str, Callable[[tuple[Any, ...], Budget], object]] = {
    "_codecs.encode": _encode,
    "builtins.bytearray": _make_bytearray,
    "builtins.bytes": _make_bytes,
    "builtins.complex": _make_complex,
    "builtins.dict": _make_dict,
    "builtins.frozenset": lambda args, budget: frozenset(_make_set(args, budget)),
    "builtins.getattr": _name_attribute,
    "builtins.list": lambda args, budget: list(_list_items(args, budget)),
    "builtins.set": _make_set,
    "builtins.slice": _make_slice,
    "builtins.tuple": _list_items,
    "cloudpickle.cloudpickle._builtin_type": _name_type,
    "cloudpickle.cloudpickle._make_function": _name_function,
    "collections.OrderedDict": _make_dict,
    "collections.defaultdict": lambda args, budget: _make_dict(args[1:], budget),
    "dill._dill._create_array": _make_array_at_once,
    "copyreg.__newobj__": lambda args, budget: _call_class(args[0], args[1:], budget),
    "copyreg.__newobj_ex__": _make_new_with_names,
    "copyreg._reconstructor": _reconstruct,
    "numpy.core.multiarray._reconstruct": _make_array_shell,
    "numpy.core.multiarray.scalar": _make_scalar,
    "numpy.core.numeric._frombuffer": _make_array_of_buffer,
    "numpy.dtype": lambda args, budget: UnfinishedDtype(args[0], budget),
}
"""Keyed by the function's path. Each takes the arguments and the budget."""
