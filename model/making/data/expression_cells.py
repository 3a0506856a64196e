"""Columns of somebody's data as the cells of an expression."""

import numpy as np
import pandas as pd

from model.contract.expressions import Cells


def read_series(cells: pd.Series, is_date: bool) -> Cells:
    """Take the cells of a column as an expression has them, shape (rows,).

    Args:
        cells: the column; days since 1970-01-01 where it ``is_date``.
        is_date: whether they are dates.
    """
    if is_date or pd.api.types.is_numeric_dtype(cells.dtype):
        return Cells("date" if is_date else "number", cells.to_numpy(dtype=float, na_value=np.nan))
    known = cells.notna().to_numpy()
    if all(isinstance(cell, bool) for cell in cells[known]):
        return Cells("number", np.array([float(cell) for cell in cells.where(known, np.nan)]))
    texts = [str(cell) if has else None for cell, has in zip(cells.tolist(), known, strict=True)]
    return Cells("text", np.array(texts, dtype=object))
