"""A pickle of any protocol, or a joblib file of any compression, reads as the values in it."""

from __future__ import annotations

import base64
import bz2
import collections
import gzip
import io
import json
import lzma
import os
import pickle
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

from model.contract.pickles import GlobalName, Opened, PickleError, Record, read_pickle
from model.contract.pickles.errors import printable
from tests.pickle_writing import array, called, dtype, file, name, plain, text

PROTOCOLS = range(6)


class Thing:
    """Stands for a class that the reader does not know."""

    def __init__(self, **attributes: object) -> None:
        self.__dict__.update(attributes)


class Things(list[object]):
    """A list with attributes."""


class Mapping(dict[str, object]):
    """A dict of a class of its own."""


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Opened]:
    def read_bytes(data: bytes) -> Opened:
        path = tmp_path / "file"
        path.write_bytes(data)
        return read_pickle(path)

    return read_bytes


Read = Callable[[bytes], Opened]
PLAIN = [
    None, True, False, 0, -1, 255, 256, 65536, 2**31, -(2**63), 2**100, 0.5, float("inf"), 1 + 2j,
    "", "é\n\\", "\U0001f600", "a" * 300, b"", b"\0\xff", b"a" * 300, (), (1,), (1, 2, 3, 4), [],
    [1, [2, [3]]], {}, {"a": 1, 2: "b", None: 0.5, True: 1, b"c": ()}, set(), {1, "a"},
    frozenset((1, 2)), bytearray(b"abc"), slice(1, None, 2), collections.OrderedDict(a=1, b=[2]),
]  # fmt: skip


