"""The instructions of a pickle, carried out on inert data."""

import codecs
import pickletools
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from model.contract.pickles.byte_source import ByteSource
from model.contract.pickles.calls import call, make_key
from model.contract.pickles.errors import PickleError, printable
from model.contract.pickles.joblib_files import OLD_WRAPPERS, WRAPPERS, UnfinishedJoblibArray
from model.contract.pickles.limits import Budget, Unfinished
from model.contract.pickles.records import GlobalName, Record

_LAST_PROTOCOL = 5
_LONGEST_INTEGER = 2048
"""Bits; the states of random generators have 128."""
_NAME = re.compile(r"(?=.{1,300}\Z)[\w<>]+(\.[\w<>]+)+")
_VERSION = re.compile(r"[\w.+-]{1,40}")
_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}
"""Names of Python 2."""


class Unpickler:
    """Reads one pickle: a machine with a stack, and a memo of values to be used again."""

    def __init__(self, source: ByteSource, budget: Budget, nested: bool = False) -> None:
        """Read from a file's bytes; a nested pickle holds no arrays of joblib."""
        self.names: dict[str, GlobalName] = {}
        self.versions: set[str] = set()
        self.uses_joblib = False
        self._source = source
        self._budget = budget
        self._nested = nested
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []
        self._memo: dict[int, object] = {}
        self._done = False

    def load(self) -> object:
        """Carry out the instructions up to the last one, and return the value.

        Raises:
            PickleError: if the file is damaged, or asks for more than it may.
        """
        read_byte, take_operation = self._source.read_byte, self._budget.take_operation
        while not self._done:
            take_operation()
            read_argument, carry_out = _TABLE[read_byte()]
            carry_out(self, read_argument(self._source) if read_argument else None)
        (value,) = self._stack
        return value

    def _push(self, value: object) -> None:
        self._stack.append(value)

    def _push_integer(self, value: int) -> None:
        if value.bit_length() > _LONGEST_INTEGER:
            raise PickleError("The file has an integer of thousands of digits.")
        self._stack.append(value)

    def _pop_marked(self) -> list[Any]:
        """The values pushed since the last mark."""
        values, self._stack = self._stack, self._marked.pop()
        return values

    def _mark(self, _: None) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _pop(self, _: None) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_marked()

    def _join(self, count: int) -> None:
        """Make a tuple of the last values."""
        last = [self._stack.pop() for _ in range(count)]
        self._stack.append(tuple(reversed(last)))

    def _make_dict(self, _: None) -> None:
        values = self._pop_marked()
        made: dict[object, object] = {}
        self._set(made, values)
        self._stack.append(made)

    def _make_frozenset(self, _: None) -> None:
        values = self._pop_marked()
        self._stack.append(frozenset(make_key(value, self._budget) for value in values))

    def _extend(self, values: list[object]) -> None:
        target = self._stack[-1]
        if isinstance(target, Record):
            target.items += values
        elif isinstance(target, list):
            target += values
        else:
            raise PickleError("The file appends to something that is no list.")

    def _set_item(self, _: None) -> None:
        value = self._stack.pop()
        key = self._stack.pop()
        self._set(self._stack[-1], [key, value])

    def _set_items(self, _: None) -> None:
        values = self._pop_marked()
        self._set(self._stack[-1], values)

    def _set(self, target: object, values: list[object]) -> None:
        """Set keys and values, which take turns in a list."""
        pairs = zip(values[::2], values[1::2], strict=True)
        if isinstance(target, Record):
            target.pairs += pairs
        elif isinstance(target, dict):
            for key, value in pairs:
                target[make_key(key, self._budget)] = value
        else:
            raise PickleError("The file sets a key of something that is no dict.")

    def _add_items(self, _: None) -> None:
        values = self._pop_marked()
        target = self._stack[-1]
        if not isinstance(target, set):
            raise PickleError("The file adds members to something that is no set.")
        target.update(make_key(value, self._budget) for value in values)

    def _get(self, key: int) -> None:
        if key not in self._memo:
            raise PickleError("The file uses a value that it never gave: it is damaged.")
        self._stack.append(self._memo[key])

    def _put(self, key: int) -> None:
        value = self._stack[-1]
        self._memo[key] = value
        if isinstance(value, Unfinished):
            value.memo_keys.append(key)

    def _push_global(self, names: str) -> None:
        module, _, name = names.partition(" ")  # pickletools joins the two lines
        self._stack.append(self._name(module, name))

    def _make_global(self, _: None) -> None:
        name = self._stack.pop()
        module = self._stack.pop()
        self._stack.append(self._name(module, name))

    def _name(self, module: object, name: object) -> GlobalName:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError("The file names a class by something other than text.")
        module = _MODULES.get(module, module)
        if module == "numpy._core" or module.startswith("numpy._core."):
            module = "numpy.core" + module.removeprefix("numpy._core")
        path = f"{module}.{name}"
        if not _NAME.fullmatch(path):
            raise PickleError(f"The file names a class that Python cannot have: {printable(path)}.")
        if path in OLD_WRAPPERS:
            raise PickleError(
                "The file keeps its arrays in other files, as joblib before 0.10 did. Load it "
                "with that joblib and save it again, into one file."
            )
        return self.names.setdefault(path, GlobalName(path))

    def _call(self, function: object, args: object) -> object:
        if isinstance(function, GlobalName) and function.path in WRAPPERS:
            if self._nested:
                raise PickleError("The file has arrays of joblib inside an array of objects.")
            self.uses_joblib = True
            return UnfinishedJoblibArray(self._source, self._budget, self._load_nested)
        return call(function, args, self._budget)

    def _load_nested(self) -> object:
        """Read the pickle of an array of objects, which follows its description."""
        inner = Unpickler(self._source, self._budget, nested=True)
        value = inner.load()
        self.names |= inner.names
        self.versions |= inner.versions
        return value

    def _reduce(self, _: None) -> None:
        args = self._stack.pop()
        self._stack[-1] = self._call(self._stack[-1], args)

    def _new_with_names(self, _: None) -> None:
        named = self._stack.pop()
        args = self._stack.pop()
        if not isinstance(named, dict) or not isinstance(args, tuple):
            raise PickleError("The file makes an object of damaged arguments.")
        self._budget.take_memory(8 * len(args) + 8 * len(named))
        self._stack[-1] = self._call(self._stack[-1], (*args, *named.values()))

    def _make_object(self, _: None) -> None:
        cls, *args = self._pop_marked()
        self._stack.append(self._call(cls, tuple(args)))

    def _make_instance(self, names: str) -> None:
        args = tuple(self._pop_marked())
        self._push_global(names)
        self._stack[-1] = self._call(self._stack[-1], args)

    def _build(self, _: None) -> None:
        state = self._stack.pop()
        target = self._stack[-1]
        if isinstance(target, Unfinished):
            self._stack[-1] = finished = target.finish(state)
            for key in target.memo_keys:
                if self._memo[key] is target:
                    self._memo[key] = finished
        elif isinstance(target, Record) and target.state is None:
            target.state = state
            self._note_version(state)
        elif not isinstance(target, (dict, set)):  # subclasses of these may have attributes
            raise PickleError("The file gives attributes to something that has none.")

    def _note_version(self, state: object) -> None:
        version = state.get("_sklearn_version") if isinstance(state, dict) else None
        if isinstance(version, str) and _VERSION.fullmatch(version):
            self.versions.add(version)

    def _begin(self, protocol: int) -> None:
        if protocol > _LAST_PROTOCOL:
            raise PickleError(f"The file is a pickle of protocol {protocol}, which does not exist.")

    def _skip(self, _: int) -> None:
        """Leave out the size of a frame: the instructions follow it in any case."""

    def _stop(self, _: None) -> None:
        self._done = True

    def _refuse_outside(self, _: object) -> None:
        raise PickleError("The file refers to something that is outside of it.")

    def _refuse_unknown(self, _: None) -> None:
        raise PickleError("The file is no pickle, or is damaged.")


