"""The estimators that `fixtures/make.py` saved, as records."""

import io
import tarfile
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from model.contract.pickles import read_pickle
from model.contract.pickles.records import Record
from tests.model.serving.estimators.fixtures import make

FIXTURES = Path(make.__file__).parent
VERSIONS = sorted(path.name.removesuffix(".tar.xz") for path in FIXTURES.glob("*.tar.xz"))


@cache
def contents(version: str) -> dict[str, bytes]:
    """The files of a version, by kind."""
    found = {}
    with tarfile.open(FIXTURES / f"{version}.tar.xz") as archive:
        for entry in archive:
            opened = archive.extractfile(entry)
            assert opened is not None
            found[entry.name.partition(".")[0]] = opened.read()
    return found


@cache
def own_answers(version: str) -> dict[str, Any]:
    """What the version's estimators answered, by kind and method."""
    return dict(np.load(io.BytesIO(contents(version)["answers"])))


def read_saved(version: str, kind: str) -> Any:
    """The record of an estimator, new for each call."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pkl"
        path.write_bytes(contents(version)[kind])
        return read_pickle(path).root


def walk(value: Any) -> Iterator[Record]:
    """Every record in a value."""
    seen: set[int] = set()
    stack = [value]
    while stack:
        part = stack.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Record):
            yield part
            stack += [part.state, part.args, part.items]
        elif isinstance(part, dict):
            stack += list(part.values())
        elif isinstance(part, list | tuple):
            stack += list(part)
        elif isinstance(part, np.ndarray) and part.dtype == object:
            stack += list(part.flat)


def find(root: Any, name: str) -> Record:
    """The fitted record of a class in a value: of several that with the most attributes."""
    found = [record for record in walk(root) if record.name == name]
    return max(found, key=lambda record: len(record.state or ()))  # type: ignore[arg-type]
