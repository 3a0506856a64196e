"""The instructions of pickles, written one by one: what a pickler would never write, too."""

from __future__ import annotations

import io
import pickle
import struct

MARK = "hostile-mark"
"""The file that a payload makes in the working directory if it ever runs."""


def text(value: str) -> bytes:
    """Push text."""
    data = value.encode("utf-8", "surrogatepass")
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def name(names: str) -> bytes:
    """Push a class or function by "module name"."""
    return pickle.GLOBAL + names.replace(" ", "\n").encode() + b"\n"


def plain(value: object) -> bytes:
    """Push a plain value."""
    written = io.BytesIO()
    pickler = pickle.Pickler(written, 2)
    pickler.fast = True  # it memoises nothing, so that the numbers of the memo stay ours
    pickler.dump(value)
    return written.getvalue()[2:-1]


def called(names: str, *args: bytes) -> bytes:
    """Push what a call gives; arguments are given as what pushes them."""
    return name(names) + pickle.MARK + b"".join(args) + pickle.TUPLE + pickle.REDUCE


def file(*parts: bytes) -> bytes:
    """Make a pickle of protocol 4."""
    return b"\x80\x04" + b"".join(parts) + pickle.STOP


EVIL = called("os system", plain(f"touch {MARK}"))
"""Push what runs a command."""


def dtype(code: str, order: str = "<") -> bytes:
    """Push a dtype."""
    return called("numpy dtype", plain(code), plain(False), plain(True)) + (
        plain((3, order, None, None, None, -1, -1, 0)) + pickle.BUILD
    )


def array(shape: bytes, kind: bytes, content: bytes) -> bytes:
    """Push an array, by what pushes its parts."""
    return (
        called(
            "numpy.core.multiarray _reconstruct", name("numpy ndarray"), plain((0,)), plain(b"b")
        )
        + (pickle.MARK + plain(1) + shape + kind + plain(False) + content + pickle.TUPLE)
        + pickle.BUILD
    )


def get(place: int) -> bytes:
    """Push a value of the memo again."""
    return pickle.LONG_BINGET + struct.pack("<I", place)
