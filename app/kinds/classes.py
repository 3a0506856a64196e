"""From a class and its probabilities to what ``kinds/_result.html`` shows."""

from app.kinds.payload import OPTION, Payload, contributions, name_of
from app.presentation.result import ClassView, Presenter, Result, exact
from app.presentation.scales import ShareScale
from app.presentation.submission import Submission
from model import Classification, Classifier, Features
from model.contract import formatting
from model.serving.batch import RowAnswer

MOST_CLASSES = 6
"""Classes that are shown with a bar each; of more, the rest is one sentence."""


class ClassPresenter(Presenter[Classification]):
    """Words and figures for a model of rows that answers with a class."""

    def __init__(self, model: Classifier) -> None:
        self._output = model.card.classes
        super().__init__(model, ShareScale(self._output, model.card.locale))
        self._labels = {item.value: item.label for item in self._output.classes}

    def _fresh(self, submission: Submission, features: Features) -> Result:
        what_if = submission.what_if or self._predictor.default
        answer = self._predictor.explain_row(features, what_if)
        said = answer.prediction
        label = self._labels[said.label]
        classes = self._classes(said)
        odds = self._odds(said, answer.outside)
        return Result(
            "fresh",
            self._output.label,
            self._output.noun,
            f"{self._output.label}: {label}. {odds}",
            value=said.label,
            text=label,
            classes=classes,
            odds=odds,
            reasons=self._reasoner.view(
                answer,
                features,
                what_if,
                said.probability,
                about=f"Probability of {label}",
                end=label,
            ),
            notes=self.notes(answer.known, answer.outside),
            what_if=submission.what_if,
            query=submission.query,
            today=self.today(),
        )

    def _classes(self, said: Classification) -> tuple[ClassView, ...]:
        """The most probable classes, the first one first."""
        if said.probabilities is None:
            return ()
        shares = dict(zip(self._output.classes, said.probabilities, strict=True))
        most = sorted(shares, key=lambda item: -shares[item])[:MOST_CLASSES]
        return tuple(
            ClassView(
                item.value,
                item.label,
                exact(shares[item]),
                self._scale.format(shares[item]),
                round(shares[item] * 100, 1),
            )
            for item in most
        )

    def _odds(self, said: Classification, outside: bool) -> str:
        """How sure the model is, and what is not shown."""
        if outside:
            return f"{self._output.outside_text}."
        if said.probabilities is None:
            return f"The model names the {self._output.noun} and does not say how sure it is."
        rest = len(said.probabilities) - MOST_CLASSES
        words = f"{self._labels[said.label]} {self._scale.format(said.probability or 0.0)}"
        if rest <= 0:
            return f"The model gives {words}."
        shown = sum(sorted(said.probabilities)[-MOST_CLASSES:])
        left = self._scale.format(max(1 - shown, 0.0))
        others = formatting.number(rest, self._card.locale)
        return f"The model gives {words}; the {others} classes not shown have {left} together."


class ClassSerializer:
    """Says what a model of rows and classes answers."""

    def __init__(self, model: Classifier) -> None:
        self._names, self._reference = model.card.names, model.manifest.reference
        self._model = name_of(model)
        output = model.card.classes
        self._classes = [item.value for item in output.classes]
        self._guess = {"code": "outside", "message": f"{output.outside_text}."}

    def serialize(self, found: RowAnswer[Classification]) -> Payload:
        """One row's answer; the contributions are those to the probability of its label."""
        said: Payload = {"label": found.prediction.label}
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
