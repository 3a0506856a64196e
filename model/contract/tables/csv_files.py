"""Reads tables from text files: CSV as it is written all over the world."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from importlib.util import find_spec
from itertools import chain, islice, takewhile
from typing import Any, BinaryIO, NamedTuple, TextIO

from model.contract.tables.arrow import split_lines
from model.contract.tables.encodings import HEAD_BYTES, Encoding, Utf8Stream, detect_encoding
from model.contract.tables.table import Block, OpenTable, ReadOptions, TableError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What separates columns, most usual first, and its name in the plural."""

_SAMPLE_ROWS = 50
"""Rows by which the delimiter is found."""

_COMMENT = "#"
"""How a line begins that is a comment, unless other rows begin so, too."""

_NUMBER = re.compile(r"\s*[-+]?\d[\d.,eE+-]*\s*").fullmatch

_SEPARATOR_LINE = "sep="
"""How a first line begins by which Excel learns the delimiter."""

_ARROW_BYTES = 1 << 20
"""Bytes that are split at a time by pyarrow, to which each column is a call."""

BuildBlock = partial[Block]
"""``build_block`` with all that it takes but the rows."""

MAX_RECORD = 16_000_000
"""Characters of a row."""

_MOST_LINES = 1000
"""Lines of a quoted cell that are gone back to find its beginning."""

MAX_CELL = 1 << 17
"""Characters of a cell; a longer one usually lacks its closing quote."""


def read_csv(file: BinaryIO, name: str, options: ReadOptions) -> OpenTable:
    """Open a text file whose columns are separated by commas, semicolons, tabs or vertical bars.

    Raises:
        TableError: if it is no text, is empty or has nothing but a header.
    """
    head = _read_head(file, name)
    notes: list[str] = []
    encoding = _choose_encoding(head, name, options)
    if encoding.codec != "utf-8":
        notes.append(f"It was read as {encoding.name}.")
    by_arrow = options.arrow and find_spec("pyarrow") is not None
    chunk_bytes = _ARROW_BYTES if by_arrow else HEAD_BYTES
    stream = Utf8Stream(head, file, encoding, name, notes.append, chunk_bytes)
    sample = head[encoding.mark :].decode(encoding.codec, "replace")
    delimiter, declared = _find_delimiter(_drop_comments(sample), options)
    if delimiter != ",":
        notes.append(f"Its columns are separated by {_DELIMITERS.get(delimiter, repr(delimiter))}.")
    by_arrow = by_arrow and len(delimiter.encode()) == 1
    rows, read_blocks = _open_records(stream, delimiter, name, options.rows, by_arrow)
    if declared:
        next(rows)
    header = next(rows, None)
    if header is None:
        raise TableError(f"{name} is empty. Its first line must name the columns.")
    comments = _find_comments(sample.partition("\n")[2] if declared else sample, delimiter)
    if comments.has_any or comments.before_header:
        notes.append("Lines that begin with # were left out as comments.")
    if comments.before_header:
        header = next(islice(rows, comments.before_header - 1, None))
    build = partial(build_block, width=len(header), has_comments=comments.has_any)
    blocks = chain(_build_blocks(rows, build, options.rows), read_blocks(build))
    first = next(blocks, None)
    if first is None:
        raise TableError(f"{name} has no rows below its first line, which names the columns.")
    return OpenTable(tuple(header), chain([first], blocks), first, notes)


def _open_records(
    stream: Utf8Stream, delimiter: str, name: str, size: int, by_arrow: bool
) -> tuple[Iterator[list[str]], Callable[[BuildBlock], Iterator[Block]]]:
    """Read the records of a stream: those at its beginning, and a reader of the blocks after them.

    The reader takes what builds a block of rows.
    """
    chunks = _cut_records(stream, delimiter, name)
    first = next(chunks, None)

    def read_rest() -> Iterator[list[str]]:
        text = io.TextIOWrapper(io.BufferedReader(stream, HEAD_BYTES), "utf-8", newline="")
        return _read_rows(text, delimiter, name)

    def read_blocks(build: BuildBlock) -> Iterator[Block]:
        for chunk in chunks:
            block = _parse_chunk(chunk, delimiter, build, name, by_arrow)
            if block.rows:  # not only blank lines
                yield block
        yield from _build_blocks(read_rest(), build, size)

    if first is None:
        return read_rest(), lambda build: iter(())
    return _read_rows(io.StringIO(first.decode(), newline=""), delimiter, name), read_blocks


