"""Columns put into a table under whatever names a person gave them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd


def assign_columns(table: pd.DataFrame, columns: Mapping[Any, Any]) -> pd.DataFrame:
    """A copy of a table with new or replaced columns.

    ``DataFrame.assign`` takes them as keywords, so none of them could be called ``self``.
    """
    copy = table.copy(deep=False)
    for name, values in columns.items():
        copy[name] = values
    return copy