def test_an_array_that_dill_wrote_is_read(read: Callable[[bytes], Opened]) -> None:
    content = plain(["a", "b"])
    shell = pickle.MARK + name("numpy ndarray") + plain((0,)) + plain(b"b") + pickle.TUPLE
    parts = (plain(1), plain((2,)), dtype("O8", "|"), plain(False), content)
    state = pickle.MARK + b"".join(parts) + pickle.TUPLE
    make = name("numpy.core.multiarray _reconstruct")
    found = read(file(called("dill._dill _create_array", make, shell, state, plain(None)))).root
    assert isinstance(found, np.ndarray)
    assert found.tolist() == ["a", "b"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_read_as_they_were(read: Read, protocol: int) -> None:
    found = read(pickle.dumps(PLAIN, protocol))
    assert found.root == PLAIN
    assert isinstance(found.root, list)
    assert [type(value) for value in found.root[:-1]] == [type(value) for value in PLAIN[:-1]]
    assert not found.more


ARRAYS = {
    **{code: np.arange(6).astype(code) for code in np.typecodes["AllInteger"]},
    **{
        code: np.arange(6).astype(code)
        for code in (">i4", ">f8", "c8", "c16", "S3", "U3", ">U3", "?", "f2")
    },
    "empty": np.empty((0, 3)),
    "no dimensions": np.array(1.5),
    "three dimensions": np.arange(24.0).reshape(2, 3, 4),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(12.0)[::2],
    "fields": np.array([(1, 2.5), (3, 4.5)], [("a", ">i4"), ("b", "f8")]),
    "padded fields": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "days": np.array(["2020-01-31", "NaT"], "M8[D]"),
    "hours": np.array([1, 2], "m8[12h]"),
    "objects": np.array([["a", None], [1, [2]]], object),
    "matrix": np.array([[1, 2]]),
}


@pytest.mark.parametrize("key", ARRAYS)
@pytest.mark.parametrize("protocol", [*PROTOCOLS, "joblib"])
def test_arrays_read_as_they_were(
    read: Read, tmp_path: Path, key: str, protocol: int | str
) -> None:
    given = ARRAYS[key]
    if isinstance(protocol, int):
        found = read(pickle.dumps([given, given.dtype], protocol))
    else:
        joblib.dump([given, given.dtype], tmp_path / "file")
        found = read_pickle(tmp_path / "file")
    assert isinstance(found.root, list)
    array, kind = found.root
    assert (array.shape, array.dtype) == (given.shape, given.dtype.newbyteorder("="))
    assert array.tolist() == given.tolist()
    assert array.flags.f_contiguous == given.flags.f_contiguous or key == "strided"
    assert kind == given.dtype


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_scalars_read_as_they_were(read: Read, protocol: int) -> None:
    given = [np.float32(1.5), np.int64(-3), np.bool_(True), np.str_("é"), np.datetime64(5, "s")]
    found = read(pickle.dumps(given, protocol)).root
    assert isinstance(found, list)
    assert found == given
    assert [type(value) for value in found] == [type(value) for value in given]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_object_reads_as_a_record(read: Read, protocol: int) -> None:
    things = Things([1])
    things.kind = "list"  # type: ignore[attr-defined]
    given = Thing(things=things, mapping=Mapping(a=1), function=len, cls=Thing)
    found = read(pickle.dumps(given, protocol))
    root = found.root
    assert isinstance(root, Record)
    assert (root.path, root.name) == (f"{__name__}.Thing", "Thing")
    assert isinstance(root.state, dict)
    items, mapping = root.state["things"], root.state["mapping"]
    assert (items.items or list(items.args[0]), items.state) == ([1], {"kind": "list"})
    assert mapping.pairs == [("a", 1)] or mapping.args == ({"a": 1},)
    assert root.state["function"] == GlobalName("builtins.len")
    assert root.state["cls"] == GlobalName(root.path)
    assert {root.path, "builtins.len"} <= found.names


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_shared_stays_shared(read: Read, protocol: int) -> None:
    one, cells = np.arange(3.0), np.array([[1], "a"], object)
    thing = Thing(one=one)
    found = read(pickle.dumps([one, one, cells, cells, thing, thing], protocol)).root
    assert isinstance(found, list)
    assert found[0] is found[1] is found[4].state["one"]
    assert found[2] is found[3]
    assert found[4] is found[5]


def test_values_may_hold_themselves(read: Read) -> None:
    given: list[Any] = [{}]
    given[0]["list"] = given
    found = read(pickle.dumps(given)).root
    assert isinstance(found, list)
    assert found[0]["list"] is found


@pytest.mark.parametrize("compress", [0, "zlib", "gzip", "bz2", "xz", "lzma"])
def test_a_joblib_file_reads_whatever_its_compression(tmp_path: Path, compress: Any) -> None:
    path = tmp_path / "file"
    given: dict[str, Any] = {
        "a": np.arange(1000.0),
        "b": np.array(["x", None], object),
        "c": "text",
    }
    joblib.dump(given, path, compress=compress)
    found = read_pickle(path)
    assert (found.container, found.compression) == ("joblib", compress or "")
    assert isinstance(found.root, dict)
    assert {key: list(value) for key, value in found.root.items()} == {
        key: list(value) for key, value in given.items()
    }


@pytest.mark.parametrize(
    "compress",
    [gzip.compress, bz2.compress, lzma.compress, zlib.compress],
    ids=lambda compress: compress.__module__,
)
def test_a_pickle_may_be_compressed(read: Read, compress: Callable[[bytes], bytes]) -> None:
    assert read(compress(pickle.dumps(PLAIN))).root == PLAIN
    zeros = bytes(2**20)  # all that is in the file is read before all has come out of it
    assert read(compress(pickle.dumps(zeros))).root == zeros


def test_a_compressed_file_may_have_members(read: Read) -> None:
    data = pickle.dumps(list(range(10_000)))
    parts = (data[:5000], b"", data[5000:])
    assert read(b"".join(map(gzip.compress, parts))).root == list(range(10_000))


def test_lz4_reads(read: Read) -> None:
    """Written by ``lz4.frame.compress(pickle.dumps(…, 4), block_size=4)`` of lz4 4.4."""
    data = base64.b85decode(
        "1R_lsXh0AF00000008i!0001CfCQBV0RRC2|9D-LC|#5&O8`p&O9D#+O9V>=O9o2^O9)E|OA1R1OAJd5OAbp9OAt#D"
        "OA<>HOB72LOBPEPOBhQTOBzcXOB_obOCC!fOCU=jOCn1nOC(DrOD0PvODIbzODan%ODsz*OD;<<OE60@OEOC{OEgP0"
        "OEyb4OE^n8OFBzCWsG=XVq;-qV+H_Uz?6&zXm4(1b99ttE&u=k00"
    )
    found = read(data)
    assert found.compression == "lz4"
    assert found.root == [list(range(60)), "abc" * 40, "honest"]


def test_lz4_with_checksums_and_a_long_run_reads(read: Read) -> None:
    """A text of 600 letters: eight literals, 599 copied from one before, and the end."""
    block = b"\x8f\x80\x04X\x58\x02\0\0a\x01\0\xff\xff\x46\x10."
    frame = b"\x04\x22\x4d\x18\x54\x40\xff" + len(block).to_bytes(4, "little") + block
    assert read(frame + b"\xee" * 4 + bytes(4)).root == "a" * 600


def test_lz4_reads_what_one_block_copies_from_another(read: Read) -> None:
    start = b"\x80\x04\x8c\x0cabcdef"
    copy = b"\x02\x06\x00\x10."  # six bytes from six before, then the end
    blocks: list[Any] = [len(start) + 2**31, start, len(copy), copy, 0]
    frame = b"\x04\x22\x4d\x18\x40\x40\xc0" + b"".join(
        part if isinstance(part, bytes) else part.to_bytes(4, "little") for part in blocks
    )
    assert read(frame).root == "abcdefabcdef"


def frame_lz4(
    *blocks: bytes, stored: bool = False, flags: int = 0x60, code: int = 4, sized: bytes = b""
) -> bytes:
    """Put blocks into a frame of LZ4; ``code`` says how large a block may be."""
    high_bit = 2**31 if stored else 0
    parts = [(len(block) + high_bit).to_bytes(4, "little") + block for block in blocks]
    header = b"\x04\x22\x4d\x18" + bytes([flags, code << 4]) + sized + b"\xff"
    return header + b"".join(parts) + bytes(4)


@pytest.mark.parametrize(("code", "most"), [(4, 2**16), (5, 2**18), (6, 2**20), (7, 2**22)])
def test_a_block_of_lz4_is_as_large_as_its_frame_allows(read: Read, code: int, most: int) -> None:
    def make(size: int) -> bytes:
        return pickle.BINBYTES + (size - 6).to_bytes(4, "little") + bytes(size - 6) + pickle.STOP

    assert read(frame_lz4(make(most), stored=True, code=code)).root == bytes(most - 6)
    with pytest.raises(PickleError, match="LZ4 data is damaged"):
        read(frame_lz4(make(most + 1), stored=True, code=code))


def run_lz4(size: int) -> bytes:
    """A block of LZ4 that gives a pickle of so many bytes: zeros, of which nearly all are a run."""
    start = pickle.BINBYTES + (size - 6).to_bytes(4, "little") + b"\0"
    more = size - len(start) - 1 - 4 - 15
    run = b"\xff" * (more // 255) + bytes([more % 255])
    return b"\x6f" + start + b"\x01\0" + run + b"\x10" + pickle.STOP


def test_what_a_block_of_lz4_unpacks_to_is_no_larger(read: Read) -> None:
    assert read(frame_lz4(run_lz4(2**16))).root == bytes(2**16 - 6)
    for size in (2**16 + 1, 2**16 + 2):
        with pytest.raises(PickleError, match="LZ4 data is damaged"):
            read(frame_lz4(run_lz4(size)))


def test_a_frame_of_lz4_has_as_many_blocks_as_its_memory_allows(read: Read) -> None:
    def make(blocks: int) -> bytes:
        return frame_lz4(*[b"\x10N", b"\x100"] * (blocks // 2), b"\x20N.")

    assert read(make(8000)).root is None
    with pytest.raises(PickleError, match="far more memory"):
        read(make(9000))


def test_a_frame_of_lz4_may_say_how_large_it_is(read: Read) -> None:
    assert read(frame_lz4(b"\x20N.", flags=0x68, sized=bytes(8))).root is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame_lz4(b"\x20N.")[:9], "it is cut short"),
        (frame_lz4(b"\x20N.")[:-5], "it is cut short"),
        (frame_lz4(b"\x20N.", flags=0x20), "damaged"),  # of another version
        (frame_lz4(b"\x20N.", flags=0x61, sized=bytes(4)), "damaged"),  # it needs a dictionary
        (frame_lz4(b"\x20N.", code=3), "damaged"),
        (frame_lz4(b"\x30N."), "damaged"),  # it lacks a literal
        (frame_lz4(b"\x20N.\x00"), "damaged"),  # half an offset
        (frame_lz4(b"\x20N.\x00\x00\x10."), "damaged"),  # a copy of nothing
        (frame_lz4(b"\x20N.\x03\x00\x10."), "damaged"),  # from before the beginning
        (frame_lz4(b"\xf0"), "damaged"),
    ],
)
def test_damaged_lz4_is_refused(read: Read, data: bytes, reason: str) -> None:
    with pytest.raises(PickleError, match=reason):
        read(data)


def test_a_block_of_lz4_copies_from_its_own_beginning(read: Read) -> None:
    block = b"\x90\x8c\x0eabcdefg" + b"\x07\0" + b"\x40gfe."
    assert read(frame_lz4(block)).root == "abcdefgabcdgfe"


def test_joblib_before_0_10_compressed_whole_files(read: Read) -> None:
    data = zlib.compress(pickle.dumps(PLAIN))
    for padding in (b"", b" "):
        header = b"ZF" + hex(len(data)).ljust(len(hex(2**64))).encode() + padding
        assert read(header + data).root == PLAIN


def test_python_2_wrote_bytes_as_text(read: Read) -> None:
    """Protocols 0 and 2, as Python 2.7 with NumPy 1.14 writes them."""
    numbers = np.array([1.5, -2.0])
    content = numbers.tobytes()
    shell = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    kind = b"cnumpy\ndtype\n(S'f8'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
    found = read(shell + b"(I1\n(I2\nt" + kind + b"I00\nS" + repr(content)[1:].encode() + b"\ntb.")
    assert isinstance(found.root, np.ndarray)
    assert found.root.tolist() == numbers.tolist()

    binary = shell + b"(K\x01K\x02\x85" + kind + b"\x89U\x10" + content + b"tb."
    again = read(b"\x80\x02" + binary)
    assert isinstance(again.root, np.ndarray)
    assert again.root.tolist() == numbers.tolist()


def test_python_2_objects_read(read: Read) -> None:
    thing = b"ccopy_reg\n_reconstructor\n(cmodule\nThing\nc__builtin__\nobject\nNtR(dS'a'\nL7L\nsb."
    found = read(thing).root
    assert isinstance(found, Record)
    assert (found.path, found.args, found.state) == ("module.Thing", (), {"a": 7})
    old_style = b"(imodule\nThing\n(dS'caf\\xe9'\nF1.5\nsb."
    again = read(old_style).root
    assert isinstance(again, Record)
    assert (again.path, again.state) == ("module.Thing", {"café": 1.5})


def test_a_named_tuple_of_old_protocols_has_its_fields(read: Read) -> None:
    given = (name("my Row"), name("__builtin__ tuple"), plain((1, 2)))
    root = read(file(called("copy_reg _reconstructor", *given))).root
    assert isinstance(root, Record)
    assert (root.path, root.args) == ("my.Row", (1, 2))


def test_a_method_of_old_protocols_is_its_name(read: Read) -> None:
    root = read(file(called("builtins getattr", name("builtins str"), plain("split")))).root
    assert root == GlobalName("builtins.str.split")


def test_releases_of_numpy_share_their_names(read: Read) -> None:
    """NumPy 2 writes ``numpy._core``; both read as ``numpy.core``."""
    found = read(file(name("numpy._core.multiarray scalar")))
    assert found.root == GlobalName("numpy.core.multiarray.scalar")


def test_arrays_of_other_classes_are_records(read: Read) -> None:
    masked = np.ma.masked_array([1.0, 2.0], [True, False])
    found = read(pickle.dumps(masked)).root
    assert isinstance(found, Record)
    assert found.name == "_mareconstruct"


def test_an_estimator_says_its_release_and_names(tmp_path: Path) -> None:
    path = tmp_path / "forest.joblib"
    forest = RandomForestRegressor(3, random_state=0).fit(np.arange(20.0).reshape(10, 2), range(10))
    joblib.dump(forest, path)
    found = read_pickle(path)
    assert isinstance(found.root, Record)
    assert isinstance(found.root.state, dict)
    assert found.versions == {found.root.state["_sklearn_version"]}
    tree = found.root.state["estimators_"][1].state["tree_"]
    assert tree.path == "sklearn.tree._tree.Tree"
    values = forest.estimators_[1].tree_.__getstate__()
    assert tree.state["nodes"].dtype == values["nodes"].dtype
    assert (tree.state["nodes"] == values["nodes"]).all()


def test_bytes_after_the_value_are_told(read: Read) -> None:
    assert read(pickle.dumps(1) + pickle.dumps(2)).more
    assert not read(pickle.dumps(1)).more


def test_arrays_of_records_read_as_arrays_of_fields(read: Read) -> None:
    found = read(pickle.dumps(np.rec.array([(1, 2.5)], [("a", "i4"), ("b", "f8")]))).root
    assert isinstance(found, np.ndarray)
    assert (found.dtype.names, found.tolist()) == (("a", "b"), [(1, 2.5)])


def test_arrays_of_objects_may_hold_such_arrays_once(read: Read) -> None:
    inner, objects = array(plain((1,)), dtype("O8", "|"), b"]Na"), dtype("O8", "|")
    once = array(plain((1,)), objects, b"]" + inner + b"a")
    found = read(file(once)).root
    assert isinstance(found, np.ndarray)
    assert found[0].tolist() == [None]
    with pytest.raises(PickleError, match="nests arrays of objects"):
        read(file(array(plain((1,)), objects, b"]" + once + b"a")))


@pytest.mark.parametrize(
    ("pushed", "value"),
    [
        (called("builtins bytearray", plain("aé"), plain("latin-1")), bytearray(b"a\xe9")),
        (called("builtins bytes", called("builtins bytearray", plain(b"a"))), b"a"),
        (called("builtins bytes"), b""),
        (called("_codecs encode", plain("é")), "é".encode()),
        (called("collections OrderedDict", plain([["a", 1]])), {"a": 1}),
        (called("collections defaultdict", name("builtins list")), {}),
        (called("builtins tuple", plain([1, 2])), (1, 2)),
        (plain(1) + b"(NN1", 1),
        (plain(1) + b"(0", 1),
        (plain([1]) + b"2\x86", ([1], [1])),
        (b"I01\n", True),
        (b"(I1\nI2\nl", [1, 2]),
        (b"(S'a'\nI1\nd", {"a": 1}),
    ],
)
def test_rare_instructions_give_plain_values(read: Read, pushed: bytes, value: object) -> None:
    found = read(file(pushed)).root
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("keywords", [{}, {"c": 2}])
def test_arguments_by_name_come_last(read: Read, keywords: dict[str, int]) -> None:
    given = plain((1,)) + plain(keywords)
    by_opcode = read(file(name("a B") + given + b"\x92")).root
    by_call = read(file(called("copyreg __newobj_ex__", name("a B") + given))).root
    for found in (by_opcode, by_call):
        assert isinstance(found, Record)
        assert (found.path, found.args) == ("a.B", (1, *keywords.values()))


def test_keys_may_be_numbers_of_numpy(read: Read) -> None:
    found = read(
        file(b"}", called("numpy.core.multiarray scalar", dtype("i8"), plain(bytes(8))), b"Ns")
    )
    assert found.root == {0: None}
    assert type(next(iter(found.root))) is int


def test_a_record_may_be_given_attributes_once(read: Read) -> None:
    with pytest.raises(PickleError, match="gives attributes"):
        read(file(called("a b"), plain({"a": 1}), b"b", plain({"a": 2}), b"b"))


def test_values_nest_a_hundred_deep_and_no_deeper(read: Read) -> None:
    assert read(file(b"N" + b"\x85" * 99)).root
    with pytest.raises(PickleError, match="more than 100 deep"):
        read(file(b"N" + b"\x85" * 101))


def test_values_that_each_share_the_one_before_are_deep(read: Read) -> None:
    shares = b"]\x940(" + b"".join(b"]h" + bytes([n]) + b"a\x94" for n in range(150)) + b"l"
    with pytest.raises(PickleError, match="more than 100 deep"):
        read(file(shares))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty."),
        (b"\x80\x04", "The file ends too early: it is cut short."),
        (pickle.dumps("a" * 500)[:100], "names more bytes than it can have"),
        (b"\x89PNG\r\n\x1a\n", "outside"),
        (gzip.compress(b"N.", mtime=0)[:15], "The file ends too early: it is cut short."),
        (file(array(plain((2**40,)), dtype("f8"), plain(b""))), "does not fit its shape"),
        (file(text("o\x1b[2J\u202e"), text("system"), b"\x93"), r"o\?\[2J\?\.system"),
    ],
)
def test_a_file_that_is_refused_says_why(read: Read, data: bytes, reason: str) -> None:
    with pytest.raises(PickleError, match=reason):
        read(data)


