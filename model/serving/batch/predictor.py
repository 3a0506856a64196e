"""Answers a table block by block: the one engine for files, streams and clusters."""

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from pydantic_core import PydanticCustomError

from model.contract.arrays import Float64Array, IndexArray
from model.contract.card import Card
from model.contract.fields import BaseField
from model.contract.reading import DecimalSign
from model.contract.reading import find_decimal_sign as find_locale_sign
from model.contract.tables.arrow import list_cells
from model.contract.tables.matching import find_decimal_sign, match_columns
from model.contract.tables.table import Block, EncodedCells
from model.contract.texts import text_codes
from model.serving.batch.answers import Answers
from model.serving.batch.columns import FieldReader, ReadCell, read_json_value
from model.serving.batch.unusual import Oddity, describe_oddity, find_oddities
from model.serving.served_model import Explained, FactPattern
from model.serving.tabular import TabularModel

PREFIX = "formcast_"
"""What our columns' names begin with where the table has a column of that name."""

NO_ANSWER = "The model gives no finite number for this row"
"""What is said of a row that breaks the model's arithmetic."""


class ExplainedRows(NamedTuple):
    """Rows as a model explains each, None where it has no answer, and what is wrong with those."""

    rows: Sequence[Explained[Any] | None]
    errors: dict[int, dict[str, str]]


