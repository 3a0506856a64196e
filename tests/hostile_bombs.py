"""Small files that want much memory, time or depth."""

from __future__ import annotations

import bz2
import gzip
import lzma
import pickle
import random
import struct
import zlib
from collections.abc import Callable
from functools import partial

from tests.pickle_writing import array, called, dtype, file, get, name, plain, text


def list_bombs() -> dict[str, bytes]:
    """Return files that are not compressed, by name."""
    megabyte = plain(bytes(2**20)) + pickle.MEMOIZE + pickle.POP
    many = 5000
    hundred_thousand = b"N" * 10**5
    none = name("a b") + pickle.MEMOIZE + pickle.POP
    real, one = dtype("f8"), plain((1,))
    names = tuple("abcdefghijklmnopqrstuvwxyz")
    fields = b"".join(
        text(each) + real + plain(8 * place) + pickle.TUPLE2 for place, each in enumerate(names)
    )
    return {
        "scalars": _repeat("numpy.core.multiarray scalar", b"(" + real + plain(bytes(8)) + b"t"),
        "arrays": _repeat(
            "numpy.core.multiarray _reconstruct",
            b"(" + name("numpy ndarray") + plain((0,)) + plain(b"b") + b"t",
            b"(" + plain(1) + one + real + plain(False) + plain(bytes(8)) + b"t",
        ),
        "dtypes-of-fields": _repeat(
            "numpy dtype",
            b"(" + plain("V208") + b"t",
            (b"(" + plain(3) + plain("|") + b"N" + plain(names) + b"}(" + fields + b"u"),
            plain(208) + plain(1) + plain(0) + b"t",
        ),
        "billion-laughs": file(
            b"]\x940", *(b"](" + get(n) * 10 + b"e\x940" for n in range(40)), get(40)
        ),
        "billion-laughs-of-tuples": file(
            b")\x940", *(get(n) * 2 + pickle.TUPLE2 + b"\x940" for n in range(60)), get(60)
        ),
        "list-in-itself": file(b"]", pickle.MEMOIZE, get(0), pickle.APPEND),
        "dict-in-itself": file(b"}", pickle.MEMOIZE, plain("a"), get(0), pickle.SETITEM),
        "state-in-itself": file(called("a b"), pickle.MEMOIZE, get(0), pickle.BUILD),
        "deep-tuples": file(b")", pickle.TUPLE1 * 500_000),
        "deep-lists": file(b"]" * 200_000, pickle.APPEND * 199_999),
        "deep-dicts": file(*[b"}K\0"] * 100_000, b"N", pickle.SETITEM * 100_000),
        "deep-calls": file(*[name("a b")] * 50_000, b")", (pickle.REDUCE + b"\x85") * 50_000),
        "deep-states": file(*[called("a b")] * 50_000, pickle.BUILD * 49_999),
        "deep-slices": file((name("builtins slice") + b"(NN") * 50_000, b"N", b"tR" * 50_000),
        "deep-dtypes": file((name("numpy dtype") + b"(") * 50_000, b"N", b"tR" * 50_000),
        "deep-copyreg": file(
            *[name("copyreg __newobj__"), pickle.MEMOIZE, b"(", get(0) * 150_000, b"tR"]
        ),
        "deep-shares": file(
            b"]\x940(", *(b"]" + get(n) + b"a\x94" for n in range(2000)), pickle.LIST
        ),
        "keys-of-one-long-text": file(
            *(b"}(", text("\U0010ffff" * 10**6), pickle.MEMOIZE, get(0) * 500, b"tNs")
        ),
        "marks": file(pickle.MARK * 900_000),
        "dicts": file(pickle.EMPTY_DICT * 3_000_000),
        "records": file(none, b"(", (get(0) + b")R") * 600_000, b"t"),
        "duplicates": file(plain(1), pickle.DUP * 3_000_000),
        "memo": file(plain(1), pickle.MEMOIZE * 3_000_000),
        "strings": file((plain("a" * 200) + b"0") * 20_000, b"N"),
        "bytes-of-8-exabytes": file(pickle.BINBYTES8, b"\xff" * 7 + b"\x7f"),
        "bytes-of-4-gigabytes": file(pickle.BINBYTES, b"\xff" * 4),
        "text-of-4-gigabytes": file(pickle.BINUNICODE, b"\xff" * 4),
        "text-of-8-exabytes": file(pickle.BINUNICODE8, b"\xff" * 7 + b"\x7f"),
        "bytearray-of-a-terabyte": file(pickle.BYTEARRAY8, struct.pack("<Q", 2**40)),
        "integer-negative-size": file(pickle.LONG4, b"\xff" * 4),
        "integer-of-4-megabits": file(pickle.LONG4, struct.pack("<i", 2**19), b"\x7f" * 2**19),
        "integer-of-a-million-digits": b"L" + b"9" * 10**6 + b"L\n.",
        "integer-of-digits": b"I" + b"9" * 4000 + b"\n.",
        "float-of-a-million-digits": b"F" + b"9" * 10**6 + b"\n.",
        "copies-of-bytes": file(megabyte, b"(", called("builtins bytearray", get(0)) * many, b"t"),
        "copies-of-arrays": file(
            megabyte, b"(", array(plain((2**17,)), dtype("f8"), get(0)) * many, b"t"
        ),
        "copies-of-buffers": file(
            megabyte,
            b"(",
            called(
                "numpy.core.numeric _frombuffer",
                *(get(0), dtype("u1", "|"), plain((2**20,)), plain("C")),
            )
            * many,
            b"t",
        ),
        "copies-of-text": file(
            text("a" * 2**20),
            b"\x940(",
            called("_codecs encode", get(0), plain("utf-8")) * many,
            b"t",
        ),
        "copies-of-lists": file(
            b"](", hundred_thousand, b"e\x940(", called("builtins list", get(0)) * many, b"t"
        ),
        "copies-of-objects": file(
            b"](",
            hundred_thousand,
            b"e\x940(",
            array(plain((10**5,)), dtype("O8", "|"), get(0)) * many,
            b"t",
        ),
        "copies-of-arguments": file(
            b"(" + name("a b") + hundred_thousand,
            b"t\x940(",
            (name("copyreg __newobj__") + get(0) + pickle.REDUCE) * many,
            b"t",
        ),
        "copies-of-named-arguments": file(
            b"(" + hundred_thousand,
            b"t\x940(",
            (name("a b") + get(0) + b"}" + pickle.NEWOBJ_EX) * many,
            b"t",
        ),
    }


