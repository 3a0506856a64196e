"""What the folder of a model says of it for people: title, description and rows to try."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic_core import PydanticCustomError

from model.contract.arrays import Float64Array
from model.making.options import AddNote
from model.making.rows.dataset import Dataset
from model.making.sources.file_contents import read_short_text
from model.making.writing.examples import Examples, decode_example

_LONGEST_README = 20_000
_LONGEST_TITLE = 80
_LONGEST_SUMMARY = 400
_MOST_EXAMPLES = 3

_HEADING = re.compile(r"#{1,4} ")
_DESCRIPTIONS = ("description", "model description", "overview", "summary", "about")
"""Headings over a description, which are no title."""

_PLAIN = (
    (re.compile(r"<!--.*?(?:-->|\Z)", re.S), ""),
    (re.compile(r"!\[[^\]]{0,300}\]\([^)]{0,500}\)"), ""),
    (re.compile(r"\[([^\]]{0,300})\]\([^)]{0,500}\)"), r"\1"),
    (re.compile(r"<[^>]{0,200}>"), ""),
    (re.compile(r"[*`]|\b_|_\b"), ""),
    (re.compile(r"\s+"), " "),
)
"""What of Markdown is no text, and what stands for it."""

_NO_TEXT = re.compile(r"^(\||```|[-*] |\[?more information needed|TODO)", re.I)
_MLFLOW_DESCRIPTION = re.compile(
    r"^metadata:\n(?:  .*\n)*?  description: *['\"]?(.+?)['\"]? *$", re.M
)


@dataclass(frozen=True)
class FolderCard:
    """What a folder says; ``rows`` are values by the names of columns, ``sources`` the files."""

    title: str = ""
    summary: str = ""
    rows: tuple[Mapping[str, object], ...] = ()
    sources: tuple[str, ...] = ()


def read_folder_card(folders: Sequence[Path]) -> FolderCard:
    """Read what the first of some folders that says something says."""
    cards = map(_read_one, folders)
    return next((card for card in cards if card.sources), FolderCard())


def _read_one(folder: Path) -> FolderCard:
    described = read_short_text(folder / "MLmodel") or ""
    title, summary = _read_markdown(read_short_text(folder / "README.md") or "")
    sources = ["README.md"] if title or summary else []
    if not summary and (found := _MLFLOW_DESCRIPTION.search(described)):
        summary, sources = _make_plain(found[1])[:_LONGEST_SUMMARY], [*sources, "MLmodel"]
    for name in ("config.json", "input_example.json", "serving_input_example.json"):
        if rows := tuple(_read_rows(read_short_text(folder / name)))[:_MOST_EXAMPLES]:
            return FolderCard(title, summary, rows, (*sources, name))
    return FolderCard(title, summary, (), tuple(sources))


def _read_markdown(text: str) -> tuple[str, str]:
    """The title of a model card, and the first paragraph of its description."""
    if text.startswith("---"):
        text = text[3:].partition("\n---")[2]
    text = text[:_LONGEST_README]
    title = summary = heading = ""
    for block in re.split(r"\n\s*\n", _PLAIN[0][0].sub("", text)):
        lines = [line.strip() for line in block.strip().splitlines()]
        while lines and _HEADING.match(lines[0]):
            heading = _make_plain(lines[0].strip("# "))
            if not title and heading.casefold() not in _DESCRIPTIONS and not summary:
                title = heading[:_LONGEST_TITLE]
            lines = lines[1:]
        paragraph = _make_plain(" ".join(lines))
        if not paragraph or _NO_TEXT.match(lines[0]) or summary:
            continue
        if heading.casefold() in _DESCRIPTIONS or heading == title:
            summary = paragraph
    if len(summary) > _LONGEST_SUMMARY:
        summary = summary[:_LONGEST_SUMMARY].rpartition(" ")[0] + " …"
    return title, summary


def _make_plain(text: str) -> str:
    for pattern, instead in _PLAIN:
        text = pattern.sub(instead, text)
    return "".join(char for char in text if char.isprintable()).strip()


def _read_rows(text: str | None) -> Iterator[Mapping[str, object]]:
    """The rows of an example in one of the forms that pandas and both libraries write."""
    try:
        found: Any = json.loads(text or "null")
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict) and isinstance(found.get("sklearn"), dict):
        found = found["sklearn"].get("example_input")
    elif isinstance(found, dict):
        found = found.get("dataframe_split", found.get("dataframe_records", found))
    if isinstance(found, list):
        yield from (row for row in found if isinstance(row, dict))
    elif isinstance(found, dict) and isinstance(columns := found.get("columns"), list):
        data = found.get("data")
        for row in data if isinstance(data, list) else ():
            if isinstance(row, list) and len(row) == len(columns):
                yield dict(zip(map(str, columns), row, strict=True))
    elif isinstance(found, dict) and found and all(isinstance(c, list) for c in found.values()):
        for row in zip(*found.values(), strict=False):
            yield dict(zip(map(str, found), row, strict=True))


def take_examples(
    found: FolderCard, dataset: Dataset, published: bool, add_note: AddNote
) -> Examples:
    """Take the rows that suit the form, and say what was taken.

    A row of the data is shown only where rows may be. One with a value that no row of the data has
    the like of says nothing for the model, and is left out. They are ``published`` where a visitor
    may see rows of the data. ``add_note`` is told in one sentence what was taken, and why a row was
    not.
    """
    examples: dict[str, Mapping[str, Any]] = {}
    reasons = []
    for row in found.rows:
        codes, reason = _encode(row, dataset)
        if not reason and not published and _is_known(codes, dataset.matrix):
            reason = "it is a row of the data, and --publish-rows would show it"
        if reason:
            reasons.append(reason)
        else:
            number = f" {len(examples) + 1}" if len(found.rows) > 1 else ""
            examples[f"Example of the model{number}"] = decode_example(dataset, codes)
    said = {"title": found.title, "description": found.summary, "example": examples}
    taken = [word for word, value in said.items() if value]
    if taken:
        words = " and ".join(filter(None, [", ".join(taken[:-1]), taken[-1]]))
        add_note(f"Its {words} come from {' and '.join(found.sources)} in its folder.")
    if reasons:
        add_note(f"An example of its folder is not shown: {reasons[0]}.")
    return examples


def _encode(row: Mapping[str, object], dataset: Dataset) -> tuple[Float64Array, str]:
    """The codes (fields,) of a row, NaN where it lacks a fact; and why it cannot be shown."""
    codes = np.full(len(dataset.fields), math.nan)
    for place, item in enumerate(dataset.fields):
        column = item.column.source.column
        value = row.get(column)
        if value is None or value != value:
            if item.required:
                return codes, f"it does not say {column}"
            continue
        try:
            codes[place] = item.field.encode(item.field.read(value))
        except PydanticCustomError as error:
            return codes, f"{column} is {value!r}. {error.message()}"
        seen = dataset.matrix[:, place]
        if not item.field.is_text and not np.nanmin(seen) <= codes[place] <= np.nanmax(seen):
            return codes, f"{column} is {value!r}, and no row of the data is like that"
    return codes, ""


def _is_known(codes: Float64Array, matrix: Float64Array) -> bool:
    """Whether codes (fields,) are a row of a matrix (rows, fields)."""
    same = (np.float32(matrix) == np.float32(codes)) | (np.isnan(matrix) & np.isnan(codes))
    return bool(same.all(axis=1).any())
