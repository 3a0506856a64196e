"""How a command ends where something is missing or not proved."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from app.config import SettingError
from app.feedback.store import StoreError
from model import ModelError
from model.contract.tables import TableError
from model.serving.batch.parallel import EndedWorkerError


class NotProved(click.ClickException):
    """The data do not prove that a model answers rightly; it ends with 4."""

    exit_code = 4


@contextmanager
def tell_errors(path: Path) -> Iterator[None]:
    """End the command with what is wrong with a model, a setting, a store or a file.

    Args:
        path: the file that it is about where an error of the system names none.

    Raises:
        ClickException: in place of the error.
    """
    try:
        yield
    except ModelError as error:
        raise click.ClickException("\n".join(error.problems)) from None
    except (TableError, SettingError, StoreError, EndedWorkerError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or path}: {error.strerror}.") from None


@contextmanager
def require_tools(what: str) -> Iterator[None]:
    """Import what only the making of models needs.

    Args:
        what: what a person wants to do, like "Adding a model".

    Raises:
        ClickException: if a library is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{what} needs {error.name}, which is not installed. Run `make add-tools`."
        ) from None
