"""Models from files of other libraries, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from model.contract.pickles import read_pickle
from model.serving.estimators import revive
from model.serving.libraries.files import open_library_file
from tests.model.serving.libraries.make_files import COLUMNS, fill, numbers, sparse


def open_file(path: Path) -> Any:
    """Make the estimator of another library's own file, or of a pickle."""
    found = open_library_file(path)
    return revive(read_pickle(path).root if found is None else found[1])


def answer(model: Any, name: str, table: pd.DataFrame) -> Any:
    """Answer rows of ``make_rows``: a number for each, or what the library gives for classes."""
    rows = numbers(table)
    if "statsmodels" in name or "skops" in name:
        table = fill(table).astype({"city": object})
        rows = table[list(getattr(model, "feature_names_in_", COLUMNS[:3]))]
    if "missing.pkl" in name:
        rows = pd.DataFrame(rows).fillna(-1).to_numpy()
    if name == "xgboost-sparse.json":
        rows = sparse(table)
    if "categories" in name or name == "xgboost-sparse.pkl":
        rows = table[COLUMNS].astype({"city": object})
    if not hasattr(model, "predict_proba"):
        return model.predict(rows)
    found = model.predict_proba(rows)
    alone = not name.endswith(("pkl", "skops")) or "statsmodels" in name
    return found[:, 1] if found.shape[1] == 2 and alone else found
