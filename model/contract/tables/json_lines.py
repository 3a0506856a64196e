"""Reads tables from files with an object of JSON on each line."""

import io
import json
import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import Any, BinaryIO, cast

from model.contract.tables.table import Block, OpenTable, ReadOptions, TableError

MAX_LINE = 1 << 22
"""Bytes of a line."""

_NO_OBJECT = "This line is not an object of JSON in UTF-8"

_may_have_halves = re.compile(r"\\u[dD]").search
"""Whether a line may have half of a character, which no file can hold."""


def read_json_lines(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open a file of JSON lines; the keys of its first rows are the columns.

    Raises:
        TableError: if no line among the first is an object.
    """
    lines = _read_lines(file, name)
    first = list(islice(lines, options.rows))
    keys = dict.fromkeys(key for row in first if row is not None for key in row)
    if not keys:
        raise TableError(f"{name} has no lines with an object of JSON.")
    table = OpenTable(tuple(keys), iter(()), _build_block(first, keys, None))
    rest = iter(lambda: list(islice(lines, options.rows)), [])
    table.blocks = chain([table.sample], (_build_block(rows, keys, table) for rows in rest))
    return table


def _read_lines(file: BinaryIO, name: str) -> Iterator[dict[str, Any] | None]:
    """The objects, None for a line that is none; blank lines are passed over."""
    buffered = io.BufferedReader(cast(io.RawIOBase, _Readable(file)))
    while line := buffered.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise TableError(f"{name} has a line of more than {MAX_LINE // 10**6} MB.")
        if not line.isspace():
            try:
                text = line.decode("utf-8-sig")
                row = json.loads(text)
                if _may_have_halves(text):
                    json.dumps(row, ensure_ascii=False).encode()
            except (ValueError, RecursionError):
                row = None
            yield row if isinstance(row, dict) else None


def _build_block(
    rows: list[dict[str, Any] | None], keys: dict[str, None], table: OpenTable | None
) -> Block:
    wrong = {index: _NO_OBJECT for index, row in enumerate(rows) if row is None}
    objects = [row or {} for row in rows]
    if table is not None and not table.notes:
        further = next((key for row in objects for key in row if key not in keys), None)
        if further is not None:
            table.notes.append(
                f'"{further[:60]}" is in no row at the beginning, so there is no column for it.'
            )
    return Block([[row.get(key) for row in objects] for key in keys], len(rows), wrong, texts=False)


class _Readable(io.RawIOBase):
    """A file that has ``read`` and nothing else, for a reader of lines."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
