"""Labels of an index of pandas, such as the names of a table's columns."""

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.contract.pickles.records import GlobalName, Record

_MOST_LABELS = 100_000
_OFFSETS = {"string": np.int32, "utf8": np.int32, "large_string": np.int64, "large_utf8": np.int64}


def read_labels(record: Record) -> NDArray[Any] | None:
    """Read the labels of an index, shape (labels,); None of anything else, or where it is damaged.

    Texts are arrays of NumPy until pandas 3, and since then pandas' own, or Arrow's where pyarrow
    is installed.
    """
    if record.name != "_new_Index" or not record.path.startswith("pandas."):
        return None
    match record.args:
        case (GlobalName(path), {"start": int(start), "stop": int(stop), "step": int(step)}) if (
            path.endswith(".RangeIndex") and step and 0 <= (stop - start) // step <= _MOST_LABELS
        ):
            return np.arange(start, stop, step)
        case (_, {"data": np.ndarray() as labels}) if labels.ndim == 1:
            return labels
        case (_, {"data": Record(state=(*_, np.ndarray() as labels))}) | (
            _,
            {"data": Record(state=(*_, np.ndarray() as labels, dict()))},
        ) if labels.ndim == 1:
            return labels
        case (_, {"data": Record(state={"_pa_array": Record(args=(tuple() as parts,)) as made})}):
            return _read_arrow(parts) if made.name == "_restore_array" else None
    return None


def _read_arrow(parts: tuple[object, ...]) -> NDArray[Any] | None:
    """Read an array of texts, laid out as https://arrow.apache.org/docs/format/Columnar.html says.

    Its parts are the type, the length, how many are missing, the place of the first, and the
    buffers: a bit for each that is there, where each begins and ends, and the bytes.
    """
    match parts:
        case (
            Record(args=(str(kind),)),
            int(length),
            0,
            int(first),
            [_, Record(args=(bytes() | bytearray() as ends,)), Record(args=(raw,))],
            *_,
        ) if kind in _OFFSETS and isinstance(raw, bytes | bytearray):
            width = np.dtype(_OFFSETS[kind]).itemsize
            if min(length, first) < 0 or (first + length + 1) * width > len(ends):
                return None
            places = np.frombuffer(ends, _OFFSETS[kind], length + 1, first * width).tolist()
            if length > _MOST_LABELS or places[0] < 0 or places[-1] > len(raw):
                return None
            if any(end < start for start, end in pairwise(places)):
                return None
            texts = [raw[start:end].decode("utf-8", "replace") for start, end in pairwise(places)]
            return np.array(texts, dtype=object)
    return None
