"""What a model takes, made from raw columns: numbers, levels of a choice, and codes of a choice."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from model.contract.arrays import Float64Array
from model.making.data.text_cells import as_text

ORDERS = ("alphabet", "appearance", "alphabet, backwards", "frequency")
"""In which codes may have been given to the values of a column; people use the first two."""
UNKNOWN = "nan"
"""The text under which a code for missing cells stands, as texts made of them have it."""
_SEPARATORS = ("_", "", " ", "-", ".", "=", ":", "__", "_is_")
_MOST_LEVELS = 20_000
_MOST_CODE = 20_000
"""An encoder has a placeholder for every code that none of its levels has."""


@dataclass(frozen=True)
class Input:
    """A number that a model takes; of a raw column as it is.

    ``level`` is the cell that gives 1 where all others give 0; ``codes`` are the number of each
    cell.
    """

    source: str
    level: Any = None
    codes: tuple[tuple[Any, float], ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether it is the column's own number."""
        return self.level is None and not self.codes

    @property
    def text(self) -> str:
        """The column, and the level where it has one."""
        return self.source if self.level is None else f"{self.source} {as_text(self.level)}"


@dataclass(frozen=True)
class Codes:
    """Numbers that stand for texts, as a file has them.

    ``hint`` is the key under which they stood, ``where`` their file. ``is_list`` is True where the
    file has texts in an order, and no numbers.
    """

    numbers: Mapping[str, float]
    hint: str
    where: str
    is_list: bool = False


