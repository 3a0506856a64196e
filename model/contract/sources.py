"""What an estimator was fitted to, column by column: from a predictor's matrix back to that.

A field of the card has a name that HTML allows, a choice has a code; the data have "Sex (m/f)",
whole numbers that stand for categories, True and False. Whatever the form calls them, an estimator
gets the columns, types and values that it was fitted to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import pandas as pd

Raw = bool | int | float | str
"""What can stand in a cell of the data."""


_DIGITS = 7
"""Significant digits that a float32 keeps of a decimal number."""


def widen(matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """A predictor's matrix with the decimals that were typed: 39.1, where float32 has 39.099998.

    Trees compare with numbers that stood in the data, to the last bit.
    """
    wide = matrix.astype(np.float64)
    size = np.abs(wide)
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = _DIGITS - 1 - np.floor(np.log10(size))
    fits = np.isfinite(digits) & (digits >= 0) & (digits <= 22)
    scale = 10.0 ** np.where(fits, digits, 0)
    widened: npt.NDArray[np.float64] = np.where(fits, np.round(wide * scale) / scale, wide)
    return widened


class Source(BaseModel):
    """The column of the data from which a field comes.

    ``values`` are what stands in it for each code of the field (a choice's index; 0 and 1 for a
    flag); empty where the number itself does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    column: str
    type: Literal["float", "integer", "boolean", "text", "category"]
    values: tuple[Raw, ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether the estimator sees anything but numbers here."""
        return self.type in ("text", "category")

    def decode(self, codes: npt.NDArray[np.float64]) -> Any:
        """The column's cells for codes, shape (rows,); NaN where unknown."""
        if not self.values:
            return self._numbers(codes)
        blank = len(self.values)
        cells = np.array([*self.values, np.nan], dtype=object)
        found = cells[np.nan_to_num(codes, nan=blank).astype(int)]
        return found if self.is_text else self._numbers(found.astype(float))

    def _numbers(self, numbers: npt.NDArray[np.float64]) -> Any:
        if self.type == "float" or np.isnan(numbers).any():
            return numbers
        return numbers.astype(bool if self.type == "boolean" else np.int64)

    def encode(self, cells: pd.Series) -> npt.NDArray[np.float64]:
        """The inverse of ``decode``; a value that is not listed becomes NaN."""
        if not self.values:
            numbers: npt.NDArray[np.float64] = cells.to_numpy(dtype=float, na_value=np.nan)
            return numbers
        codes = {value: float(code) for code, value in enumerate(self.values)}
        return np.array([codes.get(cell, np.nan) for cell in cells.tolist()], dtype=float)


class Frame(BaseModel):
    """All columns, in the order of the card's fields; ``named`` where the estimator wants names."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    columns: tuple[Source, ...]
    named: bool

    @property
    def names(self) -> list[str]:
        """The columns' own names."""
        return [source.column for source in self.columns]

    @property
    def choices(self) -> dict[str, Sequence[Raw]]:
        """The values of each column that has codes."""
        return {source.column: source.values for source in self.columns if source.values}

    @property
    def needs_pandas(self) -> bool:
        """Whether the estimator takes more than an array of numbers."""
        return self.named or any(source.is_text for source in self.columns)

    def build(self, matrix: npt.NDArray[np.float64]) -> Any:
        """What the estimator takes, for a matrix of shape (rows, fields): a frame or an array."""
        cells = {
            source.column: source.decode(codes)
            for source, codes in zip(self.columns, matrix.T, strict=True)
        }
        if not self.needs_pandas:
            return np.column_stack([np.asarray(column, dtype=float) for column in cells.values()])
        import pandas as pd

        for source in self.columns:
            if source.type == "category":
                cells[source.column] = pd.Categorical(
                    cells[source.column], categories=sorted(source.values, key=str)
                )
        table = pd.DataFrame(cells)
        return table if self.named else table.to_numpy()

    def read(self, table: pd.DataFrame) -> npt.NDArray[np.float64]:
        """The matrix for rows of the data, shape (rows, fields)."""
        return np.column_stack([source.encode(table[source.column]) for source in self.columns])
