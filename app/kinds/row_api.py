"""The API of a model of rows, for programs and for people."""

import json
import shlex

from app.kinds.adapter import KindSchemas, Payload, Schema
from app.kinds.parsing import BODY_BYTES, MAX_ROWS
from app.kinds.schemas import ANSWER, ROW, build_object
from app.presentation.contexts import ApiField, ApiTexts
from model import Card, Features
from model.contract.fields import AnyField

MEGABYTES = BODY_BYTES // 1024**2

MAX_LINE = 72
"""Characters of a row that is written on one line."""

TEXTS = (
    "A JSON number is taken as it is. A text is read as the form reads it, with separators and the "
    "unit; where it could be two numbers, the error names both."
)
"""What happens to a number that is sent as a text."""

PYTHON = """\
import json
import urllib.request

rows = [
{rows}]
request = urllib.request.Request(
    {url},
    data=json.dumps(rows).encode(),
    headers={{"Content-Type": "application/json"}},
)
with urllib.request.urlopen(request) as response:
    answers = json.load(response)
for answer in answers:
    print(answer["{first}"], answer.get("{second}"))
"""


def build_row_schemas(card: Card, answer: Schema) -> KindSchemas:
    """Describe the API for programs; ``answer`` is the schema of the answer to one row."""
    row = build_object(
        {field.name: _build_field_schema(field) for field in card.form},
        required=[field.name for field in card.form if field.required],
    )
    rows = {"type": "array", "items": ROW, "maxItems": MAX_ROWS}
    answers = {"type": "array", "items": ANSWER, "maxItems": MAX_ROWS}
    return KindSchemas(
        card.output.label,
        {"Row": row, "Answer": answer},
        f"One row, or a list of {MAX_ROWS:,} at most; {MEGABYTES} MB at most. A list gets a list "
        "in the same order. With an error in any row there is no prediction: 422 lists every "
        f"error with its place. {TEXTS}",
        {"application/json": {"schema": {"anyOf": [ROW, rows]}, "examples": _list_examples(card)}},
        {"anyOf": [ANSWER, answers]},
    )


def _build_field_schema(field: AnyField) -> Schema:
    """Build the schema of one field; an optional one may be null instead of missing.

    The pattern of a number's text is narrower than what is read: it holds for every text in it.
    """
    schema = {**field.json_schema(), "title": field.label}
    if texts := [text for text in (field.help, *field.json_notes) if text]:
        schema["description"] = ". ".join(texts) + "."
    if field.default is not None:
        schema["default"] = field.default
    types = [schema["type"]]
    if pattern := field.json_pattern:
        types.append("string")
        schema["pattern"] = pattern
    if not field.required:
        types.append("null")
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    schema["type"] = types if len(types) > 1 else types[0]
    schema["examples"] = [field.example]
    return schema


def _list_examples(card: Card) -> Schema:
    """List the request examples: each of the card's alone, and the first two as a list."""
    rows = _build_rows(card)
    single = {
        f"example_{number}": {"summary": example.title, "value": row}
        for number, (example, row) in enumerate(zip(card.examples, rows, strict=True), start=1)
    }
    return {**single, "list": {"summary": "A list of rows", "value": rows[:2]}}


def _build_rows(card: Card) -> list[Features]:
    """Build a row in JSON from each of the card's examples, without what is not given."""
    return [
        {name: value for name, value in (features or {}).items() if value is not None}
        for features, _ in (card.validate_row(example.values) for example in card.examples)
    ]


def describe_row_api(card: Card, sample: Payload, first: str, second: str) -> ApiTexts:
    """Describe the API for people.

    Args:
        card: the model's card.
        sample: the answer to its first example.
        first: the key of an answer that the example in Python prints first.
        second: the key that it prints second, if the answer has it.
    """
    rows = _build_rows(card)[:2]
    return ApiTexts(
        curl="\\\n  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(json.dumps(rows[0]))}",
        python=PYTHON.format(
            rows="".join(f"    {_format_literal(row)},\n" for row in rows),
            url="{url}",
            first=first,
            second=second,
        ),
        request_text=f"Send one row as an object, or a list of {MAX_ROWS:,} rows at most, as "
        f"application/json, {MEGABYTES} MB at most. One row gets one answer, a list gets a list "
        f"in the same order. {TEXTS} A fact that is not known is null or left out. An unknown key "
        "is an error. With an error in any row, nothing is predicted.",
        fields=tuple(
            ApiField(field.name, field.label, field.accepted_json_text, field.required)
            for field in card.form
        ),
        sample=json.dumps(sample, indent=2, ensure_ascii=False),
    )


def _format_literal(row: Features) -> str:
    """The row as a Python literal, over several lines where it is long."""
    parts = [
        f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}"
        if isinstance(value, str)
        else f"{json.dumps(name)}: {value!r}"
        for name, value in row.items()
    ]
    line = "{" + ", ".join(parts) + "}"
    if len(line) <= MAX_LINE:
        return line
    return "{\n" + "".join(f"        {part},\n" for part in parts) + "    }"
