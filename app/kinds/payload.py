"""What the JSON answers of all kinds of models share."""

from typing import Any

from model import ImageClassifier, TabularModel
from model.contract.fields import Features
from model.serving.explain import Explanation

OPTION = "contributions"


Payload = dict[str, object]
"""One answer; ``app.api.openapi`` has its schema."""


GUESS = {
    "code": "outside",
    "message": "The model has seen nothing like this row, so this is a guess.",
}


def name_of(model: TabularModel[Any] | ImageClassifier) -> dict[str, str]:
    """Which model answered; the version is another for every artifact."""
    return {"name": model.slug, "version": model.version}


def contributions(
    explanation: Explanation, what: str, names: tuple[str, ...], reference: Features
) -> Payload:
    """How the facts given lead from the reference row's answer, called ``what``, to this one."""
    given = [names[column] for column in explanation.columns]
    return {
        "reference": {what: explanation.base, "row": {name: reference[name] for name in given}},
        "values": dict(zip(given, explanation.contributions, strict=True)),
        "standard_error": explanation.error,
    }
