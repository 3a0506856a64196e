"""The command ``flask --app wsgi model predict``: answers every row of a file.

In a docstring, click shows what comes before the form feed.
"""

import fcntl
import gzip
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import click

from app.cli.errors import tell_errors
from app.cli.folders import find_folder, models_folder
from app.cli.table_options import table_options
from app.kinds import make_adapter
from app.kinds.files import STANDARD, Render, SourceFile, one_blas_thread
from model import load_model
from model.contract.tables import ReadOptions
from model.contract.tables.arrow import require_arrow
from model.serving.batch import Summary
from model.serving.batch.arrow import ParquetWriter, build_batch
from model.serving.batch.output import CsvWriter, WorkbookWriter

PARTIAL = ".incomplete"
"""What the name of a file ends with until all of its rows are there."""

SOME_WRONG = 3
"""The exit status where some rows have no answer."""

Writer = ParquetWriter | WorkbookWriter | CsvWriter
"""What writes a file of answers."""

_GZIP_LEVEL = 3
_OUTPUTS = (".csv", ".csv.gz", ".parquet", ".xlsx")


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
    folder = find_folder(name, root)
    with tell_errors(target if str(target) != STANDARD else Path("Standard output")):
        _check_paths(source, target)
        summary = _answer_file(folder, source, target, reading, workers, not no_warnings)
    if summary.wrong:
        raise click.exceptions.Exit(SOME_WRONG if summary.answered else 1)


def _check_paths(source: Path, target: Path) -> None:
    if str(source) != STANDARD and not source.exists():
        raise click.ClickException(f"There is no file {source}.")
    for path, stream, what in ((source, sys.stdin, "input"), (target, sys.stdout, "output")):
        if str(path) == STANDARD and stream is None:
            raise click.ClickException(f"Standard {what} is closed. Name a file.")
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
    for path in (target, _name_unfinished(target)):
        if path.exists() and os.path.samefile(source, path):
            raise click.ClickException(
                f"{path} is the file to answer, and would be written over. Give OUT another name."
            )


def _name_unfinished(target: Path) -> Path:
    return target.with_name(target.name + PARTIAL)


def _answer_file(
    folder: Path, source: Path, target: Path, options: ReadOptions, workers: int, warnings: bool
) -> Summary:
    """Answer a file into another, and say what was done."""
    # pyarrow reads it when it is imported. Its own allocators keep 20 MB more.
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    adapter = make_adapter(load_model(folder))
    with one_blas_thread(), _open_source(source) as file:
        found = adapter.open_file(file, options, warnings)
        render, make_writer = _choose_writer(target, found.header, found.columns)
        told = _tell(found.notes, 0)
        _tell(found.matching, 0)
        summary = Summary()
        with (
            _open_target(target, summary) as output,
            _show_progress(file) as show,
            _end_anyway(make_writer(output)) as writer,
        ):
            for rendered, part in found.answer(render, workers):
                writer.write(rendered)
                summary.merge(part)
                show(summary.rows)
        _tell(found.notes, told)
    _tell_summary(summary)
    return summary


@contextmanager
def _end_anyway(writer: Writer) -> Iterator[Writer]:
    """End a file that is being written, also where that breaks off."""
    try:
        yield writer
    except BaseException:
        with suppress(Exception):  # what broke it off is what is told
            writer.close()
        raise
    writer.close()


def _choose_writer(
    target: Path, header: Sequence[str], columns: Sequence[str]
) -> tuple[Render, Callable[[BinaryIO], Writer]]:
    """Choose how answers are made ready to be written, and what writes them, by the file's name."""
    ending = target.suffix.lower()
    if ending == ".parquet":
        require_arrow(target.name)
        return partial(build_batch, (*header, *columns)), ParquetWriter
    kind = WorkbookWriter if ending == ".xlsx" else CsvWriter
    return kind.render, partial(kind, header=header, columns=columns)


@contextmanager
def _open_source(path: Path) -> Iterator[SourceFile]:
    if str(path) == STANDARD:
        yield SourceFile(cast(io.BufferedReader, sys.stdin.buffer), path)
    elif path.is_dir():
        yield SourceFile(io.BytesIO(), path)
    else:
        with path.open("rb") as file:
            yield SourceFile(file, path)


@contextmanager
def _open_target(path: Path, summary: Summary) -> Iterator[BinaryIO]:
    """Open the file of the answers, which gets its name when all of them are there."""
    if str(path) == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    unfinished = _name_unfinished(path)
    file = _open_alone(unfinished)
    # By default SIGTERM ends the process at once, and nobody is told.
    handler = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with file:
            if path.suffix.lower() == ".gz":
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, file) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield file
            file.flush()
            os.fsync(file.fileno())  # a disk of the network says only now that it is full
            unfinished.replace(path)  # while the lock holds, so that nobody else takes it
    except BaseException as error:
        words = "Stopped" if isinstance(error, KeyboardInterrupt) else str(error)
        if isinstance(error, OSError) and error.strerror:
            words = error.strerror
        if unfinished.exists():
            words = f"{words.rstrip('.')}. {summary.rows:,} rows are in {unfinished}"
        else:
            words = f"{unfinished} was removed meanwhile, with {summary.rows:,} rows"
        before = f"{path} is as it was" if path.exists() else f"there is no {path}"
        raise click.ClickException(f"{words}; {before}.") from None
    finally:
        signal.signal(signal.SIGTERM, handler)


def _open_alone(path: Path) -> BinaryIO:
    """Open a file to be written, unless another command writes it: both would write into one."""
    while True:
        path.touch()
        file = path.open("r+b")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise click.ClickException(
                f"Another command writes {path}. Wait for its end, or give OUT another name."
            ) from None
        except OSError:  # not every file system has locks
            pass
        with suppress(FileNotFoundError):
            if os.path.samestat(path.stat(), os.fstat(file.fileno())):
                file.truncate()
                return file
        file.close()  # the other command ended just now, and it is that one's answers


@contextmanager
def _show_progress(source: SourceFile) -> Iterator[Callable[[int], None]]:
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
