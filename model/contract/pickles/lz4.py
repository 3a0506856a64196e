"""LZ4 frames, decompressed: joblib writes them, and the standard library does not read them."""

from collections.abc import Callable, Iterator

from model.contract.pickles.errors import PickleError
from model.contract.pickles.limits import Budget

_WINDOW = 2**16
"""Bytes before a block that it may copy from."""
_BLOCK_SIZES = {4: 2**16, 5: 2**18, 6: 2**20, 7: 2**22}
_BLOCK = 2**14
"""Bytes that a block counts for, however little is in it: the window is copied for each."""
_STORED = 1 << 31
_DAMAGED = "The file's LZ4 data is damaged."


def decompress_lz4(read: Callable[[int], bytes], budget: Budget) -> Iterator[bytes]:
    """Yield what comes out of the first frame, block by block, each of at most 4 MiB.

    Checksums are skipped; joblib writes none.

    Raises:
        PickleError: if it is damaged, cut short, or has far too many blocks.
    """

    def take(count: int) -> bytes:
        data = read(count)
        if len(data) < count:
            raise PickleError("The file ends too early: it is cut short.")
        return data

    flags, descriptor = take(6)[4:]
    linked, block_checksum, has_size, has_dictionary = (
        not flags & 0x20,
        flags & 0x10,
        flags & 0x08,
        flags & 0x01,
    )
    most = _BLOCK_SIZES.get(descriptor >> 4 & 7)
    if flags >> 6 != 1 or has_dictionary or most is None:
        raise PickleError(_DAMAGED)
    take((8 if has_size else 0) + 1)  # and the header's checksum
    window = b""
    while size := int.from_bytes(take(4), "little"):
        if size & ~_STORED > most:
            raise PickleError(_DAMAGED)
        budget.take_memory(_BLOCK)
        data = take(size & ~_STORED)
        block = data if size & _STORED else _decompress_block(data, window, most)
        if block_checksum:
            take(4)
        if linked:
            window = (window + block)[-_WINDOW:]
        yield block


def _decompress_block(data: bytes, window: bytes, most: int) -> bytes:
    """Decompress a block, which may copy from the window before it.

    Raises:
        PickleError: if it is damaged, or larger than it may be.
    """
    out = bytearray(window)
    most += len(window)
    at = 0
    try:
        while True:
            token = data[at]
            at += 1
            length = token >> 4
            if length == 15:
                length, at = _extend(length, data, at)
            out += data[at : at + length]
            at += length
            if at >= len(data):
                break
            offset = data[at] | data[at + 1] << 8
            at += 2
            length = token & 15
            if length == 15:
                length, at = _extend(length, data, at)
            length += 4
            start = len(out) - offset
            if not offset or start < 0 or len(out) + length > most:
                raise PickleError(_DAMAGED)
            if offset >= length:
                out += out[start : start + length]
            else:  # it copies what it writes: a run
                run = out[start:]
                out += (run * (length // offset + 1))[:length]
    except IndexError:
        raise PickleError(_DAMAGED) from None
    if at > len(data) or len(out) > most:
        raise PickleError(_DAMAGED)
    return bytes(out[len(window) :])


def _extend(length: int, data: bytes, at: int) -> tuple[int, int]:
    """Read the rest of a length; return it and the place after it."""
    while (more := data[at]) == 255:
        length += 255
        at += 1
    return length + more, at + 1
