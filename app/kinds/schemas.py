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


COMMON: dict[str, Schema] = {
    "warnings": {
        "type": "array",
        "items": closed(
            {"code": {"type": "string", "enum": ["outside", "use"]}, "message": {"type": "string"}}
        ),
    },
    "model": closed({"name": {"type": "string"}, "version": {"type": "string"}}),
}
"""What every answer has."""


def row_schema(card: Card) -> Schema:
    """One row: an object with the card's fields and no other key."""
    return closed(
        {field.name: field_schema(field) for field in card.fields},
        required=[field.name for field in card.fields if field.required],
    )


def field_schema(field: AnyField) -> Schema:
    """One field with its words; an optional one may be null, which is the same as left out."""
    schema = {**field.json_schema(), "title": field.label}
    unit = getattr(field, "unit", "")
    said = [text for text in (field.help, f"In {unit}" if unit else "") if text]
    if field.kind == "choice":
        said.append("; ".join(f"{item.value}: {item.label}" for item in field.choices))
    if said:
        schema["description"] = ". ".join(said) + "."
    if not field.required:
        schema["type"] = [schema["type"], "null"]
        if "enum" in schema:
            schema["enum"] = [*schema["enum"], None]
    schema["examples"] = [field.example]
    return schema


def upload_schema(field: ImageField) -> Schema:
    """The form that carries a picture."""
    file = {
        "type": "string",
        "contentMediaType": "application/octet-stream",
        "title": field.label,
        "description": field.help,
    }
    return {"type": "object", "properties": {field.name: file}, "required": [field.name]}


def number_schema(model: Regressor) -> Schema:
    """The answer of a model of numbers to one row."""
    output = model.card.number
    prediction = {**NUMBER, "title": output.label}
    if output.unit:
        prediction["description"] = f"In {output.unit}, not rounded."
    return closed(
        {
            "prediction": prediction,
            "interval": interval_schema(has_one=model.ranges is not None),
            "contributions": contributions_schema(model.card, {"prediction": NUMBER}),
            **COMMON,
        },
        optional=["contributions"],
    )


def interval_schema(has_one: bool) -> Schema:
    """The range; null for a model that has none."""
    if not has_one:
        return {"type": "null", "description": "This model has no interval."}
    share = {
        "type": ["number", "null"],
        "minimum": 0,
        "maximum": 1,
        "description": "The share of such intervals that hold the truth, for rows like those in "
        "the data; null for a row unlike them, for which nobody knows it.",
    }
    return closed({"low": NUMBER, "high": NUMBER, "coverage": share})


def class_schema(card: Card) -> Schema:
    """The answer of a model of classes to one row; a model may say nothing but the label."""
    answer = classes_schema(card.classes)
    if not card.classes.probabilities:
        return closed({"label": answer["label"], **COMMON})
    told = contributions_schema(card, {"probability": SHARE})
    told["description"] = "What contributes to the probability of the label."
    return closed({**answer, "contributions": told, **COMMON}, optional=["contributions"])


def classes_schema(output: ClassOutput) -> dict[str, Schema]:
    """Label and probabilities; what people read for each class is its title."""
    values = [item.value for item in output.classes]
    said = "; ".join(f"{item.value}: {item.label}" for item in output.classes)
    return {
        "label": {
            "type": "string",
            "enum": values,
            "oneOf": [{"const": item.value, "title": item.label} for item in output.classes],
            "title": output.label,
            "description": f"{said}.",
        },
        "probability": {**SHARE, "description": "That of the label."},
        "probabilities": closed(
            {item.value: {**SHARE, "title": item.label} for item in output.classes}
        ),
    }


def picture_schema(card: ImageCard) -> Schema:
    """The answer to a picture."""
    line = {"type": "array", "items": NUMBER}
    label = {"type": "string", "enum": [card.output.classes[-1].value]}
    told = closed({"label": label, "map": {"type": "array", "items": line}})
    told["description"] = (
        "A coarse map of the picture, rows from its top: above 0 where a place speaks for the "
        "label, in log-odds."
    )
    answer = classes_schema(card.output)
    return closed({**answer, "contributions": told, **COMMON}, optional=["contributions"])


def contributions_schema(card: Card, answered: Mapping[str, Schema]) -> Schema:
    """Contributions of the facts given; a fact that is not given has none."""
    fields = {field.name: field.json_schema() for field in card.fields}
    reference = closed({**answered, "row": closed(fields, required=[])})
    reference["description"] = "The reference row, of the same facts, and the answer to it."
    values = closed(dict.fromkeys(card.names, NUMBER), required=[])
    values["description"] = (
        "Shapley values: together they lead from the answer to the reference row to this one."
    )
    error = {**NUMBER, "minimum": 0, "description": "0 where the values are exact."}
    return closed({"reference": reference, "values": values, "standard_error": error})
