"""Reads card and manifest from their files; errors give the line."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from model.contract.card import CardError, Loc
from model.contract.errors import MAKE_AGAIN, ModelError
from model.contract.fields import FIELD_KINDS
from model.contract.formats import MANIFEST_STEPS, Data, upgrade
from model.contract.lines import find_line
from model.contract.manifest import ManifestBase

ParsedT = TypeVar("ParsedT", bound=BaseModel)
ManifestT = TypeVar("ManifestT", bound=ManifestBase)


def read_toml(path: Path) -> tuple[Data, str]:
    """The tables of a ``card.toml``, and its text.

    Raises:
        ModelError: with the line to change.
    """
    text = read_text(path)
    try:
        return parse_toml(text), text
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path}: not TOML: {error}") from error


def parse_toml(text: str) -> Data:
    """The tables of a card; TOML has dates of its own, a card holds them as the text of JSON."""
    tables: Data = json.loads(json.dumps(tomllib.loads(text), default=str))
    return tables


def read_json(path: Path) -> Any:
    """What a ``manifest.json`` holds.

    Raises:
        ModelError: with what is wrong in it.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ModelError(
            f"{path}: not JSON: {error}. Only programs write this file. {MAKE_AGAIN}"
        ) from error


def write_json(path: Path, data: Any) -> None:
    """Write a ``manifest.json``; a list without lists or tables in it takes one line."""
    text = json.dumps(data, indent=1, ensure_ascii=False)
    flat = re.sub(r"\[\n\s*([^\[\]{}]*?)\n\s*\]", lambda found: f"[{_join(found[1])}]", text)
    path.write_text(flat + "\n", encoding="utf-8")


def _join(lines: str) -> str:
    return re.sub(r"\n\s*", " ", lines)


def read_manifest(kind: type[ManifestT], path: Path) -> ManifestT:
    """Read and check ``manifest.json``.

    Raises:
        ModelError: with what is wrong in it.
    """
    return parse(kind, upgrade(read_json(path), MANIFEST_STEPS, path), path, "")


def read_text(path: Path) -> str:
    """The text of a card or manifest.

    Raises:
        ModelError: if there is no such file, or it is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors write a byte order mark
    except IsADirectoryError as error:
        raise ModelError(f"{path} is a folder, and must be a file.") from error
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} is missing; a model's folder has card.toml, manifest.json and its artifact."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ModelError(f"{path}, line {line}: not UTF-8 text. Save it as UTF-8.") from error


def parse(kind: type[ParsedT], data: Any, path: Path, text: str) -> ParsedT:
    """Check what was read from a file.

    Args:
        kind: the class of card or manifest.
        data: the parsed file.
        path: the file, for the messages.
        text: its text, for the line numbers.

    Raises:
        ModelError: with the line of each problem.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = [
            _format_problem(path, text, loc, message)
            for item in error.errors()
            for loc, message in _find_problems(item)
        ]
        raise ModelError(*dict.fromkeys(problems)) from error


def _find_problems(item: Any) -> list[tuple[Loc, str]]:
    """The locations and messages of one of Pydantic's errors."""
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, CardError):
        return cause.problems
    # Pydantic adds the kind of a field to a location; the card has no such key.
    return [(tuple(part for part in item["loc"] if part not in FIELD_KINDS), _translate(item))]


def _translate(item: Any) -> str:
    """The message of one of Pydantic's errors, for people who do not write schemas."""
    context = item.get("ctx", {})
    if item["type"] == "missing":
        return "must be given"
    if item["type"] == "extra_forbidden":
        return "there is no such key"
    if item["type"] == "union_tag_invalid":
        return f"kind must be one of {context['expected_tags']}, not '{context['tag']}'"
    message: str = item["msg"]
    return message.removeprefix("Value error, ")


def _format_problem(path: Path, text: str, loc: Loc, message: str) -> str:
    where = ".".join(str(part) for part in loc)
    line = find_line(text, loc)
    return f"{path}{f', line {line}' if line else ''}: {where + ': ' if where else ''}{message}"
