"""Pickles that want to run code, crash, or fill the memory, and broken ones: at least 150 files."""

from __future__ import annotations

import io
import pickle
import random
from collections.abc import Callable
from itertools import islice

import joblib
import numpy as np

from tests.hostile_archives import list_archives
from tests.hostile_bombs import list_bombs, list_compressed, list_dense
from tests.pickle_writing import EVIL, MARK, array, called, dtype, file, get, name, plain, text

_CODE = f"open({MARK!r}, 'w').close()"
PAYLOADS: dict[str, tuple[str, tuple[object, ...]]] = {
    "os.system": ("os system", (f"touch {MARK}",)),
    "posix.system": ("posix system", (f"touch {MARK}",)),
    "eval": ("builtins eval", (_CODE,)),
    "exec": ("builtins exec", (_CODE,)),
    "python2-eval": ("__builtin__ eval", (_CODE,)),
    "open": ("builtins open", (MARK, "w")),
    "compile": ("builtins compile", (_CODE, "name", "exec")),
    "getattr": ("builtins getattr", ("text", "__class__")),
    "import": ("builtins __import__", ("antigravity",)),
    "import_module": ("importlib import_module", ("this",)),
    "popen": ("subprocess Popen", (["touch", MARK],)),
    "check_output": ("subprocess check_output", (["touch", MARK],)),
    "spawn": ("pty spawn", (["touch", MARK],)),
    "connect": ("socket create_connection", (("127.0.0.1", 9), 0.1)),
    "run_path": ("runpy run_path", ("/nowhere",)),
    "library": ("ctypes CDLL", ("libc.so.6",)),
    "unpickle": ("pickle loads", (pickle.dumps(print),)),
    "unpickle-file": ("joblib load", ("/nowhere",)),
    "numpy-load": ("numpy load", ("/nowhere",)),
    "numpy-runstring": ("numpy.testing._private.utils runstring", (_CODE, {})),
    "timeit": ("timeit timeit", (_CODE,)),
    "remove": ("shutil rmtree", ("/nowhere",)),
}
"""What is called, in the two lines of GLOBAL, and the arguments."""


def make_hostile(*, compressed: bool = True) -> dict[str, bytes]:
    """Return the files by name, with or without those that are compressed: they take seconds."""
    files: dict[str, bytes] = {}
    for make in (_list_calls, _list_places, _list_references, _list_wrong_targets, _list_keys):
        files |= make()
    for make in (_list_arrays, _list_joblib, list_bombs, _list_broken):
        files |= make()
    if not compressed:
        return files
    return files | list_compressed() | list_dense() | list_archives()


def sample_hostile(every: int) -> dict[str, bytes]:
    """Return every so many of the files that are not compressed, and most compressed ones."""
    sampled = islice(make_hostile(compressed=False).items(), 0, None, every)
    return dict(sampled) | list_compressed() | list_archives()


def _list_calls() -> dict[str, bytes]:
    """Every payload, called in every way."""
    files: dict[str, bytes] = {}
    for key, (names, args) in PAYLOADS.items():
        arguments = b"".join(plain(arg) for arg in args)
        module, _, function = names.partition(" ")
        as_tuple = pickle.MARK + arguments + pickle.TUPLE
        stacked = text(module) + text(function) + pickle.STACK_GLOBAL
        files |= {
            f"reduce-{key}": file(name(names), as_tuple, pickle.REDUCE),
            f"stack-global-{key}": file(stacked, as_tuple, pickle.REDUCE),
            f"newobj-{key}": file(name(names), as_tuple, pickle.NEWOBJ),
            f"newobj-ex-{key}": file(name(names), as_tuple, plain({}), pickle.NEWOBJ_EX),
            f"obj-{key}": file(pickle.MARK, name(names), arguments, pickle.OBJ),
            f"inst-{key}": pickle.MARK + arguments + b"i" + name(names)[1:] + pickle.STOP,
            f"newobj-of-copyreg-{key}": file(called("copyreg __newobj__", name(names), arguments)),
        }
    return files


