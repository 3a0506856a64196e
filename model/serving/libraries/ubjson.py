"""Reads Universal Binary JSON, in which XGBoost writes its models since 2.1."""

import struct
from typing import Any

import numpy as np

from model.contract.pickles import PickleError

_NUMBERS = {
    b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8", b"d": ">f4", b"D": ">f8",
}  # fmt: skip
_PLAIN = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 64


def read_ubjson(data: bytes) -> Any:
    """Read a value; a typed array becomes an array of NumPy.

    Raises:
        PickleError: if it is damaged, or nests more than 64 deep.
    """
    try:
        return _Reader(data).read_value(_DEEPEST)
    except (struct.error, UnicodeDecodeError, KeyError, ValueError) as error:
        raise PickleError("The file is damaged: it breaks off or holds odd values.") from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def _take(self, count: int) -> bytes:
        if count < 0 or self._at + count > len(self._data):
            raise ValueError
        self._at += count
        return self._data[self._at - count : self._at]

    def read_value(self, depth: int, marker: bytes = b"") -> Any:
        if not depth:
            raise PickleError(f"The file nests its values more than {_DEEPEST} deep.")
        marker = marker or self._take(1)
        if marker in _PLAIN:
            return _PLAIN[marker]
        if marker == b"S":
            return self._take(self._read_count()).decode()
        if marker == b"C":
            return self._take(1).decode("latin-1")
        if marker == b"{":
            return self._read_object(depth)
        if marker == b"[":
            return self._read_array(depth)
        return self._read_number(marker)

    def _read_number(self, marker: bytes) -> Any:
        dtype = np.dtype(_NUMBERS[marker])
        return np.frombuffer(self._take(dtype.itemsize), dtype)[0].item()

    def _read_count(self) -> int:
        count = self._read_number(self._take(1))
        if not isinstance(count, int):
            raise ValueError
        return count

    def _read_object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self._take(1) != b"}":
            self._at -= 1
            key = self._take(self._read_count()).decode()
            found[key] = self.read_value(depth - 1)
        return found

    def _read_array(self, depth: int) -> Any:
        marker = self._take(1)
        if marker == b"$":
            dtype = np.dtype(_NUMBERS[self._take(1)])
            if self._take(1) != b"#":
                raise ValueError
            count = self._read_count()
            if count < 0:
                raise ValueError
            typed = np.frombuffer(self._take(count * dtype.itemsize), dtype)
            return typed.astype(dtype.newbyteorder("="))
        if marker == b"#":
            count = self._read_count()
            if count > len(self._data) - self._at:
                raise ValueError
            return [self.read_value(depth - 1) for _ in range(count)]
        found = []
        while marker != b"]":
            found.append(self.read_value(depth - 1, marker))
            marker = self._take(1)
        return found
