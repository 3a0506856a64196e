"""Texts that a model reads and that its author's code joined of several columns."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import combinations, permutations, product
from typing import Any, NamedTuple

import pandas as pd

from model.contract.arrays import Float64Array
from model.contract.expressions import write_column
from model.making.assembly.contents import Contents
from model.making.data.tables import LabelledTable
from model.making.options import AddNote, AddOptions, write_constant, write_derivation
from model.making.steps.texts import (
    count_texts,
    describe_vectorizer,
    find_vectorizers,
    list_branches,
    measure_frequencies,
    takes_texts_alone,
)

_SEPARATORS = (" ", "", ". ", ", ")
"""What stands between the texts, the usual first."""
_MOST_JOINED = 3
_MOST_COLUMNS = 8
_MOST_TRIED = 3
"""Pairs of columns of which joined texts are made, and as many of three: those with most words."""
_MOST_CHARACTERS = 30_000_000
"""Characters of the data whose terms are counted."""
_FEWER = 0.1
"""The share of the terms lacking in a single column that may lack in joined ones."""
_CLOSER = 0.5
"""How much nearer the frequencies of joined texts must be to those of the fit."""
_EXACT = 1e-3
_KNOWN = 0.5
"""The share of a column's words that must be known: a model also knows the odd word of others, like
the "unknown" that its code wrote where a text was empty."""


@dataclass(frozen=True)
class _Join:
    """Columns in their order with what stands between them, and the terms that this gives."""

    columns: tuple[str, ...]
    separator: str
    counts: Counter[str]

    def write(self, table: pd.DataFrame) -> str:
        """Write it as an expression; what is empty in the data is an empty text."""
        filled = [
            f'fill({write_column(name)}, "")' if table[name].isna().any() else write_column(name)
            for name in self.columns
        ]
        between = f" + {write_constant(self.separator)} + " if self.separator else " + "
        return between.join(filled)


def join_texts(
    contents: Contents, options: AddOptions, rows: LabelledTable, add_note: AddNote
) -> AddOptions:
    """Find the columns that were joined to the text of a model; the options with that.

    Of texts that have each term of the vocabulary it is known that the model may have read them.

    Args:
        contents: the parts of the model.
        options: what the person asks for.
        rows: the data; the texts of held-out rows are not those of the fit, and do not count.
        add_note: called with what was found.
    """
    table, unasked = rows.table, (options.target, rows.marker)
    derived = {text.split("=")[0].strip(" `") for text in options.derive}
    known = _find_reading(contents, [*table.columns, *derived])
    columns = [
        name
        for name in table.columns
        if name not in unasked and not pd.api.types.is_numeric_dtype(table[name].dtype)
    ]
    if known is None or options.features or derived or not 2 <= len(columns) <= _MOST_COLUMNS:
        return options
    texts = table.loc[~rows.held_out, columns].fillna("").astype(str)
    longest = texts.map(len).sum(axis=1).cumsum()
    texts = texts[(longest <= _MOST_CHARACTERS).to_numpy()]
    found = None
    with suppress(Exception):  # code of an author's own may raise anything
        found = _find_join(known, texts)
    if found is None:
        return options
    name = known.name or "_".join(found.columns)
    expression = found.write(table)
    add_note(
        f"No single column has the words that the model knows as {' and '.join(found.columns)} "
        f"together have them, so it reads {expression}. If your code joined them in another way, "
        f"or filled what is empty, say so: {write_derivation(name, '…')}."
    )
    features = () if known.name else (name,)
    return replace(
        options,
        derive=(*options.derive, f"{write_column(name)} = {expression}"),
        features=features,
    )


def list_text_columns(contents: Contents) -> set[str]:
    """List the columns that a vectoriser takes by their names."""
    parts = (*contents.estimators, *contents.transformers)
    found = {name for part in parts for name, _ in _list_readings(part.fitted, part.names or ())}
    return found - {""}


class _Reading(NamedTuple):
    """What a vectoriser reads and knows: the name of its column, "" without one, how it splits.

    ``kept`` is as in ``measure_frequencies``; ``is_ordered`` says whether words in a row count.
    """

    name: str
    split: Callable[[str], list[str]]
    vocabulary: Mapping[str, int]
    kept: Float64Array | None
    is_ordered: bool


def _find_reading(contents: Contents, present: Sequence[str]) -> _Reading | None:
    """Find the vectoriser whose texts are not yet known."""
    for part in (*contents.estimators, *contents.transformers):
        for name, steps in _list_readings(part.fitted, part.names or ()):
            known = describe_vectorizer(steps, ())
            if name in present:
                continue
            if known.options.transforms:
                kept = None if known.idf is None else 1 - known.idf
                analyzer = known.options.analyzer
                ordered = analyzer.ngram_range != (1, 1)
                return _Reading(name, analyzer.split, known.vocabulary, kept, ordered)
            own: Any = next(find_vectorizers(steps[0]), None)  # one with code of its own
            if hasattr(own, "vocabulary_"):
                return _Reading(name, own.build_analyzer(), own.vocabulary_, None, True)
    return None


def _list_readings(fitted: Any, names: Sequence[str]) -> Iterator[tuple[str, Sequence[Any]]]:
    if takes_texts_alone(fitted):
        for first in find_vectorizers(fitted):
            yield "", [first]
    elif names:
        for name, (_, steps) in list_branches(fitted, names).items():
            yield name, steps


def _find_join(reading: _Reading, texts: pd.DataFrame) -> _Join | None:
    """The columns that were joined; None where a single one may be all, or nothing fits."""

    def join(columns: Sequence[str], separator: str) -> _Join:
        first, *others = (texts[name] for name in columns)
        joined = first.str.cat(others, separator) if others else first
        return _Join(tuple(columns), separator, count_texts(reading.split, joined))

    def count_lacking(found: _Join) -> int:
        return len(reading.vocabulary.keys() - found.counts.keys())

    def measure(found: _Join) -> float:
        return measure_frequencies(reading.vocabulary, reading.kept, found.counts, len(texts))

    def knows(found: _Join) -> bool:
        known = sum(found.counts[term] for term in reading.vocabulary)
        return known > _KNOWN * found.counts.total()

    alone = [item for name in texts if knows(item := join([name], ""))]
    if len(alone) < 2:
        return None
    texts = texts[[item.columns[0] for item in alone]]
    lacking = min(map(count_lacking, alone))
    by_name = {item.columns[0]: item.counts.keys() for item in alone}
    words = {term for term in reading.vocabulary if " " not in term}
    if not lacking:
        complete = [item for item in alone if not count_lacking(item)]
        far, best = min((measure(item), item.columns) for item in complete)
        if far < _EXACT:
            return None
        pairs = [pair for pair in combinations(texts, 2) if best[0] in pair]
        near, pair = min((measure(join(pair, " ")), pair) for pair in pairs)
        if near > _CLOSER * far:
            return None
        groups = [pair]
    else:
        groups = [
            group
            for size in range(2, _MOST_JOINED + 1)
            for group in sorted(
                combinations(texts, size),
                key=lambda group: len(words.difference(*(by_name[name] for name in group))),
            )[:_MOST_TRIED]
        ]
    found = None
    for group in groups:
        # Of more columns the words that still lack must be known, too.
        if found and len(words.difference(*(by_name[name] for name in group))) > _FEWER * lacking:
            continue
        orders = permutations(group) if reading.is_ordered else [group]
        for order, separator in product(orders, _SEPARATORS):
            made = join(order, separator)
            if count_lacking(made) <= _FEWER * lacking:
                found, lacking = made, count_lacking(made)
                break
        if found and not lacking:
            break
    return found
