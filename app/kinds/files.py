"""Files of any length, whose rows commands answer while they read them."""

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import starmap
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from threadpoolctl import threadpool_limits

from model import load_model
from model.contract.archives import read_archive, read_folder
from model.contract.pictures import MAX_BYTES
from model.contract.tables import Block, ReadOptions, TableError, open_table
from model.serving.batch import Answers, BatchPredictor, ItemPredictor, Summary
from model.serving.batch.parallel import answer_in_processes
from model.serving.kinds.pictures import PictureModel
from model.serving.tabular import TabularModel

STANDARD = "-"
"""Stands for standard input or output."""

Render = Callable[[Block, Answers], Any]
"""Makes of some rows and their answers what is written into a file."""

one_blas_thread = partial(threadpool_limits, 1, "blas")
"""Products of matrices this small take two threads twice the CPU, and longer than one."""


class RenderedBlock(NamedTuple):
    """The answers to some rows, ready to be written."""

    rendered: Any
    summary: Summary


class SourceFile:
    """The file to answer, and how many of its bytes have been read.

    ``size`` is 0 where nobody knows.
    """

    def __init__(self, file: io.BufferedReader | io.BytesIO, path: Path) -> None:
        self._file = file
        self.path, self.read_bytes = path, 0
        standard = str(path) == STANDARD
        self.name = "Standard input" if standard else path.name
        self.size = 0 if standard else path.stat().st_size

    def read(self, size: int = -1) -> bytes:
        """Read on; of a pipe once, because waiting for more would leave no room for Ctrl+C."""
        data = self._file.read(size) if self._file.seekable() else self._file.read1(size)
        self.read_bytes += len(data)
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place in the file, for formats that need that."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Whether it can be read at any place."""
        return self._file.seekable()

    closed = False


class OpenFile(ABC):
    """A file that is being answered.

    ``header`` are its own columns, ``columns`` those of the answers. ``notes`` say how it is read;
    reading on may add some. ``matching`` says how its columns were understood.
    """

    header: Sequence[str]
    columns: Sequence[str]
    notes: Sequence[str] = ()
    matching: Sequence[str] = ()

    @abstractmethod
    def answer(self, render: Render, workers: int) -> Iterator[RenderedBlock]:
        """Answer the rows in their order, some at a time."""


class TableFile(OpenFile):
    """A table, which a model of rows answers."""

    def __init__(
        self, model: TabularModel[Any], source: SourceFile, options: ReadOptions, warnings: bool
    ) -> None:
        if source.path.is_dir():
            raise TableError(f"{source.path} is a folder. Name a file in it.")
        options = options._replace(arrow=True)
        self._table = table = open_table(cast(BinaryIO, source), source.name, options)
        self._folder = model.folder
        self._options = table.header, table.sample, options.decimal, warnings
        self._predictor = BatchPredictor(model, *self._options)
        self.header, self.columns = table.header, self._predictor.columns
        self.notes, self.matching = table.notes, self._predictor.notes

    def answer(self, render: Render, workers: int) -> Iterator[RenderedBlock]:
        if workers > 1:
            load = partial(_load_answerer, self._folder, render, *self._options)
            return answer_in_processes(self._table.blocks, load, workers)
        return map(partial(_answer_block, self._predictor, render), self._table.blocks)


class PictureFiles(OpenFile):
    """A picture, or a ZIP or a folder of them, which a model of pictures answers."""

    def __init__(self, model: PictureModel, source: SourceFile) -> None:
        self._source, self._predictor = source, ItemPredictor(model)
        self.header, self.columns = self._predictor.header, self._predictor.columns

    def answer(self, render: Render, workers: int) -> Iterator[RenderedBlock]:
        found = self._predictor.predict_files(_list_files(self._source))
        return starmap(partial(_render, render), found)


def _load_answerer(folder: Path, render: Render, *options: Any) -> Callable[[Block], RenderedBlock]:
    """Load what answers blocks in a process of its own."""
    one_blas_thread()
    model = cast(TabularModel[Any], load_model(folder))
    return partial(_answer_block, BatchPredictor(model, *options), render)


def _answer_block(predictor: BatchPredictor, render: Render, block: Block) -> RenderedBlock:
    return _render(render, block, predictor.predict(block))


def _render(render: Render, block: Block, answers: Answers) -> RenderedBlock:
    summary = Summary()
    summary.add(answers)
    return RenderedBlock(render(block, answers), summary)


def _list_files(source: SourceFile) -> Iterator[tuple[str, bytes]]:
    """The files in a ZIP or a folder; any other file is alone."""
    path = source.path
    if path.is_dir():
        yield from read_folder(path, MAX_BYTES)
    elif path.suffix.lower() == ".zip":
        with path.open("rb") as file:
            yield from read_archive(file, path.name, MAX_BYTES)
    else:
        yield source.name, b"".join(iter(source.read, b""))
