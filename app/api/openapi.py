"""The API of one model in OpenAPI 3.1, made from its card: exactly what is read and answered."""

from collections.abc import Mapping

from app.api.parsing import BODY_BYTES, MOST_ROWS
from app.api.schemas import problem_schema
from app.http.problems import DETAILS, MEDIA_TYPE, phrase
from app.kinds.payload import OPTION
from app.kinds.schemas import (
    Schema,
    class_schema,
    number_schema,
    picture_schema,
    row_schema,
    upload_schema,
)
from model import AnyModel, Card, Classifier, Features, ImageClassifier
from model.contract.card import CardBase
from model.contract.pictures import MEGABYTES

ROW, ANSWER = {"$ref": "#/components/schemas/Row"}, {"$ref": "#/components/schemas/Answer"}
PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

STATUSES = (400, 411, 413, 415, 422, 429, 500, 503)

WAIT = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
HEADERS = {429: WAIT, 503: WAIT}


def openapi(model: AnyModel, prefix: str) -> Schema:
    """The whole text for one model under ``prefix``."""
    if isinstance(model, ImageClassifier):
        schemas = {"Answer": picture_schema(model.card)}
        operation = picture_operation(model)
        names = [model.card.field.name]
    else:
        answer = class_schema(model.card) if isinstance(model, Classifier) else number_schema(model)
        schemas = {"Row": row_schema(model.card), "Answer": answer}
        operation = row_operation(model.card)
        names = list(model.card.names)
    schemas["Problem"] = problem_schema(names)
    return document(model.card, model.version, prefix, operation, schemas)


def row_operation(card: Card) -> Schema:
    """What is sent to a model of rows, and what it answers."""
    most = f"One row, or a list of {MOST_ROWS:,} at most; {BODY_BYTES // 1024**2} MB at most."
    rows = {"type": "array", "items": ROW, "maxItems": MOST_ROWS}
    answers = {"type": "array", "items": ANSWER, "maxItems": MOST_ROWS}
    return operation(
        card.output.label,
        f"{most} A list is answered by a list in the same order. With an error in any row there is "
        "no prediction at all: 422 lists every error with its place.",
        {"application/json": {"schema": {"anyOf": [ROW, rows]}, "examples": examples(card)}},
        {"anyOf": [ANSWER, answers]},
    )


def picture_operation(model: ImageClassifier) -> Schema:
    """What is sent to a model of pictures, and what it answers."""
    field = model.card.field
    form = {
        "schema": upload_schema(field),
        "encoding": {field.name: {"contentType": "image/jpeg, image/png"}},
    }
    return operation(
        model.card.output.label,
        f"A JPEG or PNG file of {MEGABYTES} MB at most, as a form sends it or as the body itself.",
        {"multipart/form-data": form, "image/jpeg": {}, "image/png": {}},
        ANSWER,
    )


def operation(summary: str, description: str, sent: Schema, answered: Schema) -> Schema:
    """The one operation of every model."""
    return {
        "operationId": "predict",
        "summary": summary,
        "description": description,
        "parameters": [
            {
                "name": OPTION,
                "in": "query",
                "description": "Whether the answer says what contributes to it.",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {"required": True, "content": sent},
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": answered}},
            },
            **problems(*STATUSES),
        },
    }


def document(
    card: CardBase, version: str, prefix: str, predict: Schema, schemas: Mapping[str, Schema]
) -> Schema:
    """What the texts of all kinds of models have around the one operation."""
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
            "version": version,
        },
        "servers": [{"url": "/"}],
        "paths": {
            f"{prefix}/api/predict": {"post": predict},
            f"{prefix}/api/openapi.json": {"get": itself},
        },
        "components": {"schemas": dict(schemas)},
    }


def problems(*statuses: int) -> Schema:
    """The answers that are no prediction."""
    return {
        str(status): {
            "description": f"{phrase(status)}. {DETAILS[status]}",
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
            "content": PROBLEM,
        }
        for status in statuses
    }


def examples(card: Card) -> Schema:
    """The card's examples, each alone and the first two as a list."""
    rows = [plain_row(card, example.values) for example in card.examples]
    found = {
        f"example_{number}": {"summary": example.title, "value": row}
        for number, (example, row) in enumerate(zip(card.examples, rows, strict=True), start=1)
    }
    return {**found, "list": {"summary": "A list of rows", "value": rows[:2]}}


def plain_row(card: Card, values: Features) -> Schema:
    """A row of the card as JSON has it, without the facts that are not given."""
    features, _ = card.validate_row(values)
    return {name: value for name, value in (features or {}).items() if value is not None}
