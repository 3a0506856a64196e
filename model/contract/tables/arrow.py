"""Takes the cells out of columns of Arrow; pyarrow belongs to `make batch-tools`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model.contract.arrays import BoolArray, ByteArray, Float64Array, IndexArray
from model.contract.tables.table import EncodedCells, TableError

if TYPE_CHECKING:
    import pyarrow as pa


_LONGEST = 20
"""Characters of a number that is read together with others."""


def require_arrow(what: str) -> Any:
    """Import pyarrow, which reads and writes Parquet.

    Args:
        what: what needs it, for the message.

    Raises:
        TableError: if it is not installed.
    """
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise TableError(
            f"{what} needs pyarrow, which is not installed. Run `make batch-tools`."
        ) from None
    return pyarrow


def encode_array(column: pa.Array | pa.ChunkedArray) -> EncodedCells | Float64Array | list[Any]:
    """The cells of a column: numbers as floats, shape (rows,), texts encoded, others as values."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers: Float64Array = np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
        return numbers
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        column = column.dictionary_encode()
    if not pa.types.is_dictionary(column.type):
        values: list[Any] = column.to_pylist()
        return values
    distinct = column.dictionary.to_pylist()
    indices = column.indices
    if indices.null_count:
        indices = indices.fill_null(len(distinct))
        distinct.append(None)
    texts = not indices.null_count and all(isinstance(cell, str) for cell in distinct)
    return EncodedCells(distinct, indices.to_numpy(zero_copy_only=False).astype(np.intp), texts)


def has_texts(column: Any) -> bool:
    """Whether a column is an array of Arrow with a text in each row."""
    if isinstance(column, np.ndarray | Sequence):
        return False
    import pyarrow as pa

    return pa.types.is_string(column.type) and not column.null_count


def parse_numbers(column: pa.Array) -> Float64Array:
    """The plain numbers in a column of texts, shape (rows,); infinite where a text is none.

    Plain are decimal digits with a point and a minus where they need one, at most 20 characters.
    With three decimals there are four digits or a single 0 before the point: 1.850 may be 1850.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(column):
        return np.empty(0)
    plain = _find_plain_numbers(*_view_texts(column))
    if not plain.all():
        column = pc.if_else(pa.array(plain), column, "inf")
    numbers: Float64Array = column.cast(pa.float64()).to_numpy()
    return numbers


def _view_texts(column: pa.Array) -> tuple[ByteArray, IndexArray]:
    """The bytes of all texts of a column, shape (bytes,), and where each begins, the last ends."""
    _, ends, data = column.buffers()
    offsets = np.frombuffer(ends, np.int32)[column.offset : column.offset + len(column) + 1]
    first, last = offsets[0], offsets[-1]
    return np.frombuffer(data or b"", np.uint8)[first:last], (offsets - first).astype(np.intp)


def _find_plain_numbers(data: ByteArray, offsets: IndexArray) -> BoolArray:
    """Whether each text, shape (rows,), is a plain number; see ``parse_numbers``."""
    starts, ends = offsets[:-1], offsets[1:]
    sizes = ends - starts
    short = (sizes > 0) & (sizes <= _LONGEST)
    is_other = data - ord("0") > 9
    if not is_other.any():
        return short
    others, before = np.flatnonzero(is_other), np.zeros(len(data) + 1, np.int32)
    np.cumsum(is_other, out=before[1:])
    before = before.take(offsets)
    has_minus = data.take(starts, mode="clip") == ord("-")
    further = np.diff(before) - has_minus
    # The first that is no digit behind the minus has to be the point, and the only one.
    points = others.take(before[:-1] + has_minus, mode="clip")
    points = np.where(further == 1, points, ends)
    is_point = data.take(points, mode="clip") == ord(".")
    whole, decimals = points - starts - has_minus, ends - points - 1
    unclear = (decimals == 3) & (whole < 4) & ((whole > 1) | (data[points - 1] != ord("0")))
    plain: BoolArray = (further == 0) | ((further == 1) & is_point & (decimals > 0) & ~unclear)
    plain &= short & (whole > 0)
    return plain


def are_written_as_is(column: pa.Array, special: bytes, starts: bytes) -> bool:
    """Whether the texts of a column may be written into a table as they are; False where unsure.

    Args:
        column: texts, shape (rows,).
        special: characters that none of them has.
        starts: characters with which only numbers below 0 begin.
    """
    data, offsets = _view_texts(column)
    text = data.tobytes()
    if any(sign in text for sign in special):
        return False
    if not any(sign in text for sign in starts):
        return True
    is_start = np.zeros(256, np.bool_)
    is_start[list(starts)] = True
    sizes = np.diff(offsets)
    begins = is_start[data.take(offsets[:-1], mode="clip")] & (sizes > 0)
    found = offsets[:-1][begins]
    if not len(found):
        return True
    if text.count(b"-") != len(found) or text.translate(None, b"0123456789.-"):
        return False
    digits = data.take(found + 1, mode="clip") - ord("0") <= 9
    return bool(digits.all() and (sizes[begins] > 1).all())


def split_lines(text: bytes, delimiter: str, width: int) -> list[pa.Array] | None:
    """Split lines of UTF-8 without quotes into columns of texts; blank lines are left out.

    Returns:
        The columns, each of shape (rows,); None where a line has another number of cells, or all
        are blank.
    """
    import pyarrow as pa
    from pyarrow import csv

    pa.enable_signal_handlers(False)  # its own would take Ctrl+C, and at times lose it
    names = list(map(str, range(width)))
    try:
        table = csv.read_csv(
            pa.BufferReader(text),
            csv.ReadOptions(use_threads=False, block_size=len(text), column_names=names),
            csv.ParseOptions(delimiter=delimiter, quote_char=False),
            csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    return [column.combine_chunks() for column in table.columns]


def join_texts(column: pa.Array) -> pa.Scalar:
    """The texts of a column, shape (rows,), with line breaks between them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ends = pa.array([0, len(column)], pa.int32())
    return pc.binary_join(pa.ListArray.from_arrays(ends, column), "\n")[0]


def join_columns(columns: Sequence[Any], sign: str) -> bytes:
    """The rows of columns of texts in UTF-8, one a line, with a sign between their cells."""
    import pyarrow as pa
    import pyarrow.compute as pc

    arrays = [cells if has_texts(cells) else pa.array(cells, pa.string()) for cells in columns]
    lines: bytes = join_texts(pc.binary_join_element_wise(*arrays, sign)).as_buffer().to_pybytes()
    return lines


def format_numbers(values: Float64Array) -> pa.Array:
    """The numbers of an array, shape (rows,), as the shortest texts; "" for NaN."""
    import pyarrow as pa

    return pa.array(values, mask=np.isnan(values)).cast(pa.string()).fill_null("")


def list_cells(column: Any) -> list[Any]:
    """The cells of a list, or an array of numbers, of encoded cells or of Arrow, as Python has
    them."""
    if isinstance(column, np.ndarray):
        numbers: list[Any] = [None if cell != cell else cell for cell in column.tolist()]
        return numbers
    if isinstance(column, EncodedCells):
        return [column.distinct[index] for index in column.indices.tolist()]
    if isinstance(column, Sequence):
        return list(column)
    values: list[Any] = column.to_pylist()
    return values
