"""The API of one model in OpenAPI 3.1, made from its card: exactly what is read and answered."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.problem import DETAILS, MEDIA_TYPE, phrase
from app.rows import BODY_BYTES, MOST_ROWS
from model import Card, Features, Model
from model.fields import AnyField

Schema = dict[str, Any]

WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
HEADERS = {429: WAIT, 503: WAIT}


def openapi(model: Model, prefix: str) -> Schema:
    """The whole text for one model under ``prefix``."""
    card = model.card
    few = f"One row, or a list of {MOST_ROWS:,} at most; {BODY_BYTES // 1024**2} MB at most."
    row, answer = {"$ref": "#/components/schemas/Row"}, {"$ref": "#/components/schemas/Answer"}
    schemas = {
        "Row": row_schema(card),
        "Answer": answer_schema(model),
        "Problem": problem_schema(card.names),
    }
    rows = {"type": "array", "items": row, "maxItems": MOST_ROWS}
    body = {"schema": {"anyOf": [row, rows]}, "examples": examples(card)}
    answers = {"anyOf": [answer, {"type": "array", "items": answer, "maxItems": MOST_ROWS}]}
    predict = {
        "operationId": "predict",
        "summary": card.output.label,
        "description": f"{few} A list is answered by a list in the same order. With an error in "
        "any row there is no prediction at all: 422 lists every error by its place.",
        "parameters": [CONTRIBUTIONS],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": {
                "description": "The answer, or a list of answers for a list of rows.",
                "content": {"application/json": {"schema": answers}},
            },
            **problems(400, 411, 413, 415, 422, 429, 500, 503),
        },
    }
    return document(model, prefix, {"post": predict}, schemas)


CONTRIBUTIONS: Schema = {
    "name": "contributions",
    "in": "query",
    "description": "Whether the answer says how much each fact contributes to it.",
    "schema": {"type": "boolean", "default": False},
}


def document(
    model: Any, prefix: str, predict: Schema, schemas: Mapping[str, Schema]
) -> dict[str, Any]:
    """What the texts of all kinds of models have around the one operation."""
    card = model.card
    itself = {
        "operationId": "openapi",
        "summary": "This text",
        "responses": {
            "200": {
                "description": "The API in OpenAPI 3.1.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **problems(429, 500, 503),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": card.title,
            "summary": card.summary,
            "description": "\n".join(["Limits:", "", *(f"- {limit}" for limit in card.limits)]),
            "version": model.version,
        },
        "servers": [{"url": "/"}],
        "paths": {
            f"{prefix}/api/predict": predict,
            f"{prefix}/api/openapi.json": {"get": itself},
        },
        "components": {"schemas": dict(schemas)},
    }


def row_schema(card: Card) -> Schema:
    """One row: an object with the card's fields and no other key."""
    return closed(
        {field.name: field_schema(field) for field in card.fields},
        required=[field.name for field in card.fields if field.required],
    )


def field_schema(field: AnyField) -> Schema:
    """One field with its words; an optional one may be null, which is the same as left out."""
    said = [field.help, getattr(field, "unit", "") and f"In {getattr(field, 'unit', '')}"]
    schema = {**field.json_schema(), "title": field.label}
    description = ". ".join(text.rstrip(".") for text in said if text)
    if description:
        schema["description"] = f"{description}."
    if field.kind == "choice":
        labels = ", ".join(f"{choice.value}: {choice.label}" for choice in field.choices)
        schema["description"] = f"{schema.get('description', '')} {labels}".strip()
    if not field.required:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    schema["examples"] = [field.example]
    return schema


def answer_schema(model: Model) -> Schema:
    """The answer to one row."""
    output = model.card.output
    return closed(
        {
            "prediction": {"type": "number", "title": output.label, "description": output.unit},
            "interval": interval_schema(model),
            "contributions": contributions_schema(model.card),
            "warnings": {"type": "array", "items": WARNING},
            "model": MODEL,
        },
        optional=["contributions"],
    )


def interval_schema(model: Model) -> Schema:
    """The range; null for a model that has none."""
    if model.ranges is None:
        return {"type": "null", "description": "This model has no interval."}
    share = {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": "The share of such ranges that hold the truth, measured on rows like those "
        "in the data; null for a row unlike them, for which there is no such figure.",
    }
    return closed({"low": NUMBER, "high": NUMBER, "coverage": share})


def contributions_schema(card: Card) -> Schema:
    """Contributions of the facts given; a fact that is not given has none."""
    fields = {field.name: field.json_schema() for field in card.fields}
    reference = closed(
        {"prediction": NUMBER, "row": closed(fields, required=[])},
    )
    reference["description"] = "The reference row with the same facts given, and its prediction."
    values = closed(dict.fromkeys(card.names, NUMBER), required=[])
    values["description"] = (
        "Shapley values. Added to the prediction of the reference they give that of the row."
    )
    error = {"type": "number", "minimum": 0, "description": "0 where the values are exact."}
    return closed({"reference": reference, "values": values, "standard_error": error})


def problem_schema(names: Iterable[str]) -> Schema:
    """Problem details (RFC 9457); ``names`` are the fields that an error can be about."""
    error = closed(
        {
            "field": {"type": ["string", "null"], "enum": [*names, None]},
            "message": {"type": "string", "description": "The same words as on the form."},
            "pointer": {
                "type": ["string", "null"],
                "description": "JSON Pointer (RFC 6901) to the place in the body, like /3/sqft.",
            },
        }
    )
    return closed(
        {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": error, "minItems": 1},
        },
        optional=["errors"],
    )


def problems(*statuses: int) -> Schema:
    """The answers that are no prediction."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(status): {
            "description": f"{phrase(status)}. {DETAILS[status]}",
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
            "content": content,
        }
        for status in statuses
    }


def closed(
    properties: Mapping[str, Schema],
    required: Iterable[str] | None = None,
    optional: Iterable[str] = (),
) -> Schema:
    """An object with these keys and no others; all are required, where nothing else is said."""
    if required is None:
        required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def examples(card: Card) -> Schema:
    """The card's examples, each alone and the first two as a list."""
    rows = [plain_row(card, example.values) for example in card.examples]
    found = {
        f"example_{number}": {"summary": example.title, "value": row}
        for number, (example, row) in enumerate(zip(card.examples, rows, strict=True), start=1)
    }
    return {**found, "list": {"summary": "A list of rows", "value": rows[:2]}}


def plain_row(card: Card, values: Features) -> dict[str, Any]:
    """A row of the card as JSON has it, without the facts that are not given."""
    features, _ = card.validate_row(values)
    return {name: value for name, value in (features or {}).items() if value is not None}


NUMBER: Schema = {"type": "number"}
WARNING: Schema = closed({"code": {"type": "string"}, "message": {"type": "string"}})
MODEL: Schema = closed({"name": {"type": "string"}, "version": {"type": "string"}})
