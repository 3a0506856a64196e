"""What a file may ask for: limits relative to its size, and how deep its values nest."""

from abc import abstractmethod
from collections.abc import Collection, Iterator

import numpy as np

from model.contract.pickles.errors import PickleError
from model.contract.pickles.records import Record

_MEMORY = 128 * 2**20
_MEMORY_CAP = 4 * 2**30
_COPIES = 4
"""Bytes of memory for a byte of the file: an array is in the file, in memory, and converted."""
_COMPRESSED = 64
"""The same for a compressed file. Forests shrink by 4 to 15."""
_OPERATIONS = 500_000
_OPERATIONS_CAP = 50_000_000
_OPERATIONS_PER_BYTE = 0.25
"""A vocabulary, which has the most, takes 3 for a term of 19 bytes."""
_COMPRESSED_OPERATIONS = 1.0
_DEPTH = 100
"""A pipeline in a stack in a search nests about 30 deep."""


class Budget:
    """The memory and the operations that a file may still ask for."""

    def __init__(self, size: int, compressed: bool) -> None:
        """Set the limits of a file of so many bytes."""
        factor = _COMPRESSED if compressed else _COPIES
        self.memory = min(_MEMORY + factor * size, _MEMORY_CAP)
        self.content = self.memory // 2 if compressed else size
        """Bytes that may come out of the file."""
        per_byte = _COMPRESSED_OPERATIONS if compressed else _OPERATIONS_PER_BYTE
        self.operations = min(_OPERATIONS + int(per_byte * size), _OPERATIONS_CAP)

    def take_memory(self, count: int) -> None:
        """Count bytes before they are asked for.

        Raises:
            PickleError: if the file asks for too many.
        """
        self.memory -= count
        if self.memory < 0:
            raise PickleError("The file asks for far more memory than a model of its size needs.")

    def take_operation(self, count: int = 1) -> None:
        """Count an instruction of the file, or what takes as long as so many.

        Raises:
            PickleError: if the file has too many.
        """
        self.operations -= count
        if self.operations < 0:
            raise PickleError("The file holds far more objects than a model of its size needs.")


class Unfinished:
    """An array or dtype whose content is still to come; it is replaced where it was memoised."""

    def __init__(self) -> None:
        self.memo_keys: list[int] = []

    @abstractmethod
    def finish(self, state: object) -> object:
        """Make it from the state that the file gives."""


def check_values(root: object) -> None:
    """Check that values nest at most 100 deep and that none is unfinished, without recursion.

    Raises:
        PickleError: if they do, or one is.
    """
    heights = {0: 0}  # by identity; 0 while a value's own values are walked
    path: list[tuple[int, Iterator[object]]] = [(0, iter((root,)))]
    tallest = [0]  # of the values walked so far in each step of the path
    while path:
        key, parts = path[-1]
        for part in parts:
            height = heights.get(id(part))
            if height is None and (inner := _list_parts(part)):
                heights[id(part)] = 0
                path.append((id(part), iter(inner)))
                tallest.append(0)
                break
            tallest[-1] = max(tallest[-1], height or 0)
        else:
            path.pop()
            heights[key] = height = tallest.pop() + 1
            if path:
                tallest[-1] = max(tallest[-1], height)
        if len(path) > _DEPTH or heights[key] > _DEPTH:
            raise PickleError(f"The file nests its values more than {_DEPTH} deep.")


def _list_parts(value: object) -> Collection[object]:
    """The values in a value; members of sets, keys and slices have none.

    Raises:
        PickleError: if it is unfinished.
    """
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, Record):
        return (value.args, value.state, value.items, value.pairs)
    if isinstance(value, Unfinished):
        raise PickleError("The file holds an array that is not finished, or holds itself.")
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return value.ravel().tolist()
    return ()
