"""The text of ``card.toml``, from the drafted parts of a card."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence

from model.making.drafting import (
    LOCALE,
    REASONS_OPTIONAL,
    CardText,
    DraftField,
    DraftOutput,
    format_choice_value,
)
from model.making.naming import CURRENCIES

_LONGEST_QUOTED = 48


def format_card(
    fields: Sequence[DraftField], output: DraftOutput, text: CardText, what_if: str, made_by: str
) -> str:
    """Write the text of ``card.toml``.

    Args:
        fields: in the order of the form.
        output: what the model answers.
        text: the card's sentences and examples.
        what_if: the name of the field that is varied first.
        made_by: the command that drafts it.
    """
    blocks = [
        f"# Drafted by {made_by}. What it says is a guess: read it, and write better.\n",
        _format_lines(
            {
                "title": text.title,
                "summary": text.summary,
                "locale": LOCALE,
                "what_if": what_if,
                "data_text": text.data_text,
                "limits": list(text.limits),
                "not_for": list(text.not_for),
            }
        ),
        "[output]\n" + _format_lines(_output_keys(output)),
        *("[[fields]]\n" + _comment(item) + _format_lines(field_keys(item)) for item in fields),
        *(
            "[[examples]]\n" + _format_lines({"title": title, "values": dict(values)})
            for title, values in text.examples
        ),
    ]
    return "\n".join(blocks)


def _output_keys(output: DraftOutput) -> dict[str, object]:
    naming = output.naming
    keys: dict[str, object] = {"label": naming.label, "noun": naming.noun}
    if output.classes:
        classes = [{"value": value, "label": label} for value, label in output.classes]
        return keys | {
            "kind": "class",
            "classes": classes,
            "probabilities": output.probabilities,
        }
    currency = naming.unit in CURRENCIES
    return keys | {
        "kind": "number",
        "format": "currency" if currency else "number",
        "unit": naming.unit,
        "round_to": max(output.round_to, 1) if currency else output.round_to,
        "coverage": output.coverage,
        "range_text": "Most likely between {low} and {high}. Ranges like this held for {share} "
        "rows",
    }


def _comment(drafted: DraftField) -> str:
    """The comment above a field: why it may be left empty."""
    if drafted.required:
        return ""
    reason = REASONS_OPTIONAL[drafted.missing_in_training]
    text = f"May be left empty, as in {drafted.column.missing} rows. {reason}"
    return "".join(f"# {line}\n" for line in textwrap.wrap(text, 96))


def field_keys(drafted: DraftField) -> dict[str, object]:
    """Return the keys of a field's block in the card, with their values."""
    column, naming = drafted.column, drafted.column.naming
    keys: dict[str, object] = {
        "name": naming.name,
        "kind": column.kind,
        "label": naming.label,
        "noun": naming.noun,
    }
    if column.kind == "flag":
        quoted = f"“{textwrap.shorten(naming.label, _LONGEST_QUOTED, placeholder=' …')}”"
        keys |= {"noun": f"{quoted} is true", "reason_text": f"{_escape(quoted)} is {{value}}"}
    if column.kind in ("integer", "number"):
        keys["help"] = f"Usually {drafted.format_range(*drafted.typical)}"
        if naming.unit:
            keys |= {"unit": naming.unit, "unit_spellings": _unit_spellings(naming.unit)}
        if drafted.is_year:
            keys |= {"help": "", "grouping": False}
        keys |= {"min": drafted.low, "max": drafted.high}
    if not drafted.required:
        keys["required"] = False
    keys["example"] = drafted.reference
    if column.kind == "choice":
        keys["choices"] = [
            {"value": format_choice_value(column, code), "label": label}
            for code, label in enumerate(column.labels)
        ]
    return {key: value for key, value in keys.items() if value != ""}


def _escape(text: str) -> str:
    """Escape the braces of a text that goes into a format string."""
    return text.replace("{", "{{").replace("}", "}}")


def _unit_spellings(unit: str) -> list[str]:
    plain = unit.lower().replace(" ", "")
    return sorted({plain, plain.rstrip("s")} - {""}) if plain != unit.lower() else []


def _format_lines(values: Mapping[str, object]) -> str:
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
