"""Drafting a card anew: what it was drafted from, and a merge with what was written by hand since.

A model's folder keeps its first draft beside the card. The merge of the old draft, the card and the
new draft is that of lines (diff3: Khanna, Kunal and Pierce, "A formal investigation of diff3",
FSTTCS 2007). Where both changed the same lines, those of the card stay.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import fields
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from model.making.errors import AddError
from model.making.options import AddOptions

DRAFT = "draft.toml"
"""The card as it was drafted, before anybody changed it."""

_OPTIONS = "draft.json"
_SKIPPED = ("described", "force", "pictures")


def remember_options(options: AddOptions, folder: Path, work: Path) -> None:
    """Write what a model is drafted from into ``work``, its paths as seen from ``folder``."""

    def simplify(value: Any) -> Any:
        if isinstance(value, Path):
            return os.path.relpath(value.resolve(), folder.resolve())
        return [simplify(item) for item in value] if isinstance(value, tuple) else value

    kept: dict[str, Any] = {}
    for item in fields(AddOptions):
        value = getattr(options, item.name)
        if item.name == "holdout" and value is not None and Path(value).is_file():
            value = {"file": simplify(Path(value))}
        if item.name not in _SKIPPED:
            kept[item.name] = simplify(value)
    text = json.dumps(kept, indent=2, ensure_ascii=False) + "\n"
    (work / _OPTIONS).write_text(text, encoding="utf-8")


def recall_options(folder: Path) -> AddOptions:
    """Read what a model was drafted from.

    Raises:
        AddError: if the folder does not know, or a file is no longer there.
    """
    slug = folder.name.replace("_", "-")
    again = f"Add it again: flask --app wsgi model add … --name {slug} --force"
    if not ((folder / _OPTIONS).is_file() and (folder / DRAFT).is_file()):
        raise AddError(f"{folder} does not remember what it was drafted from. {again}")
    kept = json.loads((folder / _OPTIONS).read_text(encoding="utf-8"))

    def find(text: str) -> Path:
        path = Path(os.path.normpath(folder / text))
        if not path.exists():
            raise AddError(f"{path} is no longer there, from which {slug} was drafted. {again}")
        return path

    for name in ("paths", "before", "more_data"):
        kept[name] = tuple(map(find, kept.get(name, ())))
    for name in ("data", "module", "dictionary"):
        kept[name] = find(kept[name]) if kept[name] else None
    if isinstance(kept["holdout"], dict):
        kept["holdout"] = str(find(kept["holdout"]["file"]))
    for name in ("features", "classes", "derive", "required"):
        kept[name] = tuple(kept[name])
    kept["order"] = tuple(kept.get("order", ()))
    kept["unit_names"] = tuple((column, unit) for column, unit in kept["unit_names"])
    return AddOptions(**kept, force=True)


def merge_cards(old: str, card: str, new: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Merge what was written by hand with a new draft.

    ``old`` is the draft from which ``card`` was written, ``new`` the new draft.

    Returns:
        The merged card, and pairs of lines that contradict each other: those of the card, which
        stay, and those of the draft.
    """
    base, ours, theirs = (text.splitlines(keepends=True) for text in (old, card, new))
    merged: list[str] = []
    conflicts = []
    for first, second, third in _split(base, ours, theirs):
        if third in (first, second) or first != second:
            merged += second
            if first not in (second, third) and second != third:
                conflicts.append(("".join(second), "".join(third)))
        else:
            merged += third
    return "".join(merged), tuple(conflicts)


def _split(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[Sequence[str], Sequence[str], Sequence[str]]]:
    """Split three texts into pieces: lines that all have, and what each has between them."""
    first = second = third = 0
    for start, stop, in_ours, in_theirs in _find_common(base, ours, theirs):
        yield base[first:start], ours[second:in_ours], theirs[third:in_theirs]
        length = stop - start
        yield (
            base[start:stop],
            ours[in_ours : in_ours + length],
            theirs[in_theirs : in_theirs + length],
        )
        first, second, third = stop, in_ours + length, in_theirs + length
    yield base[first:], ours[second:], theirs[third:]


def _find_common(
    base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[int, int, int, int]]:
    """The stretches of the base that both others have: start, stop, and where the others begin."""
    left = SequenceMatcher(None, base, ours, autojunk=False).get_matching_blocks()
    right = SequenceMatcher(None, base, theirs, autojunk=False).get_matching_blocks()
    for one in left:
        for other in right:
            start = max(one.a, other.a)
            stop = min(one.a + one.size, other.a + other.size)
            if start < stop:
                yield start, stop, one.b + start - one.a, other.b + start - other.a
