"""The bytes of a file, one after another: opened safely, decompressed as they are asked for."""

from __future__ import annotations

import bz2
import lzma
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from model.contract.pickles.errors import PickleError
from model.contract.pickles.limits import Budget
from model.contract.pickles.lz4 import decompress_lz4
from model.contract.pickles.records import Compression

_CHUNK = 2**18
_BIG = 2**12
"""Reads of more bytes count against the memory; those of less do as operations."""
_DICTIONARY = 100 * 2**20
"""Bytes that LZMA may keep; its highest preset keeps 64 MiB."""
_SLOW_CONTENT = 8 * 2**20
_SLOW_FACTOR = 16
"""Bytes that may come out of bz2, and for each that was read of it: where it shrank by more, it
takes a second for ten megabytes."""
_FAR_MORE = "The file decompresses to far more than a model of its size has."
_MEMBER = 2**16
"""Bytes that a member of a compressed file counts for, however little is in it."""

_SIGNATURES: dict[bytes, Compression] = {
    b"\x1f\x8b": "gzip",
    b"x": "zlib",
    b"ZF": "zlib",
    b"BZh": "bz2",
    b"\xfd7zXZ": "xz",
    b"]\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4",
}
"""How a compressed file begins; no pickle begins like this. ZF is joblib's of before 0.10."""
_OLD_HEADER = len(b"ZF") + len(hex(2**64))


class ByteSource:
    """Bytes to read in order, never more than a file may have."""

    def __init__(self, chunks: Iterator[bytes], budget: Budget) -> None:
        """Read from the chunks of a file."""
        self._chunks = chunks
        self._left = budget.content
        self._budget = budget
        self._buffer = b""
        self._at = 0

    def read(self, count: int) -> bytes:
        """Read exactly so many bytes.

        Raises:
            PickleError: if there are fewer, or the file asks for too many.
        """
        end = self._at + count
        if end <= len(self._buffer):
            if count > _BIG:
                self._budget.take_memory(count)
            data = self._buffer[self._at : end]
            self._at = end
            return data
        self._budget.take_memory(count)
        self.check_left(count)
        return b"".join(self._take(count))

    def read_text(self, count: int) -> str:
        """Read UTF-8 of so many bytes; one character of it can make each take 4 bytes of memory.

        Raises:
            PickleError: if there are fewer, or the file asks for too many.
        """
        if count > _BIG:
            self._budget.take_memory(4 * count)
        return self.read(count).decode("utf-8", "surrogatepass")

    def read_byte(self) -> int:
        """Read the next byte.

        Raises:
            PickleError: if there is none.
        """
        if self._at == len(self._buffer):
            self._refill()
        self._at += 1
        return self._buffer[self._at - 1]

    def readline(self) -> bytes:
        """Read up to a line feed, with it.

        Raises:
            PickleError: if there is none.
        """
        pieces = []
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            pieces.append(self._buffer[self._at :])
            self._budget.take_memory(len(pieces[-1]))
            self._refill()
        pieces.append(self._buffer[self._at : end + 1])
        self._at = end + 1
        return b"".join(pieces)

    def read_into(self, target: memoryview) -> None:
        """Fill memory of one byte an item.

        Raises:
            PickleError: if there are fewer bytes.
        """
        self.check_left(len(target))
        at = 0
        for piece in self._take(len(target)):
            target[at : at + len(piece)] = piece
            at += len(piece)

    def peek(self) -> bytes:
        """Return the next bytes, at least one, without taking them.

        Raises:
            PickleError: if there is none.
        """
        if self._at == len(self._buffer):
            self._refill()
        return self._buffer[self._at :]

    def has_more(self) -> bool:
        """Say whether any byte is left."""
        return self._at < len(self._buffer) or bool(next(self._chunks, b""))

    def check_left(self, count: int) -> None:
        """Check a size against the bytes that are left, before memory is asked for.

        Raises:
            PickleError: if there are fewer.
        """
        if count > self._left + len(self._buffer) - self._at:
            raise PickleError(
                "The file names more bytes than it can have: it is cut short or damaged."
            )

    def _take(self, count: int) -> Iterator[bytes]:
        """Yield so many bytes, chunk by chunk."""
        while count:
            if self._at == len(self._buffer):
                self._refill()
            piece = self._buffer[self._at : self._at + count]
            self._at += len(piece)
            count -= len(piece)
            yield piece

    def _refill(self) -> None:
        self._buffer, self._at = next(self._chunks, b""), 0
        if not self._buffer:
            raise PickleError("The file ends too early: it is cut short.")
        self._left -= len(self._buffer)
        if self._left < 0:
            raise PickleError(_FAR_MORE)


@contextmanager
def open_source(path: Path) -> Iterator[tuple[ByteSource, Budget, Compression]]:
    """Open a regular file, and decompress what is compressed.

    Raises:
        PickleError: if it is something else, is empty, or cannot be opened.
    """
    try:
        # Without O_NONBLOCK, opening a named pipe waits for who writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is no file's"
        raise PickleError(f"The file cannot be opened: {reason}.") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise PickleError("Only regular files are opened, and this is none.")
    with open(descriptor, "rb") as file:
        if not status.st_size:
            raise PickleError("The file is empty.")
        compression = find_compression(file.peek(8)[:8])
        budget = Budget(status.st_size, bool(compression))
        if compression:
            chunks = _decompress(file, compression, budget)
        else:
            chunks = iter(lambda: file.read(_CHUNK), b"")
        yield ByteSource(chunks, budget), budget, compression


def find_compression(start: bytes) -> Compression:
    """How a file is compressed that begins with these bytes; "" where it is not."""
    return next((name for mark, name in _SIGNATURES.items() if start.startswith(mark)), "")


def _decompress(file: BufferedReader, compression: Compression, budget: Budget) -> Iterator[bytes]:
    """Yield what comes out of a file, member by member, in chunks of a limited size."""
    if compression == "lz4":
        yield from decompress_lz4(file.read, budget)
        return
    if file.peek(2)[:2] == b"ZF":
        file.read(_OLD_HEADER + (file.peek(_OLD_HEADER + 1)[_OLD_HEADER:][:1] == b" "))
    data = file.read(_CHUNK)
    start, slow_left = data[:2], _SLOW_CONTENT + _SLOW_FACTOR * len(data)
    while data.startswith(start):
        budget.take_memory(_MEMBER)
        decompressor = _make_decompressor(compression)
        while not decompressor.eof:
            chunk = decompressor.decompress(data, _CHUNK)
            # bz2 and lzma keep what they did not use; zlib hands it back.
            data = decompressor.unconsumed_tail if isinstance(decompressor, _Zlib) else b""
            if chunk:
                yield chunk
            slow_left -= len(chunk)
            if compression == "bz2" and slow_left < 0:
                raise PickleError(_FAR_MORE)
            if len(chunk) < _CHUNK and not data and not decompressor.eof:
                data = file.read(_CHUNK)
                slow_left += _SLOW_FACTOR * len(data)
                if not data:
                    raise PickleError("The file ends too early: it is cut short.")
        data = decompressor.unused_data
        if not data:
            data = file.read(_CHUNK)
            slow_left += _SLOW_FACTOR * len(data)


_Zlib = type(zlib.decompressobj())


def _make_decompressor(
    compression: Compression,
) -> zlib._Decompress | bz2.BZ2Decompressor | lzma.LZMADecompressor:
    if compression in ("gzip", "zlib"):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)  # it tells the two apart by their headers
    if compression == "bz2":
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(memlimit=_DICTIONARY)
