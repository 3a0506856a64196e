"""The adapter for a model of rows that answers with a class: its result and its JSON."""

from app.kinds.payload import (
    OPTION,
    Payload,
    identify_model,
    list_warnings,
    serialize_contributions,
)
from app.presentation.result import ClassView, Presenter, Result, format_exact
from app.presentation.scales import ShareScale
from app.presentation.submission import Submission
from model import Classification, Classifier, Features
from model.contract import formatting
from model.serving.batch import RowPrediction

MAX_CLASSES = 6
"""Classes that are shown with a bar each; one sentence sums up the others."""


class ClassPresenter(Presenter[Classification]):
    """Turns the classifications of a model of rows into results."""

    def __init__(self, model: Classifier) -> None:
        self._output = model.card.class_output
        super().__init__(model, ShareScale(self._output, model.card.locale))
        self._labels = {item.value: item.label for item in self._output.classes}

    def _present_fresh(self, submission: Submission, features: Features) -> Result:
        what_if = submission.what_if or self._predictor.default_what_if
        explained = self._predictor.explain_row(features, what_if)
        out_of_distribution = explained.out_of_distribution
        classification = explained.prediction
        label = self._labels[classification.label]
        certainty = self._describe_certainty(classification, out_of_distribution)
        return Result(
            "fresh",
            self._output.label,
            self._output.noun,
            f"{self._output.label}: {label}. {certainty}",
            value=classification.label,
            text=label,
            classes=self._present_classes(classification),
            certainty=certainty,
            explanation=self._explanations.present(
                explained,
                features,
                what_if,
                classification.probability,
                subject=f"Probability of {label}",
                total_label=label,
            ),
            notes=self.get_notes(explained.known, out_of_distribution),
            what_if=submission.what_if,
            query=submission.query,
            today=self.format_today(),
        )

    def _present_classes(self, classification: Classification) -> tuple[ClassView, ...]:
        """The most probable classes, the first one first."""
        if classification.probabilities is None:
            return ()
        shares = dict(zip(self._output.classes, classification.probabilities, strict=True))
        most_probable = sorted(shares, key=lambda item: -shares[item])[:MAX_CLASSES]
        return tuple(
            ClassView(
                item.value,
                item.label,
                format_exact(shares[item]),
                self._scale.format(shares[item]),
                round(shares[item] * 100, 1),
            )
            for item in most_probable
        )

    def _describe_certainty(self, classification: Classification, out_of_distribution: bool) -> str:
        """How sure the model is, and the probability of the classes not shown."""
        if out_of_distribution:
            return f"{self._output.outside_text}."
        probabilities = classification.probabilities
        if probabilities is None:
            return f"The model names the {self._output.noun} and does not say how sure it is."
        share = self._scale.format(classification.probability or 0.0)
        sentence = f"The model is {share} sure: {self._labels[classification.label]}."
        hidden = len(probabilities) - MAX_CLASSES
        if hidden <= 0:
            return sentence
        rest = max(1 - sum(sorted(probabilities)[-MAX_CLASSES:]), 0.0)
        count = formatting.format_number(hidden, self._card.locale)
        return f"{sentence} The {count} classes not shown have {self._scale.format(rest)} together."


class ClassSerializer:
    """Writes the classifications of a model of rows as JSON."""

    def __init__(self, model: Classifier) -> None:
        self._names, self._reference = model.card.names, model.manifest.reference
        self._model = identify_model(model)
        output = model.card.class_output
        self._classes = [item.value for item in output.classes]
        self._guess_warning = f"{output.outside_text}."

    def serialize(self, answer: RowPrediction[Classification]) -> Payload:
        """Serialize one row's answer; contributions are to the probability of its label."""
        payload: Payload = {"label": answer.prediction.label}
        probabilities = answer.prediction.probabilities
        if probabilities is not None:
            payload["probability"] = answer.prediction.probability
            payload["probabilities"] = dict(zip(self._classes, probabilities, strict=True))
            if answer.explanation is not None:
                payload[OPTION] = serialize_contributions(
                    answer.explanation, "probability", self._names, self._reference
                )
        payload["warnings"] = list_warnings(answer.out_of_distribution, self._guess_warning)
        payload["model"] = self._model
        return payload