def test_an_integer_may_have_2048_bits(read: Read) -> None:
    assert read(pickle.dumps(2**2048 - 1)).root == 2**2048 - 1
    with pytest.raises(PickleError, match="an integer of thousands of digits"):
        read(pickle.dumps(2**2048))


@pytest.mark.parametrize(("megabytes", "is_read"), [(60, True), (70, False)])
def test_an_archive_may_unpack_to_64_megabytes(read: Read, megabytes: int, is_read: bool) -> None:
    member, packed = io.BytesIO(), io.BytesIO()
    np.save(member, np.zeros(megabytes * 2**20, np.uint8))
    node = {"__loader__": "NdArrayNode", "__module__": "numpy", "__class__": "ndarray",
            "type": "numpy", "file": "0.npy"}  # fmt: skip
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", json.dumps(node))
        archive.writestr("0.npy", member.getvalue())
    with nullcontext() if is_read else pytest.raises(PickleError, match="far more memory"):
        found = read(packed.getvalue()).root
        assert isinstance(found, np.ndarray)
        assert found.shape == (megabytes * 2**20,)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in (pipe, tmp_path, tmp_path / "link", Path("/dev/null")):
        with pytest.raises(PickleError, match="Only regular files are opened"):
            read_pickle(path)
    for missing in (tmp_path / "none", tmp_path / "a\0b"):
        with pytest.raises(PickleError, match="cannot be opened"):
            read_pickle(missing)


