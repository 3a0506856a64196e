"""Files that other libraries write themselves, known by how they begin, never by their names."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from model.contract.pickles import PickleError, Record
from model.serving.libraries.lightgbm_models import read_lightgbm
from model.serving.libraries.xgboost_models import read_xgboost

_START = 4096
_LARGEST = 2**30
_UBJSON = re.compile(rb"\{[iUIlL]\0*.(?:learner|Model|Config|version)", re.DOTALL)
_JSON = re.compile(rb'\{\s*"(?:learner|version|Model|Config)"')
_OLD = re.compile(
    rb"(?:binf)?.{136}[\5-\40]\0{7}(?:reg|binary|multi|count|rank|survival):", re.DOTALL
)
"""The settings of the learner, and then the objective: its length and its name."""


class LibraryFile(NamedTuple):
    """What a file is in words, and what reads its bytes."""

    name: str
    read: Callable[[bytes], Record]


def find_library(start: bytes) -> LibraryFile | None:
    """Find out which library wrote a file, by its first 4 KiB; None for any other file."""
    if _UBJSON.match(start):
        return LibraryFile("an XGBoost model in UBJSON", read_xgboost)
    if _JSON.match(start) and (b'"learner"' in start or b'"gradient_booster"' in start):
        return LibraryFile("an XGBoost model in JSON", read_xgboost)
    if _OLD.match(start):
        return LibraryFile("an XGBoost model in its old binary form", read_xgboost)
    if re.match(rb"tree\r?\nversion=", start):
        return LibraryFile("a LightGBM model in its text form", read_lightgbm)
    return None


def open_library_file(path: Path) -> tuple[str, Record] | None:
    """Read the model in another library's own file; nothing in it runs.

    Returns:
        What the file is, and the record of the model; None if no library is known to write such.

    Raises:
        PickleError: if the file is damaged, or holds a model that cannot be served.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        found = find_library(file.read(_START))
        if found is None:
            return None
        if path.stat().st_size > _LARGEST:
            raise PickleError("It is larger than 1 GiB, which no page can serve.")
        file.seek(0)
        try:
            return found.name, found.read(file.read())
        except PickleError as error:
            raise PickleError(f"It begins like {found.name}. {error}") from error
