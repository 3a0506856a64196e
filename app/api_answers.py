"""What the API says: answers of models as JSON, and the one option that asks for more of them."""

import json
from collections.abc import Iterable
from typing import Any

from flask import abort, request

from app.problem import Fault, problem
from app.rows import nearest
from model import Classification, Classifier, ImageModel, Prediction, RowModel
from model.batch import RowAnswer
from model.diagnosing import Diagnosis
from model.explain import Explanation
from model.fields import Features

OPTION = "contributions"

FRESH = {"Cache-Control": "no-store"}

Said = dict[str, object]
"""One answer; ``app.openapi`` has its schema."""

GUESS = {
    "code": "outside",
    "message": "The model has seen nothing like this row, so this is a guess.",
}


def write(body: object) -> str:
    """The JSON text of an answer; a number that is not finite is a fault of ours, and raises."""
    return json.dumps(body, allow_nan=False, separators=(",", ":")) + "\n"


def name_of(model: RowModel[Any] | ImageModel) -> dict[str, str]:
    """Which model answered; the version is another for every artifact."""
    return {"name": model.slug, "version": model.version}


class NumberSpeaker:
    """Says what a model of numbers answers."""

    def __init__(self, model: RowModel[Prediction]) -> None:
        self._names, self._reference = model.card.names, model.manifest.reference
        self._model = name_of(model)

    def say(self, found: RowAnswer[Prediction]) -> Said:
        """One row's answer."""
        interval = found.prediction.interval
        said: Said = {
            "prediction": found.prediction.value,
            "interval": None
            if interval is None
            else {
                "low": interval.low,
                "high": interval.high,
                "coverage": None if found.outside else interval.coverage,
            },
        }
        if found.explanation is not None:
            explained = found.explanation
            said[OPTION] = contributions(explained, "prediction", self._names, self._reference)
        said["warnings"] = [GUESS] if found.outside else []
        said["model"] = self._model
        return said


class ClassSpeaker:
    """Says what a model of rows and classes answers."""

    def __init__(self, model: Classifier) -> None:
        self._names, self._reference = model.card.names, model.manifest.reference
        self._model = name_of(model)
        output = model.card.classes
        self._classes = [item.value for item in output.classes]
        self._guess = {"code": "outside", "message": f"{output.outside_text}."}

    def say(self, found: RowAnswer[Classification]) -> Said:
        """One row's answer; the contributions are those to the probability of its label."""
        said: Said = {"label": found.prediction.label}
        shares = found.prediction.probabilities
        if shares is not None:
            said["probability"] = found.prediction.probability
            said["probabilities"] = dict(zip(self._classes, shares, strict=True))
            if found.explanation is not None:
                explained = found.explanation
                said[OPTION] = contributions(explained, "probability", self._names, self._reference)
        said["warnings"] = [self._guess] if found.outside else []
        said["model"] = self._model
        return said


class PictureSpeaker:
    """Says what a model of pictures answers."""

    def __init__(self, model: ImageModel) -> None:
        output = model.card.output
        self._model = name_of(model)
        self._classes = [item.value for item in output.classes]
        self._warnings = [{"code": "use", "message": f"{output.warning}."}]

    def say(self, found: Diagnosis, with_map: bool) -> Said:
        """One picture's answer; the map is that of the last class, in log-odds."""
        shares = dict(zip(self._classes, found.probabilities, strict=True))
        said: Said = {
            "label": found.value,
            "probability": shares[found.value],
            "probabilities": shares,
        }
        if with_map:
            said[OPTION] = {"label": self._classes[-1], "map": found.heat.tolist()}
        said["warnings"] = self._warnings
        said["model"] = self._model
        return said


def contributions(
    explanation: Explanation, what: str, names: tuple[str, ...], reference: Features
) -> Said:
    """How the facts given lead from the reference row's answer, called ``what``, to this one."""
    given = [names[column] for column in explanation.columns]
    return {
        "reference": {what: explanation.base, "row": {name: reference[name] for name in given}},
        "values": dict(zip(given, explanation.contributions, strict=True)),
        "standard_error": explanation.error,
    }


def asked_for_contributions() -> bool:
    """Whether the address has ``?contributions=true``.

    Raises:
        HTTPException: 422 for anything else in the query: what is misspelt would do nothing.
    """
    if not request.query_string:
        return False
    given = request.args.to_dict(flat=False)
    faults = list(_query_faults(given))
    if faults:
        abort(problem(422, "The address has errors. No prediction was made.", faults))
    return given[OPTION] == ["true"]


def _query_faults(given: dict[str, list[str]]) -> Iterable[Fault]:
    for name in given:
        if name != OPTION:
            guess = nearest(name[:60], {OPTION: None})
            yield Fault(None, f"The address takes no such option{guess}", None)
            return
    if given[OPTION] not in (["true"], ["false"]):
        yield Fault(None, f"{OPTION} must be true or false, given once", None)
