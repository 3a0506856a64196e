"""Takes the cells out of columns of Arrow; pyarrow belongs to `make batch-tools`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model.contract.arrays import Float64Array
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


def parse_numbers(column: pa.Array, pattern: str) -> Float64Array:
    """The numbers in a column of texts, shape (rows,).

    They are infinite where a text is longer than a number of 20 characters or does not match the
    pattern, which has only what Arrow takes for a number.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    # A pattern that counts to 20 itself would take three times as long to compile.
    matches = pc.match_substring_regex(column, rf"\A(?:{pattern})\z")
    short = pc.less_equal(pc.binary_length(column), _LONGEST)
    numbers = pc.if_else(pc.and_(matches, short), column, "inf").cast(pa.float64())
    parsed: Float64Array = np.array(numbers)
    return parsed


def split_lines(text: bytes, delimiter: str, width: int) -> list[pa.Array] | None:
    """Split lines of UTF-8 without quotes into columns of texts; blank lines are left out.

    Returns:
        The columns, each of shape (rows,); None where a line has another number of cells, or all
        are blank.
    """
    import pyarrow as pa
    from pyarrow import csv

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
