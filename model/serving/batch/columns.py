"""Reads a column of cells as the codes of a field: each distinct cell once, by the field itself."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from pydantic_core import PydanticCustomError

from model.contract.arrays import Float64Array
from model.contract.fields import INVALID, BaseField
from model.contract.tables.arrow import encode_array, has_texts, parse_numbers
from model.contract.tables.table import EncodedCells

_MOST_KNOWN = 100_000
"""Distinct cells that are kept from block to block."""

_DISTINCT = 0.5
"""The share of distinct cells from which numbers are read together and not one by one."""

ReadCell = Callable[[object], Any]
"""Reads one cell, as ``BaseField.read_cell`` does, and raises what that raises."""


def read_json_value(field: BaseField) -> ReadCell:
    """Make the reader of values from JSON, which takes them as the API does."""

    def read(value: object) -> Any:
        return field.validate_value(field.read_json(value))

    return read


class FieldReader:
    """Reads the cells of one field, and remembers what it has read.

    Args:
        field: the field.
        read: reads one cell.
    """

    def __init__(self, field: BaseField, read: ReadCell) -> None:
        self._field, self._read = field, read
        self._texts = _KnownCells(lambda cell: self._read_one(cell, cell))
        self._values = _KnownCells(lambda key: self._read_one(key, key[1]))
        self._messages: dict[object, str] = {}
        self._together: bool | None = None

    def forget(self) -> "FieldReader":
        """Return a reader that remembers nothing, for codes that hold for one block."""
        return FieldReader(self._field, self._read)

    def read_column(self, cells: Any, texts: bool) -> tuple[Float64Array, dict[int, str]]:
        """Read the cells of a block.

        Args:
            cells: one a row; ``EncodedCells``, an array for a column of numbers, or one of Arrow.
            texts: whether all of them are texts.

        Returns:
            The codes, shape (rows,), NaN where unknown and infinite where a cell is refused; and
            the message for each refused cell, by its row.
        """
        if len(self._messages) + len(self._texts) + len(self._values) > _MOST_KNOWN:
            for known in (self._messages, self._texts, self._values):
                known.clear()
        if not isinstance(cells, Sequence | np.ndarray):
            return self._read_array(cells, texts)
        if isinstance(cells, EncodedCells):
            codes, messages = self.read_column(cells.distinct, cells.texts)
            codes = codes[cells.indices]
            if not messages:
                return codes, {}
            rows = np.flatnonzero(np.isinf(codes))
            found = zip(rows.tolist(), cells.indices[rows].tolist(), strict=True)
            return codes, {row: messages[index] for row, index in found}
        if isinstance(cells, np.ndarray):
            checked = self._field.check_numbers(cells)
            values: Any = cells.tolist() if checked is None else cells
            return self._complete(checked, values, texts)
        if self._together is None:
            self._together = len(set(cells)) > _DISTINCT * len(cells) if texts else False
        if self._together:
            return self._complete(self._field.read_plain_cells(cells), cells, texts)
        before = len(self._texts)
        read = self._complete(None, cells, texts)
        self._together = len(self._texts) - before > _DISTINCT * len(cells)
        return read

    def _read_array(self, column: Any, texts: bool) -> tuple[Float64Array, dict[int, str]]:
        """Read a column of Arrow: plain numbers together, and of other cells each distinct one."""
        codes = None
        if self._field.takes_plain_numbers and has_texts(column):
            codes = self._field.check_numbers(parse_numbers(column))
        if codes is None:
            return self.read_column(encode_array(column), texts)
        rows = np.flatnonzero(np.isinf(codes))
        if not len(rows):
            return codes, {}
        codes[rows], messages = self.read_column(encode_array(column.take(rows)), texts)
        return codes, {int(rows[index]): message for index, message in messages.items()}

    def _complete(
        self, codes: Float64Array | None, cells: Any, texts: bool
    ) -> tuple[Float64Array, dict[int, str]]:
        """Read one by one the cells whose codes are infinite: all, where there are none."""
        rows: Sequence[int] = range(len(cells))
        if codes is not None:
            rows = np.flatnonzero(np.isinf(codes)).tolist()
            if not rows:
                return codes, {}
            cells = [cells[row] for row in rows]
        known, keys = (self._texts, cells) if texts else (self._values, _make_keys(cells))
        found = np.fromiter(map(known.__getitem__, keys), np.float64, len(keys))
        refused = np.flatnonzero(np.isinf(found)).tolist()
        messages = {rows[index]: self._messages[keys[index]] for index in refused}
        if codes is None:
            return found, messages
        codes[rows] = found
        return codes, messages

    def _read_one(self, key: object, cell: object) -> float:
        try:
            return self._field.encode(self._read(cell))
        except PydanticCustomError as error:
            self._messages[key] = error.message()
            return np.inf


class _KnownCells(dict[Any, float]):
    """The codes of cells by their keys; what is not there yet is read."""

    def __init__(self, read: Callable[[Any], float]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, key: Any) -> float:
        code = self[key] = self._read(key)
        return code


def _make_keys(cells: Sequence[Any]) -> list[tuple[type, Any]]:
    """Tell values apart by their types, too: to a dict, 1, 1.0 and True are one key."""
    keys = [(type(cell), cell) for cell in cells]
    try:
        hash(tuple(keys))
    except TypeError:  # lists and objects: no field takes them, whatever is in them
        return [(kind, cell if isinstance(cell, Hashable) else INVALID) for kind, cell in keys]
    return keys
