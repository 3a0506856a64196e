"""Derived columns of somebody's data: ``--derive`` parsed, and computed on every row."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from model.contract.derived import DerivedColumn, compute_columns
from model.contract.expressions import Cells, ExpressionError, parse_definition, write_column
from model.contract.paths import find_path
from model.making.columns.describing import infer_columns
from model.making.data.assigning import assign_columns
from model.making.data.date_texts import read_dates
from model.making.data.expression_cells import read_series
from model.making.data.number_texts import read_number_columns
from model.making.data.tables import LabelledTable, require_column, suggest_name
from model.making.errors import AddError
from model.making.options import AddNote, AddOptions

MOST_LOOKED_UP = 20_000
"""Keys of a lookup's file."""


@dataclass(frozen=True)
class Derivations:
    """The derived columns, in their order, and what they are computed from.

    ``dates`` are the columns of the data that hold days since 1970-01-01, ``lookups`` the tables by
    the names of their files, ``units`` the columns that ``--unit`` changes.
    """

    columns: tuple[DerivedColumn, ...]
    lookups: Mapping[str, Mapping[str, float | str]]
    dates: tuple[str, ...]
    units: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        """The derived columns' names."""
        return frozenset(column.name for column in self.columns)

    @property
    def inputs(self) -> frozenset[str]:
        """The columns that any of them is computed from."""
        return frozenset(name for column in self.columns for name in column.parsed.columns)

    def require_used(self, names: Sequence[str]) -> None:
        """Make sure that the model takes each derived column, or another is computed from it.

        Raises:
            AddError: if one is for nothing.
        """
        taken = {(name, column.name) for column in self.columns for name in column.parsed.columns}
        used = {name for name, into in taken if name != into}.union(names)
        for column in self.columns:
            if column.name not in used:
                option = "--unit" if column.name in self.units else "--derive"
                raise AddError(
                    f"{option} {column.name}: the model does not take such a column."
                    f"{suggest_name(column.name, names)}"
                )

    def list_given(self, names: Sequence[str]) -> tuple[str, ...]:
        """List the columns of the data from which the model's columns come, each once."""
        return tuple(
            dict.fromkeys(
                given
                for name in names
                for given in (self.find_inputs(name) if name in self.names else (name,))
            )
        )

    def find_inputs(self, name: str) -> tuple[str, ...]:
        """Find the columns of the data that a derived column is computed from."""
        inputs: dict[str, tuple[str, ...]] = {}
        for column in self.columns:
            inputs[column.name] = tuple(
                dict.fromkeys(
                    given for used in column.parsed.columns for given in inputs.get(used, (used,))
                )
            )
        return inputs[name]


def derive_columns(
    options: AddOptions, rows: LabelledTable, add_note: AddNote, vectorized: Collection[str] = ()
) -> tuple[Derivations, LabelledTable, pd.DataFrame]:
    """Compute what ``--derive`` says, and ``--unit``, which changes a column in place.

    A derived column whose inputs no form can ask for stays a column of the data, and the form asks
    for that. It can ask for the texts of ``vectorized``, which the model splits into words, and for
    what these are computed from.

    Returns:
        The derived columns; the rows as the form gives them, with dates as days; and the table with
        every derived column, as the model takes it.

    Raises:
        AddError: if an expression cannot be computed; it names the expression and the place.
    """
    texts_given = (*options.derive, *(_write_unit(*unit) for unit in options.units.items()))
    said_by = ["--derive"] * len(options.derive) + ["--unit"] * len(options.units)
    columns = [_parse(text) for text in texts_given]
    known = [*rows.table.columns, *(column.name for column in columns[: len(options.derive)])]
    for name in options.units:
        require_column(known, name, options.data, "--unit")
    table, dates = _read_dates(rows.table, columns, options)
    files = dict.fromkeys(file for column in columns for file in column.parsed.lookups)
    lookups = {file: _read_lookup(file, options.data) for file in files}
    cells = {}
    if columns:
        cells = {str(name): read_series(table[name], name in dates) for name in table.columns}
    texts = set(vectorized)
    for column in reversed(columns):
        texts.update(column.parsed.columns if column.name in texts else ())
    kinds = {**dict.fromkeys(texts, "text"), **dict.fromkeys(dates, "date"), **options.kinds}
    derived = table.copy()
    kept: list[DerivedColumn] = []
    for column, text, option in zip(columns, texts_given, said_by, strict=True):
        names = list(column.parsed.columns)
        for name, role in ((options.target, "is the target"), (rows.marker, "marks rows")):
            if name in names:
                raise AddError(
                    f"{option}: “{text}” takes {name}, which {role}: the form does not know it."
                )
        if not names:
            raise AddError(f"--derive: “{text}” names no column.")
        try:
            compute_columns([column], cells, lookups)
        except ExpressionError as error:
            written = [name for name in names if name in table and cells[name].kind == "text"]
            read = read_number_columns(table, written, options.decimal, add_note)
            table, derived = (assign_columns(each, read[written]) for each in (table, derived))
            cells |= {name: read_series(table[name], False) for name in written}
            try:
                compute_columns([column], cells, lookups)
            except ExpressionError:
                raise AddError(f"{option}: {error}") from error
        values = _make_series(cells[column.name], table.index)
        if values.isna().all():
            raise AddError(f"{option}: “{text}” is unknown in every row of the data.")
        if column.name in table.columns and column.name not in names:
            _compare(table[column.name], values, text)
        lost = values.isna() & derived[names].notna().all(axis=1)
        if lost.any():
            add_note(
                f"{column.name} is unknown in {int(lost.sum()):,} rows where all that it is "
                f"computed from is known; the first is row {int(np.flatnonzero(lost)[0]) + 1}."
            )
        derived[column.name] = values
        free = [
            name for name in names if name in table.columns and not _is_asked(table, name, kinds)
        ]
        # A text that no form can ask for either, like two that are joined, is computed.
        is_written = cells[column.name].kind == "text" and not _is_asked(
            derived, column.name, kinds
        )
        if free and column.name not in names and not is_written:
            add_note(f"No form can ask for {free[0]}, so it asks for {column.name} itself.")
            table = assign_columns(table, {column.name: values})
        else:
            kept.append(column)
    made = Derivations(tuple(kept), lookups, dates, frozenset(options.units))
    return made, replace(rows, table=table), derived


