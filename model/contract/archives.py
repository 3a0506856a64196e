"""Reads the files in a ZIP or in a folder one after the other, such as pictures."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from model.contract.tables.table import TableError


def read_archive(file: BinaryIO, name: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Read the files in a ZIP: the name and the content of each, in the archive's order.

    ``name`` is for messages; of a file of more than ``most_bytes`` one byte more is read.

    Raises:
        TableError: if it is no ZIP, or broken.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if not info.filename:
                    raise zipfile.BadZipFile  # is_dir would look at its last letter
                if not info.is_dir() and not _is_hidden(info.filename):
                    # Of the others a few kilobytes are unpacked to a hundred megabytes at once.
                    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                        raise NotImplementedError
                    with archive.open(info) as member:
                        yield info.filename, member.read(most_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError):
        raise TableError(f"{name} is not a whole ZIP file. Pack it again.") from None
    except (NotImplementedError, RuntimeError):  # another compression, or a password
        raise TableError(
            f"{name} holds a file with a password or an unusual compression. Pack a plain ZIP."
        ) from None


def read_folder(folder: Path, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Read the files in a folder and below it, in order of their names; see ``read_archive``."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not _is_hidden(name):
            with path.open("rb") as file:
                yield name, file.read(most_bytes + 1)


def _is_hidden(name: str) -> bool:
    """Whether a file is one that nobody put there, like those of macOS in a ZIP."""
    parts = [part for part in name.split("/") if part not in (".", "..")]
    return any(part.startswith((".", "__MACOSX")) for part in parts)
