"""What is damaged is refused with its reason; what is as large as may be is read."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.contract.pickles import Opened, PickleError, read_pickle
from tests.pickle_writing import array, called, dtype, file, name, plain, text

Read = Callable[[bytes], Opened]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_bytes(data: bytes) -> Opened:
        path = tmp_path / "file"
        path.write_bytes(data)
        return read_pickle(path)

    return read_bytes


def fields(count: int, *, offset: int = 0, of: bytes | None = None, size: int = 8) -> bytes:
    """Push a dtype of so many fields."""
    kind, names = of or dtype("u1", "|"), tuple(f"f{place}" for place in range(count))
    parts = b"".join(text(each) + kind + plain(offset) + b"\x86" for each in names)
    state = plain(3) + plain("|") + b"N" + plain(names) + b"}(" + parts + b"u" + plain(size)
    return called("numpy dtype", plain(f"V{size}")) + b"(" + state + plain(1) + plain(0) + b"tb"


def times(unit: object, count: object) -> bytes:
    """Push a dtype of times."""
    state: object = (4, "<", None, None, None, -1, -1, 0, ({}, (unit, count, 1, 1)))
    return called("numpy dtype", plain("M8")) + plain(state) + b"b"


def typed(state: object) -> bytes:
    """Push a dtype with a state."""
    return called("numpy dtype", plain("f8")) + plain(state) + b"b"


def empty(kind: bytes, *shape: int) -> bytes:
    """Push an array without items."""
    return array(plain(shape or (0,)), kind, plain(b""))


def one(kind: bytes, content: bytes) -> bytes:
    """Push an array of one item."""
    return array(plain((1,)), kind, plain(content))


@pytest.mark.parametrize(
    ("pushed", "shape", "kind"),
    [
        (empty(dtype("f8"), 0, 10**6), (0, 10**6), "<f8"),
        (empty(dtype("f8"), *[0] * 32), (0,) * 32, "<f8"),
        (array(plain((1,) * 32), dtype("f8"), plain(bytes(8))), (1,) * 32, "<f8"),
        (empty(dtype("S1048576", "|")), (0,), "S1048576"),
        (empty(dtype("S1", "|")), (0,), "S1"),
        (empty(fields(100)), (0,), None),
        (empty(fields(1, offset=7)), (0,), None),
        (empty(times(b"D", 10**6)), (0,), "M8[1000000D]"),
        (empty(times("D", 1)), (0,), "M8[D]"),
        (empty(times(b"generic", 1)), (0,), "M8"),
        (one(dtype("b1", "|"), b"\1"), (1,), "?"),
        (empty(typed((3, "<", None, None, None, -1, -1))), (0,), "<f8"),
        (one(dtype("U1", "<"), b"\xff\xff\x10\0"), (1,), "U1"),
        (one(dtype("U1", ">"), b"\0\x10\xff\xff"), (1,), "U1"),
    ],
)
def test_an_array_as_large_as_may_be_is_read(
    read: Read, pushed: bytes, shape: tuple[int, ...], kind: str | None
) -> None:
    found = read(file(pushed)).root
    assert isinstance(found, np.ndarray)
    assert found.shape == shape
    assert kind is None or found.dtype == np.dtype(kind)


@pytest.mark.parametrize(
    ("pushed", "reason"),
    [
        (empty(dtype("f8"), 0, 10**6 + 1), "whose shape is damaged"),
        (empty(dtype("f8"), 0, -1), "whose shape is damaged"),
        (empty(dtype("f8"), *[0] * 33), "whose shape is damaged"),
        (array(plain([0]), dtype("f8"), plain(b"")), "whose shape is damaged"),
        (array(plain((0.0,)), dtype("f8"), plain(b"")), "whose shape is damaged"),
        (empty(dtype("S1048577", "|")), "a type that is not read: S1048577"),
        (empty(dtype("S0", "|")), "a type that is not read: S0"),
        (empty(dtype("f3")), "a type that is not read: f3"),
        (empty(dtype("f8", "!")), "a type that is not read: f8"),
        (empty(called("numpy dtype", plain(8)) + plain((3, "<") + (None,) * 3 + (0, 0)) + b"b"),
         r"a type that is not read\."),
        (empty(fields(101)), "hundreds of fields"),
        (empty(fields(1, offset=8)), "fields that are not read"),
        (empty(fields(1, offset=-1)), "fields that are not read"),
        (empty(fields(1, of=dtype("O8", "|"))), "fields that are not read"),
        (empty(fields(1, of=fields(1))), "fields that are not read"),
        (empty(times(b"D", 10**6 + 1)), "times in an unknown unit"),
        (empty(times(b"D", 0)), "times in an unknown unit"),
        (empty(times(b"x", 1)), "times in an unknown unit"),
        (one(dtype("b1", "|"), b"\2"), "neither true nor false"),
        (one(dtype("U1", "<"), b"\0\0\x11\0"), "characters that do not exist"),
        (one(dtype("U1", ">"), b"\0\x11\0\0"), "characters that do not exist"),
        (typed((3, "<", None, None, None, -1)), "whose type is damaged"),
        (typed([3, "<", None, None, None, -1, -1, 0]), "whose type is damaged"),
        (typed((3, "<", ("f8", 2), None, None, -1, -1, 0)), "whose items are arrays"),
        (typed((3, "<", None, ["a"], {}, 8, 1, 0)), "damaged fields"),
        (typed((3, "<", None, ("a",), [], 8, 1, 0)), "damaged fields"),
        (one(dtype("f8"), bytes(7)), "does not fit its shape"),
        (array(plain((2,)), dtype("O8", "|"), b"]Na"), "objects that does not fit its shape"),
        (array(plain((1,)), dtype("O8", "|"), plain("a")), "objects that does not fit its shape"),
        (called("numpy.core.multiarray _reconstruct", name("numpy ndarray"), plain((0,)),
                plain(b"b")) + plain((1, (0,))) + b"b", "without its parts"),
        (called("numpy.core.multiarray scalar", dtype("O8", "|"), b"N"),
         "a number of a type that is not read"),
        (called("numpy.core.multiarray scalar", dtype("i8"), plain(bytes(9))),
         "does not fit its shape"),
    ],
)  # fmt: skip
def test_a_damaged_array_is_refused(read: Read, pushed: bytes, reason: str) -> None:
    with pytest.raises(PickleError, match=reason):
        read(file(pushed))


@pytest.mark.parametrize("key", [0.5, -(2**63), 2**64 - 1, True, None, "a", b"a"])
def test_a_key_is_text_or_a_number_of_64_bits(read: Read, key: object) -> None:
    found = read(file(b"}", plain(key), b"Ns")).root
    assert found == {key: None}
    assert read(file(b"(", plain(key), b"\x91")).root == frozenset([key])


def test_a_tuple_as_a_key_is_its_text(read: Read) -> None:
    assert read(file(b"}", plain(("a", 2)), b"Ns")).root == {"('a', 2)": None}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (plain(-(2**63) - 1), "a number of more than 64 bits"),
        (plain(2**64), "a number of more than 64 bits"),
        (plain(((),)), "neither text nor a number"),
        (plain(1j), "neither text nor a number"),
    ],
)
def test_another_key_is_refused(read: Read, key: bytes, reason: str) -> None:
    with pytest.raises(PickleError, match=reason):
        read(file(b"}", key, b"Ns"))
    with pytest.raises(PickleError, match=reason):
        read(file(b"(", key, b"\x91"))


@pytest.mark.parametrize(
    ("names", "args"),
    [
        ("builtins bytes", (1,)),
        ("builtins bytes", ("a", "utf-7")),
        ("builtins bytes", ("é", "ascii")),
        ("builtins list", ("ab",)),
        ("builtins list", ([], [])),
        ("builtins dict", ([1],)),
        ("builtins complex", ("1", 2)),
        ("builtins complex", (1, "2")),
        ("builtins slice", (0.5,)),
        ("_codecs encode", (b"a",)),
        ("_codecs encode", ("a", 1)),
        ("copyreg __newobj__", ()),
        ("numpy dtype", ()),
        ("numpy.core.multiarray _reconstruct", ("numpy.ndarray", (0,), b"b")),
        ("numpy.core.numeric _frombuffer", (bytes(8), "f8", (1,), "C")),
        ("dill._dill _create_array", ("f", (), (), None)),
    ],
)
def test_a_call_that_cannot_be_is_refused(read: Read, names: str, args: tuple[object, ...]) -> None:
    with pytest.raises(PickleError, match=f"calls {names.replace(' ', '.')} in a way"):
        read(file(called(names, *map(plain, args))))


def test_an_array_of_a_buffer_has_the_order_that_it_says(read: Read) -> None:
    def make(order: str, kind: bytes = dtype("f8")) -> bytes:
        content = plain(np.arange(4.0).tobytes())
        names = "numpy.core.numeric _frombuffer"
        return file(called(names, content, kind, plain((2, 2)), plain(order)))

    for order, cells in (("C", [[0, 1], [2, 3]]), ("F", [[0, 2], [1, 3]])):
        found = read(make(order)).root
        assert isinstance(found, np.ndarray)
        assert found.tolist() == cells
    content = plain(np.arange(6.0).tobytes())
    parts = (content, dtype("f8"), plain((1, 2, 3)), plain("K"), plain((2, 0, 1)))
    found = read(file(called("numpy.core.numeric _frombuffer", *parts))).root
    assert isinstance(found, np.ndarray)  # as NumPy writes it since 2.4
    assert found.tolist() == [[[0, 3]], [[1, 4]], [[2, 5]]]
    for order, kind in (("A", dtype("f8")), ("C", dtype("O8", "|"))):
        with pytest.raises(PickleError, match="in a way that cannot be"):
            read(make(order, kind))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            file(
                name("cloudpickle.cloudpickle _make_skeleton_class"),
                plain(()),
                b"R",
                plain(()),
                b"R",
            ),
            "cloudpickle wrote classes or functions of a notebook into the file. Write them into",
        ),
        *(
            (file(called(f"dill._dill {made}")), "dill wrote classes or functions of a notebook")
            for made in ("_create_type", "_create_function")
        ),
        (file(plain("a"), plain(()), b"R"), "calls something that is not a class or a function"),
        (file(name("a b"), plain([]), b"R"), "calls something that is not a class or a function"),
        (file(name("a b"), plain(()), plain([]), b"\x92"), "makes an object of damaged arguments"),
        (file(name("a b"), plain([]), plain({}), b"\x92"), "makes an object of damaged arguments"),
        (file(called("copyreg __newobj__", name("copyreg __newobj__"))), "in a way that cannot be"),
        (b"S'a\n.", "text without quotes"),
        (b"Sa'\n.", "text without quotes"),
        (b"S'\n.", "text without quotes"),
        (b"Saa\n.", "text without quotes"),
        (b"\x80\x06N.", "a pickle of protocol 6, which does not exist"),
        (file(plain(1), plain({}), b"b"), "gives attributes to something that has none"),
        (file(b"P1\n"), "refers to something that is outside of it"),
    ],
)
def test_damaged_instructions_are_refused(read: Read, data: bytes, reason: str) -> None:
    with pytest.raises(PickleError, match=reason):
        read(data)


@pytest.mark.parametrize("quoted", [b"''", b'""', b"'a'", b'"a"'])
def test_text_of_python_2_stands_in_quotes_of_either_kind(read: Read, quoted: bytes) -> None:
    assert read(b"S" + quoted + b"\n.").root == quoted[1:-1].decode()


def test_values_of_python_keep_their_kind(read: Read) -> None:
    number = called("numpy.core.multiarray scalar", dtype("i8"), plain(bytes(8)))
    given = (
        called("builtins complex", plain(1), plain(2.5)),
        called("builtins slice", plain(1), number),
        called("builtins slice", plain("a")),
        called("builtins set", plain([1, "a"])),
        called("builtins frozenset", plain((1,))),
        called("builtins dict", plain([["a", 1]])),
        called("collections defaultdict", name("builtins list"), plain([["b", 2]])),
    )
    found: Any = read(file(b"(", *given, b"t")).root
    assert found[:5] == (1 + 2.5j, slice(1, 0), slice("a"), {1, "a"}, frozenset([1]))
    assert found[5:] == ({"a": 1}, {"b": 2})


def test_a_name_of_an_attribute_has_100_letters_at_most(read: Read) -> None:
    def make(letters: int) -> bytes:
        return file(called("builtins getattr", name("builtins str"), plain("a" * letters)))

    assert str(getattr(read(make(100)).root, "path", "")).endswith("a" * 100)
    assert getattr(read(make(101)).root, "path", "") == "builtins.getattr"


def test_a_file_has_half_a_million_operations_and_a_quarter_for_each_byte(read: Read) -> None:
    pair = pickle.NONE + pickle.POP
    most = 666_666  # half a million, and a quarter of itself
    assert read(pair * (most // 2 - 1) + b"N.").root is None
    with pytest.raises(PickleError, match="far more objects"):
        read(pair * (most // 2) + b"N.")
