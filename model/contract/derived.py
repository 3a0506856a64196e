"""Derived columns: what a model takes that is computed from the facts on the form."""

from collections.abc import Iterable, Mapping
from functools import cached_property

import numpy as np
from pydantic import Field, model_validator

from model.contract.arrays import Float64Array, FloatArray
from model.contract.expressions import Cells, Expression, ExpressionError
from model.contract.sources import Source, widen
from model.contract.strict import StrictModel
from model.contract.texts import encode_text


class DerivedColumn(StrictModel):
    """A column that is computed: its name, and the text of its expression."""

    name: str
    expression: str

    @cached_property
    def parsed(self) -> Expression:
        """The parsed expression."""
        return Expression(self.expression)


class FeatureStep(StrictModel):
    """The step from the codes of the card's fields to the codes of the model's columns.

    ``given`` are the columns behind the fields, in the card's order; those in ``dates`` hold days
    since 1970-01-01. ``derived`` are computed in their order, each from columns before it.
    ``lookups`` are the tables that expressions look values up in, by file. ``takes`` are the
    model's columns, in its order.
    """

    given: tuple[Source, ...]
    dates: tuple[str, ...] = ()
    derived: tuple[DerivedColumn, ...]
    lookups: dict[str, dict[str, float | str]] = Field(default_factory=dict)
    takes: tuple[Source, ...]

    @property
    def computed(self) -> tuple[DerivedColumn, ...]:
        """The columns that are computed from facts: what people want to know of."""
        return tuple(column for column in self.derived if column.parsed.columns)

    @model_validator(mode="after")
    def _expressions_are_sound(self) -> "FeatureStep":
        known = {source.column for source in self.given}
        for column in self.derived:
            try:
                names = column.parsed.columns
            except ExpressionError as error:
                raise ValueError(f"{column.name}: {error}") from error
            if missing := [name for name in names if name not in known]:
                raise ValueError(f"{column.name} is computed from {missing[0]}, which is not there")
            if lost := [file for file in column.parsed.lookups if file not in self.lookups]:
                raise ValueError(f"{column.name} looks up {lost[0]}, which is not there")
            known.add(column.name)
        if missing := [source.column for source in self.takes if source.column not in known]:
            raise ValueError(f"the model takes {missing[0]}, which is not there")
        return self

    def transform(self, matrix: FloatArray) -> Float64Array:
        """Compute the codes of the model's columns, shape (rows, columns).

        Args:
            matrix: codes of the card's fields, shape (rows, fields); NaN where unknown.
        """
        codes = {
            source.column: column
            for source, column in zip(self.given, widen(matrix, self.given).T, strict=True)
        }
        cells = {
            name: read_cells(self._by_name[name], codes[name], name in self.dates)
            for name in self._read
        }
        compute_columns(self.derived, cells, self.lookups)
        made = np.empty((len(matrix), len(self.takes)))
        for place, source in enumerate(self.takes):
            name = source.column
            derived = name in self._names
            made[:, place] = _encode(source, cells[name]) if derived else codes[name]
        return made

    def find_text(self, name: str) -> int:
        """Find the place among the model's columns of the text that a field's text becomes.

        Raises:
            KeyError: if there is none.
        """
        inputs: dict[str, set[str]] = {}
        for column in self.derived:
            given = [inputs.get(used, {used}) for used in column.parsed.columns]
            inputs[column.name] = set().union(*given)
        for place, source in enumerate(self.takes):
            if source.is_free_text and name in inputs.get(source.column, {source.column}):
                return place
        raise KeyError(name)

    @cached_property
    def _by_name(self) -> Mapping[str, Source]:
        return {source.column: source for source in self.given}

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.derived)

    @cached_property
    def _read(self) -> tuple[str, ...]:
        """The given columns that expressions name."""
        named = (name for column in self.derived for name in column.parsed.columns)
        return tuple(name for name in dict.fromkeys(named) if name in self._by_name)


def compute_columns(
    derived: Iterable[DerivedColumn],
    cells: dict[str, Cells],
    lookups: Mapping[str, Mapping[str, float | str]],
) -> None:
    """Compute derived columns, and add each to the cells.

    Args:
        derived: the columns in their order.
        cells: the cells of the columns that they are computed from, shape (rows,).
        lookups: tables by file.

    Raises:
        ExpressionError: if a column is not there, or a function does not take its cells.
    """
    for column in derived:
        cells[column.name] = column.parsed.evaluate(cells, lookups)


def read_cells(source: Source, codes: Float64Array, is_date: bool) -> Cells:
    """Turn the codes of a column, shape (rows,), into cells of the same shape."""
    cells = source.decode(codes) if source.values or source.is_free_text else codes
    if source.is_free_text or any(isinstance(value, str) for value in source.values):
        texts = np.array(cells, dtype=object)
        texts[np.isnan(codes)] = None
        return Cells("text", texts)
    return Cells("date" if is_date else "number", np.asarray(cells, dtype=np.float64))


def _encode(source: Source, cells: Cells) -> Float64Array:
    """The codes of cells, shape (rows,), or () where the expression names no column."""
    if source.is_free_text:
        texts = np.atleast_1d(cells.array).tolist()
        return np.array([np.nan if text is None else encode_text(text) for text in texts])
    if not source.values:
        return np.asarray(cells.array, dtype=np.float64)
    codes = source.encode_values(np.atleast_1d(cells.array).tolist())
    return codes.reshape(np.shape(cells.array))
