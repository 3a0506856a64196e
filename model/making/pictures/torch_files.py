"""What a file of PyTorch holds, as far as it can be told without PyTorch; nothing in it runs."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from model.making.errors import AddError

TorchContent = Literal["TorchScript", "an exported program", "weights", "a pickled module"]
"""A module as a program, as a graph, its arrays alone, or as objects of its author's classes."""


def name_torch_content(path: Path) -> TorchContent:
    """Say what a file of PyTorch holds.

    Raises:
        AddError: if it is no file of PyTorch.
    """
    if not path.is_file():
        raise AddError(f"{path} is no regular file, and only those are opened.")
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.partition("/")[2] or name for name in archive.namelist()]
            if "constants.pkl" in names and any(name.startswith("code/") for name in names):
                return "TorchScript"
            if any(name.startswith("models/") or name.endswith("exported_program.json")
                   for name in names):  # fmt: skip
                return "an exported program"
            if "data.pkl" not in names:
                raise AddError(f"{path} is a ZIP archive, but no file of PyTorch.")
            content = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            start = archive.read(content)[:2000]
    except zipfile.BadZipFile:
        start = path.read_bytes()[:2000]
        if not start.startswith(b"\x80"):
            raise AddError(f"{path} is not a file of PyTorch, although its name says so.") from None
    # A dictionary of arrays begins with its keys; a module begins with the name of its class.
    head = start[:120]
    if b"collections\nOrderedDict" in head or head[2:3] == b"}":
        return "weights"
    return "a pickled module"
