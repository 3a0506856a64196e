"""Reads skops files as inert data: a ZIP of a JSON schema and of arrays, as the same records."""

import io
import json
import math
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from model.contract.pickles.arrays import finish_array, read_shape
from model.contract.pickles.calls import make_key
from model.contract.pickles.errors import PickleError
from model.contract.pickles.limits import Budget
from model.contract.pickles.records import GlobalName, Record

_SCHEMA = "schema.json"
_QUICK = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SLOWNESS = 8
"""Times that what is compressed otherwise counts: it takes so long."""
_JSON = 24
"""Bytes that a byte of JSON counts for: ``[],`` makes 64 of 3."""
_DEEPEST = 200
_CELL = 8
"""Bytes of a cell of a list."""
_OTHER_SHAPE = "The file has an array of another shape than it says."
_KEYS: dict[str, Callable[[str], Any]] = {
    "str": str, "int": int, "int64": int, "int32": int, "float": float, "float64": float,
    "bool": lambda text: text == "True", "NoneType": lambda text: None,
}  # fmt: skip
"""What the key of a dict was before JSON made it text, by the name of its type."""


def is_skops(archive: zipfile.ZipFile) -> bool:
    """Whether a ZIP has the schema of a skops file."""
    return _SCHEMA in archive.namelist()


class SkopsReader:
    """Makes the values of one file.

    ``names`` are the classes and functions that it names, ``versions`` the releases of
    scikit-learn.
    """

    def __init__(self, archive: zipfile.ZipFile, budget: Budget) -> None:
        self.names: set[str] = set()
        self.versions: set[str] = set()
        self._archive = archive
        self._budget = budget
        self._kept: dict[int, Any] = {}

    def load(self) -> Any:
        """Read the whole file.

        Raises:
            PickleError: if it is damaged, asks for more than a model of its size needs, or holds
                what is not known here.
        """
        return self._make(self._parse(self._read(_SCHEMA)), 0)

    def _read(self, name: str) -> bytes:
        return _read_member(self._archive, name, self._budget)

    def _parse(self, text: str | bytes) -> Any:
        self._budget.take_memory(_JSON * len(text))
        return json.loads(text)

    def _make(self, node: Any, depth: int) -> Any:
        self._budget.take_operation()
        if depth > _DEEPEST:
            raise PickleError(f"The file nests its values more than {_DEEPEST} deep.")
        key = node.get("__id__")
        if node["__loader__"] == "CachedNode":
            return self._kept[key]
        made = self._make_one(node, depth)
        if key is not None:
            self._kept[key] = made
        return made

    def _make_one(self, node: Any, depth: int) -> Any:
        loader, content = node["__loader__"], node.get("content")
        path = f"{node['__module__']}.{node['__class__']}"
        match loader:
            case "JsonNode":
                return self._parse(content) if node.get("is_json", True) else content
            case "DictNode" | "DefaultDictNode":
                return self._make_dict(node, content, depth)
            case "ListNode" | "TupleNode" | "SetNode" | "FrozenSetNode":
                cells = [self._make(cell, depth + 1) for cell in content]
                if loader in ("SetNode", "FrozenSetNode"):
                    cells = [make_key(cell, self._budget) for cell in cells]
                kinds = {"ListNode": list, "TupleNode": tuple, "SetNode": set}
                return kinds.get(loader, frozenset)(cells)
            case "NdArrayNode":
                return self._make_array(node, depth)
            case "DTypeNode":
                return self._make(content, depth + 1).dtype
            case "TypeNode":
                return self._name(path)
            case "FunctionNode":
                if content:  # as skops wrote it before its protocol 1
                    path = f"{content['module_path']}.{content['function']}"
                return self._name(path)
            case "SliceNode":
                return slice(content["start"], content["stop"], content["step"])
            case "BytesNode" | "BytearrayNode":
                data = self._read(node["file"])
                return bytearray(data) if loader == "BytearrayNode" else data
            case "SparseMatrixNode":
                return self._make_sparse(node, path)
        return self._make_record(node, path, depth)

    def _name(self, path: str) -> GlobalName:
        self.names.add(path)
        return GlobalName(path)

    def _make_record(self, node: Any, path: str, depth: int) -> Record:
        """Make a record of an object; what it is made with stands beside its attributes."""
        self.names.add(path)
        reduce = node.get("__reduce__")
        args = self._make(reduce["args"], depth + 1) if reduce else ()
        content, state = node.get("content"), None
        if isinstance(content, dict) and "__loader__" in content:
            state = self._make(content, depth + 1)
        if isinstance(state, dict) and isinstance(version := state.get("_sklearn_version"), str):
            self.versions.add(version)
        return Record(path, tuple(args), state)

    def _make_dict(self, node: Any, content: Any, depth: int) -> dict[Any, Any]:
        types = (node.get("key_types") or {}).get("content", [])
        named = (
            zip(content.items(), types, strict=True)
            if types
            else ((i, {}) for i in content.items())
        )
        return {
            make_key(_KEYS[kind.get("__class__", "str")](key), self._budget): self._make(
                value, depth + 1
            )
            for (key, value), kind in named
        }

    def _make_array(self, node: Any, depth: int) -> Any:
        if node["type"] == "json":
            cells = [self._make(cell, depth + 1) for cell in node["content"]]
            shape = read_shape(self._make(node["shape"], depth + 1))
            for length in shape[1:]:  # a row of a table is a list
                cells = self._join_rows(cells, length)
            if math.prod(shape) != len(cells):
                raise PickleError(_OTHER_SHAPE)
            return np.fromiter(cells, object, len(cells)).reshape(shape)
        array = _read_array(self._read(node["file"]))
        return array if node["__class__"] == "ndarray" else array[()]

    def _join_rows(self, rows: list[Any], length: int) -> list[Any]:
        if any(not isinstance(row, list) or len(row) != length for row in rows):
            raise PickleError(_OTHER_SHAPE)
        self._budget.take_memory(_CELL * length * len(rows))  # one list may stand for many rows
        return [cell for row in rows for cell in row]

    def _make_sparse(self, node: Any, path: str) -> Record:
        """Make a record of a sparse matrix, as its pickle has it."""
        with zipfile.ZipFile(io.BytesIO(self._read(node["file"]))) as parts:
            found = {}
            for name in ("data", "indices", "indptr", "shape"):
                found[name] = _read_array(_read_member(parts, f"{name}.npy", self._budget))
        shape = tuple(found["shape"].tolist())
        return Record(path, (), {**found, "_shape": shape})


def _read_member(archive: zipfile.ZipFile, name: str, budget: Budget) -> bytes:
    info = archive.getinfo(name)
    weight = 2 if info.compress_type in _QUICK else 2 * _SLOWNESS
    budget.take_memory(weight * info.file_size)
    with archive.open(info) as member:
        return member.read(info.file_size)


def _read_array(data: bytes) -> Any:
    """Read an array of NumPy's format, whose header may not promise more than there is."""
    source = io.BytesIO(data)
    version = np.lib.format.read_magic(source)
    read = {(1, 0): np.lib.format.read_array_header_1_0}.get(
        version, np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(source)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data) - source.tell():
        raise PickleError("The file has an array of another size than it says.")
    flat = np.frombuffer(data, dtype, math.prod(shape), source.tell()).copy()
    return finish_array(flat, shape, fortran)
