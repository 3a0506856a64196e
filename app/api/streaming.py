"""Many rows in one request: one line of JSON for each, in their order, while they are made."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple
from wsgiref.types import WSGIEnvironment

from flask import Response, abort, request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from app.api.serializing import dump_json
from app.http.problems import Fault, make_problem, write_problem
from app.kinds.adapter import JsonRows, KindAdapter, RowStream
from app.kinds.batches import BatchLimits, TooLargeError
from app.kinds.streams import JSON_LINES, NO_ANSWER
from app.limits.background import run_in_slices
from app.limits.upload_budget import get_upload_budget
from app.limits.uploads import read_body
from app.telemetry.request_records import Outcome, record_outcome
from app.telemetry.streams import stream
from model.contract.tables import TableError
from model.serving.served_model import Explained

EXPLAINED_AT_ONCE = 4
"""Rows whose contributions are computed at a time."""


class Lines(NamedTuple):
    """The answers to some rows as text, and what came of them."""

    text: str
    predictions: int
    out_of_distribution: int
    refused: dict[str, None]


def answer_stream(
    adapter: KindAdapter[Any, Any], kind: str, contributions: bool, limits: BatchLimits
) -> Response:
    """Answer the rows in the body of the present request.

    Args:
        adapter: of the model.
        kind: the media type, one of the adapter's ``stream_types``.
        contributions: whether the answers have contributions.
        limits: what one request may have.

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
        rows = adapter.open_stream(kind, read_body(slot, limits.bytes), limits)
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
        yield lines.text.encode()
        predictions += lines.predictions
        out_of_distribution += lines.out_of_distribution
        refused |= lines.refused
        record_outcome(Outcome(predictions, out_of_distribution, tuple(refused)), environ)


def _answer(
    adapter: KindAdapter[Any, Any], rows: RowStream[Any], contributions: bool
) -> Iterator[Lines]:
    for chunk in rows.read():
        size = EXPLAINED_AT_ONCE if contributions else len(chunk)
        for start in range(0, len(chunk), size):
            yield _answer_chunk(adapter, chunk[start : start + size], contributions)


def _answer_chunk(
    adapter: KindAdapter[Any, Any], chunk: Sequence[JsonRows[Any]], contributions: bool
) -> Lines:
    right = [row for line in chunk for row in line.rows if not line.faults]
    explained = iter(_explain(adapter, right, contributions))
    texts: list[str] = []
    predictions = out_of_distribution = 0
    refused: dict[str, None] = {}
    for line in chunk:
        found = None if line.faults else next(explained)
        refused |= dict.fromkeys(line.refused)
        if found is None:
            faults = line.faults or [Fault(None, "The model gives no finite number", None)]
            texts.append(write_problem(422, NO_ANSWER, faults))
        else:
            texts.append(dump_json(adapter.serialize(found)))
            predictions += 1
            out_of_distribution += found.out_of_distribution
    return Lines("".join(texts), predictions, out_of_distribution, refused)


def _explain(
    adapter: KindAdapter[Any, Any], rows: Sequence[Any], contributions: bool
) -> Sequence[Explained[Any] | None]:
    """Explain rows; None for one that breaks the model's arithmetic, which breaks it for all."""
    explain = adapter.model.explain
    if not rows:
        return ()
    try:
        return explain(rows, "", contributions)
    except ArithmeticError:
        if len(rows) == 1:
            return (None,)
        return [found for row in rows for found in _explain(adapter, [row], contributions)]
