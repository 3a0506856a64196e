"""What each column of the data is: a number, a whole number, a choice or a yes or no."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from model.contract.arrays import Float64Array
from model.contract.fields import FIELD_KINDS, MOST_CHOICES, MOST_SUGGESTED, name_list_kind
from model.contract.sources import Source, widen
from model.making.columns.naming import (
    TIMES,
    Naming,
    find_pair,
    format_choice,
    name_columns,
    split_words,
)
from model.making.columns.vocabulary import NO_QUESTIONS
from model.making.data.date_texts import read_dates
from model.making.data.text_cells import as_text
from model.making.dictionaries import Description
from model.making.errors import AddError
from model.making.options import LOCALE

_MOST_ENCODED = 0.9
"""The share of different texts above which they are free text, though the model encodes them."""

_MOST_CODES = 12
_LEAST_FOR_TWO = 20
"""Rows from which on two numbers in a column stand for two kinds."""

_ROWS_PER_CODE = 5
_MOST_BY_FREQUENCY = 7
_ID = re.compile(r"(?:.*[\s_.\-])?(?:id|uuid|index|key|nr|no)|unnamed: \d+", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}/\d{1,2}/\d{1,2}")
_NUMBER = re.compile(r"[-+]?[$€£]?\s*\d[\d,.' ]*\s*[%$€£]?")


@dataclass(frozen=True)
class DataColumn:
    """One column: its field's names, its kind and why, and its cells in the data.

    ``labels`` are what people read for each value of a choice; ``always_asked`` is True where a
    person says that the form always asks for it. ``help`` is what a data dictionary says of it.
    """

    naming: Naming
    kind: str
    source: Source
    labels: tuple[str, ...]
    cells: pd.Series
    guess: str
    always_asked: bool = False
    help: str = ""

    @property
    def missing(self) -> int:
        """The number of rows that have nothing here."""
        return int(self.cells.isna().sum())


class _Guess(NamedTuple):
    """What a column is, and why."""

    kind: str
    source: Source
    labels: tuple[str, ...]
    reason: str

    @property
    def is_measured(self) -> bool:
        """Whether it may have a unit: a number, or one of a few numbers."""
        return takes_numbers(self.kind) or (bool(self.labels) and self.source.type != "text")


def infer_columns(
    table: pd.DataFrame,
    names: Sequence[str],
    encoded: set[str],
    kinds: Mapping[str, str],
    required: Collection[str] = (),
    vectorized: Collection[str] = (),
    described: Mapping[str, Description] | None = None,
    locale: str = LOCALE,
) -> list[DataColumn]:
    """Find out what each column is.

    Args:
        table: the data.
        names: the columns that the model takes, in its order.
        encoded: those that it treats as categories although they may hold numbers.
        kinds: the kinds of columns that a person names.
        required: the columns that the form always asks for, as a person says.
        vectorized: those of free text, which it splits into words.
        described: what a data dictionary says of columns.
        locale: the language of the columns' names.

    Raises:
        AddError: for every column that a form cannot ask for, all in one message.
    """
    for option, columns in (("--kind", kinds), ("--required", required)):
        if unknown := [name for name in columns if name not in names]:
            raise AddError(f"{option} names {unknown[0]!r}, which the model does not take.")
    guesses: dict[str, _Guess] = {}
    problems = []
    for name in names:
        try:
            kind = kinds.get(name, "text" if name in vectorized else None)
            guesses[name] = _infer(name, table[name], name in encoded, kind)
        except AddError as error:
            problems.append(str(error))
    if problems:
        raise AddError("\n".join(problems))
    numbers = {name for name in names if guesses[name].is_measured}
    named = name_columns(list(names), numbers, described, locale)
    known = {name: (described or {}).get(name, Description()) for name in names}
    return [
        DataColumn(
            naming,
            guesses[name].kind,
            guesses[name].source,
            _word_codes(guesses[name], known[name], naming.unit),
            table[name],
            guesses[name].reason,
            name in required,
            known[name].help,
        )
        for name, naming in zip(names, named, strict=True)
    ]


def _word_codes(guess: _Guess, known: Description, unit: str) -> tuple[str, ...]:
    """The labels of a choice, in the words of a data dictionary where it has some for codes."""
    labels = [known.codes.get(label, _add_unit(label, unit)) for label in guess.labels]
    return tuple(labels) if len(set(labels)) == len(labels) else guess.labels


def _add_unit(label: str, unit: str) -> str:
    """A number with its unit, where there is one: "28 days"."""
    one = label == "1" and unit in TIMES
    return f"{label}\u00a0{unit.removesuffix('s') if one else unit}" if unit else label


def takes_numbers(kind: str) -> bool:
    """Whether a kind of field takes numbers, which may have a unit."""
    return "unit" in FIELD_KINDS[kind].model_fields


def _infer(name: str, cells: pd.Series, encoded: bool, kind: str | None) -> _Guess:
    known = cells.dropna()
    distinct = list(known.unique())
    if not distinct:
        raise AddError(f"Column {name!r} is empty. {_WITHOUT}")
    if len(distinct) == 1:
        raise AddError(
            f"Column {name!r} is {as_text(distinct[0])} in every row, so there is nothing to ask. "
            f"{_WITHOUT}"
        )
    is_id = len(distinct) == len(cells) > 20 and _ID.fullmatch(name) and kind is None
    if is_id and not pd.api.types.is_float_dtype(cells.dtype):
        raise AddError(
            f"Column {name!r} has another value in every row: it numbers them, and nobody knows "
            f"the number of a new one. {_WITHOUT} If it is a fact all the same, write "
            f"--kind '{name}=integer'."
        )
    if all(isinstance(value, bool | np.bool_) for value in distinct):
        if cells.isna().any():
            source = Source(column=name, type="text", values=(False, True))
            return _Guess("flag", source, (), "yes or no")
        return _Guess("flag", Source(column=name, type="boolean"), (), "True and False")
    if kind == "text":
        source = Source(column=name, type="free_text")
        return _Guess("text", source, (), f"{len(distinct):,} different texts")
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return _infer_numbers(name, cells, sorted(distinct), encoded, kind)
    if (kind == "date" or kind is None) and not encoded:
        dates = read_dates(cells, name)
        if dates is not None:
            source = Source(column=name, type="date", spelling=dates.spelling)
            return _Guess("date", source, (), "dates")
    return _infer_text(name, known, encoded, kind)


def _were_single(numbers: Float64Array) -> bool:
    """Whether numbers, shape (values,), were float32 before they were written with more digits."""
    single = numbers.astype(np.float32)
    return bool((single == numbers).all() and (widen(single) != numbers).any())


_WITHOUT = "Fit the model without this column, and add that model."


def _infer_numbers(
    name: str, cells: pd.Series, distinct: list[Any], encoded: bool, kind: str | None
) -> _Guess:
    whole_type = pd.api.types.is_integer_dtype(cells.dtype)
    dtype: Literal["integer", "float"] = "integer" if whole_type else "float"
    if not (np.abs(distinct) <= np.finfo(np.float32).max).all():
        raise AddError(
            f"Column {name!r} holds numbers that are infinite or beyond 3e38. Fix the data, and "
            "fit the model again."
        )
    chosen = kind or _guess_numbers(name, cells, distinct, encoded)
    field = FIELD_KINDS[chosen]
    if misfit := field.find_misfit(np.array(distinct, dtype=float)):
        raise AddError(f"--kind says that {name!r} is of kind {chosen}, but {misfit}.")
    if "choices" not in field.model_fields:
        source = Source(column=name, type=dtype, is_single=_were_single(np.array(distinct, float)))
        return _Guess(chosen, source, (), field.codes_text)
    if len(distinct) > MOST_CHOICES:
        raise AddError(
            f"Column {name!r} has {len(distinct):,} values. A list can have {MOST_CHOICES:,}."
        )
    chosen = kind if kind == "search" else name_list_kind(len(distinct))
    values = tuple(int(value) if whole_type else float(value) for value in distinct)
    reason = "the model treats it as a category" if encoded else f"{len(values)} numbers"
    source = Source(column=name, type=dtype, values=values)
    return _Guess(
        chosen, source, _label_values(values), f"codes: {'as you say' if kind else reason}"
    )


def _label_values(values: Sequence[float]) -> tuple[str, ...]:
    """Write each number of a choice shortly, unless two would be alike: 2.0 as 2."""
    texts = tuple(f"{value:.3g}" if value % 1 else as_text(value) for value in values)
    return texts if len(set(texts)) == len(texts) else tuple(map(as_text, values))


def _guess_numbers(name: str, cells: pd.Series, distinct: list[Any], encoded: bool) -> str:
    """The kind of field for a column of numbers, of which ``distinct`` are sorted."""
    if set(distinct) == {0, 1}:
        return "choice" if NO_QUESTIONS & {*map(str.lower, split_words(name))} else "flag"
    if len(distinct) == 2 and len(cells) >= _LEAST_FOR_TWO:
        return "choice"
    whole = all(float(value).is_integer() for value in distinct)
    gaps = whole and distinct[-1] - distinct[0] + 1 > len(distinct) <= _MOST_CODES
    if encoded or (gaps and len(cells) >= _ROWS_PER_CODE * len(distinct)):
        return "choice"
    counted = pd.api.types.is_integer_dtype(cells.dtype) or cells.isna().any()
    return "integer" if whole and counted else "number"


def _infer_text(name: str, known: pd.Series, encoded: bool, kind: str | None) -> _Guess:
    texts = [str(value) for value in known.tolist()]
    counts = pd.Series(texts).value_counts()
    distinct = [str(value) for value in counts.index]
    pair = find_pair(distinct)
    chosen = kind or ("flag" if pair else "choice")
    if chosen not in ("choice", "search", "flag" if pair else "choice"):
        raise AddError(f"--kind says that {name!r} is of kind {kind}, but it holds text.")
    if pair and "choices" not in FIELD_KINDS[chosen].model_fields:
        source = Source(column=name, type="text", values=pair)
        return _Guess(chosen, source, (), f"{pair[0]} and {pair[1]}")
    if kind is None and all(_DATE.match(value.strip()) for value in distinct):
        raise AddError(
            f"Column {name!r} holds dates as text, like {distinct[0]!r}, and each would be a kind "
            "of its own. Fit the model on numbers made from them, and say which: --derive 'year = "
            f"year({name})'. If they are kinds all the same, write --kind '{name}=choice'."
        )
    is_code = encoded and all(item.isdecimal() for item in distinct)
    if kind is None and not is_code and all(_NUMBER.fullmatch(item.strip()) for item in distinct):
        raise AddError(
            f"Column {name!r} holds numbers as text, like {distinct[0]!r}. Make them numbers in "
            "the data, and fit the model again. If they are codes, write "
            f"--kind '{name}=choice'."
        )
    share = len(distinct) / len(texts)
    many = kind is None and len(distinct) > 20 and share > (_MOST_ENCODED if encoded else 0.5)
    if many or len(distinct) > MOST_CHOICES or max(map(len, distinct)) > 100:
        raise AddError(
            f"Column {name!r} holds {len(distinct):,} different texts, like {distinct[0][:40]!r}: "
            "too many or too long for a form, which can offer a list. Fit the model without it, "
            "or on a column that sorts these texts into a few groups. If it takes the text itself, "
            f"write --kind '{name}=text'."
        )
    chosen = "search" if kind == "search" else name_list_kind(len(distinct))
    by_alphabet = _MOST_BY_FREQUENCY < len(distinct) <= MOST_SUGGESTED
    ordered = sorted(distinct, key=str.lower) if by_alphabet else distinct
    labels = tuple(format_choice(value) for value in ordered)
    if len(set(labels)) < len(labels):
        labels = tuple(ordered)
    reason = f"{len(ordered)} texts, by {'alphabet' if by_alphabet else 'frequency'}"
    return _Guess(chosen, Source(column=name, type="text", values=tuple(ordered)), labels, reason)