def _repeat(names: str, args: bytes, *state: bytes) -> bytes:
    """Call the same again and again, and build what the calls give by a state."""
    kept = [name(names), args, *([b"".join(state)] if state else [])]
    again = b"h\0h\1R" + (b"h\2b0" if state else b"0")
    return file(*(part + pickle.MEMOIZE + pickle.POP for part in kept), again * 300_000, b"N")


def list_compressed() -> dict[str, bytes]:
    """Little that decompresses to much, and compressed data that is broken; made soon."""
    asks = b"\x80\x04" + pickle.BINBYTES8 + struct.pack("<Q", 2**26)

    def bomb(compress: Callable[[bytes], bytes]) -> bytes:
        """The same in parts, which these formats join: most of them are compressed only once."""
        return 2 * (compress(asks) + 16 * compress(bytes(2**22)))

    honest = file(plain(list(range(1000))))
    lz4 = b"\x04\x22\x4d\x18\x60\x70\x73"
    start = struct.pack("<I", 2**31 + 9) + pickle.BINBYTES8 + struct.pack("<Q", 2**40)
    run = b"\x1f\0\1\0" + b"\xff" * 16000 + b"\0\0"
    block = struct.pack("<I", len(run)) + run
    wants_dictionary = b"]\0" + b"\xff" * 3 + lzma.compress(b"N.", lzma.FORMAT_ALONE)[5:]
    return {
        "bomb-gzip": bomb(partial(gzip.compress, compresslevel=1)),
        "bomb-bz2": bomb(partial(bz2.compress, compresslevel=1)),
        "bomb-xz": bomb(partial(lzma.compress, preset=0)),
        "bomb-lz4": lz4 + start + block * 300,
        "flood-gzip": gzip.compress(_make_flood(), 1) * 20,
        "flood-lz4-of-blocks": lz4 + start + (struct.pack("<I", 2) + b"\x10A") * 10**5,
        "bomb-of-members": gzip.compress(b"") * 50_000,
        "bomb-of-dictionary": wants_dictionary,
        "bomb-in-bomb": gzip.compress(gzip.compress(honest)),
        "cut-gzip": gzip.compress(honest)[:-20],
        "cut-xz": lzma.compress(honest)[:-30],
        "cut-bz2": bz2.compress(honest)[:-10],
        "cut-zlib": zlib.compress(honest)[:40],
        "cut-lz4": lz4 + block[:99],
        "lz4-of-nothing-before": lz4 + struct.pack("<I", 4) + b"\x10A\xff\xff",
        "lz4-of-offset-zero": lz4 + struct.pack("<I", 4) + b"\x10A\0\0" + bytes(8),
        "lz4-of-a-large-block": lz4 + b"\xff\xff\xff\x7f" + bytes(100),
        "checksum-gzip": gzip.compress(honest)[:-8] + b"\0" * 8,
        "noise-gzip": b"\x1f\x8b\x08\0" + _noise(1),
        "noise-xz": b"\xfd7zXZ\0" + _noise(2),
        "old-joblib-header": b"ZF0x" + b"z" * 40,
    }


def list_dense() -> dict[str, bytes]:
    """More that decompresses to much; these take seconds to make."""
    asks = b"\x80\x04" + pickle.BINBYTES8 + struct.pack("<Q", 2**26) + bytes(2**26)
    flows = _make_flood()
    repeats = (_noise(0) + _noise(1)) * 50
    slow = bz2.compress((pickle.BINBYTES + struct.pack("<I", len(repeats)) + repeats + b"0") * 16)
    return {
        "bomb-lzma": lzma.compress(asks * 2, lzma.FORMAT_ALONE, preset=0),
        "bomb-zlib": zlib.compress(asks * 2, 1),
        "flood-bz2": bz2.compress(flows, 1) * 20,
        "flood-bz2-of-repeats": slow * (10**6 // len(slow)),
        "flood-xz": lzma.compress(flows, preset=0) * 20,
        "flood-lzma": lzma.compress(flows * 8, lzma.FORMAT_ALONE, preset=0),
        "flood-zlib": zlib.compress(flows * 8, 1),
        "bomb-of-wide-text": gzip.compress(file(text("\U0001f600" + "a" * 60 * 2**20)), 1),
        "bomb-of-operations": gzip.compress(pickle.EMPTY_LIST * 50_000_000, 1),
    }


def _make_flood() -> bytes:
    """Values that are thrown away at once, 20 MB of them."""
    return (plain(bytes(50_000)) + pickle.POP) * 400


def _noise(seed: int) -> bytes:
    return random.Random(seed).randbytes(500)  # noqa: S311 - the same files each time