def _read_string(source: ByteSource) -> str:
    """Read the text of Python 2: a line, in quotes, with escapes for what is not ASCII."""
    line = source.readline().strip()
    if len(line) < 2 or line[:1] not in (b'"', b"'") or line[:1] != line[-1:]:
        raise PickleError("The file has text without quotes: it is damaged.")
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")


def _read_unicode(source: ByteSource) -> str:
    """Read a line; ``str`` would import a module for this codec."""
    return codecs.raw_unicode_escape_decode(source.readline()[:-1])[0]


def _read_long_text(width: int, source: ByteSource) -> str:
    """Read a text behind its length, which takes so many bytes."""
    return source.read_text(int.from_bytes(source.read(width), "little"))


def _read_global(source: ByteSource) -> str:
    return " ".join(source.readline()[:-1].decode() for _ in range(2))


_READERS: dict[str, Callable[[ByteSource], Any]] = {
    "STRING": _read_string,
    "UNICODE": _read_unicode,
    "BINUNICODE": partial(_read_long_text, 4),
    "BINUNICODE8": partial(_read_long_text, 8),
    "GLOBAL": _read_global,
    "INST": _read_global,
}
"""How arguments are read that pickletools reads otherwise than pickle, or without a limit."""

_U = Unpickler
_CARRIED_OUT: dict[str, Callable[[Unpickler, Any], object]] = {
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT"), _U._push),
    **dict.fromkeys(("INT", "LONG", "LONG1", "LONG4"), _U._push_integer),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING"), _U._push),
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _U._push),
    **dict.fromkeys(("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"), _U._push),
    **dict.fromkeys(("NEXT_BUFFER", "READONLY_BUFFER", "EXT1", "EXT2", "EXT4"), _U._refuse_outside),
    **dict.fromkeys(("PERSID", "BINPERSID"), _U._refuse_outside),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _U._get),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _U._put),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _U._reduce),
    "NONE": lambda machine, _: machine._push(None),
    "NEWTRUE": lambda machine, _: machine._push(True),
    "NEWFALSE": lambda machine, _: machine._push(False),
    "EMPTY_LIST": lambda machine, _: machine._push([]),
    "APPEND": lambda machine, _: machine._extend([machine._stack.pop()]),
    "APPENDS": lambda machine, _: machine._extend(machine._pop_marked()),
    "LIST": lambda machine, _: machine._push(machine._pop_marked()),
    "EMPTY_TUPLE": lambda machine, _: machine._push(()),
    "TUPLE": lambda machine, _: machine._push(tuple(machine._pop_marked())),
    "TUPLE1": lambda machine, _: machine._join(1),
    "TUPLE2": lambda machine, _: machine._join(2),
    "TUPLE3": lambda machine, _: machine._join(3),
    "EMPTY_DICT": lambda machine, _: machine._push({}),
    "DICT": _U._make_dict,
    "SETITEM": _U._set_item,
    "SETITEMS": _U._set_items,
    "EMPTY_SET": lambda machine, _: machine._push(set()),
    "ADDITEMS": _U._add_items,
    "FROZENSET": _U._make_frozenset,
    "POP": _U._pop,
    "POP_MARK": lambda machine, _: machine._pop_marked(),
    "DUP": lambda machine, _: machine._push(machine._stack[-1]),
    "MARK": _U._mark,
    "MEMOIZE": lambda machine, _: machine._put(len(machine._memo)),
    "GLOBAL": _U._push_global,
    "STACK_GLOBAL": _U._make_global,
    "NEWOBJ_EX": _U._new_with_names,
    "OBJ": _U._make_object,
    "INST": _U._make_instance,
    "BUILD": _U._build,
    "PROTO": _U._begin,
    "FRAME": _U._skip,
    "STOP": _U._stop,
}

_TABLE: list[tuple[Callable[[ByteSource], Any] | None, Callable[[Unpickler, Any], object]]] = [
    (None, Unpickler._refuse_unknown)
] * 256
"""For each byte: how its argument is read, and what it does."""
for _opcode in pickletools.opcodes:
    _reader: Any = _READERS.get(_opcode.name) or (_opcode.arg.reader if _opcode.arg else None)
    _TABLE[ord(_opcode.code)] = (_reader, _CARRIED_OUT[_opcode.name])
