"""How a command ends where something is missing or not proved."""

from collections.abc import Iterator
from contextlib import contextmanager

import click


class NotProved(click.ClickException):
    """The data do not prove that a model answers rightly; it ends with 4."""

    exit_code = 4


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