def test_a_megabyte_that_wants_a_gigabyte_is_refused(read: Read) -> None:
    noise = os.urandom(2**20)  # it stays a megabyte when it is compressed
    zeros = b"B" + (2**30 - 1).to_bytes(4, "little") + bytes(2**28)
    data = gzip.compress(file(plain(noise), b"0")[:-1], 1) + gzip.compress(zeros, 1, mtime=0)
    assert len(data) < 3 * 2**20
    with pytest.raises(PickleError, match="far more memory"):
        read(data)


@pytest.mark.parametrize(("megabytes", "is_read"), [(7, True), (9, False)])
def test_what_takes_long_to_unpack_may_hardly_grow(
    read: Read, megabytes: int, is_read: bool
) -> None:
    zeros = bytes(megabytes * 2**20)
    with nullcontext() if is_read else pytest.raises(PickleError, match="far more"):
        assert read(bz2.compress(pickle.dumps(zeros))).root == zeros


@pytest.mark.parametrize(
    ("value", "is_read"),
    [(b"a" * 2**25, True), ("a" * 25 * 2**20, True), ("a" * 29 * 2**20, False)],
    ids=["bytes", "text", "more text"],
)
def test_a_text_counts_as_if_a_wide_character_were_in_it(
    read: Read, value: object, is_read: bool
) -> None:
    with nullcontext() if is_read else pytest.raises(PickleError, match="far more memory"):
        assert read(gzip.compress(pickle.dumps(value), 1)).root == value