def _list_places() -> dict[str, bytes]:
    """A payload in every place that a value can have."""
    record = called("sklearn.svm._classes SVC")
    objects = dtype("O8", "|")
    one = plain((1,))
    files = {
        "in-list": file(pickle.EMPTY_LIST, EVIL, pickle.APPEND),
        "in-dict": file(pickle.EMPTY_DICT, plain("a"), EVIL, pickle.SETITEM),
        "as-key": file(pickle.EMPTY_DICT, EVIL, plain(1), pickle.SETITEM),
        "as-member": file(pickle.EMPTY_SET, pickle.MARK, EVIL, pickle.ADDITEMS),
        "in-frozenset": file(pickle.MARK, EVIL, pickle.FROZENSET),
        "popped": file(EVIL, pickle.POP, plain(1)),
        "as-state": file(record, EVIL, pickle.BUILD),
        "in-state": file(record, plain({}), plain("a"), EVIL, pickle.SETITEM, pickle.BUILD),
        "setstate": file(record, plain({"__setstate__": "os.system"}), pickle.BUILD),
        "class-attribute": file(record, plain({"__class__": "os", "__dict__": {}}), pickle.BUILD),
        "slots-state": file(record, plain((None, {"__reduce__": 1})), pickle.BUILD),
        "appended-to-record": file(record, EVIL, pickle.APPEND),
        "set-in-record": file(record, plain("a"), EVIL, pickle.SETITEM),
        "reduce-of-reduce": file(EVIL, plain(()), pickle.REDUCE),
        "reduce-of-getattr": file(called("builtins getattr", EVIL, plain("a")), plain(()), b"R"),
        "reduce-of-text": file(plain("os.system"), plain(("true",)), pickle.REDUCE),
        "reduce-without-tuple": file(name("os system"), plain("true"), pickle.REDUCE),
        "as-argument": file(called("builtins list", EVIL)),
        "as-default": file(called("collections defaultdict", name("os getcwd"))),
        "as-array-class": file(
            called("numpy.core.multiarray _reconstruct", EVIL, plain((0,)), plain(b"b"))
        ),
        "as-dtype": file(called("numpy dtype", EVIL)),
        "as-dtype-state": file(called("numpy dtype", plain("f8")), EVIL, pickle.BUILD),
        "as-shape": file(array(EVIL, dtype("f8"), plain(bytes(8)))),
        "as-content": file(array(one, dtype("f8"), EVIL)),
        "in-object-array": file(array(one, objects, pickle.EMPTY_LIST + EVIL + pickle.APPEND)),
        "as-codec": file(called("_codecs encode", plain("a"), EVIL)),
        "codec-that-looks-up": file(called("_codecs encode", plain("a"), plain("zlib"))),
        "codec-of-a-module": file(called("_codecs encode", plain("a"), plain("os.path"))),
        "partial": file(called("functools partial", name("os system"), plain("true"))),
        "attrgetter": file(called("operator attrgetter", plain("__class__.__mro__"))),
        "methodcaller": file(called("operator methodcaller", plain("system"), plain("true"))),
        "map": file(
            called("builtins list", called("builtins map", name("os system"), plain(["a"])))
        ),
        "function-of-bytes": file(called("types FunctionType", plain(b"code"), plain({}))),
        "sparse-class": file(called("scipy.sparse._csr __getattribute__", plain("a"))),
        "cloudpickle": file(called("cloudpickle.cloudpickle _make_function", plain(b"c"))),
        "memoised": file(EVIL, pickle.MEMOIZE, pickle.POP, pickle.BINGET, b"\0"),
        "second-pickle": file(plain(1)) + file(EVIL),
        "state-of-name": file(name("os environ"), plain({"PATH": ""}), pickle.BUILD),
        "state-of-module": file(name("sklearn svm"), plain({"SVC": None}), pickle.BUILD),
        "joblib-objects": _make_joblib(file(array(one, objects, b"]" + EVIL + b"a"))),
        "joblib-objects-are-call": _make_joblib(file(EVIL)),
        "joblib-class": _make_joblib(b"", subclass=name("os system")),
        "joblib-class-is-call": _make_joblib(b"", subclass=EVIL),
    }
    for protocol in range(6):
        files[f"evil-class-protocol-{protocol}"] = pickle.dumps([_Evil()], protocol)
        cells = np.array([_Evil(), {"a": _Evil()}], object)
        files[f"evil-cells-protocol-{protocol}"] = pickle.dumps({"a": cells}, protocol)
    for compress in (0, "zlib", "gzip", "bz2", "xz", "lzma"):
        written = io.BytesIO()
        joblib.dump([np.arange(3.0), np.array([_Evil()], object)], written, compress=compress)
        files[f"evil-joblib-{compress}"] = written.getvalue()
    return files