@lru_cache(maxsize=16)
def _compile_records(delimiter: str) -> Callable[[str], re.Match[str] | None]:
    """Compile the pattern of whole records in which quotes only stand around whole cells."""
    end = re.escape(delimiter)
    cell = rf'"(?:[^"]|"")*+"|[^"{end}\r\n]*+'
    return re.compile(rf"(?:(?:{cell})(?:{end}|\r\n|\r|\n|\Z))*+").fullmatch


def _cut_records(stream: Utf8Stream, delimiter: str, name: str) -> Iterator[bytes]:
    """Cut a stream into chunks that end where a record ends.

    It stops before quotes that do not come in pairs, which only the reader of ``csv`` understands,
    and leaves them in the stream.
    """
    is_well_formed = _compile_records(delimiter)
    rest = b""
    while data := stream.read_chunk():
        rest += data
        end = _find_record_end(rest)
        if end < 0:
            if len(rest) > MAX_RECORD:
                raise TableError(
                    f"{name} has a line of more than {MAX_RECORD // 1_000_000} million characters. "
                    "Is it a table with a row on each line?"
                )
            if rest.count(b'"') and len(rest) > MAX_CELL:
                break
            continue
        if b'"' in rest and not is_well_formed(rest[:end].decode()):
            break
        yield rest[:end]
        rest = rest[end:]
    else:
        if rest and is_well_formed(rest.decode()):
            yield rest
            rest = b""
    stream.push_back(rest)


def _find_record_end(data: bytes) -> int:
    """Where the last whole record ends, behind its line end; -1 where there is none."""
    line_end = b"\n" if b"\n" in data else b"\r"
    end = len(data)  # a \n that comes later to a last \r is a blank line
    quotes = data.count(b'"')
    for _ in range(_MOST_LINES):
        found = data.rfind(line_end, 0, end)
        if found < 0:
            return -1
        quotes -= data.count(b'"', found, end)
        if quotes % 2 == 0:
            return found + 1
        end = found
    return -1


def _parse_chunk(
    chunk: bytes, delimiter: str, build: BuildBlock, name: str, by_arrow: bool
) -> Block:
    """Parse whole records; at once, where each stands on a line of its own and none is quoted."""
    width = build.keywords["width"]
    if width > 1 and b'"' not in chunk and chunk.count(b"\r") == chunk.count(b"\r\n"):
        if by_arrow and not chunk.startswith(codecs.BOM_UTF8):  # Arrow leaves out such a mark
            columns: Sequence[Any] | None = split_lines(chunk, delimiter, width)
        else:
            columns = _split_lines(chunk.decode(), delimiter, width)
        if columns is not None:
            return Block(columns, len(columns[0]))
    rows = _read_rows(io.StringIO(chunk.decode(), newline=""), delimiter, name)
    return build(list(rows))


def _split_lines(text: str, delimiter: str, width: int) -> list[list[str]] | None:
    """The columns of lines; None where one has another number of cells."""
    text = text.replace("\r\n", "\n").removesuffix("\n")
    if {line.count(delimiter) for line in text.split("\n")} != {width - 1}:
        return None
    cells = text.replace("\n", delimiter).split(delimiter)
    return [cells[start::width] for start in range(width)]


def _read_head(file: BinaryIO, name: str) -> bytes:
    """The first bytes; a file that is still being sent may give a few at a time."""
    parts: list[bytes] = []
    missing = HEAD_BYTES
    while missing > 0:
        try:
            part = file.read(missing)
        except IsADirectoryError as error:
            raise TableError(f"{name} is a folder, and must be a file.") from error
        if not part:
            break
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _choose_encoding(head: bytes, name: str, options: ReadOptions) -> Encoding:
    found = detect_encoding(head, name)
    if not options.encoding:
        return found
    try:
        codec = codecs.lookup(options.encoding).name
        b"a".decode(codec, "replace")  # some encode no text, or cannot go on after an error
    except (LookupError, UnicodeError):
        raise TableError(
            f"There is no encoding {options.encoding!r}. Usual ones are utf-8, cp1252, utf-16."
        ) from None
    return found if found.mark else Encoding(codec, options.encoding)


def _find_delimiter(text: str, options: ReadOptions) -> tuple[str, bool]:
    """Find what separates the columns, and whether a line before the header says so.

    It is what cuts the most lines into as many cells as the header has.
    """
    first = text.lstrip().partition("\n")[0].strip().strip('"')
    declared = first.lower().startswith(_SEPARATOR_LINE) and len(first) <= len(_SEPARATOR_LINE) + 1
    if options.delimiter:
        if len(options.delimiter) > 1 or options.delimiter in '"\r\n':
            raise TableError(
                f"{options.delimiter!r} cannot separate columns. Name one character, like ; or tab."
            )
        return options.delimiter, declared
    if declared:
        return first[len(_SEPARATOR_LINE) :] or "\t", True
    return max(_DELIMITERS, key=lambda delimiter: _count_regular(text, delimiter)), False


