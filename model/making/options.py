"""What a person asks for when they add a model."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from model.contract.expressions import write_column
from model.contract.preprocessing import Channels, Interpolation, Levels, LevelScale, Resize
from model.contract.reading import DecimalSign
from model.making.dictionaries import Description

AddNote = Callable[[str], object]
"""Takes one or two sentences about something that the person should know."""

Progress = Callable[[str], object]
"""Takes what is being done now, in a few words."""

AskPerson = Callable[[str], bool]
"""Shows what was taken, or what will be done, and returns whether it is right."""


LOCALE = "en_US"
"""How a page writes numbers where nobody says otherwise, and how ``model add`` itself does."""


@dataclass(frozen=True)
class PictureOptions:
    """What a person says of the input of a network for pictures; None where it is to be found out.

    ``size`` is (width, height) in pixels, ``levels`` are those of the scale ``normalized``.
    ``samples`` is how many pictures visitors can try.
    """

    size: tuple[int, int] | None = None
    scale: LevelScale | None = None
    levels: Levels | None = None
    channels: Channels | None = None
    resize: Resize | None = None
    interpolation: Interpolation | None = None
    samples: int = 6


@dataclass(frozen=True)
class AddOptions:
    """What a person asks for.

    ``paths`` are the files of the model and of what belongs to it. ``target`` is "" where the data
    do not have it. ``module`` is a Python file with code that the model's file needs and does not
    have; ``features`` are the columns of a model that does not know their names, in its order;
    ``classes`` the names of its classes, in its order; ``derive`` the derived columns that it
    takes, like "age = 2020 - year"; ``kinds`` the kinds of columns whose guess would be wrong;
    ``required`` the columns that the form always asks for, although the model answers without
    them; ``decimal`` is what separates decimals where a column does not tell. ``before`` are the
    files of the steps before the model, in their order; ``target_inverse`` says how its answers
    become the target, ``units`` by how much a column is multiplied first. ``as_is`` adds a model
    although its answers look wrong; ``publish_rows`` allows visitors to see rows of the data.
    ``dictionary`` is a file that says what columns are called and measured in, ``unit_names`` are
    pairs of a column and its unit, and ``described`` is what both say. ``locale`` is how the page
    writes numbers. ``more_data`` are further files of rows below those of ``data``. Only rows for
    which the condition ``where`` is true are taken, and at most ``max_rows`` of them, at random.
    ``python`` is the Python of an environment that has the library of the model's file.
    ``order`` are its classes from the lowest to the highest where they are steps of a scale, or
    "no"; ``risk`` is the class whose probability is the answer.
    ``pictures`` is what counts for a network for pictures alone.
    """

    paths: tuple[Path, ...]
    name: str
    data: Path
    target: str = ""
    holdout: str | None = None
    trust: bool = False
    module: Path | None = None
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    derive: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    decimal: DecimalSign | None = None
    coverage: float = 0.9
    force: bool = False
    publish_rows: bool = False
    before: tuple[Path, ...] = ()
    target_inverse: str = ""
    units: Mapping[str, float] = field(default_factory=dict)
    as_is: bool = False
    dictionary: Path | None = None
    unit_names: tuple[tuple[str, str], ...] = ()
    described: Mapping[str, Description] = field(default_factory=dict)
    locale: str = LOCALE
    more_data: tuple[Path, ...] = ()
    where: str = ""
    max_rows: int | None = None
    python: str = ""
    order: tuple[str, ...] = ()
    risk: str = ""
    pictures: PictureOptions = field(default_factory=PictureOptions)


def write_derivation(column: str, expression: str) -> str:
    """Write the option that computes a column, as a shell takes it."""
    return f"--derive {shlex.quote(f'{write_column(column)} = {expression}')}"


def write_filling(column: str, value: object) -> str:
    """Write the option that puts a value in the place of a column's missing cells."""
    return write_derivation(column, f"fill({write_column(column)}, {write_constant(value)})")


def write_constant(value: object) -> str:
    """Write a text or a number as an expression has it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else f"{value:.15g}"
