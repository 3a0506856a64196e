"""The options that say how a table in a file is to be read."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from model.contract.tables import ReadOptions


def table_options(source: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options to a command, which is given what they say as ``reading``.

    Args:
        source: how the command calls the file.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @click.option(
            "--decimal", type=click.Choice([".", ","]), help=f"What separates decimals in {source}."
        )
        @click.option(
            "--delimiter",
            default="",
            help=f"What separates the columns of {source}; tab for tabulators.",
        )
        @click.option(
            "--encoding", default="", help=f"How the text of {source} is written, like cp1252."
        )
        @wraps(command)
        def with_options(decimal: Any, delimiter: str, encoding: str, **given: Any) -> None:
            delimiter = "\t" if delimiter in ("tab", "\\t") else delimiter
            command(**given, reading=ReadOptions(encoding, delimiter, decimal))

        return with_options

    return decorate