def _write_unit(column: str, factor: float) -> str:
    return f"{write_column(column)} = {write_column(column)} * {factor:.15g}"


def _parse(text: str) -> DerivedColumn:
    try:
        name, expression = parse_definition(text)
    except ExpressionError as error:
        raise AddError(f"--derive: {error}") from error
    return DerivedColumn(name=name, expression=expression)


def _is_asked(table: pd.DataFrame, name: str, kinds: Mapping[str, str]) -> bool:
    """Whether a form can ask for a column."""
    try:
        infer_columns(table, [name], set(), {name: kinds[name]} if name in kinds else {})
    except AddError:
        return False
    return True


def _read_dates(
    table: pd.DataFrame, columns: Sequence[DerivedColumn], options: AddOptions
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The table with days since 1970-01-01 for the dates that expressions name, and their names."""
    dates = {}
    for name in dict.fromkeys(name for column in columns for name in column.parsed.columns):
        if name not in table.columns:
            continue
        if options.kinds.get(name) == "date":
            dates[name] = table[name]
        elif (found := read_dates(table[name], name)) is not None:
            dates[name] = found.days
    return assign_columns(table, dates), tuple(dates)


def _read_lookup(file: str, data: Path) -> Mapping[str, float | str]:
    path = find_path(file) or data.parent / file
    example = 'Write an object like {"10115": 3.5}.'
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AddError(
            f"--derive: there is no file {file}, neither here nor beside {data}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise AddError(f"--derive: {file} is not JSON ({error}). {example}") from error
    values = list(found.values()) if isinstance(found, dict) else []
    texts = sum(isinstance(value, str) for value in values)
    numbers = sum(type(value) in (int, float) for value in values)
    if not values or len(values) not in (texts, numbers):
        raise AddError(
            f"--derive: {file} must give a number for each key, or a text for each. {example}"
        )
    if len(values) > MOST_LOOKED_UP:
        raise AddError(
            f"--derive: {file} has {len(values):,} keys; {MOST_LOOKED_UP:,} are the most."
        )
    if numbers and not np.isfinite(np.array(values, dtype=float)).all():
        raise AddError(f"--derive: {file} has a number that is not finite. {example}")
    table = {key: value if texts else float(value) for key, value in found.items()}
    # A column that was read as numbers has lost the zeros before them.
    bare = {key.lstrip("0") or "0": value for key, value in table.items() if key.isdecimal()}
    return bare | table


def _make_series(cells: Cells, index: pd.Index) -> pd.Series:
    values = pd.Series(np.broadcast_to(cells.array, len(index)), index=index)
    if cells.kind == "text":
        return values.astype(object)
    whole = values.notna().all() and (values % 1 == 0).all() and values.abs().max() < 2**53
    return values.astype("int64") if whole else values


def _compare(cells: pd.Series, values: pd.Series, text: str) -> None:
    """Make sure that a column of the data is what is derived under its name."""
    if pd.api.types.is_numeric_dtype(cells.dtype) and pd.api.types.is_numeric_dtype(values.dtype):
        given, computed = cells.to_numpy(dtype=float), values.to_numpy(dtype=float)
        same = np.isclose(given, computed, rtol=1e-6, atol=1e-9, equal_nan=True)
    else:
        same = (cells.astype(str) == values.astype(str)).to_numpy()
    if not same.all():
        row = int(np.flatnonzero(~same)[0])
        raise AddError(
            f"--derive: “{text}” gives {values.iloc[row]} in row {row + 1} of the data, which have "
            f"{cells.iloc[row]} there; {int((~same).sum())} rows differ."
        )
