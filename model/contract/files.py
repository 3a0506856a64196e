"""Reads card and manifest from their files; errors give the line."""

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from model.contract.card import Card, CardError, Loc
from model.contract.deprecations import rename_old_keys
from model.contract.errors import MAKE_AGAIN, ModelError
from model.contract.image_card import ImageCard, ImageManifest
from model.contract.lines import find_line
from model.contract.manifest import Manifest

ParsedT = TypeVar("ParsedT", bound=BaseModel)

_TAGS = ("integer", "number", "choice", "flag", "class")
"""Pydantic adds the tag of the union's member to a location; the card has no such key."""


def read_card(path: Path) -> Card:
    """Read and check the ``card.toml`` of a tabular model.

    Raises:
        ModelError: with the line to change.
    """
    card = read_any_card(path)
    if isinstance(card, ImageCard):
        raise ModelError(f"{path}: this is the card of an image classifier.")
    return card


def read_any_card(path: Path) -> Card | ImageCard:
    """Read and check ``card.toml``; a field of kind image makes it the card of an image classifier.

    Raises:
        ModelError: with the line to change.
    """
    text = read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path}: not TOML: {error}") from error
    rename_old_keys(data, path, text)
    fields = data.get("fields")
    if isinstance(fields, list) and any(
        isinstance(field, dict) and field.get("kind") == "image" for field in fields
    ):
        return _parse(ImageCard, data, path, text)
    return _parse(Card, data, path, text)


def read_manifest(path: Path) -> Manifest:
    """Read and check the ``manifest.json`` of a tabular model.

    Raises:
        ModelError: with what is wrong in it.
    """
    return _read_json(Manifest, path)


def read_image_manifest(path: Path) -> ImageManifest:
    """Read and check the ``manifest.json`` of an image classifier.

    Raises:
        ModelError: with what is wrong in it.
    """
    return _read_json(ImageManifest, path)


def _read_json(kind: type[ParsedT], path: Path) -> ParsedT:
    text = read_text(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(
            f"{path}: not JSON: {error}. Only programs write this file. {MAKE_AGAIN}"
        ) from error
    return _parse(kind, data, path, "")


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


def _parse(kind: type[ParsedT], data: Any, path: Path, text: str) -> ParsedT:
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
    return [(tuple(part for part in item["loc"] if part not in _TAGS), _translate(item))]


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
