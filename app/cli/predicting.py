"""The command ``flask --app wsgi model predict``: answers every row of a file.

In a docstring, click shows what comes before the form feed.
"""

import gzip
import io
import itertools
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import click
from threadpoolctl import threadpool_limits

from app.cli.folders import find_folder, models_folder
from app.cli.table_options import table_options
from model import ModelError, load_model
from model.contract.archives import read_archive, read_folder
from model.contract.pictures import MAX_BYTES
from model.contract.tables import Block, ReadOptions, TableError, open_table
from model.contract.tables.arrow import require_arrow
from model.serving.batch import Answers, BatchPredictor, ItemPredictor, Summary
from model.serving.batch.arrow import ParquetWriter, build_batch
from model.serving.batch.output import CsvWriter, WorkbookWriter
from model.serving.batch.parallel import EndedWorkerError, answer_in_processes
from model.serving.tabular import TabularModel

STANDARD = "-"
"""Stands for standard input or output."""

PARTIAL = ".incomplete"
"""What the name of a file ends with until all of its rows are there."""

SOME_WRONG = 3
"""The exit status where some rows have no answer."""

_GZIP_LEVEL = 3
_PARQUET = ".parquet"
_WORKBOOK = ".xlsx"
_OUTPUTS = (".csv", ".csv.gz", ".parquet", ".xlsx")


_one_blas_thread = partial(threadpool_limits, 1, "blas")
"""Products of matrices this small take two threads twice the CPU, and longer than one."""


class _Answered(NamedTuple):
    """The answers to a block, ready to be written."""

    rendered: Any
    summary: Summary


@click.command("predict")
@click.argument("name")
@click.argument("source", metavar="IN", type=click.Path(path_type=Path, allow_dash=True))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer rows side by side.",
)
@click.option(
    "--no-warnings",
    is_flag=True,
    help="Do not look for rows that are unlike all training rows; it is quicker.",
)
@table_options("IN")
@models_folder
def predict(
    name: str,
    source: Path,
    target: Path,
    workers: int,
    no_warnings: bool,
    root: Path,
    reading: ReadOptions,
) -> None:
    """Let the model NAME answer every row of the file IN, into the file OUT.

    IN is a CSV file, also packed as .csv.gz, or .ndjson, .parquet, .xlsx; for a model of pictures
    it is a ZIP or a folder of them. OUT is .csv, .csv.gz, .parquet or .xlsx: the columns of IN, the
    answer, and what is wrong with a row that has none. A dash stands for standard input or output.
    It ends with 0 where all rows have an answer, with 3 where some have none, and with 1 where none
    has one.

    \f
    Raises:
        ClickException: if a file or the model cannot be used; it says why.
        Exit: if rows have no answer.
    """
    _check_paths(source, target)
    folder = find_folder(name, root)
    try:
        summary = _answer_file(folder, source, target, reading, workers, not no_warnings)
    except ModelError as error:
        raise click.ClickException("\n".join(error.problems)) from None
    except (TableError, EndedWorkerError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or target}: {error.strerror}.") from None
    if summary.wrong:
        raise click.exceptions.Exit(SOME_WRONG if summary.answered else 1)


def _check_paths(source: Path, target: Path) -> None:
    if str(source) != STANDARD and not source.exists():
        raise click.ClickException(f"There is no file {source}.")
    if str(target) == STANDARD:
        return
    if not target.name.lower().endswith(_OUTPUTS):
        raise click.ClickException(
            f"{target}: the answers are written as {' or '.join(_OUTPUTS)}. Give OUT that ending."
        )
    if target.is_dir():
        raise click.ClickException(f"{target} is a folder. Name a file in it.")
    if not target.absolute().parent.is_dir():
        raise click.ClickException(f"There is no folder {target.absolute().parent}.")
    if target.exists() and os.path.samefile(source, target):
        raise click.ClickException(f"{target} is the file to answer. Give OUT another name.")


def _answer_file(
    folder: Path, source: Path, target: Path, options: ReadOptions, workers: int, warnings: bool
) -> Summary:
    """Answer a file into another, and say what was done."""
    model = load_model(folder)
    answered: Iterator[_Answered]
    predictor: BatchPredictor | ItemPredictor
    with _one_blas_thread(), _open_source(source) as file:
        if isinstance(model, TabularModel):
            table = open_table(cast(BinaryIO, file), file.name, options)
            given = table.header, table.sample, options.decimal, warnings
            predictor = by_block = BatchPredictor(model, *given)
            header, notes = table.header, table.notes
        else:
            predictor = by_file = ItemPredictor(model)
            header, notes = by_file.header, []
        render = _choose_render(target, (*header, *predictor.columns))
        if not isinstance(model, TabularModel):
            found = by_file.predict_files(_list_files(file))
            answered = itertools.starmap(partial(_render, render), found)
        elif workers > 1:
            load = partial(_load_answerer, folder, render, *given)
            answered = answer_in_processes(table.blocks, load, workers)
        else:
            answered = map(partial(_answer_block, by_block, render), table.blocks)
        told = _tell(notes, 0)
        _tell(predictor.notes, 0)
        summary = Summary()
        with _open_target(target, summary) as output, _show_progress(file) as show:
            ending, columns = target.suffix.lower(), predictor.columns
            writer: ParquetWriter | WorkbookWriter | CsvWriter
            if ending == _PARQUET:
                writer = ParquetWriter(output)
            else:
                kind = WorkbookWriter if ending == _WORKBOOK else CsvWriter
                writer = kind(output, header, columns)
            for rendered, part in answered:
                writer.write(rendered)
                summary.merge(part)
                show(summary.rows)
            writer.close()
        _tell(notes, told)
    _tell_summary(summary)
    return summary


