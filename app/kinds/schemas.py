"""JSON Schema 2020-12 of what the API reads and answers, from a model's card."""

from collections.abc import Iterable, Mapping
from typing import Any

from model import Card, ImageCard, Regressor
from model.contract.fields import AnyField
from model.contract.outputs import ClassOutput
from model.contract.pictures import ImageField

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


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
            {"code": {"type": "string", "enum": ["outside", "use"]}, "message": {"type": "string"}}
        ),
    },
    "model": build_object({"name": {"type": "string"}, "version": {"type": "string"}}),
}
"""The keys that every answer has."""


def build_row_schema(card: Card) -> Schema:
    """Build the schema of one row: an object with the card's fields and no other key."""
    return build_object(
        {field.name: build_field_schema(field) for field in card.fields},
        required=[field.name for field in card.fields if field.required],
    )


def build_field_schema(field: AnyField) -> Schema:
    """Build the schema of one field; an optional one may be null instead of missing."""
    schema = {**field.json_schema(), "title": field.label}
    unit = getattr(field, "unit", "")
    texts = [text for text in (field.help, f"In {unit}" if unit else "") if text]
    if field.kind == "choice":
        texts.append("; ".join(f"{item.value}: {item.label}" for item in field.choices))
    if texts:
        schema["description"] = ". ".join(texts) + "."
    if not field.required:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    schema["examples"] = [field.example]
    return schema


def build_upload_schema(field: ImageField) -> Schema:
    """Build the schema of the form that carries a picture."""
    file = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "title": field.label,
        "description": field.help,
    }
    return {"type": "object", "properties": {field.name: file}, "required": [field.name]}


def build_number_schema(model: Regressor) -> Schema:
    """Build the schema of a number for one row."""
    output = model.card.number_output
    prediction = {**NUMBER, "title": output.label}
    if output.unit:
        prediction["description"] = f"In {output.unit}, not rounded."
    return build_object(
        {
            "prediction": prediction,
            "interval": build_interval_schema(exists=model.intervals is not None),
            "contributions": build_contributions_schema(model.card, {"prediction": NUMBER}),
            **COMMON,
        },
        optional=["contributions"],
    )


def build_interval_schema(exists: bool) -> Schema:
    """Build the schema of the interval; null for a model that has none."""
    if not exists:
        return {"type": "null", "description": "This model has no interval."}
    share = {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": "The share of such intervals that hold the truth, for rows like those in "
        "the data; null for a row unlike them, for which it is unknown.",
    }
    return build_object({"low": NUMBER, "high": NUMBER, "coverage": share})


def build_class_schema(card: Card) -> Schema:
    """Build the schema of a class for one row; some models give no probabilities."""
    answer = build_class_properties(card.class_output)
    if not card.class_output.probabilities:
        return build_object({"label": answer["label"], **COMMON})
    contributions = build_contributions_schema(card, {"probability": SHARE})
    contributions["description"] = "What contributes to the probability of the label."
    return build_object(
        {**answer, "contributions": contributions, **COMMON}, optional=["contributions"]
    )


def build_class_properties(output: ClassOutput) -> dict[str, Schema]:
    """Build the schemas of label and probabilities; a class's label for people is its title."""
    values = [item.value for item in output.classes]
    labels = "; ".join(f"{item.value}: {item.label}" for item in output.classes)
    return {
        "label": {
            "type": "string",
            "enum": values,
            "oneOf": [{"const": item.value, "title": item.label} for item in output.classes],
            "title": output.label,
            "description": f"{labels}.",
        },
        "probability": {**SHARE, "description": "That of the label."},
        "probabilities": build_object(
            {item.value: {**SHARE, "title": item.label} for item in output.classes}
        ),
    }


def build_picture_schema(card: ImageCard) -> Schema:
    """Build the schema of the answer to a picture."""
    line = {"type": "array", "items": NUMBER}
    label = {"type": "string", "enum": [card.output.classes[-1].value]}
    contributions = build_object({"label": label, "map": {"type": "array", "items": line}})
    contributions["description"] = (
        "A coarse map of the picture, rows from its top, in log-odds: above 0 where a cell "
        "counts for the label."
    )
    answer = build_class_properties(card.output)
    return build_object(
        {**answer, "contributions": contributions, **COMMON}, optional=["contributions"]
    )


def build_contributions_schema(card: Card, output: Mapping[str, Schema]) -> Schema:
    """Build the schema of contributions; a field that is not given has none."""
    fields = {field.name: field.json_schema() for field in card.fields}
    reference = build_object({**output, "row": build_object(fields, required=[])})
    reference["description"] = "The reference row, with the same fields, and the answer to it."
    values = build_object(dict.fromkeys(card.names, NUMBER), required=[])
    values["description"] = (
        "Shapley values: together they lead from the answer to the reference row to this one."
    )
    error = {**NUMBER, "minimum": 0, "description": "0 where the values are exact."}
    return build_object({"reference": reference, "values": values, "standard_error": error})
