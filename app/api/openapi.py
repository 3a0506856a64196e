"""The API of one model in OpenAPI 3.1, made from its card."""

from collections.abc import Mapping

from app.api.parsing import BODY_BYTES, MAX_ROWS
from app.api.schemas import build_problem_schema
from app.http.problems import DETAILS, MEDIA_TYPE, get_phrase
from app.kinds.payload import OPTION
from app.kinds.schemas import (
    Schema,
    build_class_schema,
    build_number_schema,
    build_picture_schema,
    build_row_schema,
    build_upload_schema,
)
from model import AnyModel, Card, Classifier, Features, ImageClassifier
from model.contract.card import CardBase
from model.contract.pictures import MEGABYTES

ROW, ANSWER = {"$ref": "#/components/schemas/Row"}, {"$ref": "#/components/schemas/Answer"}
PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

STATUSES = (400, 411, 413, 415, 422, 429, 500, 503)

RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
HEADERS = {429: RETRY_AFTER, 503: RETRY_AFTER}


def build_openapi(model: AnyModel, prefix: str) -> Schema:
    """Build the whole document for one model under ``prefix``."""
    if isinstance(model, ImageClassifier):
        schemas = {"Answer": build_picture_schema(model.card)}
        operation = build_picture_operation(model)
        names = [model.card.field.name]
    else:
        answer = (
            build_class_schema(model.card)
            if isinstance(model, Classifier)
            else build_number_schema(model)
        )
        schemas = {"Row": build_row_schema(model.card), "Answer": answer}
        operation = build_row_operation(model.card)
        names = list(model.card.names)
    schemas["Problem"] = build_problem_schema(names)
    return build_document(model.card, model.version, prefix, operation, schemas)


def build_row_operation(card: Card) -> Schema:
    """Build the operation of a model of rows."""
    limits = f"One row, or a list of {MAX_ROWS:,} at most; {BODY_BYTES // 1024**2} MB at most."
    rows = {"type": "array", "items": ROW, "maxItems": MAX_ROWS}
    answers = {"type": "array", "items": ANSWER, "maxItems": MAX_ROWS}
    return build_operation(
        card.output.label,
        f"{limits} A list gets a list in the same order. With an error in any row there is no "
        "prediction: 422 lists every error with its place.",
        {"application/json": {"schema": {"anyOf": [ROW, rows]}, "examples": build_examples(card)}},
        {"anyOf": [ANSWER, answers]},
    )


def build_picture_operation(model: ImageClassifier) -> Schema:
    """Build the operation of a model of pictures."""
    field = model.card.field
    form = {
        "schema": build_upload_schema(field),
        "encoding": {field.name: {"contentType": "image/jpeg, image/png"}},
    }
    return build_operation(
        model.card.output.label,
        f"A JPEG or PNG file of {MEGABYTES} MB at most, as a form sends it or as the body itself.",
        {"multipart/form-data": form, "image/jpeg": {}, "image/png": {}},
        ANSWER,
    )


def build_operation(summary: str, description: str, content: Schema, answer: Schema) -> Schema:
    """Build the one operation of a model from its request content and its answer's schema."""
    return {
        "operationId": "predict",
        "summary": summary,
        "description": description,
        "parameters": [
            {
                "name": OPTION,
                "in": "query",
                "description": "Whether the answer has contributions.",
                "schema": {"type": "boolean", "default": False},
            }
        ],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": answer}},
            },
            **build_problem_responses(*STATUSES),
        },
    }


def build_document(
    card: CardBase, version: str, prefix: str, operation: Schema, schemas: Mapping[str, Schema]
) -> Schema:
    """Build the document around the one operation."""
    describe = {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {
            "200": {
                "description": "The API in OpenAPI 3.1.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **build_problem_responses(429, 500, 503),
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
            f"{prefix}/api/predict": {"post": operation},
            f"{prefix}/api/openapi.json": {"get": describe},
        },
        "components": {"schemas": dict(schemas)},
    }


def build_problem_responses(*statuses: int) -> Schema:
    """Build the responses that have a problem instead of a prediction, by status."""
    return {
        str(status): {
            "description": f"{get_phrase(status)}. {DETAILS[status]}",
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
            "content": PROBLEM,
        }
        for status in statuses
    }


def build_examples(card: Card) -> Schema:
    """Build the request examples: each of the card's alone, and the first two as a list."""
    rows = [build_row(card, example.values) for example in card.examples]
    single = {
        f"example_{number}": {"summary": example.title, "value": row}
        for number, (example, row) in enumerate(zip(card.examples, rows, strict=True), start=1)
    }
    return {**single, "list": {"summary": "A list of rows", "value": rows[:2]}}


def build_row(card: Card, values: Features) -> Schema:
    """Build a row in JSON from a card's example, without the fields that are not given."""
    features, _ = card.validate_row(values)
    return {name: value for name, value in (features or {}).items() if value is not None}
