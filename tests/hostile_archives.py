"""Archives of skops that want much memory or time, or hold what no file of skops has."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

_WORDS: dict[str, Any] = {"__module__": "builtins", "is_json": True}


def list_archives() -> dict[str, bytes]:
    """Return the files by name."""
    quick = zipfile.ZIP_DEFLATED
    dense = {"__loader__": "NdArrayNode", "__module__": "numpy", "__class__": "ndarray"}
    hollow = {**dense, "type": "json", "content": []}
    files = {
        "skops-of-json": _pack(b"[" + b"[]," * 20_000_000 + b"[]]", quick),
        "skops-of-json-in-json": _pack(_word("[" + "[]," * 1_500_000 + "[]]"), quick),
        "skops-of-deep-json": _pack(b"[" * 10**6),
        "skops-of-bz2": _pack(_word('"' + "a" * 60 * 2**20 + '"'), zipfile.ZIP_BZIP2),
        "skops-of-text-as-shape": _pack(
            {**hollow, "shape": _hold("TupleNode", [_word('"ab"'), _word("99999999999")])}
        ),
        "skops-of-sets-of-lists": _pack(_hold("SetNode", [_hold("TupleNode", [_word("1")])])),
        "skops-of-keys-that-collide": _pack(
            {
                **_hold("DictNode", {str(key * (2**61 - 1)): _word("1") for key in range(5000)}),
                "key_types": {"content": [{"__class__": "int"}] * 5000},
            }
        ),
        "skops-of-nothing": _pack(b""),
        "skops-of-a-list": _pack([]),
        "skops-of-itself": _pack({"__loader__": "CachedNode", "__id__": 1}),
    }
    head = b"\x93NUMPY\1\0\x76\0"
    for key, header in (
        ("beyond-unicode", "{'descr': '<U2', 'fortran_order': False, 'shape': (1,)}"),
        ("of-objects", "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}"),
        ("below-zero", "{'descr': '<i8', 'fortran_order': False, 'shape': (-1, -1)}"),
    ):
        node = {**dense, "type": "numpy", "file": "0.npy"}
        data = head + header.ljust(117).encode() + b"\n" + b"\xff" * 8
        files[f"skops-{key}"] = _pack(node, member=data)
    return files


def _word(text: str) -> dict[str, Any]:
    """A plain value, by its JSON."""
    return {**_WORDS, "__loader__": "JsonNode", "__class__": "str", "content": text}


def _hold(loader: str, content: Any) -> dict[str, Any]:
    """What holds others."""
    return {**_WORDS, "__loader__": loader, "__class__": "list", "content": content}


def _pack(schema: Any, method: int = zipfile.ZIP_STORED, member: bytes = b"") -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", method, compresslevel=1) as archive:
        text = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
        archive.writestr("schema.json", text)
        archive.writestr("0.npy", member)
    return written.getvalue()
