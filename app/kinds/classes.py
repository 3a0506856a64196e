"""The adapter for a model of rows that answers with a class."""

from app.kinds.adapter import Payload, Schema, list_labels
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import (
    SHARE,
    build_answer,
    build_class_properties,
    build_contributions_schema,
)
from app.presentation.contexts import ApiTexts, KindAbout
from app.presentation.result import ClassView
from app.presentation.scales import ShareScale, format_exact
from model.contract import formatting
from model.serving.kinds.classes import ClassModel
from model.serving.served_model import ClassPrediction, Explained

MAX_CLASSES = 6
"""Classes that are shown with a bar each; one sentence sums up the others."""


class ClassAdapter(RowAdapter[ClassPrediction]):
    """Presents and serializes the predictions of a model of classes."""

    model: ClassModel
    styles = ("shares.css",)
    contributions_key = "probability"

    def __init__(self, model: ClassModel) -> None:
        self._output = model.card.output
        super().__init__(model, ShareScale(self._output, model.card.locale))
        self.guess_warning = f"{self._output.outside_text}."
        self._labels = {item.value: item.label for item in self._output.classes}

    def _write_headline(self, explained: Explained[ClassPrediction]) -> Headline:
        prediction = explained.prediction
        label = self._labels[prediction.label]
        certainty = (
            self._add_mismatch(self.guess_warning, explained)
            if explained.out_of_distribution
            else self._describe_certainty(prediction)
        )
        return Headline(
            prediction.label,
            label,
            certainty,
            f": {label}. {certainty}",
            self._present_classes(prediction),
            prediction.probability,
            subject=f"Probability of {label}",
            total_label=label,
        )

    def _present_classes(self, prediction: ClassPrediction) -> tuple[ClassView, ...]:
        """The most probable classes, the first one first."""
        if prediction.probabilities is None:
            return ()
        shares = dict(zip(self._output.classes, prediction.probabilities, strict=True))
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

    def _describe_certainty(self, prediction: ClassPrediction) -> str:
        """How sure the model is, and the probability of the classes not shown."""
        probabilities = prediction.probabilities
        if probabilities is None:
            return f"The model names the {self._output.noun} and does not say how sure it is."
        share = self._scale.format(prediction.probability or 0.0)
        sentence = f"The model is {share} sure: {self._labels[prediction.label]}."
        hidden = len(probabilities) - MAX_CLASSES
        if hidden <= 0:
            return sentence
        rest = max(1 - sum(sorted(probabilities)[-MAX_CLASSES:]), 0.0)
        count = formatting.format_number(hidden, self._card.locale)
        return f"{sentence} The {count} classes not shown have {self._scale.format(rest)} together."

    def _serialize_prediction(self, explained: Explained[ClassPrediction]) -> Payload:
        """Contributions are to the probability of the label."""
        label, probability, probabilities = explained.prediction
        if probabilities is None:
            return {"label": label}
        return {
            "label": label,
            "probability": probability,
            "probabilities": dict(zip(self._labels, probabilities, strict=True)),
            **self._serialize_contributions(explained),
        }

    def _build_answer_schema(self) -> Schema:
        contributions = None
        if self._output.probabilities:
            contributions = build_contributions_schema(self._card, {"probability": SHARE})
            contributions["description"] = "What contributes to the probability of the label."
        return build_answer(build_class_properties(self._output), contributions)

    def api_texts(self) -> ApiTexts:
        texts = self._describe_api("label", "probability")
        return texts._replace(labels=list_labels(self._output.classes))

    def about(self) -> KindAbout:
        temperature = self.model.manifest.temperature
        if temperature is None:
            return self._about("", "")
        return self._about(
            "They were calibrated on rows that the model had not seen: their logarithms are "
            f"divided by {temperature:.2f}, the number that makes those rows most likely "
            "(temperature scaling).",
            "What the probabilities mean",
        )
