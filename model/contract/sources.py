"""Turns a predictor's matrix back into the columns that an estimator was fitted to.

A field of the card has a name that HTML allows, and a choice has a code. The training data have
columns like "Sex (m/f)", and values like True. The estimator needs those names, types and values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from model.contract.arrays import Float64Array, FloatArray
from model.contract.strict import StrictModel
from model.contract.texts import decode_text, encode_text, mend_lines

if TYPE_CHECKING:
    import pandas as pd

CellValue = bool | int | float | str
"""A cell of the training data."""


_DIGITS = 7
"""Significant digits that a float32 keeps of a decimal number."""
_MOST_DECIMALS = 22
_POWERS = 10.0 ** np.arange(_MOST_DECIMALS + 1)
"""The powers of ten that float64 has exactly."""


def widen(matrix: FloatArray, columns: Sequence[Source] = ()) -> Float64Array:
    """Restore the decimals that were typed: 39.1, where float32 has 39.099998.

    Trees compare with numbers from the data, to the last bit. A number that is no decimal of seven
    digits stays as it is, as do all of a column whose numbers were float32 when they were written.

    Args:
        matrix: float32 of any shape; float64 stays as it is.
        columns: where its last axis has them, what is known of each.

    Returns:
        float64 of the same shape.
    """
    if matrix.dtype == np.float64:
        return matrix.astype(np.float64, copy=False)
    wide = matrix.astype(np.float64)
    magnitude = np.abs(wide)
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = _DIGITS - 1 - np.floor(np.log10(magnitude))
        fits = (digits >= 0) & (digits <= _MOST_DECIMALS)
    scale = _POWERS[np.where(fits, digits, 0).astype(np.intp)]
    decimals = np.rint(wide * scale) / scale
    fits &= decimals.astype(np.float32) == matrix
    if single := [place for place, column in enumerate(columns) if column.is_single]:
        fits[..., single] = False
    widened: Float64Array = np.where(fits, decimals, wide)
    return widened


class Source(StrictModel):
    """The column of the training data that a field comes from.

    ``values`` are its cells by the field's code (a choice's index; 0 and 1 for a flag); empty for a
    column of numbers, whose code is the number itself, and for one of free text, whose codes hold
    for one call. The code of a date is the days since 1970-01-01; ``spelling`` is how its text has
    it, in the signs of strftime. ``is_single`` is True where the data have 39.099998474121094 for
    what is typed as 39.1.
    """

    column: str
    type: Literal[
        "float", "integer", "boolean", "text", "category", "free_text", "date", "timestamp"
    ]
    values: tuple[CellValue, ...] = ()
    spelling: str = ""
    is_single: bool = False

    @property
    def is_text(self) -> bool:
        """Whether the estimator takes strings here, not numbers."""
        return self.type in ("text", "category", "free_text") or self.is_date

    @property
    def is_free_text(self) -> bool:
        """Whether the column holds free text."""
        return self.type == "free_text"

    @property
    def is_date(self) -> bool:
        """Whether the estimator takes dates here, as text or as time stamps."""
        return self.type in ("date", "timestamp")

    def decode(self, codes: Float64Array) -> Any:
        """The column's cells, shape (rows,), for codes of shape (rows,); NaN where unknown."""
        if self.is_date:
            return self._decode_dates(codes)
        if self.is_free_text:
            texts = [np.nan if code != code else decode_text(code) for code in codes.tolist()]
            return np.array([*texts, None], dtype=object)[:-1]  # a list of equal texts has no shape
        if not self.values:
            return self._convert(codes)
        unknown = len(self.values)
        found = self._cells[np.nan_to_num(codes, nan=unknown).astype(int)]
        return found if self.is_text else self._convert(found.astype(float))

    def _decode_dates(self, days: Float64Array) -> Any:
        whole = np.where(np.isnan(days), 0, np.round(days)).astype(np.int64)
        stamps = whole.astype("datetime64[D]").astype("datetime64[ns]")
        stamps[np.isnan(days)] = np.datetime64("NaT")
        if self.type == "timestamp":
            return stamps
        texts = [
            np.nan
            if np.isnat(stamp)
            else stamp.astype("datetime64[D]").item().strftime(self.spelling)
            for stamp in stamps
        ]
        return np.array(texts, dtype=object)

    def _convert(self, numbers: Float64Array) -> Any:
        if self.type == "float" or np.isnan(numbers).any():
            return numbers
        return numbers.astype(bool if self.type == "boolean" else np.int64)

    def encode(self, cells: pd.Series) -> Float64Array:
        """The inverse of ``decode``, shape (rows,); a cell that is not listed becomes NaN."""
        if self.is_date:
            import pandas as pd

            stamps = pd.to_datetime(cells.astype(object), format=self.spelling)
            counted: Float64Array = (stamps - pd.Timestamp(1970, 1, 1)).dt.days.to_numpy(float)
            return counted
        if self.is_free_text:
            known = zip(cells.tolist(), cells.isna().tolist(), strict=True)
            return np.array(
                [np.nan if blank else encode_text(mend_lines(str(cell))) for cell, blank in known]
            )
        if not self.values:
            numbers: Float64Array = cells.to_numpy(dtype=float, na_value=np.nan)
            return numbers
        return self.encode_values(cells.tolist())

    def encode_values(self, cells: Sequence[object]) -> Float64Array:
        """The codes of cells, shape (rows,), of a column whose values are listed."""
        codes = self._codes
        return np.array([codes.get(cell, np.nan) for cell in cells], dtype=float)

    @cached_property
    def _cells(self) -> Any:
        """The values and, behind them, what stands for none; shape (values + 1,)."""
        return np.array([*self.values, np.nan], dtype=object)

    @cached_property
    def _codes(self) -> dict[object, float]:
        return {value: float(code) for code, value in enumerate(self.values)}


class Frame(StrictModel):
    """All columns, in the order of the card's fields; ``named`` if the estimator takes names."""

    columns: tuple[Source, ...]
    named: bool

    @classmethod
    def of_card(cls, names: Sequence[str], choices: Mapping[str, Sequence[str]]) -> Frame:
        """The input of an estimator that was fitted to the card's own columns and choices."""
        columns = [
            Source(column=name, type="text", values=tuple(choices[name]))
            if name in choices
            else Source(column=name, type="float")
            for name in names
        ]
        return cls(columns=tuple(columns), named=True)

    @property
    def names(self) -> list[str]:
        """The columns' own names."""
        return [source.column for source in self.columns]

    @property
    def choices(self) -> dict[str, Sequence[CellValue]]:
        """The values of each column that has codes."""
        return {source.column: source.values for source in self.columns if source.values}

    @property
    def needs_pandas(self) -> bool:
        """Whether the estimator takes a data frame, not an array of numbers."""
        texts = [source.is_text for source in self.columns]
        alone = len(texts) == 1 and self.columns[0].is_free_text
        return self.named or (any(texts) and not alone)

    def build(self, matrix: Float64Array) -> Any:
        """The estimator's input for a matrix of shape (rows, fields).

        A frame, an array, or for a column of free text without a name the texts, shape (rows,).
        """
        cells = {
            source.column: source.decode(codes)
            for source, codes in zip(self.columns, matrix.T, strict=True)
        }
        if not self.named and len(cells) == 1 and self.columns[0].is_free_text:
            return cells[self.columns[0].column]
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

    def read(self, table: pd.DataFrame) -> Float64Array:
        """The matrix, shape (rows, fields), for rows of the training data."""
        return np.column_stack([source.encode(table[source.column]) for source in self.columns])
