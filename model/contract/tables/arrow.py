"""Takes the cells out of columns of Arrow; pyarrow belongs to `make batch-tools`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from model.contract.arrays import Float64Array
from model.contract.tables.table import EncodedCells, TableError

if TYPE_CHECKING:
    import pyarrow as pa


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


def list_cells(column: Any) -> list[Any]:
    """The cells of an array of numbers, of encoded cells or of Arrow, as Python's values."""
    if isinstance(column, np.ndarray):
        numbers: list[Any] = [None if cell != cell else cell for cell in column.tolist()]
        return numbers
    if isinstance(column, EncodedCells):
        return [column.distinct[index] for index in column.indices.tolist()]
    values: list[Any] = column.to_pylist()
    return values
