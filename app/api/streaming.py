"""Many rows in one request: one line of JSON for each, in their order, while they are made."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

from flask import Response, abort, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from app.api.serializing import dump_line
from app.http.problems import Fault, make_problem, write_problem
from app.kinds.adapter import KindAdapter, RowStream
from app.kinds.batches import BatchLimits, TooLargeError
from app.kinds.streams import JSON_LINES
from app.limits.background import run_in_slices
from app.limits.upload_budget import get_upload_budget
from app.limits.uploads import read_body
from app.telemetry.request_records import Outcome, record_outcome
from app.telemetry.streams import stream
from model.contract.tables import TableError

NO_ANSWER = "There is no answer to this row."


class Lines(NamedTuple):
    """The answers to some rows as JSON, and what came of them."""

    text: bytes
    predictions: int
    out_of_distribution: int
    refused: dict[str, None]


def answer_stream(
    adapter: KindAdapter[Any, Any], kind: str, contributions: bool, limits: BatchLimits
) -> Response:
    """Answer the rows in the body of the present request.

    ``kind`` is the media type, one of the adapter's ``streams``.

    Raises:
        HTTPException: for a body that is not read, or that has more than is answered here.
    """
    environ, stack = request.environ, ExitStack()
    try:
        rows = _read(adapter, kind, stack, limits)
    except BaseException:
        stack.close()
        raise
    pieces = _write(adapter, rows, contributions, environ)
    return stream(pieces, {"Content-Type": JSON_LINES}, stack.close, write_problem(500).encode())


def _read(
    adapter: KindAdapter[Any, Any], kind: str, stack: ExitStack, limits: BatchLimits
) -> RowStream[Any]:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType
    slot = stack.enter_context(get_upload_budget().slot())
    advice = (
        f"One request can have {limits.rows:,} rows and {limits.megabytes} MB. Send several, or "
        f"run where the model is: flask --app wsgi model predict {adapter.model.slug} FILE OUT"
    )
    try:
        rows = adapter.streams[kind](read_body(slot, limits.bytes), limits)
        for _ in run_in_slices(rows.check()):
            pass
    except RequestEntityTooLarge:
        abort(make_problem(413, advice))
    except TooLargeError as error:
        abort(make_problem(413, f"{error} {advice}"))
    except TableError as error:
        abort(make_problem(422, str(error), [Fault(None, str(error), None)]))
    return rows


def _write(
    adapter: KindAdapter[Any, Any],
    rows: RowStream[Any],
    contributions: bool,
    environ: WSGIEnvironment,
) -> Iterator[bytes]:
    predictions = out_of_distribution = 0
    refused: dict[str, None] = {}
    for lines in run_in_slices(_answer(adapter, rows, contributions)):
        yield lines.text
        predictions += lines.predictions
        out_of_distribution += lines.out_of_distribution
        refused |= lines.refused
        record_outcome(Outcome(predictions, out_of_distribution, tuple(refused)), environ)


def _answer(
    adapter: KindAdapter[Any, Any], rows: RowStream[Any], contributions: bool
) -> Iterator[Lines]:
    for answered in rows.answer(contributions):
        texts: list[bytes] = []
        predictions = out_of_distribution = 0
        refused: dict[str, None] = {}
        for found, faults, names in answered:
            if found is None:
                texts.append(write_problem(422, NO_ANSWER, faults).encode())
                refused |= dict.fromkeys(names)
            else:
                texts.append(dump_line(adapter.serialize(found)))
                predictions += 1
                out_of_distribution += found.out_of_distribution
        yield Lines(b"".join(texts), predictions, out_of_distribution, refused)