class BatchPredictor:
    """Answers the blocks of one table.

    ``columns`` are the names of the columns that a table of answers has behind its own: those of
    the prediction, then ``warning`` and ``error``. ``notes`` say how the table was understood.

    Args:
        model: a model of rows.
        header: the names of the table's columns.
        sample: its first rows, which show how its numbers are written.
        decimal: what separates decimals, where somebody said.
        warnings: whether rows that are unlike all training rows are looked for.
        strict_json: whether the cells are values of JSON, and taken as the API takes them.

    Raises:
        TableError: if the table lacks a column, or has one twice.
    """

    def __init__(
        self,
        model: TabularModel[Any],
        header: Sequence[str],
        sample: Block | None = None,
        decimal: DecimalSign | None = None,
        warnings: bool = True,
        strict_json: bool = False,
    ) -> None:
        self._model, self._warnings = model, warnings
        card = model.card
        self._matching = match_columns(card.fields, header)
        self.notes = list(self._matching.notes)
        self.columns = _name_columns((*model.answer_columns, "warning", "error"), header)
        if decimal is None and sample is not None:
            decimal = self._find_sign(sample)
        fields = [self._settle_dates(field, sample) for field in card.form]
        self._readers = {
            field.name: FieldReader(field, read_json_value(field))
            if strict_json
            else make_reader(field, decimal, card.locale)
            for field in fields
        }

    def _settle_dates(self, field: BaseField, sample: Block | None) -> BaseField:
        column = self._matching.columns.get(field.name)
        if sample is None or column is None:
            return field
        settled, note = field.settle_dates(_iterate(sample.columns[column]))
        if note:
            self.notes.append(note)
        return settled

    def _find_sign(self, sample: Block) -> DecimalSign | None:
        card = self._model.card
        columns = [
            self._matching.columns[field.name]
            for field in card.fields
            if float in field.json_types and field.name in self._matching.columns
        ]
        sign = find_decimal_sign(sample.columns[index] for index in columns)
        if sign is not None and sign != find_locale_sign(card.locale):
            words = "a comma" if sign == "," else "a point"
            self.notes.append(f"Its numbers have {words} before the decimals.")
        return sign

    def predict(self, block: Block) -> Answers:
        """Answer the rows of a block; a row that is wrong has its errors and no answer."""
        with text_codes():
            codes, errors = self.read_codes(block)
            places = None
            if errors:
                places = np.array([row for row in range(block.rows) if row not in errors], np.intp)
                codes = codes[places]
            names = self._model.answer_columns
            columns: tuple[Any, ...] = tuple(() for _ in names)
            unusual: dict[int, str] = {}
            if len(codes):
                columns, _, oddities = self._evaluate(codes)
                unusual = {row: describe_oddity(self._model, odd) for row, odd in oddities.items()}
            unanswered = _find_unanswered(columns, len(codes))
            if places is not None:
                columns = tuple(_spread(column, places, block.rows) for column in columns)
                unusual = {int(places[row]): message for row, message in unusual.items()}
                unanswered = places[unanswered].tolist()
            for row in unanswered:
                errors[row] = {"": NO_ANSWER}
                unusual.pop(row, None)
            return Answers(block.rows, dict(zip(names, columns, strict=True)), unusual, errors)

    def read_codes(self, block: Block) -> tuple[Float64Array, dict[int, dict[str, str]]]:
        """Read what the fields take from a block.

        Returns:
            Codes, shape (rows, fields), NaN where a fact is unknown, those of texts for the
            present call; and by row and field, in the order of the form, what is wrong.
        """
        card = self._model.card
        codes = np.full((len(card.fields), block.rows), np.nan)
        errors: dict[int, dict[str, str]] = {
            row: {"": message} for row, message in block.ragged.items()
        }
        for name, reader in self._readers.items():
            column = self._matching.columns.get(name)
            if column is None:
                continue
            if name in card.texts:
                reader = reader.forget()
            index = card.column_indices[name]
            codes[index], refused = reader.read_column(block.columns[column], block.texts)
            for row, message in refused.items():
                if row not in block.ragged:
                    errors.setdefault(row, {})[name] = message
        return np.ascontiguousarray(codes.T), errors

    def explain(self, block: Block, contributions: bool = False) -> ExplainedRows:
        """Answer the rows of a block as the model explains each; a wrong one has its errors."""
        with text_codes():
            codes, errors = self.read_codes(block)
            places = [row for row in range(block.rows) if row not in errors]
            explain = self._explain_each if contributions else self._explain_together
            explained: list[Explained[Any] | None] = [None] * block.rows
            for place, found in zip(places, explain(codes[places]), strict=True):
                explained[place] = found
                if found is None:
                    errors[place] = {"": NO_ANSWER}
        return ExplainedRows(explained, errors)

    def _explain_each(self, codes: Float64Array) -> list[Explained[Any] | None]:
        """Explain rows (rows, fields) with contributions; None for one without an answer."""
        if not len(codes):
            return []
        fields = self._model.card.fields
        rows = [
            {
                field.name: None if math.isnan(code) else field.decode(code)
                for field, code in zip(fields, row, strict=True)
            }
            for row in codes.tolist()
        ]
        try:
            return [*self._model.explain(rows)]
        except ArithmeticError:  # one row breaks it, and the others have answers
            if len(codes) == 1:
                return [None]
            return [found for row in codes for found in self._explain_each(row[None])]

    def _explain_together(self, codes: Float64Array) -> list[Explained[Any] | None]:
        """Explain rows (rows, fields) without contributions; None for one without an answer."""
        if not len(codes):
            return []
        columns, patterns, oddities = self._evaluate(codes)
        known = dict.fromkeys(range(len(codes)), frozenset[str]())
        for pattern in patterns:
            known |= dict.fromkeys(pattern.rows.tolist(), pattern.known)
        rows = zip(*(_list_values(column) for column in columns), strict=True)
        explained: list[Explained[Any] | None] = []
        unanswered = set(_find_unanswered(columns, len(codes)))
        for row, (values, facts) in enumerate(zip(rows, known.values(), strict=True)):
            if row in unanswered:
                explained.append(None)
                continue
            prediction = self._model.restore(values, facts)
            odd = oddities.get(row)
            mismatch, texts = odd or (None, ())
            explained.append(
                Explained(
                    prediction,
                    out_of_distribution=odd is not None,
                    known=facts,
                    mismatch=mismatch,
                    texts=texts,
                )
            )
        return explained

    def _evaluate(
        self, codes: Float64Array
    ) -> tuple[tuple[Any, ...], list[FactPattern], dict[int, Oddity]]:
        """Predict rows (rows, fields), sort them by their facts, and find the unusual ones."""
        patterns = find_patterns(self._model.card, codes)
        columns = self._predict(codes, patterns)
        found = find_oddities(self._model, codes, patterns) if self._warnings else {}
        return columns, patterns, found

    def _predict(self, codes: Float64Array, patterns: Sequence[FactPattern]) -> tuple[Any, ...]:
        try:
            return self._model.predict_columns(self._model.layout.arrange(codes), patterns)
        except ArithmeticError:  # one row breaks it, and the others have answers
            names, texts = self._model.answer_columns, self._model.text_columns
            if len(codes) == 1:
                return tuple([None] if name in texts else np.array([np.nan]) for name in names)
            singles = [
                self._predict(row, find_patterns(self._model.card, row)) for row in codes[:, None]
            ]
            return tuple(
                [cell for (cell,) in cells] if name in texts else np.concatenate(cells)
                for name, cells in zip(names, zip(*singles, strict=True), strict=True)
            )