@dataclass
class RawColumns:
    """The columns of the data that a model may take, and what is known of their codes."""

    table: pd.DataFrame
    codes: Sequence[Codes] = ()
    _cells: dict[str, dict[str, Any]] = field(default_factory=dict)

    def cells(self, column: str) -> dict[str, Any]:
        """The distinct cells of a column by their text, in the order of their appearance."""
        if column not in self._cells:
            values = self.table[column].dropna().unique()[: _MOST_LEVELS + 1].tolist()
            self._cells[column] = {as_text(value): value for value in values}
        return self._cells[column]

    def is_number(self, column: str) -> bool:
        """Whether a column holds numbers, or True and False."""
        return bool(pd.api.types.is_numeric_dtype(self.table[column].dtype))

    @cached_property
    def by_name(self) -> dict[str, str]:
        """The columns by their normalised name; none of two that are alike."""
        return _unique((simplify(name), name) for name in self.table.columns)

    def find(self, name: str) -> str | None:
        """The column of a name, which may differ in case and punctuation.

        A blank at an end of the name is not in the table's.
        """
        exact = (each for each in (name, name.strip()) if each in self.table.columns)
        return next(exact, None) or self.by_name.get(simplify(name))

    @cached_property
    def levels(self) -> dict[str, tuple[str, Any]]:
        """Column and cell by the name that a dummy of it may have."""
        found: dict[str, tuple[str, Any]] = {}
        for column in self.table.columns:
            for text, cell in self.cells(column).items() if self._is_choice(column) else ():
                for separator in _SEPARATORS:
                    found.setdefault(f"{column}{separator}{text}", (column, cell))
        return found

    @cached_property
    def simple_levels(self) -> dict[str, tuple[str, Any]]:
        """The same by a normalised name."""
        return _unique((simplify(name), pair) for name, pair in self.levels.items())

    def _is_choice(self, column: str) -> bool:
        return not self.is_number(column) or len(self.cells(column)) <= 50

    @cached_property
    def bare_levels(self) -> dict[str, tuple[str, Any]]:
        """Column and cell by the cell's own normalised text, of columns of texts."""
        return _unique(
            (simplify(text), (column, cell))
            for column in self.table.columns
            if not self.is_number(column)
            for text, cell in self.cells(column).items()
        )

    def find_level(self, name: str, names: Iterable[str] = ()) -> tuple[str, Any] | None:
        """Column and cell of a dummy; its prefix may be another than the column's name.

        Args:
            name: of the dummy.
            names: of all; one that has the cell's own name leaves it to no other, such as "Other".
        """
        found = self._find_level(name)
        if name in self.levels or found is None:
            return found
        return None if any(self.levels.get(other) == found for other in names) else found

    def _find_level(self, name: str) -> tuple[str, Any] | None:
        simple = simplify(name)
        for known, key in (
            (self.levels, name),
            (self.simple_levels, simple),
            (self.bare_levels, simple),
        ):
            if key in known:
                return known[key]
        ends = [
            (len(text), column, cell)
            for column in self.table.columns
            if not self.is_number(column)
            for text, cell in self.cells(column).items()
            if name == text or any(name.endswith(f"{mark}{text}") for mark in "_ -.=:")
        ]
        longest = max((length for length, *_ in ends), default=0)
        best = [(column, cell) for length, column, cell in ends if length == longest]
        return best[0] if len(best) == 1 else None

    def find_codes(self, column: str) -> list[Codes]:
        """The codes in the files that may be meant for a column, the best first; all fit it."""
        cells, own = set(self.cells(column)), simplify(column)
        fitting = [
            codes
            for codes in self.codes
            if cells and cells <= set(codes.numbers)
            and (not codes.is_list or simplify(codes.hint) == own)
        ]  # fmt: skip
        others = {simplify(name) for name in self.table.columns} - {own}

        def order(codes: Codes) -> tuple[int, int]:
            hint = simplify(codes.hint)
            if hint == own:
                return 0, 0
            named = own in hint and len(own) > 1
            return (1 if named else 3 if hint in others else 2), len(codes.numbers) - len(cells)

        return sorted(fitting, key=order)

    def infer_codes(self, column: str, order: str) -> Codes:
        """Codes by alphabet, as LabelEncoder gives them, or in another order of ``ORDERS``."""
        texts = list(self.cells(column))
        if order == "frequency":
            counts = self.table[column].map(as_text).value_counts()
            texts.sort(key=lambda text: -int(counts.get(text, 0)))
        elif order != "appearance":
            texts.sort(reverse=order == "alphabet, backwards")
        return Codes({text: float(number) for number, text in enumerate(texts)}, column, "")

    def make_input(self, column: str, codes: Codes | None) -> Input:
        """Make the input of a column that is a number, or has codes."""
        if codes is None:
            return Input(column)
        pairs = [(cell, codes.numbers[text]) for text, cell in self.cells(column).items()]
        if UNKNOWN in codes.numbers and self.table[column].isna().any():
            pairs.append((np.nan, codes.numbers[UNKNOWN]))
        return Input(column, codes=tuple(pairs))


