"""Arrays, scalars and dtypes of NumPy, built by hand from a file's bytes."""

import math
import re
from typing import Any

import numpy as np
import numpy.typing as npt

from model.contract.pickles.errors import PickleError, printable
from model.contract.pickles.limits import Budget, Unfinished
from model.contract.pickles.records import GlobalName

Array = npt.NDArray[Any]
DType = np.dtype[Any]

ARRAY_CLASSES = frozenset(
    (
        "numpy.ndarray",
        "numpy.matrix",
        "numpy.matrixlib.defmatrix.matrix",
        "numpy.memmap",
        "numpy.core.memmap.memmap",
        "numpy.recarray",
        "numpy.rec.recarray",
        "numpy.core.records.recarray",
    )
)
"""Arrays and their subclasses that hold nothing else; all are read as arrays."""

_SIZES = {"b": (1,), "i": (1, 2, 4, 8), "u": (1, 2, 4, 8), "f": (2, 4, 8), "c": (8, 16)}
_SIZES |= {"M": (8,), "m": (8,), "O": (0, 4, 8)}
_FLEXIBLE = "SUV"
_LONGEST_ITEM = 2**20
_MOST_FIELDS = 100
_FIELD = 4
"""Instructions that a field counts for, and an array: they take as long."""
_ARRAY = 8
_MOST_DIMENSIONS = 32
_LONGEST_EMPTY = 10**6
"""The longest side of an array without items: nothing in the file backs it."""
_UNITS = ("Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "generic")
_MOST_UNITS = 10**6
_LAST_CODE_POINT = 0x10FFFF
_CELL = 32
"""Bytes that an array's cell counts for where it holds an object: it takes time, too."""


class UnfinishedDtype(Unfinished):
    """A dtype that a file has named, before its byte order and fields."""

    def __init__(self, text: object, budget: Budget) -> None:
        """Take the dtype's code, such as ``f8``, or the class of its items."""
        super().__init__()
        self._text = text
        self._budget = budget

    def finish(self, state: object) -> DType:
        """Make the dtype.

        Raises:
            PickleError: if it is none of numbers, text, bytes, times, objects or fields of them.
        """
        if not isinstance(state, tuple) or len(state) < 7:
            raise PickleError("The file has an array whose type is damaged.")
        order, shaped, names, fields, itemsize = state[1:6]
        text = self._text
        if isinstance(text, GlobalName) and text.path in ("numpy.record", "numpy.void"):
            text = f"V{itemsize}" if isinstance(itemsize, int) else ""
        if shaped is not None:
            raise PickleError("The file has an array whose items are arrays, which is not read.")
        if names is None:
            return _make_dtype(text, order, state[8] if len(state) > 8 else None)
        if not isinstance(names, tuple) or not isinstance(fields, dict):
            raise PickleError("The file has an array with damaged fields.")
        self._budget.take_operation(_FIELD * min(len(names), _MOST_FIELDS))
        return _make_fields(_make_dtype(text, "|", None).itemsize, names, fields)


def _make_dtype(text: object, order: object, metadata: object) -> DType:
    match = re.fullmatch("([biufcmMOSUV])([0-9]{0,7})", text) if isinstance(text, str) else None
    kind, size = (match[1], int(match[2] or 0)) if match else ("", 0)
    if (
        size not in _SIZES.get(kind, ())
        and not (kind in _FLEXIBLE and kind and 0 < size <= _LONGEST_ITEM)
    ) or order not in ("<", ">", "|", "="):
        name = f": {printable(text, 20)}" if isinstance(text, str) else ""
        raise PickleError(f"The file has an array of a type that is not read{name}.")
    if kind == "O":
        return np.dtype(object)
    unit = _read_unit(metadata) if kind in "mM" else ""
    return np.dtype(f"{order}{kind}{size}{unit}")


def _read_unit(metadata: object) -> str:
    """The unit of times, such as ``[25s]``."""
    match metadata:
        case (_, (bytes(unit) | str(unit), int(count), _, _)):
            name = unit.decode("latin-1") if isinstance(unit, bytes) else unit
            if name in _UNITS and 0 < count <= _MOST_UNITS:
                return "" if name == "generic" else f"[{count}{name}]"
    raise PickleError("The file has times in an unknown unit.")


def _make_fields(itemsize: int, names: tuple[object, ...], fields: dict[Any, Any]) -> DType:
    formats, offsets = [], []
    for name in names[: _MOST_FIELDS + 1]:
        # A name that is a deep tuple would end the process when it is hashed.
        match fields.get(name) if isinstance(name, str) else None:
            case (np.dtype() as kind, int(offset), *_) if (
                kind.names is None and not kind.hasobject and 0 <= offset < itemsize
            ):
                formats.append(kind)
                offsets.append(offset)
            case _:
                raise PickleError("The file has an array with fields that are not read.")
    if len(names) > _MOST_FIELDS:
        raise PickleError("The file has an array with hundreds of fields.")
    made: Any = {"names": list(names), "formats": formats}
    dtype: DType = np.dtype(made | {"offsets": offsets, "itemsize": itemsize})
    return dtype


class UnfinishedArray(Unfinished):
    """An array that a file has named, before its content."""

    def __init__(self, budget: Budget) -> None:
        """Count its content against the file's budget."""
        super().__init__()
        self._budget = budget

    def finish(self, state: object) -> Array:
        """Make the array.

        Raises:
            PickleError: if type, shape and content do not fit each other.
        """
        match state:
            case (*_, shape, np.dtype() as dtype, fortran, data):
                return make_array(dtype, shape, data, bool(fortran), self._budget)
        raise PickleError("The file has an array without its parts.")


def make_array(dtype: DType, shape: object, data: object, fortran: bool, budget: Budget) -> Array:
    """Make an array, in the machine's byte order.

    Args:
        dtype: of its items.
        shape: a tuple of its sides.
        data: its bytes, as latin-1 text where Python 2 wrote it; a list for objects.
        fortran: whether the first index changes fastest.
        budget: of the file.

    Raises:
        PickleError: if they do not fit each other.
    """
    budget.take_operation(_ARRAY)
    sides = read_shape(shape)
    count = math.prod(sides)
    if dtype.hasobject:
        if not isinstance(data, list) or len(data) != count:
            raise PickleError("The file has an array of objects that does not fit its shape.")
        budget.take_memory(_CELL * count)
        _check_nesting(data, budget)
        array = np.fromiter(data, object, count)
    else:
        if isinstance(data, str):
            budget.take_memory(len(data))
            data = data.encode("latin-1")
        if not isinstance(data, (bytes, bytearray)) or len(data) != count * dtype.itemsize:
            raise PickleError("The file has an array that does not fit its shape.")
        budget.take_memory(len(data))
        array = np.frombuffer(data, dtype).copy() if count else np.empty(0, dtype)
    return finish_array(array, sides, fortran)


def _check_nesting(cells: list[object], budget: Budget) -> None:
    """Refuse arrays of objects in such arrays in a third: freeing a long chain overflows the stack.

    Raises:
        PickleError: if there is one.
    """
    for cell in cells:
        if isinstance(cell, np.ndarray) and cell.dtype.hasobject:
            budget.take_memory(_CELL * cell.size)  # a cell that is used often is walked often
            if any(isinstance(inner, np.ndarray) and inner.dtype.hasobject for inner in cell.flat):
                raise PickleError("The file nests arrays of objects in each other.")


def read_shape(shape: object) -> tuple[int, ...]:
    """The sides of an array.

    Raises:
        PickleError: if it is no shape.
    """
    if isinstance(shape, tuple) and len(shape) <= _MOST_DIMENSIONS:
        sides = tuple(int(side) for side in shape if isinstance(side, (int, np.integer)))
        if (
            len(sides) == len(shape)
            and all(side >= 0 for side in sides)
            and (0 not in sides or max(sides) <= _LONGEST_EMPTY)
        ):
            return sides
    raise PickleError("The file has an array whose shape is damaged.")


def finish_array(array: Array, sides: tuple[int, ...], fortran: bool) -> Array:
    """Check a flat array's values, and give it its byte order and shape.

    Raises:
        PickleError: if it has a flag or a character that there is none of.
    """
    for name in array.dtype.names or (None,):
        _check_items(array if name is None else array[name])
    native = array.dtype.newbyteorder("=")
    if native != array.dtype:
        array = array.astype(native)
    return array.reshape(sides, order="F" if fortran else "C")


def _check_items(items: Array) -> None:
    """Check what C code of NumPy takes as it is."""
    if items.dtype.kind == "b" and (items.view(np.uint8) > 1).any():
        raise PickleError("The file has an array of flags that are neither true nor false.")
    if items.dtype.kind == "U":
        codes = np.ascontiguousarray(items).view(np.uint32)
        if items.dtype.byteorder == ">":
            codes = codes.byteswap()
        if (codes > _LAST_CODE_POINT).any():
            raise PickleError("The file has an array of text with characters that do not exist.")


def make_scalar(dtype: object, data: object, budget: Budget) -> object:
    """Make a NumPy scalar.

    Raises:
        PickleError: if it is damaged.
    """
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise PickleError("The file has a number of a type that is not read.")
    if dtype.kind in "iuf" and isinstance(data, bytes) and len(data) == dtype.itemsize:
        return np.frombuffer(data, dtype)[0]  # vocabularies have hundreds of thousands
    return make_array(dtype, (1,), data, False, budget)[0]
