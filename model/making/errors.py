"""The errors of adding a model."""

from pathlib import Path


class AddError(Exception):
    """The model cannot be added; the message says why and what to do."""


class NotProvedError(AddError):
    """The model is not added, because the data do not prove that it would answer rightly."""


def require_file(path: Path) -> None:
    """Refuse what is no file: opening a named pipe waits for who writes to it.

    Raises:
        AddError: if it is none.
    """
    if not path.is_file():
        raise AddError(f"{path} is no regular file, and only those are opened.")


def quote_error(error: Exception) -> str:
    """Return the beginning of what another library's error says, or else its name."""
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
