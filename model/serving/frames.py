"""Converts a matrix of codes to a data frame of named columns, and back.

A compiled model takes the matrix: float (rows, fields), the fields in the card's order, a choice as
its index in the card's list, NaN for unknown. A scikit-learn pipeline takes the frame: the same
columns by name, a choice as its string.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from model.contract.arrays import Float64Array

try:
    import pandas as pd
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "a model that did not compile needs pandas for its named columns, and pandas is not "
        "installed. Put it into the dependencies in pyproject.toml and run "
        "`make requirements`"
    ) from error

Choices = Mapping[str, Sequence[str]]
"""The values of each choice field, by the field's name."""


def to_matrix(frame: pd.DataFrame, fields: Sequence[str], choices: Choices) -> Float64Array:
    """The columns ``fields`` of a frame as a matrix of shape (rows, fields).

    Raises:
        ValueError: if a column of ``choices`` holds a string that is not in its list.
    """
    columns = []
    for name in fields:
        if name not in choices:
            columns.append(frame[name].to_numpy(dtype=float))
            continue
        index = {choice: float(code) for code, choice in enumerate(choices[name])}
        unknown = frame[name].isna()
        if missing := sorted(set(frame[name][~unknown]) - set(index)):
            raise ValueError(f"{name}: {', '.join(map(repr, missing))} not among the choices")
        columns.append(frame[name].map(index).to_numpy(dtype=float))
    return np.column_stack(columns)


def to_frame(matrix: Float64Array, fields: Sequence[str], choices: Choices) -> pd.DataFrame:
    """The matrix of shape (rows, fields) as a frame; the inverse of ``to_matrix``."""
    columns: dict[str, object] = {}
    for name, column in zip(fields, matrix.T, strict=True):
        if name in choices:
            labels = np.array([*choices[name], np.nan], dtype=object)
            codes = np.nan_to_num(column, nan=len(choices[name])).astype(int)
            columns[name] = pd.Series(labels[codes], dtype=object)
        else:
            columns[name] = column
    return pd.DataFrame(columns)