def simplify(name: str) -> str:
    """Leave letters and digits of a name alone, in lower case."""
    return re.sub(r"[\W_]+", "", str(name)).casefold()


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A dict without the keys that stand for several values."""
    found: dict[str, Any] = {}
    ambiguous = set()
    for key, value in pairs:
        if key in found and found[key] != value:
            ambiguous.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in ambiguous}


def compute_matrix(inputs: Sequence[Input], table: pd.DataFrame) -> Float64Array:
    """Compute what a model takes, shape (rows, inputs), for rows of the data; NaN where unknown."""
    columns = []
    for item in inputs:
        cells = table[item.source]
        if item.level is not None:
            columns.append((cells == item.level).to_numpy(dtype=float))
        elif item.codes:
            columns.append(cells.map(dict(item.codes)).to_numpy(dtype=float, na_value=np.nan))
        else:
            columns.append(cells.to_numpy(dtype=float, na_value=np.nan))
    return np.column_stack(columns)


def list_sources(inputs: Sequence[Input]) -> list[str]:
    """The raw columns of inputs, each once, in the order of their first input."""
    return list(dict.fromkeys(item.source for item in inputs))


def encode_categories(encoder: OrdinalEncoder | TargetEncoder) -> list[list[float]]:
    """The numbers of the categories of each column; [] where some have several, or none."""
    categories = [values.tolist() for values in encoder.categories_]
    longest = max(map(len, categories))
    padded = [values + values[:1] * (longest - len(values)) for values in categories]
    rows = pd.DataFrame(dict(enumerate(padded)), dtype=object)
    names = getattr(encoder, "feature_names_in_", None)
    try:
        values = rows.to_numpy() if names is None else rows.set_axis(names, axis=1)
        encoded = np.asarray(encoder.transform(values), dtype=float)
    except Exception:  # an encoder may raise anything
        return []
    if encoded.shape[1] != len(categories):
        return []
    return [
        column[: len(values)].tolist() for column, values in zip(encoded.T, categories, strict=True)
    ]


def make_encoder(inputs: Sequence[Input], table: pd.DataFrame) -> ColumnTransformer:
    """Make the step that turns raw columns into inputs; nothing is learned from the table.

    Args:
        inputs: in the model's order.
        table: rows of the data, whose columns' names and types are kept.
    """
    runs: list[list[Input]] = []
    for item in inputs:
        if runs and _joins(runs[-1], item):
            runs[-1].append(item)
        else:
            runs.append([item])
    made = ColumnTransformer(
        [(f"part_{number}", _encode(run), _columns(run)) for number, run in enumerate(runs)],
        sparse_threshold=0,
    )
    sources = {name: table[name].dropna().iloc[:1] for name in list_sources(inputs)}
    made.fit(pd.DataFrame({n: cells.reset_index(drop=True) for n, cells in sources.items()}))
    made.transformers_ = [
        (name, _look_up(run[0]) if _needs_lookup(run[0]) else step, columns)
        for (name, step, columns), run in zip(made.transformers_, runs, strict=True)
    ]
    return made


def _columns(run: Sequence[Input]) -> list[str]:
    return [item.source for item in run] if run[0].is_plain else [run[0].source]


def _joins(run: Sequence[Input], item: Input) -> bool:
    """Whether the step that makes neighbouring inputs makes a further one, too."""
    last = run[-1]
    if item.is_plain:
        return last.is_plain and item.source not in _columns(run)
    if item.level is None or last.level is None or item.source != last.source:
        return False
    # An encoder takes numbers in ascending order alone.
    return isinstance(item.level, str) or bool(last.level < item.level)


def _encode(run: Sequence[Input]) -> Any:
    first = run[0]
    if first.is_plain:
        return "passthrough"
    if first.level is not None:
        levels = [item.level for item in run]
        return OneHotEncoder(categories=[levels], handle_unknown="ignore", sparse_output=False)
    cells = dict(first.codes)
    if not _needs_lookup(first):
        by_code = {int(code): cell for cell, code in first.codes}
        ordered = [by_code.get(code, f"no level {code}") for code in range(max(by_code) + 1)]
    else:
        ordered = _sort_cells(cells)
    return OrdinalEncoder(
        categories=[ordered], handle_unknown="use_encoded_value", unknown_value=np.nan
    )


def _needs_lookup(item: Input) -> bool:
    """Whether the codes of an input are no places in a list of texts."""
    numbers = [code for _, code in item.codes]
    places = all(0 <= code <= _MOST_CODE and code.is_integer() for code in numbers)
    texts = all(isinstance(cell, str) for cell, _ in item.codes)
    return bool(numbers) and not (places and texts and len(set(numbers)) == len(numbers))


def _sort_cells(cells: Iterable[Any]) -> list[Any]:
    """Sort cells, an unknown one last, as encoders have it."""
    return sorted(cells, key=lambda cell: (cell != cell, "" if cell != cell else cell))


def _look_up(item: Input) -> TargetEncoder:
    """The encoder of scikit-learn that has any number for each cell."""
    codes = dict(item.codes)
    cells = _sort_cells(codes)
    made = TargetEncoder(categories=[cells], target_type="continuous")
    made.fit(pd.DataFrame({item.source: cells}), np.arange(len(cells), dtype=float))
    made.encodings_ = [np.array([codes[cell] for cell in cells])]
    made.target_mean_ = np.nan
    return made
