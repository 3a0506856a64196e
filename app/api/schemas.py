"""The schema of problem details (RFC 9457)."""

from collections.abc import Iterable

from app.kinds.schemas import Schema, closed


def problem_schema(names: Iterable[str]) -> Schema:
    """Problem details (RFC 9457); ``names`` are the fields that an error can be about."""
    error = closed(
        {
            "field": {"type": ["string", "null"], "enum": [*names, None]},
            "message": {"type": "string", "description": "The same words as on the form."},
            "pointer": {
                "type": ["string", "null"],
                "description": "JSON Pointer (RFC 6901) to the place in the body, like /3/name.",
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