class _Evil:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        import os

        return os.system, (f"touch {MARK}",)


def _list_references() -> dict[str, bytes]:
    """References to what is outside of the file, or nowhere."""
    return {
        "extension-1": file(pickle.EXT1, b"\1"),
        "extension-2": file(pickle.EXT2, b"\1\0"),
        "extension-4": file(pickle.EXT4, b"\1\0\0\0"),
        "persistent": b"Pos.system\n.",
        "persistent-binary": file(plain("id"), pickle.BINPERSID),
        "buffer": file(pickle.NEXT_BUFFER),
        "readonly-buffer": file(plain(1), pickle.READONLY_BUFFER),
        "get-nothing": file(pickle.BINGET, b"\7"),
        "get-text": b"gabc\n.",
        "put-far": file(plain(1), pickle.LONG_BINPUT, b"\xff" * 4),
        "put-negative": b"I1\np-1\n.",
        "protocol-9": b"\x80\x09N.",
        "name-of-numbers": file(plain(1), plain(2), pickle.STACK_GLOBAL),
        "name-with-controls": file(text("o\x1b[2J\x00s"), text("a\nb"), pickle.STACK_GLOBAL),
        "name-with-surrogates": file(text("\ud800"), text("a"), pickle.STACK_GLOBAL),
        "name-of-a-megabyte": file(text("a" * 10**6), text("b"), pickle.STACK_GLOBAL),
        "name-empty": file(text(""), text(""), pickle.STACK_GLOBAL),
        "companion-file": file(
            called("joblib.numpy_pickle NDArrayWrapper"),
            plain({"filename": "/etc/passwd", "subclass": None}),
            pickle.BUILD,
        ),
    }


def _list_wrong_targets() -> dict[str, bytes]:
    """Instructions on values that are none for them."""
    vector = array(plain((1,)), dtype("f8"), plain(bytes(8)))
    targets = {
        "text": plain("a"),
        "tuple": plain((1,)),
        "array": vector,
        "name": name("os environ"),
        "number": plain(1),
        "dtype": dtype("f8"),
        "bytearray": called("builtins bytearray"),
    }
    files: dict[str, bytes] = {}
    for key, target in targets.items():
        files |= {
            f"append-to-{key}": file(target, plain(1), pickle.APPEND),
            f"set-in-{key}": file(target, plain(0), plain(1), pickle.SETITEM),
            f"add-to-{key}": file(target, pickle.MARK, plain(1), pickle.ADDITEMS),
            f"build-{key}": file(target, plain({"a": 1}), pickle.BUILD),
        }
    return files | {
        "set-in-list": file(pickle.EMPTY_LIST, plain(0), plain(1), pickle.SETITEM),
        "append-to-dict": file(pickle.EMPTY_DICT, plain(1), pickle.APPEND),
        "add-to-list": file(pickle.EMPTY_LIST, pickle.MARK, plain(1), pickle.ADDITEMS),
        "build-twice": file(called("a b"), plain(1), b"b", plain(2), pickle.BUILD),
        "odd-pairs": file(pickle.EMPTY_DICT, pickle.MARK, plain(1), pickle.SETITEMS),
    }


