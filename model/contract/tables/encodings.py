"""Finds out how the characters of a text file are written, and reads it as UTF-8."""

import codecs
import io
from collections.abc import Callable
from typing import Any, BinaryIO, NamedTuple

from model.contract.tables.table import TableError

HEAD_BYTES = 1 << 18
"""Bytes at the beginning of a file that tell how it is written."""


_MARKS = (
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
"""Byte order marks with what they mean; that of UTF-32 begins with that of UTF-16."""

_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP file or a workbook. Give it its ending, .xlsx or .zip"),
    (b"\xd0\xcf\x11\xe0", "a workbook of an old Excel. Save it as .xlsx or as CSV"),
    (b"PAR1", "a Parquet file. Give it its ending, .parquet"),
    (b"\x1f\x8b", "packed by gzip. Give it its ending, .csv.gz"),
    (b"%PDF", "a PDF. Save the table in it as CSV"),
)
"""What a file is that begins so, and what to do with it."""

_MOST_NULS = 0.3
"""A half of the bytes of Latin text in UTF-16 are zero."""


class Encoding(NamedTuple):
    """How a text is written: Python's name, the name for people, bytes of the mark before it."""

    codec: str
    name: str
    mark: int = 0


def detect_encoding(head: bytes, name: str) -> Encoding:
    """Detect how a text file is written by its first bytes.

    Without a byte order mark it is UTF-8 where that is possible, and else Windows-1252, or Latin-1
    where it has none of the characters in which they differ.

    Raises:
        TableError: if it is no text.
    """
    for mark, codec, words in _MARKS:
        if head.startswith(mark):
            return Encoding(codec, words, len(mark))
    for signature, words in _SIGNATURES:
        if head.startswith(signature):
            raise TableError(f"{name} is {words}.")
    if head.count(0):
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > _MOST_NULS * len(head):
            return Encoding("utf-16-be" if even > odd else "utf-16-le", "UTF-16")
        if head.count(0) > len(head) / 1000:
            raise TableError(f"{name} is no text. Save the table as a CSV file.")
    if _is_utf8(head):
        return Encoding("utf-8", "UTF-8")
    return _name_single_bytes(head)


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _name_single_bytes(head: bytes) -> Encoding:
    if any(0x80 <= byte < 0xA0 for byte in head):
        return Encoding("cp1252", "Windows-1252")
    return Encoding("latin-1", "Latin-1")


def _decode_single_bytes(data: bytes, final: bool = False) -> str:
    """Decode Windows-1252, which leaves five bytes without a meaning: those of Latin-1."""
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return "".join(
            bytes([byte]).decode("cp1252" if byte not in b"\x81\x8d\x8f\x90\x9d" else "latin-1")
            for byte in data
        )


class Utf8Stream(io.RawIOBase):
    """A text file as UTF-8, whatever it is written in, without its byte order mark.

    A file that begins in UTF-8 and goes on in something else is read as Windows-1252 from there;
    ``add_note`` is called once to say so.
    """

    def __init__(
        self,
        head: bytes,
        file: BinaryIO,
        encoding: Encoding,
        name: str,
        add_note: Callable[[str], None],
        chunk_bytes: int = HEAD_BYTES,
    ) -> None:
        self._chunk_bytes = chunk_bytes
        self._waiting = head[encoding.mark :]
        self._file, self._encoding, self._name, self._add_note = file, encoding, name, add_note
        self._decode: Callable[[bytes, bool], str] = (
            _decode_single_bytes
            if encoding.codec == "cp1252"
            else codecs.getincrementaldecoder(encoding.codec)().decode
        )
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        while not self._ready and not self._ended:
            self._ready = self._read_on()
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def read_chunk(self) -> bytes:
        """Read on, as many bytes as there are; b"" at the end."""
        while not self._ready and not self._ended:
            self._ready = self._read_on()
        chunk, self._ready = self._ready, b""
        return chunk

    def push_back(self, data: bytes) -> None:
        """Put back what was read last."""
        self._ready = data + self._ready

    def _read_on(self) -> bytes:
        data, self._waiting = self._waiting, b""
        if not data:
            data = self._file.read(self._chunk_bytes)
            self._ended = not data
        try:
            return self._decode(data, self._ended).encode()
        except UnicodeDecodeError as error:
            if self._encoding.codec != "utf-8":
                raise self._refuse() from None
            self._add_note(
                "It is not UTF-8 all through: from the first other character on it was read as "
                "Windows-1252."
            )
            # The object of the error has what the decoder kept back from the chunk before, too.
            before, rest = error.object[: error.start], error.object[error.start :]
            self._decode = _decode_single_bytes
            return (before.decode() + _decode_single_bytes(rest)).encode()
        except UnicodeEncodeError:
            raise TableError(f"{self._name} holds half a character. Save it as UTF-8.") from None
        except UnicodeError:  # text for UTF-16 has to begin with its mark
            raise self._refuse() from None

    def _refuse(self) -> TableError:
        return TableError(
            f"{self._name} cannot be read as {self._encoding.name}. Save it as UTF-8."
        )
