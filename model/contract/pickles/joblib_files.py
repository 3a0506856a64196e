"""The arrays of joblib's files, which lie between the instructions of the pickle."""

import math
from collections.abc import Callable

import numpy as np

from model.contract.pickles.arrays import ARRAY_CLASSES, Array, DType, finish_array, read_shape
from model.contract.pickles.byte_source import ByteSource
from model.contract.pickles.errors import PickleError
from model.contract.pickles.limits import Budget, Unfinished
from model.contract.pickles.records import GlobalName

_MODULES = ("joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle")
WRAPPERS = frozenset(f"{module}.NumpyArrayWrapper" for module in _MODULES)
OLD_WRAPPERS = frozenset(
    f"{module}{compat}.{name}"
    for module in _MODULES
    for compat in ("", "_compat")
    for name in ("NDArrayWrapper", "ZNDArrayWrapper")
)
"""joblib before 0.10 wrote each array to a file of its own."""


_ALIGNMENT = "numpy_array_alignment_bytes"


class UnfinishedJoblibArray(Unfinished):
    """An array that joblib wrote behind its description."""

    def __init__(
        self, source: ByteSource, budget: Budget, read_nested: Callable[[], object]
    ) -> None:
        """Read from the file's bytes; arrays of objects are a pickle of their own."""
        super().__init__()
        self._source = source
        self._budget = budget
        self._read_nested = read_nested

    def finish(self, state: object) -> Array:
        """Read the array, of the shape that its description gives.

        Raises:
            PickleError: if description and bytes do not fit each other.
        """
        if not isinstance(state, dict):
            state = {}
        match state:
            case {
                "subclass": GlobalName(path),
                "shape": shape,
                "order": "C" | "F" as order,
                "dtype": np.dtype() as dtype,
            } if path in ARRAY_CLASSES:
                return self._read(dtype, shape, order, state.get(_ALIGNMENT) is not None)
        raise PickleError("The file has a joblib array whose description is damaged.")

    def _read(self, dtype: DType, shape: object, order: str, aligned: bool) -> Array:
        if dtype.hasobject:
            array = self._read_nested()
            if not isinstance(array, np.ndarray) or array.dtype != dtype:
                raise PickleError("The file has a joblib array of objects that is damaged.")
            return array
        sides = read_shape(shape)
        if aligned:  # padding lies before the array, since joblib 1.2
            self._source.read(self._source.read(1)[0])
        size = math.prod(sides) * dtype.itemsize
        self._source.check_left(size)
        self._budget.take_memory(size)
        data = np.empty(size, np.uint8)
        self._source.read_into(data.data)
        return finish_array(data.view(dtype), sides, order == "F")
