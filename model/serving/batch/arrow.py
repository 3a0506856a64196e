"""Answers record batches of Arrow, as Dask, Spark and Ray hand them to a function.

pyarrow belongs to `make batch-tools`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from model.contract.tables.arrow import list_cells, require_arrow
from model.contract.tables.table import Block, TableError
from model.serving.batch.answers import Answers
from model.serving.batch.predictor import BatchPredictor
from model.serving.loading import load_model
from model.serving.tabular import TabularModel, take_tabular

if TYPE_CHECKING:
    import pyarrow as pa

_MODELS = Path(__file__).parents[2]
"""The folder with the models of the app."""

_SAMPLE_ROWS = 1000

_GROUP_ROWS = 32_768
"""Rows of a group in a Parquet file, whose end is kept in memory for each."""


@lru_cache(maxsize=8)
def open_model(name: str) -> TabularModel[Any]:
    """Load a model of rows once a process.

    Args:
        name: its name among the models of the app, like house-price, or the path of its folder.

    Raises:
        ModelError: if it is not sound.
        TableError: if it takes no rows.
    """
    folder = Path(name)
    if not folder.is_dir():
        folder = _MODELS / name.replace("-", "_")
    return take_tabular(load_model(folder))


def predict_batches(
    batches: Iterable[pa.RecordBatch], model: TabularModel[Any] | str, warnings: bool = True
) -> Iterator[pa.RecordBatch]:
    """Answer the rows of record batches: each comes back with the columns of its answers.

    Args:
        batches: of one schema.
        model: a model of rows, or its name, with which each process loads it once.
        warnings: whether rows that are unlike all training rows are looked for.

    Raises:
        TableError: if a column of the model is missing or there twice.
    """
    opened = open_model(model) if isinstance(model, str) else model
    predictor: BatchPredictor | None = None
    for batch in batches:
        if predictor is None:
            sample = _take_sample(batch)
            predictor = BatchPredictor(opened, batch.schema.names, sample, warnings=warnings)
        block = Block(batch.columns, batch.num_rows, texts=False)
        names = [*batch.schema.names, *predictor.columns]
        yield build_batch(names, block, predictor.predict(block))


def list_answer_types(model: TabularModel[Any] | str) -> dict[str, str]:
    """The columns that ``predict_batches`` adds, and whether each is a double or a string.

    A table that has a column of such a name gets ours with the prefix ``formcast_``.
    """
    opened = open_model(model) if isinstance(model, str) else model
    names = (*opened.answer_columns, "warning", "error")
    texts = (*opened.text_columns, "warning", "error")
    return {name: "string" if name in texts else "double" for name in names}


def build_batch(names: Sequence[str], block: Block, answers: Answers) -> pa.RecordBatch:
    """Put the columns of answers behind those of a block; ``names`` are all of them."""
    import pyarrow as pa

    arrays = [
        column if isinstance(column, pa.Array) else _build_array(column) for column in block.columns
    ]
    wrong = np.zeros(answers.rows, dtype=np.bool_)
    wrong[list(answers.errors)] = True
    for values in answers.values.values():
        if isinstance(values, np.ndarray):
            arrays.append(pa.array(values, mask=wrong))
        else:
            arrays.append(pa.array(values, pa.string()))
    arrays.append(_build_sparse(answers.unusual, answers.rows))
    errors = {row: answers.join_errors(row) for row in answers.errors}
    arrays.append(_build_sparse(errors, answers.rows))
    return pa.RecordBatch.from_arrays(arrays, names=list(names))


def _build_array(cells: Any) -> pa.Array:
    """A column of cells; one with several types of values becomes texts."""
    import pyarrow as pa

    values = cells if isinstance(cells, Sequence) else list_cells(cells)
    try:
        return pa.array(values)
    except pa.ArrowException:
        return pa.array([None if cell is None else str(cell) for cell in values], pa.string())


class ParquetWriter:
    """Writes record batches as Parquet, all with the schema of the first.

    Args:
        file: gets the bytes.

    Raises:
        TableError: if pyarrow is not installed.
    """

    def __init__(self, file: BinaryIO) -> None:
        require_arrow("A Parquet file")
        self._file = file
        self._writer: Any = None
        self._waiting: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> None:
        """Write the rows of a batch.

        Raises:
            TableError: if its columns have other types than those before.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        if self._writer is None:
            self._writer = pq.ParquetWriter(self._file, batch.schema)
        try:
            self._waiting.append(batch.cast(self._writer.schema))
        except (pa.ArrowException, ValueError) as error:
            raise TableError(
                f"A column changes its type on the way, which Parquet has no room for: {error}. "
                "Write .csv."
            ) from None
        if sum(waiting.num_rows for waiting in self._waiting) >= _GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_batches(self._waiting, self._writer.schema))
        self._waiting.clear()

    def close(self) -> None:
        """Write what stands at the end of the file."""
        if self._writer is not None:
            if self._waiting:
                self._write_group()
            self._writer.close()


def _build_sparse(texts: Mapping[int, str], rows: int) -> pa.Array:
    """A column with texts in a few rows."""
    import pyarrow as pa

    if not texts:
        return pa.nulls(rows, pa.string())
    cells: list[str | None] = [None] * rows
    for row, text in texts.items():
        cells[row] = text
    return pa.array(cells, pa.string())


def _take_sample(batch: pa.RecordBatch) -> Block:
    import pyarrow as pa

    head = batch.slice(0, _SAMPLE_ROWS)
    texts = [
        column.to_pylist() if pa.types.is_string(column.type) else [] for column in head.columns
    ]
    return Block(texts, head.num_rows, texts=False)
