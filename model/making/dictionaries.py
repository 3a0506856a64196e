"""Data dictionaries: a table that says of each column what it is called and measured in."""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from model.contract.formatting import capitalize
from model.making.errors import AddError

_HEADINGS = {
    "column": ("column", "variable", "name", "field", "feature", "attribute", "column name"),
    "label": ("label", "title", "display name"),
    "unit": ("unit", "units", "measurement unit"),
    "help": ("help", "description", "definition", "meaning", "note", "notes", "explanation"),
}
"""The headings that name each part of a row."""

_LONGEST_HELP = 200
_LONGEST_LABEL = 40

_CODES = re.compile(r"(-?\d+)\s*(?:=|:|->|-|–)\s*([^,;()=]+?)\s*(?=[,;)]|$|\s-?\d+\s*[=:])")
"""What a description says of codes, such as "1 = male; 0 = female"."""


MAX_UNIT = 20
"""Characters of a unit that a card takes."""


@dataclass(frozen=True)
class Description:
    """What a dictionary says of one column; "" for what it does not say.

    ``codes`` are the words for its numbers, such as "male" for "1".
    """

    label: str = ""
    unit: str = ""
    help: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)


def read_dictionary(path: Path) -> dict[str, Description]:
    """Read a data dictionary: a CSV file, or a table in Markdown.

    Args:
        path: the file; its first row names column, label, unit and help, in any order.

    Raises:
        AddError: if it has no column of names, or nothing to say of them.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise AddError(
            f"--dictionary {path} cannot be read: save it as a text in UTF-8."
        ) from error
    rows = _read_markdown(text) or _read_csv(text)
    first = list(enumerate(rows[0] if rows else ()))
    heads = {_fold(cell): place for place, cell in reversed(first)}
    places = {
        part: next((heads[name] for name in names if name in heads), None)
        for part, names in _HEADINGS.items()
    }
    column = places.pop("column")
    if column is None or not any(place is not None for place in places.values()):
        raise AddError(
            f"--dictionary {path} has no table with the headings column and label, unit or help. "
            "Write these in its first row, separated by commas or as a table in Markdown."
        )
    found: dict[str, Description] = {}
    for row in rows[1:]:
        cells = {
            part: " ".join(row[place].split()) if place is not None and place < len(row) else ""
            for part, place in places.items()
        }
        name = row[column].strip().strip("`*") if column < len(row) else ""
        if name:
            found[name] = _describe(cells["label"], cells["unit"], cells["help"])
    return found


def _describe(label: str, unit: str, text: str) -> Description:
    codes = dict(_CODES.findall(text))
    if not label and 0 < len(text) <= _LONGEST_LABEL and not codes:
        label, text = text.rstrip("."), ""
    text = text if len(text) <= _LONGEST_HELP else text[: _LONGEST_HELP - 1] + "…"
    return Description(capitalize(label), unit, text, codes)


def _read_markdown(text: str) -> list[list[str]]:
    """The cells of the first table in a text in Markdown; none where it has no table."""
    lines = [line.strip() for line in text.splitlines()]
    is_rule = re.compile(r"\|?[\s:|-]*-{3}[\s:|-]*").fullmatch
    rule = next((number for number, line in enumerate(lines) if is_rule(line)), 0)
    if not rule or "|" not in lines[rule - 1]:
        return []
    rows = [lines[rule - 1]]
    for line in lines[rule + 1 :]:
        if "|" not in line:
            break
        rows.append(line)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def _read_csv(text: str) -> list[list[str]]:
    first = text.partition("\n")[0]
    delimiter = max((",", ";", "\t"), key=first.count)
    return [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(row)]


def _fold(heading: str) -> str:
    return " ".join(heading.lower().replace("_", " ").split()).strip("`*")


def add_units(
    described: Mapping[str, Description], units: Iterable[tuple[str, str]], columns: Sequence[str]
) -> dict[str, Description]:
    """Add the units that a person says to what a dictionary says.

    Args:
        described: by column.
        units: pairs of column and unit.
        columns: those of the data.

    Raises:
        AddError: if there is no such column, or a unit is too long.
    """
    merged = dict(described)
    for column, unit in units:
        if column not in columns:
            raise AddError(
                f"--units names {column!r}, and the data have no such column. "
                f"They have: {', '.join(columns)}."
            )
        if len(unit) > MAX_UNIT:
            raise AddError(
                f"--units {column}={unit} is too long for a page. "
                f"Write a unit of at most {MAX_UNIT} characters."
            )
        merged[column] = replace(merged.get(column, Description()), unit=unit)
    return merged
