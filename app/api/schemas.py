"""The schema of problem details (RFC 9457)."""

from collections.abc import Iterable

from app.kinds.schemas import Schema, build_object


def build_problem_schema(names: Iterable[str]) -> Schema:
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
