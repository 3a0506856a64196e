"""The API of one model in OpenAPI 3.1."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from app.http.problems import DETAILS, MEDIA_TYPE, get_phrase
from app.kinds.adapter import OPTION, Schema
from app.kinds.batches import BatchLimits
from app.kinds.hosted import HostedModel
from app.kinds.schemas import build_object
from app.kinds.streams import JSON_LINES

PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}

SCHEMES: dict[str, Schema] = {
    "password": {"password": {"type": "http", "scheme": "basic"}},
    "keys": {
        "key": {"type": "http", "scheme": "bearer"},
        "key_as_password": {"type": "http", "scheme": "basic"},
    },
}
"""What a request needs, by who may use the app; a proxy's log-in is not the API's matter."""

STATUSES = (400, 411, 413, 415, 422, 429, 500, 503)

FORM_TEXT = (
    "The form of a page posts a hash of its fields, units, choices and output, and gets 409 where "
    "it means something else by now. This API takes no such hash: units and choices are below."
)
"""How pages and programs notice that the form has changed."""

LINES: Schema = {}
"""A body of lines, which no schema of OpenAPI 3.1 describes; the words of the operation do."""

RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
HEADERS = {429: RETRY_AFTER, 503: RETRY_AFTER}


def describe_streams(limits: BatchLimits) -> str:
    """Say how many rows come in one request, and how they are answered."""
    return (
        "Many rows come as one object a line (application/x-ndjson) or as a table (text/csv), up "
        f"to {limits.rows:,} rows and {limits.megabytes} MB. They are answered one line each, in "
        "their order, as they are made: with the answer, or with the problem of that row."
    )


def build_openapi(hosted: HostedModel) -> Schema:
    """Build the whole document for one model."""
    adapter, prefix, access = hosted.adapter, hosted.prefix, hosted.settings.access
    card, schemas = adapter.model.card, adapter.schemas()
    description, content, answers = schemas.description, schemas.content, {}
    if adapter.streams:
        description += f" {describe_streams(hosted.limits)}"
        content = {**content, **dict.fromkeys(adapter.streams, LINES)}
        answers = {JSON_LINES: LINES}
    schemes = SCHEMES.get(access, {})
    refusals = () if access == "public" else (401, 403)
    option = {
        "name": OPTION,
        "in": "query",
        "description": "Whether the answer has contributions.",
        "schema": {"type": "boolean", "default": False},
    }
    predict = {
        "operationId": "predict",
        "summary": schemas.summary,
        "description": description,
        "parameters": [option] if schemas.explains else [],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _build_response("The answer.", schemas.answer, answers),
            **_build_problem_responses(*STATUSES, *refusals),
        },
    }
    describe = {
        "operationId": "openapi",
        "summary": "This document",
        "responses": {
            "200": _build_response("The API in OpenAPI 3.1.", {"type": "object"}),
            **_build_problem_responses(429, 500, 503, *refusals),
        },
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": card.title,
            "summary": card.summary,
            "description": "\n".join(
                ["Limits:", "", *(f"- {limit}" for limit in card.limits), "", FORM_TEXT]
            ),
            "version": adapter.model.version,
        },
        "servers": [{"url": hosted.render.root or "/"}],
        "paths": {
            f"{prefix}/api/predict": {"post": predict},
            f"{prefix}/api/openapi.json": {"get": describe},
        },
        **({"security": [{name: []} for name in schemes]} if schemes else {}),
        "components": {
            "schemas": {**schemas.components, "Problem": _build_problem_schema(adapter.names)},
            **({"securitySchemes": schemes} if schemes else {}),
        },
    }


def _build_response(
    description: str, schema: Schema, others: Mapping[str, Schema] = MappingProxyType({})
) -> Schema:
    content = {"application/json": {"schema": schema}, **others}
    return {"description": description, "content": content}


def _build_problem_responses(*statuses: int) -> Schema:
    """Build the responses that have a problem instead of a prediction, by status."""
    return {
        str(status): {
            "description": f"{get_phrase(status)}. {DETAILS[status]}",
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
            "content": PROBLEM,
        }
        for status in statuses
    }


def _build_problem_schema(names: Iterable[str]) -> Schema:
    """Build the schema of problem details; ``names`` are the fields that an error can name."""
    error = build_object(
        {
            "field": {"type": ["string", "null"], "enum": [*names, None]},
            "message": {"type": "string", "description": "The same words as on the form."},
            "pointer": {
                "type": ["string", "null"],
                "description": "JSON Pointer (RFC 6901) to the place in the body, like /3/name.",
            },
        }
    )
    return build_object(
        {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {"type": "string"},
            "errors": {"type": "array", "items": error, "minItems": 1},
        },
        optional=["errors"],
    )
