"""Finds the columns of a table that a form's fields mean, and how its numbers are written."""

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from model.contract.fields import BaseField
from model.contract.reading import DecimalSign
from model.contract.tables.table import TableError
from model.contract.transliteration import strip_marks

_MOST_LISTED = 30
"""Columns of a table that a message lists."""

_ONLY_COMMA = re.compile(
    r"\s*[-+]?(?:[0-9]+,(?:[0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,}),[0-9]{3}"
    r"|[0-9]{1,3}(?:[.\s'][0-9]{3})+,[0-9]+)\D{0,6}"
).fullmatch
_ONLY_POINT = re.compile(
    r"\s*[-+]?(?:[0-9]*\.(?:[0-9]{1,2}|[0-9]{4,})|(?:0|[0-9]{4,})\.[0-9]{3}"
    r"|[0-9]{1,3}(?:[,\s'][0-9]{3})+\.[0-9]+)\D{0,6}"
).fullmatch
"""Numbers that can only be read with a comma, or a point, before the decimals."""

_CUT = 39
"""Characters from which on a field's name may be the beginning of its column's: it has at most 41,
and no _ at its end."""

_CLEAR = 9
"""How many times as many cells must prove one sign as prove the other."""


class Matching(NamedTuple):
    """Which column of a table each field has: the index in the header, by the field's name.

    ``notes`` say which columns were recognised by more than their names, and which facts are
    missing.
    """

    columns: Mapping[str, int]
    notes: tuple[str, ...]


def match_columns(fields: Sequence[BaseField], header: Sequence[str]) -> Matching:
    """Find the column of each field: by its name, or by its label, alone or with its unit.

    Raises:
        TableError: if a column stands there twice, two columns mean one field, or a required field
            has none.
    """
    _refuse_repeated(header)
    folded: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        known = _make_key(name) or fold_name(f"Unnamed: {index}")  # as pandas calls it
        folded.setdefault(known, []).append(index)
    exact = {
        field.name: {
            index
            for index, name in enumerate(header)
            if name.strip().casefold() in map(str.casefold, _name(field))
        }
        for field in fields
    }
    columns: dict[str, int] = {}
    recognised: list[str] = []
    for field in fields:
        # "Rh+" and "Rh-" differ by punctuation alone: each is the column of its own field.
        others = {index for name, own in exact.items() if name != field.name for index in own}
        found = sorted(
            {
                index
                for text in _name(field)
                for index in folded.get(_make_key(text), ())
                if index in exact[field.name] or index not in others
            }
        ) or _find_cut(field.name, folded)
        if len(found) > 1:
            names = " and ".join(f'"{header[index]}"' for index in found[:2])
            raise TableError(
                f"Two columns mean {field.label}: {names}. Delete one of them, or give it another "
                "name."
            )
        if found:
            columns[field.name] = found[0]
            if header[found[0]] != field.name:
                recognised.append(f'"{header[found[0]].strip()}" is {field.name}')
    missing = [field for field in fields if field.name not in columns]
    _require(missing, fields, header)
    notes = []
    if recognised:
        notes.append(f"Columns recognised: {', '.join(recognised)}.")
    if missing:
        notes.append(
            f"There is no column for {', '.join(field.name for field in missing)}: every row is "
            "answered without."
        )
    return Matching(columns, tuple(notes))


def _name(field: BaseField) -> tuple[str, str, str]:
    """What a column of a field may be called."""
    return field.name, field.label, f"{field.label} {field.suffix}"


def _make_key(text: str) -> str:
    """A folded name; one of signs alone, such as an emoji, as it is."""
    return fold_name(text) or text.strip()


def _find_cut(name: str, folded: Mapping[str, Sequence[int]]) -> list[int]:
    """The columns whose names begin with a field's, where that was cut."""
    if len(name) < _CUT:
        return []
    start = fold_name(name)
    return sorted(index for other in folded if other.startswith(start) for index in folded[other])


def fold_name(text: str) -> str:
    """A name without what people spell in different ways: capitals, marks, blanks, punctuation."""
    return "".join(re.findall(r"\w+", strip_marks(text).casefold().replace("_", " ")))


def _refuse_repeated(header: Sequence[str]) -> None:
    counts = Counter(name.strip() for name in header if name.strip())
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        raise TableError(
            f'The column "{twice[0]}" is there twice. Delete one of them, or give it another name.'
        )


def _require(
    missing: Sequence[BaseField], fields: Sequence[BaseField], header: Sequence[str]
) -> None:
    required = [field for field in missing if field.required]
    if not required:
        return
    if len(missing) == len(fields):
        names = ", ".join(field.name for field in fields if field.required)
        raise TableError(
            f"No column has the name of a field. The first line must name the columns; {names} "
            f"must be among them. It is: {_list_header(header)}."
        )
    names = ", ".join(f"{field.name} ({field.label})" for field in required)
    column = "a column" if len(required) == 1 else "columns"
    raise TableError(
        f"The file needs {column} for {names}.{_suggest(required[0], header)} "
        f"It has: {_list_header(header)}."
    )


def _suggest(field: BaseField, header: Sequence[str]) -> str:
    spelled = {name.casefold(): name for name in header}
    for text in (field.name, field.label):
        near = difflib.get_close_matches(text.casefold(), spelled, n=1, cutoff=0.6)
        if near:
            return f' Is "{spelled[near[0]]}" meant? Then call it {field.name}.'
    return ""


def _list_header(header: Sequence[str]) -> str:
    shown = ", ".join(name.strip()[:60] for name in header[:_MOST_LISTED])
    return f"{shown} …" if len(header) > _MOST_LISTED else shown


def find_decimal_sign(columns: Iterable[Iterable[object]]) -> DecimalSign | None:
    """Find what separates decimals in columns of numbers; None where their cells do not tell.

    Args:
        columns: the cells of each; those that are no text are passed over.
    """
    texts = [cell for cells in columns for cell in cells if isinstance(cell, str)]
    if not any("," in text for text in texts):
        return "." if any(map(_ONLY_POINT, texts)) else None
    commas = points = 0
    for text in texts:
        if "," in text and _ONLY_COMMA(text):
            commas += 1
        elif "." in text and _ONLY_POINT(text):
            points += 1
    if commas > _CLEAR * points:
        return ","
    return "." if points > _CLEAR * commas else None
