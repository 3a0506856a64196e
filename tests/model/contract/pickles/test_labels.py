"""Labels of an index of pandas; those of Arrow are made by hand: pyarrow is an optional group."""

from __future__ import annotations

import numpy as np
import pytest

from model.contract.pickles import GlobalName, Record, read_labels

ENDS = np.array([0, 3, 7, 12], dtype=np.int64)


def make_index(
    length: int, first: int, ends: bytes, raw: bytes = b"agesize\xc3\xa9tage", missing: int = 0
) -> Record:
    """Make what a pickle of ``pd.Index(["age", "size", "étag"], dtype="str")`` holds."""
    buffers = [None, *(Record("pyarrow.lib.py_buffer", (data,)) for data in (ends, raw))]
    kind = Record("pyarrow.lib.type_for_alias", ("large_string",))
    parts: tuple[object, ...] = (kind, length, missing, first, buffers, [], None)
    texts = {"_pa_array": Record("pyarrow.lib._restore_array", (parts,))}
    data = Record("pandas.core.arrays.string_arrow.ArrowStringArray", (), texts)
    arguments = (GlobalName("pandas.Index"), {"data": data, "name": None})
    return Record("pandas.core.indexes.base._new_Index", arguments)


def test_labels_that_arrow_keeps_are_read() -> None:
    for first, expected in ((0, ["age", "size", "étag"]), (1, ["size", "étag"])):
        labels = read_labels(make_index(3 - first, first, ENDS.tobytes()))
        assert labels is not None
        assert labels.tolist() == expected


@pytest.mark.parametrize(
    "index",
    [
        make_index(4, 0, ENDS.tobytes()),
        make_index(3, 1, ENDS.tobytes()),
        make_index(-1, 0, ENDS.tobytes()),
        make_index(2**62, 0, ENDS.tobytes()),
        make_index(3, 0, ENDS.tobytes(), b"age"),
        make_index(3, 0, np.array([0, 7, 3, 12]).tobytes()),
        make_index(3, 0, np.array([-9, 3, 7, 12]).tobytes()),
        make_index(3, 0, ENDS.tobytes(), missing=1),
    ],
)
def test_buffers_that_do_not_hold_what_they_promise_give_none(index: Record) -> None:
    assert read_labels(index) is None
