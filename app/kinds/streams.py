"""Many rows in one request to the API: a line of JSON each, or a table."""

from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice
from typing import Any

from app.http.problems import Fault
from app.kinds.adapter import JsonRows, RowStream, StreamedRow
from app.kinds.batches import BatchLimits, TableBatch, TooLargeError, split_block
from app.kinds.parsing import UnreadableError, parse_json, read_rows
from model import Features
from model.contract.tables import Block, TableError
from model.serving.batch import BatchPredictor
from model.serving.batch.predictor import NO_ANSWER
from model.serving.served_model import PredictionT
from model.serving.tabular import TabularModel

JSON_LINES = "application/x-ndjson"
CSV = "text/csv"

MOST_LINE = 64 * 1024
"""Bytes of a line of JSON; a row of thirty fields has one."""

CHUNK_ROWS = 256
"""Rows that are answered at a time: some milliseconds of work."""

EXPLAINED_AT_ONCE = 4
"""The same where contributions are asked for."""


class JsonRowStream(RowStream[PredictionT]):
    """Rows that stand on a line of JSON each; blank lines are passed over."""

    def __init__(
        self, model: TabularModel[PredictionT], content: bytes, limits: BatchLimits
    ) -> None:
        self._card, self._content, self._limits = model.card, content, limits
        self._predictor = BatchPredictor(model, model.card.names, strict_json=True)

    def check(self) -> Iterator[None]:
        if self._content.count(b"\n") > self._limits.rows:
            raise TooLargeError(f"The body has more than {self._limits.rows:,} lines.")
        if self._content.isspace() or not self._content:
            raise TableError("The body is empty. Send one row a line, as an object of JSON.")
        yield

    def answer(self, contributions: bool) -> Iterator[Sequence[StreamedRow[PredictionT]]]:
        size = EXPLAINED_AT_ONCE if contributions else CHUNK_ROWS
        lines = (line for line in BytesIO(self._content) if not line.isspace())
        while chunk := [self._read_line(line) for line in islice(lines, size)]:
            rows = [line if isinstance(line, dict) else {} for line in chunk]
            refused = {row: "" for row, line in enumerate(chunk) if not isinstance(line, dict)}
            columns = [[row.get(name) for row in rows] for name in self._card.names]
            block = Block(columns, len(rows), refused, texts=False)
            explained, _ = self._predictor.explain(block, contributions)
            yield [
                self._refuse(line) if found is None else StreamedRow(found)
                for found, line in zip(explained, chunk, strict=True)
            ]

    def _read_line(self, line: bytes) -> dict[str, Any] | JsonRows[Features]:
        """Read a row that has no other keys than those of fields, or what is wrong with it."""
        if len(line) > MOST_LINE:
            return _refuse_line(f"A line can have {MOST_LINE // 1024} KB at most")
        try:
            body = parse_json(line)
        except UnreadableError as error:
            return _refuse_line(f"The line is not JSON that can be read: {error}")
        if not isinstance(body, dict):
            return _refuse_line("A line must have one row, as an object")
        return body if body.keys() <= self._card.by_name.keys() else read_rows(self._card, body)

    def _refuse(self, line: dict[str, Any] | JsonRows[Features]) -> StreamedRow[PredictionT]:
        read = read_rows(self._card, line) if isinstance(line, dict) else line
        faults = read.faults or [Fault(None, NO_ANSWER, None)]
        return StreamedRow(None, faults, read.refused)


def _refuse_line(message: str) -> JsonRows[Features]:
    return JsonRows((), [Fault(None, message, "")], True)


class TableRowStream(RowStream[PredictionT]):
    """The rows of a table in CSV."""

    def __init__(
        self, model: TabularModel[PredictionT], content: bytes, limits: BatchLimits
    ) -> None:
        self._batch = TableBatch(model, content, "The body", limits)

    def check(self) -> Iterator[None]:
        return self._batch.check()

    def answer(self, contributions: bool) -> Iterator[Sequence[StreamedRow[PredictionT]]]:
        size = EXPLAINED_AT_ONCE if contributions else CHUNK_ROWS
        for block in self._batch.read():
            for part in split_block(block, size):
                explained, errors = self._batch.explain(part, contributions)
                yield [
                    _refuse_row(errors[row]) if found is None else StreamedRow(found)
                    for row, found in enumerate(explained)
                ]


def _refuse_row(errors: Mapping[str, str]) -> StreamedRow[Any]:
    faults = [Fault(name or None, message, None) for name, message in errors.items()]
    return StreamedRow(None, faults, tuple(name for name in errors if name))
