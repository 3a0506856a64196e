"""Models in files that other libraries write themselves, as estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from model.contract.pickles import PickleError
from model.making.errors import AddError
from model.serving.estimators import revive
from model.serving.libraries.files import open_library_file


class LibraryModel(NamedTuple):
    """What a file is in words, and the estimator that answers as its model does."""

    name: str
    fitted: Any


def open_library_model(path: Path) -> LibraryModel | None:
    """Open a file of XGBoost or LightGBM without the library; None for any other file.

    Raises:
        AddError: if it is damaged, or holds a model that cannot be served.
    """
    try:
        found = open_library_file(path)
        return None if found is None else LibraryModel(found[0], revive(found[1]))
    except PickleError as error:
        raise AddError(f"{path} cannot be served. {error}") from error
