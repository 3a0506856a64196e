"""Card and manifest from their files, with errors that name the line."""

import json
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from model.contract.card import Card, CardError, Loc, Manifest
from model.contract.errors import AGAIN, ModelError
from model.contract.image_card import ImageCard, ImageManifest
from model.contract.lines import line_of

T = TypeVar("T", bound=BaseModel)

KINDS = ("integer", "number", "choice", "flag", "class")
"""What Pydantic puts into an error's place for the branch it took; no line of a card has them."""


def read_card(path: Path) -> Card:
    """Read and check the ``card.toml`` of a model of rows.

    Raises:
        ModelError: with the line to change.
    """
    card = read_any_card(path)
    if isinstance(card, ImageCard):
        raise ModelError(f"{path}: this is the card of a model of pictures.")
    return card


def read_any_card(path: Path) -> Card | ImageCard:
    """Read and check ``card.toml``; a field of kind image makes it the card of a model of pictures.

    Raises:
        ModelError: with the line to change.
    """
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path}: not TOML: {error}") from error
    fields = data.get("fields")
    if isinstance(fields, list) and any(
        isinstance(field, dict) and field.get("kind") == "image" for field in fields
    ):
        return _parse(ImageCard, data, path, text)
    return _parse(Card, data, path, text)


def read_manifest(path: Path) -> Manifest:
    """Read and check the ``manifest.json`` of a model of rows.

    Raises:
        ModelError: with what is wrong in it.
    """
    return _read_json(Manifest, path)


def read_image_manifest(path: Path) -> ImageManifest:
    """Read and check the ``manifest.json`` of a model of pictures.

    Raises:
        ModelError: with what is wrong in it.
    """
    return _read_json(ImageManifest, path)


def _read_json(kind: type[T], path: Path) -> T:
    text = _read(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ModelError(
            f"{path}: not JSON: {error}. It is written by programs alone. {AGAIN}"
        ) from error
    return _parse(kind, data, path, "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin with a mark of their own
    except IsADirectoryError as error:
        raise ModelError(f"{path} is a folder, and must be a file.") from error
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} is missing; a model's folder has card.toml, manifest.json and its artifact."
        ) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ModelError(f"{path}, line {line}: not UTF-8 text. Save it as UTF-8.") from error


def _parse(kind: type[T], data: Any, path: Path, text: str) -> T:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        problems = [
            _placed(path, text, loc, message)
            for item in error.errors()
            for loc, message in _found(item)
        ]
        raise ModelError(*dict.fromkeys(problems)) from error


def _found(item: Any) -> list[tuple[Loc, str]]:
    """The places and messages of one of Pydantic's errors."""
    loc = tuple(part for part in item["loc"] if part not in KINDS)
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, CardError):
        return cause.problems
    return [(loc, _said(item))]


def _said(item: Any) -> str:
    """What is wrong, in words for those who write cards and not schemas."""
    given = item.get("ctx", {})
    if item["type"] == "missing":
        return "must be given"
    if item["type"] == "extra_forbidden":
        return "there is no such key"
    if item["type"] == "union_tag_invalid":
        return f"kind must be one of {given['expected_tags']}, not '{given['tag']}'"
    message: str = item["msg"]
    return message.removeprefix("Value error, ")


def _placed(path: Path, text: str, loc: Loc, message: str) -> str:
    where = ".".join(str(part) for part in loc)
    line = line_of(text, loc)
    return f"{path}{f', line {line}' if line else ''}: {where + ': ' if where else ''}{message}"
