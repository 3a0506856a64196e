"""Reads tables from JSON: a list of objects, or an object a line."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO

from model.contract.tables.table import Block, OpenTable, ReadOptions, TableError


def read_json_rows(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open a file of JSON objects, one for each row.

    Raises:
        TableError: if it holds something else.
    """
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{name} is not JSON in UTF-8. Save it as UTF-8.") from error
    rows = _parse(text, name)
    if not rows:
        raise TableError(f"{name} has no rows.")
    header = tuple(dict.fromkeys(key for row in rows for key in row))
    blocks = _build_blocks(rows, header, options.rows)
    first = next(blocks)
    return OpenTable(header, chain([first], blocks), first)


def _parse(text: str, name: str) -> list[dict[str, Any]]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = _parse_lines(text, name)
    if isinstance(found, dict):
        found = next((item for item in found.values() if isinstance(item, list)), [found])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise TableError(
            f"{name} holds no table. Write a list of objects, one for each row, like "
            '[{"size": 70, "rent": 900}].'
        )
    nested = next(
        (key for row in found for key, cell in row.items() if isinstance(cell, dict | list)), None
    )
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise TableError(f"{name} has half of a character in a text. Save it again.") from None
    if nested is not None:
        raise TableError(f"{name}: {nested!r} holds a list or an object. Give it one value a row.")
    return found


def _parse_lines(text: str, name: str) -> list[Any]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise TableError(f"{name}: line {number} is no JSON object.") from error
    return rows


def _build_blocks(
    rows: Sequence[dict[str, Any]], header: Sequence[str], size: int
) -> Iterator[Block]:
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        yield Block([[row.get(key) for row in part] for key in header], len(part), texts=False)
