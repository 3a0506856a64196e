"""JSON Schema 2020-12 that the kinds of models share."""

from collections.abc import Iterable, Mapping, Sequence

from app.kinds.adapter import OPTION, Schema
from model import Card
from model.contract.fields import Option
from model.contract.outputs import ClassOutput

NUMBER: Schema = {"type": "number"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
COVERAGE: Schema = {
    **SHARE,
    "type": ["number", "null"],
    "description": "The share of such ranges that held the truth of rows that the model had not "
    "seen, with the same fields given; null for a row unlike the data, for which it is unknown.",
}

ROW: Schema = {"$ref": "#/components/schemas/Row"}
ANSWER: Schema = {"$ref": "#/components/schemas/Answer"}


def build_object(
    properties: Mapping[str, Schema],
    required: Iterable[str] | None = None,
    optional: Iterable[str] = (),
) -> Schema:
    """Build the schema of an object with these keys and no others, all required by default."""
    if required is None:
        required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


COMMON: dict[str, Schema] = {
    "warnings": {
        "type": "array",
        "items": build_object(
            {
                "code": {"type": "string", "enum": ["outside", "too_sure", "use"]},
                "message": {"type": "string"},
                "fields": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "The fields that the message names.",
                },
            },
            optional=["fields"],
        ),
    },
    "model": build_object({"name": {"type": "string"}, "version": {"type": "string"}}),
}
"""The keys that every answer has."""


def build_answer(prediction: Mapping[str, Schema], contributions: Schema | None) -> Schema:
    """Build the schema of an answer; contributions are None for a model that gives none."""
    if contributions is None:
        return build_object({**prediction, **COMMON})
    return build_object({**prediction, OPTION: contributions, **COMMON}, optional=[OPTION])


def build_labels_schema(title: str, options: Sequence[Option]) -> Schema:
    """Build the schema of a label; what people call it is its title."""
    labels = "; ".join(f"{item.value}: {item.label}" for item in options)
    return {
        "type": "string",
        "enum": [item.value for item in options],
        "oneOf": [{"const": item.value, "title": item.label} for item in options],
        "title": title,
        "description": f"{labels}.",
    }


def build_class_properties(output: ClassOutput) -> dict[str, Schema]:
    """Build the schemas of label and probabilities; a class's label for people is its title."""
    label = build_labels_schema(output.label, output.classes)
    if not output.probabilities:
        return {"label": label}
    return {
        "label": label,
        "probability": {**SHARE, "description": "That of the label."},
        "probabilities": build_object(
            {item.value: {**SHARE, "title": item.label} for item in output.classes}
        ),
    }


def build_contributions_schema(card: Card, output: Mapping[str, Schema]) -> Schema:
    """Build the schema of contributions; a field that is not given has none."""
    fields = {field.name: field.json_schema() for field in card.fields}
    reference = build_object({**output, "row": build_object(fields, required=[])})
    reference["description"] = "The reference row, with the same fields, and the answer to it."
    values = build_object(dict.fromkeys(card.names, NUMBER), required=[])
    values["description"] = (
        "Shapley values: together they lead from the answer to the reference row to this one."
    )
    joined: Schema = {"type": "array", "items": {"enum": list(card.names)}}
    others = build_object({"fields": joined, "value": NUMBER})
    others["description"] = "The less important of many fields, which have one value together."
    error = {**NUMBER, "const": 0, "description": "The values are exact."}
    return build_object(
        {"reference": reference, "values": values, "others": others, "standard_error": error},
        optional=["others"],
    )