def _list_keys() -> dict[str, bytes]:
    """Keys that hash slowly, run code when compared, or overflow the stack."""
    prime = 2**61 - 1
    deep = pickle.EMPTY_TUPLE + pickle.TUPLE1 * 200_000

    def keyed(*keys: bytes) -> bytes:
        return file(b"}(", b"".join(key + b"N" for key in keys), pickle.SETITEMS)

    return {
        "key-tuple": keyed(plain((1, 2))),
        "key-deep": keyed(deep),
        "key-array": keyed(array(plain((1,)), dtype("f8"), plain(bytes(8)))),
        "key-name": keyed(name("os system")),
        "key-dict": keyed(plain({})),
        "keys-collide": keyed(*(plain(number * prime) for number in range(1, 5000))),
        "keys-collide-as-floats": keyed(
            *(plain(float(2**power * odd)) for power in range(61) for odd in range(1, 2000, 2))
        ),
        "members-collide": file(
            pickle.MARK, *(plain(number * prime) for number in range(1, 5000)), pickle.FROZENSET
        ),
        "codec-deep": file(called("_codecs encode", plain("a"), deep)),
        "dtype-deep": file(called("numpy dtype", deep), plain((3, "<", *[None] * 6)), b"b"),
        "dtype-order-deep": file(
            called("numpy dtype", plain("f8")),
            (b"(" + plain(3) + deep + plain(None) * 6 + b"t"),
            pickle.BUILD,
        ),
        "field-deep": file(
            called("numpy dtype", plain("V8")),
            (b"(" + plain(3) + plain("|") + b"N" + deep + pickle.TUPLE1),
            plain({}) + plain(8) + plain(1) + plain(0) + b"t",
            pickle.BUILD,
        ),
    }


def _list_arrays() -> dict[str, bytes]:
    """Arrays, dtypes and scalars that do not fit, or point somewhere."""
    real, eight, objects = dtype("f8"), plain(bytes(8)), dtype("O8", "|")
    files = {
        f"shape-{number}": file(array(plain(shape), real, eight))
        for number, shape in enumerate(
            ((2,), (-1,), (-1, -1), (2**62, 4), (2**70,), (0, 2**40), (1.0,), ("1",), 1, (1,) * 99)
        )
    }
    for number, code in enumerate(
        ("g16", "f16", "O9", "V0", "S0", "U99999999", "f8,f8", "(9,)f8", "float64", "i3", "", "x8")
    ):
        files[f"dtype-{number}"] = file(array(plain((1,)), dtype(code), eight))
    fields = {"a": (np.dtype("f8"), 0), "b": (np.dtype("f8"), 4)}
    states: dict[str, tuple[object, ...]] = {
        "fields-overlap-end": (3, "|", None, ("a", "b"), fields, 8, 1, 0),
        "fields-missing": (3, "|", None, ("a", "c"), fields, 8, 1, 0),
        "fields-twice": (3, "|", None, ("a", "a"), fields, 8, 1, 0),
        "fields-negative": (3, "|", None, ("a",), {"a": (np.dtype("f8"), -8)}, 8, 1, 0),
        "fields-of-objects": (3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0),
        "fields-many": (3, "|", None, ("a",) * 10**5, fields, 8, 1, 0),
        "fields-of-fields": (3, "|", None, ("a",), {"a": (np.dtype([("x", "f8")]), 0)}, 8, 1, 0),
        "items-are-arrays": (3, "|", (np.dtype("f8"), (2**40,)), None, None, 8, 1, 0),
        "state-short": (3, "|"),
        "times-of-no-unit": (4, "<", None, None, None, -1, -1, 0, ({}, (b"xx", 1, 1, 1))),
    }
    for key, state in states.items():
        code = "M8" if key.startswith("times") else "V8"
        kind = called("numpy dtype", plain(code)) + plain(state) + pickle.BUILD
        files[key] = file(array(plain((1,)), kind, eight))
    scalar = "numpy.core.multiarray scalar"
    return files | {
        "objects-of-bytes": file(array(plain((1,)), objects, plain(b"\x41" * 8))),
        "objects-too-few": file(array(plain((5,)), objects, plain([1]))),
        "objects-nested": file(
            array(b")", objects, b"]Na"),
            *[
                pickle.MEMOIZE + b"0" + array(b")", objects, b"]" + get(place) + b"a")
                for place in range(20_000)
            ],
        ),
        "objects-that-hold-themselves": file(
            called("numpy.core.multiarray _reconstruct", name("numpy ndarray"), plain((0,)), b"N"),
            pickle.MEMOIZE,
            b"(" + plain(1) + plain((1,)) + objects + plain(False) + b"]" + get(0) + b"at",
            pickle.BUILD,
        ),
        "array-unfinished": file(
            called("numpy.core.multiarray _reconstruct", name("numpy ndarray"), plain((0,)), b"N")
        ),
        "dtype-unfinished": file(called("numpy dtype", plain("f8"))),
        "scalar-of-object": file(called(scalar, objects, plain(b"\x41" * 8))),
        "scalar-short": file(called(scalar, real, plain(b"1"))),
        "scalar-of-number": file(called(scalar, plain(1), plain(b"1"))),
        "text-beyond-unicode": file(array(plain((1,)), dtype("U1"), plain(b"\xff" * 4))),
        "text-beyond-unicode-scalar": file(called(scalar, dtype("U1", ">"), plain(b"\xff" * 4))),
        "flags-beyond-true": file(array(plain((8,)), dtype("b1", "|"), plain(b"\xff" * 8))),
        "buffer-of-number": file(
            called("numpy._core.numeric _frombuffer", plain(1), real, plain((1,)), plain("C"))
        ),
        "buffer-of-wrong-order": file(
            called("numpy._core.numeric _frombuffer", eight, real, plain((1,)), plain("Z"))
        ),
        "slice-of-call": file(called("builtins slice", EVIL, b"N", b"N")),
        "complex-of-text": file(called("builtins complex", plain("1"), plain("2"))),
    }