def test_what_compresses_a_hundredfold_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sparse.joblib"
    zeros = np.zeros(4_000_000)  # 32 MB, as the coefficients of a model with few of them
    joblib.dump(zeros, path, compress=3)
    assert path.stat().st_size < zeros.nbytes / 100
    found = read_pickle(path).root
    assert isinstance(found, np.ndarray)
    assert found.shape == zeros.shape


@pytest.mark.parametrize("dump", [pickle.dump, joblib.dump], ids=["pickle", "joblib"])
def test_fifty_megabytes_of_trees_read_in_two_seconds(tmp_path: Path, dump: Any) -> None:
    nodes = np.dtype([("left", "i8"), ("right", "i8"), ("feature", "i8"), ("threshold", "f8")])
    trees = [Thing(nodes=np.zeros(16_000, nodes), values=np.zeros(16_000)) for _ in range(80)]
    with (tmp_path / "file").open("wb") as written:
        dump(trees, written)
    assert (tmp_path / "file").stat().st_size > 50e6
    start = time.process_time()
    read_pickle(tmp_path / "file")
    assert time.process_time() - start < 2


def test_text_of_a_file_is_printed_without_controls() -> None:
    assert printable("a\x1b\n\ud800é") == "a???é"
    assert printable("a" * 100, 5) == "aaaa…"
    assert len(str(PickleError("a" * sys.maxunicode))) < 1000
