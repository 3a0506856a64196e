"""The page for a file of many rows: it answers while it sends, and keeps nothing.

The answers to one file are one response that is made while it is sent. A download is the same file
posted again, which any worker can answer. A client that stops reading stops the work: nothing is
made before what was made last is sent.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from typing import Any, BinaryIO, NamedTuple, cast
from urllib.parse import quote
from wsgiref.types import WSGIEnvironment

from flask import Blueprint, Response, current_app, request
from markupsafe import Markup
from werkzeug.exceptions import RequestEntityTooLarge

from app.http.forms import FORM_BYTES
from app.http.request_id import request_id
from app.http.responses import HTML, NO_STORE, REVALIDATED, respond
from app.http.routes import Surface
from app.kinds.adapter import KindAdapter
from app.kinds.batches import AnsweredBlock, Batch, TooLargeError
from app.kinds.hosted import HostedModel
from app.limits.background import run_in_slices
from app.limits.upload_budget import get_upload_budget
from app.limits.uploads import read_uploads
from app.presentation.batches import BatchResult, Tally, lay_out_first_rows
from app.presentation.contexts import (
    BatchContext,
    BatchEmptyContext,
    BatchProgressContext,
    BatchResultContext,
)
from app.presentation.submission import Problem
from app.telemetry.request_records import Outcome, record_outcome
from app.telemetry.streams import stream
from model.contract import formatting
from model.contract.tables import TableError
from model.contract.tables.writing import write_row
from model.serving.batch.output import CsvWriter, WorkbookWriter

PIECES = 50
"""How often a page says how far it is, at most."""

END = "<!-- end -->\n"
"""Ends a piece of a stream, which takes the place of the piece before."""

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The media type of each file that can be downloaded, by the ending of its name."""

MOST_NAME = 60
"""Characters of a file's name that are repeated."""

_HERE = Markup("\ue000")
"""Stands in a prepared page for the answers."""

_ENDING = re.compile(r"(\.\w{1,8}){1,2}$")
_UNSAFE = re.compile(r"[^\w.()-]+")
_UNSAFE_EVERYWHERE = re.compile(r"[^\w.()]+", re.ASCII)


class Received(NamedTuple):
    """A file that can be answered, and what it is called."""

    batch: Batch
    name: str


