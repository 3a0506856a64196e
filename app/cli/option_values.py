"""Values of options, as text, in the form that adding a model wants."""

import math
import re
from contextlib import suppress
from pathlib import Path
from typing import get_args

import click
from babel import Locale, UnknownLocaleError

from model.contract.fields import FIELD_KINDS
from model.contract.paths import find_path
from model.contract.preprocessing import Levels, LevelScale

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""The type of an option that names a file."""

NAMED_SCALES: tuple[LevelScale, ...] = tuple(
    name for name in get_args(LevelScale) if name != "normalized"
)
"""What ``--scale`` calls by a name; the other one is written as its numbers."""


def read_list(text: str | None) -> tuple[str, ...]:
    """Read a list of names, or those in a file of JSON, of text, or a pickle.

    Raises:
        BadParameter: if the file holds no list of names.
    """
    path = find_path(text or "")
    if not text or path is None or not path.is_file():
        return split_names(text)
    from model.making.assembly.contents import collect_contents  # once the tools are there
    from model.making.errors import AddError

    try:
        found = collect_contents([path]).lists
    except AddError as error:
        raise click.BadParameter(str(error)) from error
    if len(found) != 1:
        raise click.BadParameter(f"{text} holds no list of names.")
    ((names, _),) = found
    return names


def parse_unit(text: str) -> tuple[str, float]:
    """Read a column and its factor.

    Raises:
        BadParameter: if it is not written as COLUMN=FACTOR.
    """
    column, _, factor = text.rpartition("=")
    try:
        number = float(factor)
    except ValueError:
        number = math.nan
    if not column or not math.isfinite(number) or number == 0:
        raise click.BadParameter(f"{text!r}: write COLUMN=FACTOR, like weight=1000.")
    return column, number


def parse_unit_name(text: str) -> tuple[str, str]:
    """Read a column and its unit.

    Raises:
        BadParameter: if it is not written as COLUMN=UNIT.
    """
    column, _, unit = text.rpartition("=")
    if not column.strip() or not unit.strip():
        raise click.BadParameter(f"{text!r}: write COLUMN=UNIT, like weight=kg.")
    return column.strip(), unit.strip()


def check_locale(name: str) -> str:
    """Return the name of a locale that is known.

    Raises:
        BadParameter: if it is not.
    """
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        raise click.BadParameter(f"--locale {name} is not known. Write one like de_DE.") from None
    return name


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Read a width and a height in pixels; None where there is nothing.

    Raises:
        BadParameter: if it is not written as WIDTHxHEIGHT.
    """
    if not text:
        return None
    found = re.fullmatch(r"([0-9]{1,4})[x×, ]([0-9]{1,4})", text.strip().lower())
    if found is None or "0" in (found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"):
        raise click.BadParameter(f"--size {text}: write WIDTHxHEIGHT in pixels, like 224x224.")
    return int(found[1]), int(found[2])


def parse_scale(text: str | None) -> tuple[LevelScale | None, Levels | None]:
    """Read a scale by its name, or the mean and the spread of one channel or of three.

    Raises:
        BadParameter: if it is neither.
    """
    if not text:
        return None, None
    for name in NAMED_SCALES:
        if name == text.strip().lower():
            return name, None
    with suppress(ValueError):
        numbers = tuple(map(float, text.split(",")))
        half = len(numbers) // 2
        levels = numbers[:half], numbers[half:]
        if len(numbers) in (2, 6) and all(map(math.isfinite, numbers)) and min(levels[1]) > 0:
            return "normalized", levels
    raise click.BadParameter(
        f"--scale {text}: write {', '.join(NAMED_SCALES)}, or what your code normalizes by, mean "
        "and spread of grey (0.1307,0.3081) or of red, green and blue (three means, three spreads)."
    )


def split_names(text: str | None) -> tuple[str, ...]:
    """Split a list of names at its commas; there may be none."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def parse_kind(text: str) -> tuple[str, str]:
    """Read a column and the kind of its field.

    Raises:
        BadParameter: if it is not written as COLUMN=KIND, or there is no such kind.
    """
    column, _, value = text.rpartition("=")
    if not column or value not in FIELD_KINDS:
        raise click.BadParameter(
            f"{text!r}: write COLUMN=KIND; a kind is one of {', '.join(FIELD_KINDS)}."
        )
    return column, value
