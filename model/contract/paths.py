"""A file or a folder that a text may name."""

from contextlib import suppress
from pathlib import Path


def find_path(text: str) -> Path | None:
    """Find the file or folder of a name; None where there is none.

    A list of many columns is too long for a name, and asking for it raises an error.
    """
    with suppress(OSError, ValueError):
        path = Path(text)
        return path if path.exists() else None
    return None