def _iterate(column: Any) -> Iterator[Any]:
    """The cells of a column; nothing is done before the first one is taken."""
    plain = isinstance(column, list | tuple) and not isinstance(column, EncodedCells)
    yield from column if plain else list_cells(column)


def _name_columns(names: Sequence[str], header: Sequence[str]) -> tuple[str, ...]:
    """Give names to our columns that the table's do not have."""
    taken = {name.strip().casefold() for name in header}
    named = []
    for name in names:
        while name.casefold() in taken:
            name = PREFIX + name
        named.append(name)
    return tuple(named)


def make_reader(field: BaseField, decimal: DecimalSign | None, locale: str) -> FieldReader:
    """Make the reader of a field's cells, if it is known what separates decimals in the table.

    Where that is what the card's locale has, cells are read as the form reads them, and the column
    answers only where the form would ask back: 1.850 could be 1850.
    """
    settled = field if decimal is None else field.settle_decimals(decimal)
    if settled is field:
        return FieldReader(field, field.read_cell)
    if decimal != find_locale_sign(locale):
        return FieldReader(settled, settled.read_cell)
    return FieldReader(field, _try_both(field, settled))


def _try_both(field: BaseField, settled: BaseField) -> ReadCell:
    def read(cell: object) -> Any:
        try:
            return field.read_cell(cell)
        except PydanticCustomError as error:
            try:
                return settled.read_cell(cell)
            except PydanticCustomError:
                raise error from None

    return read


def find_patterns(card: Card, codes: Float64Array) -> list[FactPattern]:
    """Sort rows by which facts they have.

    Args:
        card: the model's card.
        codes: the rows, shape (rows, fields), NaN where unknown.
    """
    optional = [card.column_indices[name] for name in card.optional]
    given = np.ascontiguousarray(~np.isnan(codes[:, optional]))
    if given.all():
        every = np.arange(len(codes))
        return [FactPattern(every, tuple(range(len(card.fields))), frozenset(card.optional))]
    packed = np.packbits(given, axis=1)
    packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8)))
    keys = packed.view(np.uint64) if packed.shape[1] == 8 else packed.view(f"V{packed.shape[1]}")
    _, first, places = np.unique(keys.ravel(), return_index=True, return_inverse=True)
    order = np.argsort(places, kind="stable")
    ends = np.cumsum(np.bincount(places))[:-1]
    patterns = []
    required = [index for index, field in enumerate(card.fields) if field.required]
    for row, rows in zip(first.tolist(), np.split(order, ends), strict=True):
        columns = [index for index, known in zip(optional, given[row], strict=True) if known]
        known = frozenset(card.names[index] for index in columns)
        patterns.append(FactPattern(rows, tuple(sorted([*required, *columns])), known))
    return patterns


def _spread(column: Any, places: IndexArray, rows: int) -> Any:
    """A column with its values at some places, and nothing at the others."""
    if isinstance(column, np.ndarray):
        wide = np.full(rows, np.nan)
        wide[places] = column
        return wide
    cells: list[Any] = [None] * rows
    for place, cell in zip(places.tolist(), column, strict=True):
        cells[place] = cell
    return cells


def _find_unanswered(columns: Iterable[Any], rows: int) -> list[int]:
    """The rows that have no answer, or a number in it that is not finite."""
    missing = np.zeros(rows, dtype=np.bool_)
    for column in columns:
        if isinstance(column, np.ndarray):
            missing |= ~np.isfinite(column)
        elif rows:
            missing |= np.array([cell is None for cell in column], dtype=np.bool_)
    return np.flatnonzero(missing).tolist()


def _list_values(column: Any) -> Sequence[Any]:
    values: Sequence[Any] = column.tolist() if isinstance(column, np.ndarray) else column
    return values
