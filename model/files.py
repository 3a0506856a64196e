"""Card and manifest from their files, with errors that name the line."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from model.card import Card, Manifest
from model.checking import ModelError
from model.image_card import ImageCard, ImageManifest

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
            f"{path}: not JSON: {error}. Run `make train` to write it anew."
        ) from error
    return _parse(kind, data, path, "")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} is missing; a model's folder has card.toml, manifest.json and its artifact."
        ) from error
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: not UTF-8 text: {error}") from error


def _parse(kind: type[T], data: Any, path: Path, text: str) -> T:
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        loc = tuple(part for part in first["loc"] if part not in KINDS)
        where = ".".join(str(part) for part in loc)
        line = line_of(text, loc)
        message = first["msg"].removeprefix("Value error, ")
        raise ModelError(
            f"{path}{f', line {line}' if line else ''}: {where + ': ' if where else ''}{message}"
        ) from error


def line_of(text: str, loc: tuple[int | str, ...]) -> int | None:
    """The line of a TOML text on which ``loc`` (table, index, key) stands, counted from 1.

    Knows the layout of a card: top-level keys, tables, and arrays of tables; anything finer gets
    the line of its table.
    """
    table = str(loc[0]) if loc else ""
    index = loc[1] if len(loc) > 1 and isinstance(loc[1], int) else None
    keys = [str(part) for part in loc if not isinstance(part, int)]
    header = re.compile(rf"^\[\[?{re.escape(table)}\]?\]")
    seen, start = -1, None
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        if header.match(line):
            seen += 1
            if index is None or seen == index:
                start = number
        elif start is not None and line.startswith("["):
            break
        elif (start is not None or len(keys) == 1) and re.match(
            rf"^{re.escape(keys[-1])}\s*=", line
        ):
            return number
    return start
