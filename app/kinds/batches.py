"""Files of many rows: what is in one, and the answers to it, block by block.

A file is read twice: once to know that it can be read to its end and how many rows it has, so that
what is wrong with it is said before the first answer, and once to answer it.
"""

import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import starmap
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, cast

from model.contract.archives import read_archive
from model.contract.pictures import MAX_BYTES
from model.contract.tables import (
    Block,
    OpenTable,
    ReadOptions,
    TableError,
    UnpackedFile,
    open_table,
)
from model.contract.tables.matching import match_columns
from model.serving.batch import Answers, BatchPredictor, ExplainedRows, ItemPredictor
from model.serving.kinds.pictures import PictureModel
from model.serving.tabular import TabularModel

BLOCK_ROWS = 1024
"""Rows that are answered at a time: some milliseconds of work."""

MOST_UNPACKED = 10
"""How many times as large as an upload may be what was packed in it."""


class BatchLimits(NamedTuple):
    """What one file may have: rows, and megabytes."""

    rows: int
    megabytes: int

    @property
    def bytes(self) -> int:
        """The bytes of its megabytes."""
        return self.megabytes * 1024 * 1024


class TooLargeError(TableError):
    """A file that has more than is answered here."""


class AnsweredBlock(NamedTuple):
    """Some rows of a file, and the answers to them."""

    block: Block
    answers: Answers


class Batch(ABC):
    """One file of many rows; ``check`` reads it first, and sets the other attributes.

    ``header`` are the file's own columns, ``columns`` those of the answers to them. ``places`` has
    the index of the column that a field has, by the field's name, and ``found`` the label of the
    field that each column was read as, "" where it is not used. ``notes`` say how it was read.
    """

    header: Sequence[str] = ()
    columns: Sequence[str] = ()
    places: Mapping[str, int] = MappingProxyType({})
    found: Sequence[str] = ()
    notes: Sequence[str] = ()
    rows: int = 0

    @abstractmethod
    def check(self) -> Iterator[None]:
        """Read the file to its end, in short steps.

        Raises:
            TableError: if it cannot be answered; the message is for people.
            TooLargeError: if it has more rows than may be.
        """

    @abstractmethod
    def answer(self) -> Iterator[AnsweredBlock]:
        """Answer the rows in their order, some at a time."""


class TableBatch(Batch):
    """A table, which a model of rows answers."""

    def __init__(
        self, model: TabularModel[Any], content: bytes, name: str, limits: BatchLimits
    ) -> None:
        self._model, self._content, self._name, self._limits = model, content, name, limits

    def _open(self) -> OpenTable:
        file: BinaryIO = BytesIO(self._content)
        name = self._name
        _check_archive(self._content, self._limits)
        if name.lower().endswith(".gz"):
            file = cast(BinaryIO, _UnpackedUpload(file, name, self._limits))
            name = name[: -len(".gz")]
        return open_table(file, name, ReadOptions(rows=BLOCK_ROWS, plain=True))

    def check(self) -> Iterator[None]:
        table = self._open()
        predictor = self._predictor = BatchPredictor(self._model, table.header, table.sample)
        self.header, self.columns = table.header, predictor.columns
        card = self._model.card
        self.places = match_columns(card.fields, table.header).columns
        labels = {index: card.by_name[name].label for name, index in self.places.items()}
        self.found = [labels.get(index, "") for index in range(len(table.header))]
        for block in table.blocks:
            self.rows += block.rows
            if self.rows > self._limits.rows:
                raise TooLargeError(f"It has more than {self._limits.rows:,} rows.")
            yield
        self.notes = [*table.notes, *predictor.notes]

    def read(self) -> Iterator[Block]:
        """Read the blocks of a table that was checked."""
        return self._open().blocks

    def explain(self, block: Block, contributions: bool) -> ExplainedRows:
        """Answer rows of a table that was checked as the model explains each."""
        return self._predictor.explain(block, contributions)

    def answer(self) -> Iterator[AnsweredBlock]:
        for block in self.read():
            for part in split_block(block, BLOCK_ROWS):
                yield AnsweredBlock(part, self._predictor.predict(part))


class PictureBatch(Batch):
    """A ZIP of pictures, which a model of pictures answers; the first column has their names."""

    def __init__(self, model: PictureModel, content: bytes, name: str, limits: BatchLimits) -> None:
        self._content, self._name, self._limits = content, name, limits
        self._predictor = ItemPredictor(model)
        self.header, self.columns = self._predictor.header, self._predictor.columns
        self.places = {model.card.field.name: 0}
        self.found = (model.card.field.label,)

    def _read(self) -> Iterator[tuple[str, bytes]]:
        file, unpacked = BytesIO(self._content), 0
        for name, content in read_archive(file, self._name, MAX_BYTES):
            unpacked += len(content)
            if unpacked > MOST_UNPACKED * self._limits.bytes:
                raise TooLargeError("Its files are far larger than the ZIP.")
            yield name, content

    def check(self) -> Iterator[None]:
        for _ in self._read():
            self.rows += 1
            if self.rows > self._limits.rows:
                raise TooLargeError(f"It has more than {self._limits.rows:,} files.")
            yield
        if not self.rows:
            raise TableError("There is no file in it. Put the pictures into a ZIP.")

    def answer(self) -> Iterator[AnsweredBlock]:
        return starmap(AnsweredBlock, self._predictor.predict_files(self._read()))


def _check_archive(content: bytes, limits: BatchLimits) -> None:
    """Look at what a workbook says of itself, if it is one: it is a ZIP of texts.

    No more than that is unpacked of any file in it.
    """
    if not content.startswith(b"PK\x03\x04"):
        return
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return  # its reader says so
    if unpacked > MOST_UNPACKED * limits.bytes:
        raise TooLargeError("What is packed in it is far larger than itself.")


def split_block(block: Block, rows: int) -> Iterator[Block]:
    """Split a block into blocks of so many rows at most."""
    if block.rows <= rows:
        yield block
        return
    for start in range(0, block.rows, rows):
        stop = min(start + rows, block.rows)
        ragged = {row - start: text for row, text in block.ragged.items() if start <= row < stop}
        columns = [column[start:stop] for column in block.columns]
        yield block._replace(columns=columns, rows=stop - start, ragged=ragged)


class _UnpackedUpload(UnpackedFile):
    """What is in a file that gzip packed, up to a limit."""

    def __init__(self, file: BinaryIO, name: str, limits: BatchLimits) -> None:
        super().__init__(file, name)
        self._left = MOST_UNPACKED * limits.bytes

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(self._left + 1 if size is None or size < 0 else size)
        self._left -= len(data)
        if self._left < 0:
            raise TooLargeError("What is packed in it is far larger than itself.")
        return data
