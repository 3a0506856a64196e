"""Texts that a pickle holds as an Arrow array: pandas keeps names so where pyarrow is installed.

The layout is that of Arrow's columnar format: offsets of 4 or 8 bytes, and then all letters.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from model.contract.pickles import Record

_OFFSETS = {"string": "<i4", "utf8": "<i4", "large_string": "<i8", "large_utf8": "<i8"}
_MOST = 1_000_000


def read_arrow_texts(array: object) -> list[str] | None:
    """Read what ``pyarrow.lib._restore_array`` is given; None where it is no array of texts."""
    if not isinstance(array, Record):
        return None
    if array.name == "chunked_array" and array.args and isinstance(array.args[0], list):
        parts = [read_arrow_texts(part) for part in array.args[0]]
        known = [part for part in parts if part is not None]
        return [text for part in known for text in part] if len(known) == len(parts) else None
    try:
        ((kind, length, _, start, (_, offsets, letters), *_),) = _as_any(array.args)
        places = np.frombuffer(_read(offsets), dtype=_OFFSETS[kind.args[0]])
        data = _read(letters)
        ends = places[start : start + length + 1].tolist()
        whole = len(ends) == length + 1 and length <= _MOST
        if not whole or ends != sorted(ends) or not 0 <= ends[0] <= ends[-1] <= len(data):
            return None
        return [data[first:last].decode() for first, last in pairwise(ends)]
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _as_any(value: Any) -> Any:
    return value


def _read(buffer: Any) -> bytes:
    (content,) = buffer.args
    if not isinstance(content, bytes | bytearray):
        raise TypeError
    return bytes(content)
