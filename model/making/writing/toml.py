"""Values and tables in TOML."""

import json
from collections.abc import Mapping


def format_lines(values: Mapping[str, object]) -> str:
    """Write the keys of a table; an empty text or list is left out."""
    return "".join(
        f"{key} = {format_value(value, nested=False)}\n"
        for key, value in values.items()
        if value not in ("", [])
    )


def format_value(value: object, nested: bool = True) -> str:
    """Write a value in TOML; a list that is not nested gets a line for each item."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, str):
        # TOML takes JSON's strings, except for the unescaped DEL character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        inside = ", ".join(f"{key} = {format_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list):
        if nested or not value:
            return "[" + ", ".join(format_value(item) for item in value) + "]"
        return "[\n" + "".join(f"  {format_value(item)},\n" for item in value) + "]"
    return str(value)
