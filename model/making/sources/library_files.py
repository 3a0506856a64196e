"""Models in files that other libraries write themselves, as estimators."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.contract.pickles import PickleError
from model.making.errors import AddError
from model.serving.estimators import revive
from model.serving.libraries.additive import AdditiveClassifier, AdditiveRegressor
from model.serving.libraries.files import open_library_file


def open_library_model(path: Path) -> tuple[str, Any] | None:
    """Open a file of XGBoost or LightGBM without the library; None for any other file.

    Returns:
        What the file is in words, and the estimator that answers as its model does.

    Raises:
        AddError: if it is damaged, or holds a model that cannot be served.
    """
    try:
        found = open_library_file(path)
        return None if found is None else (found[0], revive(found[1]))
    except PickleError as error:
        raise AddError(f"{path} cannot be served. {error}") from error


def restore_blanks(fitted: Any, columns: Sequence[str]) -> dict[str, str]:
    """Give a booster the data's names with blanks, for which LightGBM writes underscores.

    Args:
        fitted: the estimator, which is changed; another library's model alone has such names.
        columns: of the data.

    Returns:
        The name of each column in the data by that in the file; empty where nothing differs, or a
        name fits no column, or several.
    """
    steps = [step for _, step in getattr(fitted, "steps", [("", fitted)])]
    names = getattr(fitted, "feature_names_in_", None)
    is_booster = isinstance(steps[-1], AdditiveClassifier | AdditiveRegressor)
    if names is None or not is_booster or set(names) <= set(columns):
        return {}
    written = [(column.replace(" ", "_"), column) for column in columns]
    found = {
        str(name): [name] if name in columns else [each for text, each in written if text == name]
        for name in names
    }
    if any(len(fitting) != 1 for fitting in found.values()):
        return {}
    renamed = np.array([fitting[0] for fitting in found.values()], dtype=object)
    first = steps[0]
    first.feature_names_in_ = renamed
    for _, step, places in getattr(first, "transformers_", []):
        if hasattr(step, "feature_names_in_"):
            step.feature_names_in_ = renamed[places]
    return {name: fitting[0] for name, fitting in found.items() if fitting[0] != name}