def _make_joblib(
    content: bytes,
    *,
    shape: object = (1,),
    order: str = "C",
    kind: bytes = b"",
    subclass: bytes = b"",
    padded: bool = False,
) -> bytes:
    """Make a joblib file of one array, by default of objects, with what lies behind its words."""
    state = {
        "subclass": subclass or name("numpy ndarray"),
        "shape": plain(shape),
        "order": plain(order),
        "dtype": kind or dtype("O8", "|"),
        "allow_mmap": plain(False),
        "numpy_array_alignment_bytes": plain(16 if padded else None),
    }
    pairs = b"".join(text(key) + value for key, value in state.items())
    wrapper = name("joblib.numpy_pickle NumpyArrayWrapper") + pickle.EMPTY_TUPLE + pickle.NEWOBJ
    return file(wrapper + b"}(" + pairs + pickle.SETITEMS + pickle.BUILD + content)


def _list_joblib() -> dict[str, bytes]:
    """Arrays of joblib that do not fit."""
    real = dtype("f8")
    wrapper = name("joblib.numpy_pickle NumpyArrayWrapper") + b")\x81"
    return {
        "joblib-short": _make_joblib(bytes(8), shape=(2,), kind=real),
        "joblib-huge": _make_joblib(bytes(8), shape=(2**40,), kind=real),
        "joblib-huge-2": _make_joblib(bytes(8), shape=(2**33, 2**33), kind=real),
        "joblib-negative": _make_joblib(bytes(8), shape=(-1,), kind=real),
        "joblib-order": _make_joblib(bytes(8), order="K", kind=real),
        "joblib-padding": _make_joblib(b"\xff", kind=real, padded=True),
        "joblib-nested": _make_joblib(_make_joblib(_make_joblib(b"")), shape=(1,)),
        "joblib-objects-are-number": _make_joblib(file(plain(1))),
        "joblib-objects-are-numbers": _make_joblib(file(array(plain((1,)), real, plain(bytes(8))))),
        "joblib-state": file(wrapper, plain([1]), pickle.BUILD),
        "joblib-unfinished": file(wrapper),
        "joblib-without-dtype": file(wrapper, plain({"shape": (1,)}), pickle.BUILD),
    }


def _list_broken() -> dict[str, bytes]:
    """Files that are no pickles, are cut short, or have a few bytes changed."""
    chance = random.Random(0)  # noqa: S311 - the same files each time
    files = {
        "empty": b"",
        "stop": b".",
        "two-left": file(plain(1), plain(2)),
        "zeros": bytes(1000),
        "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "zip": b"PK\3\4" + bytes(100),
        "text": b"id,price\n1,2\n" * 10,
        "json": b'{"a": [1, 2]}',
        "page": b"<!doctype html><title>Not found</title>",
    }
    model = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(["x", None], object), "c": [1, "é"]}
    written = io.BytesIO()
    joblib.dump(model, written)
    for key, data in (("pickle", pickle.dumps(model)), ("joblib", written.getvalue())):
        for part in range(1, 12):
            files[f"cut-{key}-{part}"] = data[: len(data) * part // 12]
        for number in range(25):
            changed = bytearray(data)
            for _ in range(3):
                changed[chance.randrange(len(data))] = chance.randrange(256)
            files[f"changed-{key}-{number}"] = bytes(changed)
    return files