def _choose_render(target: Path, names: Sequence[str]) -> Callable[[Block, Answers], Any]:
    ending = target.suffix.lower()
    if ending == _WORKBOOK:
        return WorkbookWriter.render
    if ending != _PARQUET:
        return CsvWriter.render
    require_arrow(target.name)
    return partial(build_batch, names)


def _load_answerer(
    folder: Path, render: Callable[[Block, Answers], Any], *given: Any
) -> Callable[[Block], _Answered]:
    """Load what answers blocks in a process of its own."""
    _one_blas_thread()
    model = cast(TabularModel[Any], load_model(folder))
    return partial(_answer_block, BatchPredictor(model, *given), render)


def _answer_block(
    predictor: BatchPredictor, render: Callable[[Block, Answers], Any], block: Block
) -> _Answered:
    return _render(render, block, predictor.predict(block))


def _render(render: Callable[[Block, Answers], Any], block: Block, answers: Answers) -> _Answered:
    summary = Summary()
    summary.add(answers)
    return _Answered(render(block, answers), summary)


class _Source:
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

    closed = False


@contextmanager
def _open_source(path: Path) -> Iterator[_Source]:
    if str(path) == STANDARD:
        yield _Source(cast(io.BufferedReader, sys.stdin.buffer), path)
    elif path.is_dir():
        yield _Source(io.BytesIO(), path)
    else:
        with path.open("rb") as file:
            yield _Source(file, path)


def _list_files(source: _Source) -> Iterator[tuple[str, bytes]]:
    """The files in a ZIP or a folder; any other file is alone."""
    path = source.path
    if path.is_dir():
        yield from read_folder(path, MAX_BYTES)
    elif path.suffix.lower() == ".zip":
        with path.open("rb") as file:
            yield from read_archive(file, path.name, MAX_BYTES)
    else:
        yield source.name, b"".join(iter(source.read, b""))


@contextmanager
def _open_target(path: Path, summary: Summary) -> Iterator[BinaryIO]:
    """Open the file of the answers, which gets its name when all of them are there."""
    if str(path) == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = path.with_name(path.name + PARTIAL)
    # By default SIGTERM ends the process at once, and nobody is told.
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with unfinished.open("wb") as file:
            if path.suffix.lower() == ".gz":
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, file) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield file
        unfinished.replace(path)
    except BaseException as error:
        words = "Stopped" if isinstance(error, KeyboardInterrupt) else str(error)
        raise click.ClickException(
            f"{words.rstrip('.')}. {summary.rows:,} rows are in {unfinished}; there is no {path}."
            if not path.exists()
            else f"{words.rstrip('.')}. {summary.rows:,} rows are in {unfinished}; {path} is as it "
            "was."
        ) from None
    finally:
        signal.signal(signal.SIGTERM, handler)


@contextmanager
def _show_progress(source: _Source) -> Iterator[Callable[[int], None]]:
    """Show on a terminal how far it is; what is given takes the number of rows so far."""
    if not sys.stderr.isatty():
        yield lambda rows: None
        return
    started = time.monotonic()

    def describe(rows: int | None) -> str:
        rate = (rows or 0) / max(time.monotonic() - started, 1e-3)
        return f"{rows or 0:,} rows, {rate:,.0f} a second"

    known = source.size > 0
    with click.progressbar(
        length=source.size or 1,
        show_eta=known,
        show_percent=known,
        file=sys.stderr,
        item_show_func=describe,
    ) as bar:

        def show(rows: int) -> None:
            bar.update(source.read_bytes - bar.pos if known else 0, rows)

        yield show


def _tell(notes: Sequence[str], told: int) -> int:
    """Tell the notes that were not told yet; how many there are now."""
    for note in notes[told:]:
        click.echo(note, err=True)
    return len(notes)


def _tell_summary(summary: Summary) -> None:
    lines = [f"{_count(summary.rows)}: {summary.answered:,} answered, {summary.wrong:,} wrong."]
    if summary.unusual:
        lines.append(f"{_count(summary.unusual)} unlike the data, see the column of warnings.")
    for row, message in summary.reasons:
        lines.append(f"  row {row + 1:,}: {message}")
    if summary.wrong > len(summary.reasons):
        lines.append("  …")
    click.echo("\n".join(lines), err=True)


def _count(rows: int) -> str:
    return "1 row" if rows == 1 else f"{rows:,} rows"