def batch_blueprint(hosted: HostedModel) -> Blueprint:
    """Create the routes for files of one model."""
    adapter, render, limits = hosted.adapter, hosted.render, hosted.limits
    model, words = adapter.model, adapter.batch_words
    blueprint = hosted.make_blueprint("batch", __name__)
    site = hosted.build_site()
    locale = model.card.locale
    most = f"{formatting.format_number(limits.rows, locale)} rows and {limits.megabytes} MB"
    words = words._replace(hint=f"{words.hint} Up to {most}. It is not stored.")
    advice = (
        f"This page answers up to {most}. Split the file, or run where the model is: "
        f"flask --app wsgi model predict {model.slug} FILE answers.csv"
    )

    def render_empty(message: str = "") -> Markup:
        return render("pages/batch_empty.html", BatchEmptyContext(site, words, message))

    def render_page(problems: tuple[Problem, ...], result: Markup) -> str:
        heading = f"Error: {words.title}" if problems else words.title
        context = BatchContext(site, heading, words, problems, result)
        return render("pages/batch.html", context)

    empty = render_page((), render_empty())
    before, after = render_page((), _HERE).split(_HERE)

    def receive(stack: ExitStack) -> Received:
        """Read the present request's file to its end.

        Raises:
            TableError: if it cannot be answered.
            HTTPException: 408, 411 or 503 for a body that is not read.
        """
        slot = stack.enter_context(get_upload_budget().slot())
        try:
            upload = read_uploads("file", slot, limits.bytes + FORM_BYTES)
        except RequestEntityTooLarge:
            raise TooLargeError(f"The file is too large. {advice}") from None
        if len(upload.files) != 1:
            raise TableError("Choose one file" if upload.files else "Choose a file")
        name = re.split(r"[/\\]", upload.names[0])[-1][-MOST_NAME:]
        batch = adapter.open_batch(upload.files[0], name, limits)
        try:
            for _ in run_in_slices(batch.check()):
                pass
        except TooLargeError as error:
            raise TooLargeError(f"{error} {advice}") from None
        return Received(batch, name)

    def respond_to_file(
        make: Callable[[Received, WSGIEnvironment], Iterator[bytes]],
        refuse: Callable[[Problem], str],
        ending: str = "",
    ) -> Response:
        """Answer the present request's file while sending, or say at once why not."""
        environ, stack = request.environ, ExitStack()
        try:
            received = receive(stack)
        except TableError as error:
            stack.close()
            record_outcome(Outcome(refused=("file",)), environ)
            status = 413 if isinstance(error, TooLargeError) else 422
            return respond(refuse(Problem("file", str(error))), status, NO_STORE)
        except BaseException:
            stack.close()
            raise
        pieces = make(received, environ)
        if ending:
            headers = attach(f"{name_stem(received.name)}-answers.{ending}", TYPES[ending])
            return stream(pieces, headers, stack.close, b"")
        fault = current_app.extensions["render_error"](500, True, request_id())
        return stream(pieces, {"Content-Type": HTML}, stack.close, f"{fault}{END}".encode())

    def make_result(received: Received, environ: WSGIEnvironment) -> Iterator[bytes]:
        """Make pieces of which each takes the place of the one before: progress, then result."""
        batch, name = received
        tally, told = Tally(batch.header, batch.places, locale), -1
        for block, answers in run_in_slices(batch.answer()):
            if (share := PIECES * tally.rows // batch.rows) > told:
                told, percent = share, 100 * tally.rows // batch.rows
                progress = BatchProgressContext(
                    name, tally.format_count(tally.rows), tally.format_count(batch.rows), percent
                )
                yield f"{render('pages/batch_progress.html', progress)}{END}".encode()
            tally.add(block.columns, answers)
        record_outcome(describe_outcome(tally), environ)
        result = present_answers(adapter, received, tally)
        yield f"{render('pages/batch_result.html', BatchResultContext(site, result))}{END}".encode()

    def make_page(received: Received, environ: WSGIEnvironment) -> Iterator[bytes]:
        return chain([before.encode()], make_result(received, environ), [after.encode()])

    def make_file(
        writer_type: type[CsvWriter | WorkbookWriter], received: Received, environ: WSGIEnvironment
    ) -> Iterator[bytes]:
        batch, pieces = received.batch, Pieces()
        tally = Tally(batch.header, batch.places, locale)
        writer = writer_type(cast(BinaryIO, pieces), batch.header, batch.columns)
        yield pieces.take()
        for block, answers in run_in_slices(write_answers(batch, writer)):
            yield pieces.take()
            tally.add(block.columns, answers)
        record_outcome(describe_outcome(tally), environ)
        writer.close()
        yield pieces.take()

    def refuse_page(problem: Problem) -> str:
        return render_page((problem,), render_empty())

    def refuse_fragment(problem: Problem) -> str:
        return render_empty(problem.message)

    @blueprint.get("/batch", surface=Surface.PAGE, model=model.slug)
    def page() -> Response:
        return respond(empty, 200, REVALIDATED)

    @blueprint.post("/batch", surface=Surface.PAGE, model=model.slug)
    def answer() -> Response:
        return respond_to_file(make_page, refuse_page)

    @blueprint.post("/batch/summary", surface=Surface.FRAGMENT, model=model.slug)
    def summarize() -> Response:
        return respond_to_file(make_result, refuse_fragment)

    @blueprint.post("/batch/answers.csv", surface=Surface.PAGE, model=model.slug)
    def download() -> Response:
        return respond_to_file(partial(make_file, CsvWriter), refuse_page, "csv")

    @blueprint.post("/batch/answers.xlsx", surface=Surface.PAGE, model=model.slug)
    def download_workbook() -> Response:
        return respond_to_file(partial(make_file, WorkbookWriter), refuse_page, "xlsx")

    if rows := adapter.batch_sample:
        sample = "".join(map(write_row, rows))

        @blueprint.get("/batch/sample.csv", surface=Surface.PAGE, model=model.slug)
        def give_sample() -> Response:
            headers = {**REVALIDATED, **attach(f"{model.slug}.csv", TYPES["csv"])}
            return respond(sample, 200, headers, headers.pop("Content-Type"))

    return blueprint


class Pieces:
    """A file that is taken away in pieces while it is written."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep bytes until they are taken."""
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits for it."""

    def take(self) -> bytes:
        """Take what was written since the last time."""
        taken = b"".join(self._written)
        self._written.clear()
        return taken


def write_answers(batch: Batch, writer: CsvWriter | WorkbookWriter) -> Iterator[AnsweredBlock]:
    """Answer a file's rows, some at a time, and write them."""
    for block, answers in batch.answer():
        writer.write(writer.render(block, answers))
        yield AnsweredBlock(block, answers)


def attach(name: str, kind: str) -> dict[str, str]:
    """The headers of a file that a browser keeps under a name."""
    plain = _UNSAFE_EVERYWHERE.sub("-", name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return {"Content-Type": kind, "Content-Disposition": disposition}


def name_stem(name: str) -> str:
    """A file's name without its ending, and without what a file's name should not have."""
    return _UNSAFE.sub("-", _ENDING.sub("", name)).strip(".-") or "file"


def describe_outcome(tally: Tally) -> Outcome:
    """Describe for log and counts what came of a file."""
    return Outcome(tally.answered, tally.unusual_count, tuple(tally.refused))


def present_answers(
    adapter: KindAdapter[Any, Any], received: Received, tally: Tally
) -> BatchResult:
    """Present the answers to a whole file."""
    batch, noun = received.batch, adapter.model.card.output.noun
    counts, distribution = adapter.present_batch(tally)
    have = " has" if tally.wrong == 1 else "s have"
    wrong = f"{tally.format_count(tally.wrong)} row{have} no {noun}."
    unusual = tally.unusual_count
    return BatchResult(
        "fresh" if tally.answered else "withdrawn",
        received.name,
        f"{tally.format_count(tally.answered)} of {tally.format_count(tally.rows)} answered",
        wrong if tally.wrong else f"Every row has its {noun}.",
        "See what to fix",
        tuple(dict.fromkeys(batch.notes)),
        tuple(zip(batch.header, batch.found, strict=True)) if adapter.words else (),
        counts,
        f"How many rows came to each {noun}",
        distribution,
        lay_out_first_rows(tally, batch.found, adapter.batch_headings, adapter.format_batch_value),
        tuple(tally.fixes),
        _title(tally, "to fix", tally.wrong, len({fix.row for fix in tally.fixes})),
        tuple(tally.unusual),
        _title(tally, "unlike the data", unusual, len(tally.unusual)),
        "Their answers are guesses: the model has seen nothing like them.",
    )


def _title(tally: Tally, what: str, count: int, shown: int) -> str:
    title = f"{tally.format_count(count)} row{'' if count == 1 else 's'} {what}"
    return title if shown == count else f"{title}; the first {shown}"
