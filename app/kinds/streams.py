"""Many rows in one request to the API: a line of JSON each, or a table."""

from collections.abc import Iterator
from io import BytesIO
from itertools import islice

from app.http.problems import Fault
from app.kinds.adapter import JsonRows, RowStream
from app.kinds.batches import BatchLimits, TableBatch, TooLargeError, split_block
from app.kinds.parsing import UnreadableError, parse_json, read_rows
from model import Card, Features
from model.contract.tables import TableError

JSON_LINES = "application/x-ndjson"
CSV = "text/csv"

MOST_LINE = 64 * 1024
"""Bytes of a line of JSON; a row of thirty fields has one."""

CHUNK_ROWS = 64
"""Rows that are read at a time."""

NO_ANSWER = "There is no answer to this row."


class JsonRowStream(RowStream[Features]):
    """Rows that stand on a line of JSON each; blank lines are passed over."""

    def __init__(self, card: Card, content: bytes, limits: BatchLimits) -> None:
        self._card, self._content, self._limits = card, content, limits

    def check(self) -> Iterator[None]:
        if self._content.count(b"\n") > self._limits.rows:
            raise TooLargeError(f"The body has more than {self._limits.rows:,} lines.")
        if self._content.isspace() or not self._content:
            raise TableError("The body is empty. Send one row a line, as an object of JSON.")
        yield

    def read(self) -> Iterator[list[JsonRows[Features]]]:
        lines = (line for line in BytesIO(self._content) if not line.isspace())
        while chunk := [self._read_line(line) for line in islice(lines, CHUNK_ROWS)]:
            yield chunk

    def _read_line(self, line: bytes) -> JsonRows[Features]:
        if len(line) > MOST_LINE:
            return _refuse(f"A line can have {MOST_LINE // 1024} KB at most")
        try:
            body = parse_json(line)
        except UnreadableError as error:
            return _refuse(f"The line is not JSON that can be read: {error}")
        if not isinstance(body, dict):
            return _refuse("A line must have one row, as an object")
        return read_rows(self._card, body)


def _refuse(message: str) -> JsonRows[Features]:
    return JsonRows((), [Fault(None, message, "")], True, NO_ANSWER)


class TableRowStream(RowStream[Features]):
    """The rows of a table in CSV."""

    def __init__(self, batch: TableBatch) -> None:
        self._batch = batch

    def check(self) -> Iterator[None]:
        return self._batch.check()

    def read(self) -> Iterator[list[JsonRows[Features]]]:
        for block in self._batch.read():
            for part in split_block(block, CHUNK_ROWS):
                yield [
                    JsonRows((features,), (), True)
                    if not errors
                    else JsonRows(
                        (),
                        [Fault(name or None, text, None) for name, text in errors.items()],
                        True,
                        NO_ANSWER,
                        tuple(name for name in errors if name),
                    )
                    for features, errors in self._batch.read_features(part)
                ]
