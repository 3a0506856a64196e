"""Reads tables from files of Parquet, Feather and Arrow; pyarrow is in `make batch-tools`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO

from model.contract.tables.arrow import require_arrow
from model.contract.tables.table import Block, OpenTable, ReadOptions, TableError

ROWS = 32_768
"""Rows of a block."""


def read_parquet(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open a Parquet file, which can be read at any place.

    Raises:
        TableError: if it is none, has no rows, or pyarrow is not installed.
    """
    pa = require_arrow(name)
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(file)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{name} cannot be read as Parquet: {error}") from None
    return _open_batches(table.schema_arrow.names, lambda: table.iter_batches(ROWS), name)


_FIRST_FEATHER = b"FEA1"
"""How a file of Feather's first version begins; later ones are Arrow files."""


def read_feather(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open a Feather file, an Arrow file or an Arrow stream, which can be read at any place.

    Raises:
        TableError: if it is none, has no rows, or pyarrow is not installed.
    """
    pa = require_arrow(name)
    try:
        try:
            parts = pa.ipc.open_file(file)
        except pa.ArrowInvalid:
            file.seek(0)
            parts = pa.ipc.open_stream(file)
    except (pa.ArrowException, OSError) as error:
        file.seek(0)
        is_old = file.read(4) == _FIRST_FEATHER
        problem = "it is of the first version of Feather. Save it anew" if is_old else error
        raise TableError(f"{name} cannot be read as Feather or Arrow: {problem}.") from None
    return _open_batches(parts.schema.names, lambda: _list_batches(parts), name)


def _list_batches(parts: Any) -> Iterator[Any]:
    """The batches of a file, which can be read in any order, or of a stream."""
    if hasattr(parts, "num_record_batches"):
        return map(parts.get_batch, range(parts.num_record_batches))
    return iter(parts)


def _open_batches(header: Sequence[str], read: Callable[[], Iterable[Any]], name: str) -> OpenTable:
    blocks = _read_blocks(read, name)
    first = next(blocks, None)
    if first is None:
        raise TableError(f"{name} has no rows.")
    return OpenTable(tuple(header), chain([first], blocks), first)


def _read_blocks(read: Callable[[], Iterable[Any]], name: str) -> Iterator[Block]:
    pa = require_arrow(name)
    try:
        for batch in read():
            for start in range(0, batch.num_rows, ROWS):
                part = batch.slice(start, ROWS)
                yield Block(part.columns, part.num_rows, texts=False)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{name} breaks off: {error}") from None
