"""Reads tables from Parquet files; pyarrow belongs to `make batch-tools`."""

from collections.abc import Iterator
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
    blocks = _read_blocks(table, pa, name)
    first = next(blocks, None)
    if first is None:
        raise TableError(f"{name} has no rows.")
    return OpenTable(tuple(table.schema_arrow.names), chain([first], blocks), first)


def _read_blocks(table: Any, pa: Any, name: str) -> Iterator[Block]:
    try:
        for batch in table.iter_batches(ROWS):
            if batch.num_rows:
                yield Block(batch.columns, batch.num_rows, texts=False)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{name} breaks off: {error}") from None
