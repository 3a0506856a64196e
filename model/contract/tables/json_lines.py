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

_REPEATED_KEY = "This line has the same key twice. Delete one of them"

_may_have_halves = re.compile(r"\\u[dD]").search
"""Whether a line may have half of a character, which no file can hold."""


def read_json_lines(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open a file of JSON lines; the keys of its first rows are the columns.

    Raises:
        TableError: if no line among the first is an object.
    """
    lines = _read_lines(file, name)
    first = list(islice(lines, options.rows))
    keys = dict.fromkeys(key for row in first if isinstance(row, dict) for key in row)
    if not keys:
        raise TableError(f"{name} has no lines with an object of JSON.")
    sample = _build_block(first, keys)
    rest = iter(lambda: list(islice(lines, options.rows)), [])
    blocks = chain([sample], (_build_block(rows, keys) for rows in rest))
    return OpenTable(tuple(keys), blocks, sample)


def _read_lines(file: BinaryIO, name: str) -> Iterator[dict[str, Any] | str]:
    """The objects, or what is wrong with a line; blank lines are passed over."""
    buffered = io.BufferedReader(cast(io.RawIOBase, _Readable(file)))
    while line := buffered.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise TableError(f"{name} has a line of more than {MAX_LINE // 10**6} MB.")
        if not line.isspace():
            yield _parse_line(line)


def _parse_line(line: bytes) -> dict[str, Any] | str:
    try:
        text = line.decode("utf-8-sig")
        row = _decode(text)
        if _may_have_halves(text):
            json.dumps(row, ensure_ascii=False).encode()
    except _RepeatedKeyError:
        return _REPEATED_KEY
    except (ValueError, RecursionError):
        return _NO_OBJECT
    return row if isinstance(row, dict) else _NO_OBJECT


class _RepeatedKeyError(ValueError):
    """An object has a key twice, and nobody knows which value is meant."""


def _build_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedKeyError
    return found


_decode = json.JSONDecoder(object_pairs_hook=_build_object).decode


def _build_block(rows: list[dict[str, Any] | str], keys: dict[str, None]) -> Block:
    wrong = {index: row for index, row in enumerate(rows) if isinstance(row, str)}
    objects = [{} if isinstance(row, str) else row for row in rows]
    for index, row in enumerate(objects):
        if not row.keys() <= keys.keys():
            further = next(key for key in row if key not in keys)
            wrong[index] = (
                f'"{further[:60]}" has no column, because no row at the beginning has it. Put it '
                "into the first row, with null where it is unknown"
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
