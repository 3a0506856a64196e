"""The adapter for a model of rows that answers with a class."""

from collections.abc import Mapping
from typing import Any

from app.feedback.outcomes import KeptAnswer, OutputValue
from app.kinds.adapter import Payload, Schema, list_labels
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import (
    SHARE,
    build_answer,
    build_class_properties,
    build_contributions_schema,
)
from app.kinds.truths import ask_class
from app.presentation.contexts import ApiTexts, KindAbout
from app.presentation.plots import plot_reliability
from app.presentation.result import ClassView, Notes
from app.presentation.scales import MAX_CERTAINTY, ShareScale, format_exact
from model.contract import formatting
from model.contract.fields import AnyField
from model.serving.kinds.classes import ClassModel
from model.serving.served_model import ClassPrediction, Explained

MAX_CLASSES = 6
"""Classes that are shown with a bar each; one sentence sums up the others."""


_NEAR_CAP = 0.005
"""A probability this close below the largest one that the rows allow counts as that."""


class ClassAdapter(RowAdapter[ClassPrediction]):
    """Presents and serializes the predictions of a model of classes."""

    model: ClassModel
    contributions_key = "probability"
    error_text = "Named the wrong one in"

    def __init__(self, model: ClassModel) -> None:
        self._output = model.card.output
        self._calibration = model.manifest.probabilities
        rows = None if self._calibration is None else self._calibration.rows
        self._shares = ShareScale(self._output, model.card.locale, rows)
        super().__init__(model, self._shares)
        self._labels = {item.value: item.label for item in self._output.classes}
        if self._output.risk:
            self.contributions_key = "risk"

    def make_truth_field(self) -> AnyField:
        return ask_class(self._output)

    def summarize_answer(self, explained: Explained[ClassPrediction]) -> KeptAnswer:
        prediction = explained.prediction
        return KeptAnswer(prediction.label, probability=prediction.probability)

    def format_value(self, value: OutputValue) -> str:
        return self._labels.get(str(value), str(value))

    def format_error(self, error: float) -> str:
        return formatting.format_percent(error, self._card.locale, digits=1)

    def _write_headline(self, explained: Explained[ClassPrediction], case: str = "") -> Headline:
        prediction = explained.prediction
        label = self._labels[prediction.label]
        certainty = (
            self._add_mismatch(self.model.guess_text, explained)
            if explained.out_of_distribution
            else f"{self._describe_certainty(prediction)} {self.find_too_sure()}".rstrip()
        )
        if self._output.risk:
            return self._write_risk(explained)
        share = prediction.probability
        short = "" if share is None else _upper_first(self._describe_sureness(share))
        if short and (too_sure := self.find_too_sure()):
            short = f"{short}. {too_sure}"
        return Headline(
            prediction.label,
            label,
            certainty,
            "A guess" if explained.out_of_distribution else short,
            f": {label}. {certainty}",
            self._present_classes(prediction.probabilities),
            prediction.probability,
            subject=f"Probability of {label}",
            total_label=label,
        )

    def _write_risk(self, explained: Explained[ClassPrediction]) -> Headline:
        """Put the probability of one class into words."""
        probabilities, place = explained.prediction.probabilities, self.model.risk_place
        assert probabilities is not None and place is not None  # noqa: S101, PT018 (of the card)
        risk, label = probabilities[place], self._labels[self._output.risk]
        text = self._scale.format(risk)
        certainty = f"That is the probability of {label}."
        if explained.out_of_distribution:
            certainty = self._add_mismatch(self.model.guess_text, explained)
        elif (calibration := self._calibration) is not None and calibration.rows:
            rows = formatting.format_number(calibration.rows, self._card.locale)
            calibrated = f"It was calibrated on {rows} rows."
            certainty = f"{certainty} {self.find_too_sure() or calibrated}"
        return Headline(
            format_exact(risk),
            text,
            certainty,
            "A guess" if explained.out_of_distribution else "",
            f": {text}. {certainty}",
            self._present_classes(probabilities),
            risk,
            subject=f"Probability of {label}",
            total_label=label,
        )

    @property
    def batch_headings(self) -> Mapping[str, str]:
        sure = {"probability": "Probability"} if self._output.probabilities else {}
        return {"label": self._output.label, **sure}

    def _name_labels(self) -> Mapping[str, str]:
        return self._labels

    def format_batch_value(self, name: str, values: Mapping[str, Any]) -> str:
        label = values["label"]
        if name == "label":
            return self._labels[label]
        return self._shares.format(values[f"probability_{label}"])

    def _make_notes(self, known: frozenset[str], broken: str = "") -> Notes:
        accuracies = self.model.accuracies
        if broken:
            return Notes(
                self._origin,
                f"It named the right {self._output.noun} for {broken} {self._card.rows_noun}, "
                "fewer than was measured when it was made.",
            )
        if accuracies is None:
            return super()._make_notes(known, broken)
        group = accuracies.find(known)
        right = formatting.format_percent(group.right, self._card.locale, digits=1)
        rows = formatting.format_number(group.rows, self._card.locale)
        return Notes(
            self._origin,
            f"With these facts it named the right {self._output.noun} for {right} of {rows} cases "
            "that it had not seen.",
        )

    @property
    def _blank(self) -> tuple[ClassView, ...]:
        shown = self._output.classes[:MAX_CLASSES] if self._output.probabilities else ()
        return tuple(ClassView(item.value, item.label, "", "", 0.0) for item in shown)

    def _present_classes(self, probabilities: tuple[float, ...] | None) -> tuple[ClassView, ...]:
        """The most probable classes, the first one first."""
        if probabilities is None:
            return ()
        shares = dict(zip(self._output.classes, probabilities, strict=True))
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
        sure = self._describe_sureness(prediction.probability or 0.0)
        sentence = f"The model is {sure}: {self._labels[prediction.label]}."
        hidden = len(probabilities) - MAX_CLASSES
        if hidden <= 0:
            return sentence
        rest = max(1 - sum(sorted(probabilities)[-MAX_CLASSES:]), 0.0)
        count = formatting.format_number(hidden, self._card.locale)
        return f"{sentence} The {count} classes not shown have {self._scale.format(rest)} together."

    def _describe_sureness(self, probability: float) -> str:
        """How sure the model is; where the rows allow no more, that it is as sure as they do."""
        calibration = self._calibration
        if calibration is not None and calibration.rows and not self._shares.names_extremes:
            rows, most = calibration.rows, min(MAX_CERTAINTY, calibration.most - _NEAR_CAP)
            if probability >= most:
                return f"as sure as {rows} row{' allows' if rows == 1 else 's allow'}"
        return f"{self._scale.format(probability)} sure"

    def _serialize_prediction(self, explained: Explained[ClassPrediction]) -> Payload:
        """Contributions are to the probability of the label."""
        label, probability, probabilities = explained.prediction
        if probabilities is None:
            return {"label": label}
        place = self.model.risk_place
        risk = {} if place is None else {"risk": probabilities[place]}
        return {
            **risk,
            "label": label,
            "probability": probability,
            "probabilities": dict(zip(self._labels, probabilities, strict=True)),
            **self._serialize_contributions(explained),
        }

    def _build_answer_schema(self) -> Schema:
        contributions = None
        if self._output.probabilities:
            key = self.contributions_key
            contributions = build_contributions_schema(self._card, {key: SHARE})
            contributions["description"] = "What contributes to the probability of the label."
        properties = build_class_properties(self._output)
        if self._output.risk and contributions is not None:
            label = self._labels[self._output.risk]
            contributions["description"] = "What contributes to the risk."
            properties["risk"] = {**SHARE, "description": f"The probability of {label}."}
        return build_answer(properties, contributions)

    def api_texts(self) -> ApiTexts:
        texts = self._describe_api("label", "probability")
        return texts._replace(labels=list_labels(self._output.classes))

    def about(self) -> KindAbout:
        calibration = self._calibration
        if calibration is None:
            return self._about("", "")
        bins = self.model.manifest.reliability
        plots = [plot_reliability(bins)] if bins else []
        locale = self._card.locale
        divisor = f"{calibration.temperature:.2f}"
        text = (
            "They were calibrated on rows that the model had not seen: their logarithms are "
            f"divided by {divisor}, the number that suits those rows best (temperature scaling)."
        )
        if calibration.rows is not None:
            rows = formatting.format_number(calibration.rows, locale)
            most = formatting.format_percent(calibration.most, locale, digits=1)
            text += (
                f" None is shown above {most}: {rows} rows cannot show that it is more certain, "
                "and of the rows for which it was surest some may have been wrong."
            )
        return self._about(text, "What the probabilities mean", plots)


def _upper_first(words: str) -> str:
    return words[:1].upper() + words[1:]
