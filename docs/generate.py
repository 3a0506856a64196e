"""Write the parts of the documentation that follow from the code: ``make docs``."""

import ast
import inspect
import json
import re
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from app.config import explain
from docs.picture import draw_rooms
from model import KINDS
from model.contract.fields import FIELD_KINDS

HERE = Path(__file__).parent
MADE = "<!-- `make docs` writes this file. -->\n\n"

SETTINGS = """# Settings

Each setting is an environment variable. `flask --app wsgi settings` shows the value of each and
where it comes from. A misspelt variable or a value that does not fit stops the start, and the
message says what to write. A variable that is set to nothing holds its default. What Kubernetes
sets for a Service called formcast is left alone.

| variable | default | what it does |
|---|---|---|
"""

PLATFORM = """
A platform gives these under their own names:

| variable | what it does |
|---|---|
| `PORT` | The port to listen on, on all addresses of IPv4 and IPv6; without it the app listens on 127.0.0.1:8000. |
| `WEB_CONCURRENCY` | The number of worker processes, 2 without it: while one is replaced, the other answers. |
| `DYNO` | Heroku sets it. It changes the defaults that the table names. |
| `REDIS_URL` | A Redis server in which all workers count the requests of an address together. |
| `DATABASE_URL` | A PostgreSQL in which [feedback](feedback.md) is kept, like `postgresql://user:password@host/name`. It needs psycopg: `pip install -r app/feedback/requirements.txt`. |
| `PROMETHEUS_MULTIPROC_DIR` | A folder for the counts of `/metrics`; without it the app makes one and removes it at the end. |
| `TMPDIR` | Where gunicorn keeps heartbeats and counts, if `/dev/shm` cannot be written. |
"""  # noqa: E501 (rows of a table)


def generated() -> dict[str, str]:
    """The text of each generated file, by its name in this folder."""
    return {
        "architecture.svg": draw_rooms("app", "model"),
        "card.md": card_reference(),
        "settings.md": settings_reference(),
    }


def settings_reference() -> str:
    """Every setting with its default and its help text."""
    rows = "".join(
        f"| `{item.variable}` | {f'`{item.default}`' if item.default else 'none'} | {item.help} |\n"
        for item in explain(environ={})
    )
    return MADE + SETTINGS + rows + PLATFORM


def card_reference() -> str:
    """Every table and key that a card can have, with type, default and meaning.

    Raises:
        KeyError: for a table or a key whose meaning is said nowhere.
    """
    words: dict[str, Any] = {
        field.__name__: {"heading": f"Field of kind {kind}", "text": inspect.getdoc(field)}
        for kind, field in FIELD_KINDS.items()
    }
    words |= {
        kind.card_type.__name__: {
            "heading": f"A card of kind {name}",
            "text": inspect.getdoc(kind.card_type),
        }
        for name, kind in KINDS.items()
    }
    words |= tomllib.loads((HERE / "card_words.toml").read_text())
    sections = [_section(model, words) for model in card_models()]
    return f"{MADE}# Card reference\n\n{words['introduction'].strip()}\n\n" + "\n".join(sections)


def card_models() -> list[type[BaseModel]]:
    """Every Pydantic model that a card can be made of, each after its bases."""
    found: list[type[BaseModel]] = []

    def visit(model: type[BaseModel]) -> None:
        if model in found or not model.model_fields:
            return
        for base in model.__bases__:
            if issubclass(base, BaseModel):
                visit(base)
        found.append(model)
        for name in own_keys(model):
            for inner in _models_in(model.model_fields[name].annotation):
                visit(inner)

    for kind in KINDS.values():
        visit(kind.card_type)
    return found


def own_keys(model: type[BaseModel]) -> list[str]:
    """The keys that a model adds to those of its bases, or changes."""
    annotated = inspect.get_annotations(model)
    return [name for name in model.model_fields if name in annotated]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _section(model: type[BaseModel], words: dict[str, Any]) -> str:
    said = words[model.__name__]
    lines = [f"## {said['heading']}", ""]
    if "text" in said:
        lines += [said["text"].strip(), ""]
    bases = [
        _link(words[base.__name__]["heading"])
        for base in model.__bases__
        if issubclass(base, BaseModel) and base.model_fields
    ]
    if bases:
        lines += [f"It also has the keys of {' and '.join(bases)}.", ""]
    schema = model.model_json_schema()
    lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name in own_keys(model):
        item = schema["properties"][name]
        default = "needed"
        if name not in schema.get("required", []):
            default = "none" if item["default"] is None else f"`{_toml(item['default'])}`"
        meaning = _meaning(model, name)
        lines.append(f"| `{name}` | {_type(item, words)} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _meaning(model: type[BaseModel], name: str) -> str:
    """The docstring below the key, in the model or in its nearest base."""
    for base in model.__mro__:
        found = _attribute_docstrings(base).get(name) if issubclass(base, BaseModel) else None
        if found:
            return " ".join(found.replace("``", "`").split())
    raise KeyError(f"{model.__module__}: write a docstring below {model.__name__}.{name}")


@cache
def _attribute_docstrings(model: type[BaseModel]) -> dict[str, str]:
    """The text below each key, read from the source: no start of the app pays for it."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model)))
    (body,) = (node.body for node in tree.body if isinstance(node, ast.ClassDef))
    return {
        key.target.id: text.value.value
        for key, text in pairwise(body)
        if isinstance(key, ast.AnnAssign)
        and isinstance(key.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


def _type(item: dict[str, Any], words: dict[str, Any]) -> str:
    """A JSON schema in words."""
    if "$ref" in item:
        return _link(words[item["$ref"].rpartition("/")[2]]["heading"])
    if options := item.get("anyOf") or item.get("oneOf"):
        kinds = [_type(option, words) for option in options if option.get("type") != "null"]
        if "number" in kinds and "whole number" in kinds:
            kinds.remove("whole number")
        return " or ".join(dict.fromkeys(kinds))
    if values := item.get("enum") or ([item["const"]] if "const" in item else []):
        return " or ".join(f"`{_toml(value)}`" for value in values)
    kind = item.get("type")
    if kind is None:
        return "value of the field"
    if kind == "array":
        return f"list of {_type(item['items'], words)}{_between(item, 'Items', '')}"
    if kind == "object":
        return f"table of {_type(item['additionalProperties'], words)}"
    if kind == "string":
        pattern = f" that matches `{item['pattern']}`" if "pattern" in item else ""
        return f"{item.get('format', 'text')}{_between(item, 'Length', ' characters')}{pattern}"
    name = {"integer": "whole number", "number": "number", "boolean": "true or false"}[kind]
    limits = [
        f"{word} {item[key]:g}"
        for key, word in (
            ("minimum", "at least"),
            ("exclusiveMinimum", "above"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "below"),
        )
        if key in item
    ]
    return " ".join([name, " and ".join(limits)]).strip()


def _between(item: dict[str, Any], what: str, unit: str) -> str:
    low, high = item.get(f"min{what}"), item.get(f"max{what}")
    if low is None and high is None:
        return ""
    if low is None:
        return f", at most {high}{unit}"
    if high is None:
        return f", at least {low}{unit}"
    return f", {low if low == high else f'{low} to {high}'}{unit}"


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _link(heading: str) -> str:
    return f"[{heading}](#{anchor(heading)})"


def anchor(heading: str) -> str:
    """The id that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


if __name__ == "__main__":
    for file, text in generated().items():
        (HERE / file).write_text(text)
