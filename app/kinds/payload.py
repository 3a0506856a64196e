"""What the JSON answers of all kinds of models share."""

from typing import Any

from model import ImageClassifier, TabularModel
from model.contract.fields import Features
from model.serving.explain import Explanation

OPTION = "contributions"
"""The option of a request that asks for contributions, and their key in the answer."""

Payload = dict[str, object]
"""One answer; ``app.api.openapi`` has its schema."""


def identify_model(model: TabularModel[Any] | ImageClassifier) -> dict[str, str]:
    """Name the model that answered; every artifact has its own version."""
    return {"name": model.slug, "version": model.version}


def list_warnings(out_of_distribution: bool, text: str) -> list[dict[str, str]]:
    """List the warnings of an answer: ``text`` for a row unlike all that the model has seen."""
    return [{"code": "outside", "message": text}] if out_of_distribution else []


def serialize_contributions(
    explanation: Explanation, output: str, names: tuple[str, ...], reference: Features
) -> Payload:
    """Serialize the contributions of the given features.

    Args:
        explanation: the contributions, and the prediction for the reference row.
        output: the key of what they add up to, "prediction" or "probability".
        names: the names of all columns.
        reference: the reference row.
    """
    given = [names[column] for column in explanation.columns]
    return {
        "reference": {output: explanation.base, "row": {name: reference[name] for name in given}},
        "values": dict(zip(given, explanation.contributions, strict=True)),
        "standard_error": explanation.error,
    }