class _Comments(NamedTuple):
    """Whether a file has comments, and how many of its rows are comments before its header."""

    has_any: bool
    before_header: int


def _find_comments(text: str, delimiter: str) -> _Comments:
    """Find the comments among the first rows of a file.

    A row that begins with ``#`` is one if it has another number of cells than the others; also the
    rows so before the header, but for the last of them where that is the header, as NumPy writes
    it: with as many cells as the row below it, which holds numbers.
    """
    if not re.search(r"^#", text, re.MULTILINE):
        return _Comments(False, 0)
    with suppress(csv.Error):
        found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in found if not _is_blank(row)]
        before = len(list(takewhile(_is_marked, rows)))
        header, *others = rows[before:] or [[""]]
        width = len(header)
        names_follow = others and _has_number(others[0]) and not _has_number(header)
        if before and len(rows[before - 1]) == width and not names_follow:
            before, others = before - 1, [header, *others]
        marked = {len(row) for row in others[:-1] if _is_marked(row)}  # the last may be cut off
        if width > 1:
            return _Comments(width not in marked and bool(before or marked), before)
    return _Comments(False, 0)


def _is_blank(row: Sequence[str]) -> bool:
    return len(row) < 2 and not "".join(row).strip()


def _has_number(row: Sequence[str]) -> bool:
    return any(map(_NUMBER, row))


def _is_marked(row: Sequence[str]) -> bool:
    return row[0].startswith(_COMMENT)


def _drop_comments(text: str) -> str:
    """A text without the lines that begin with ``#``, if others are left."""
    return re.sub(r"^#[^\n]*(\n|\Z)", "", text, flags=re.MULTILINE) or text


def _count_regular(text: str, delimiter: str) -> tuple[float, int, int]:
    """How well a delimiter cuts lines: the more in each figure, the better.

    Returns:
        The share of lines with as many cells as the header; the header's cells, both 0 where that
        has one; and, below 0, how many of the header's cells begin with a blank.
    """
    counts: list[int] = []
    blanks = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if row and not counts:
                blanks = sum(cell[:1].isspace() for cell in row)
            if row:
                counts.append(len(row))
            if len(counts) > _SAMPLE_ROWS:
                break
    except csv.Error:
        pass
    if not counts or counts[0] == 1:
        return 0.0, 0, 0
    return sum(count == counts[0] for count in counts) / len(counts), counts[0], -blanks


def _read_rows(text: TextIO, delimiter: str, name: str) -> Iterator[list[str]]:
    """The rows that are not blank."""
    reader = csv.reader(text, delimiter=delimiter)
    try:
        for row in reader:
            if not _is_blank(row):
                yield row
    except csv.Error as error:
        raise TableError(
            f"{name}: a cell has more than {MAX_CELL:,} characters. "
            "Probably a closing quote is missing."
            if "field larger" in str(error)
            else f"{name} cannot be read as CSV: {error}."
        ) from None


def _build_blocks(rows: Iterator[list[str]], build: BuildBlock, size: int) -> Iterator[Block]:
    while True:
        taken = list(islice(rows, size))
        if not taken:
            return
        yield build(taken)


def build_block(rows: list[list[str]], width: int, has_comments: bool = False) -> Block:
    """Build a block of rows, each of which shall have ``width`` cells.

    Missing cells are empty. Those beyond the header are left out; they are wrong unless blank. A
    row of another width that begins with ``#`` is a comment where the file ``has_comments``.
    """
    if has_comments:
        rows = [row for row in rows if len(row) == width or not row[0].startswith(_COMMENT)]
    ragged = {}
    for index, row in enumerate(rows):
        if len(row) != width:
            problem = _describe_ragged(row, width)
            if problem:
                ragged[index] = problem
            rows[index] = row[:width] + [""] * (width - len(row))
    return Block(list(zip(*rows, strict=True)) or [()] * width, len(rows), ragged)


def _describe_ragged(row: Sequence[str], width: int) -> str:
    if len(row) > width and not any(cell.strip() for cell in row[width:]):
        return ""
    columns = "1 column" if width == 1 else f"{width:,} columns"
    cells = "1 cell" if len(row) == 1 else f"{len(row):,} cells"
    return f"This row has {cells}, but the first line names {columns}"
