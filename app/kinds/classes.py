"""The adapter for a model of rows that answers with a class."""

from collections.abc import Mapping
from typing import Any

from app.feedback.outcomes import KeptAnswer
from app.kinds.adapter import Payload, Schema, list_labels
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import (
    COVERAGE,
    SHARE,
    build_answer,
    build_class_properties,
    build_contributions_schema,
    build_object,
)
from app.kinds.truths import ask_class
from app.presentation.contexts import ApiTexts, KindAbout
from app.presentation.plots import plot_reliability
from app.presentation.result import (
    MAX_CLASSES,
    ClassView,
    Notes,
    describe_hidden,
    describe_unsure,
    present_classes,
    write_notes,
)
from app.presentation.scales import ShareScale, format_exact, write_held
from model.contract import formatting
from model.contract.fields import AnyField
from model.serving.kinds.classes import ClassModel
from model.serving.served_model import ClassPrediction, Explained, LikelyRange

RANGE_TEXT = (
    "The range of likely classes grows from the most probable one to its neighbours, until it "
    "holds as much probability as was needed on rows that the model had not seen. How many ranges "
    "held was measured on rows that had no part in setting it (conformal prediction)."
)


class ClassAdapter(RowAdapter[ClassPrediction]):
    """Presents and serializes the predictions of a model of classes."""

    model: ClassModel
    contributions_key = "probability"
    error_text = "Named the wrong one in"

    def __init__(self, model: ClassModel) -> None:
        self._output = model.card.output
        self._calibration = model.manifest.probabilities
        self._shares = ShareScale(self._output, model.card.locale, self._calibration)
        super().__init__(model, self._shares)
        self._labels = {item.value: item.label for item in self._output.classes}
        if self._output.risk:
            self.contributions_key = "risk"

    def make_truth_field(self) -> AnyField:
        return ask_class(self._output)

    def summarize_answer(self, explained: Explained[ClassPrediction]) -> KeptAnswer:
        prediction = explained.prediction
        return KeptAnswer(prediction.label, probability=prediction.probability)

    def _write_headline(self, explained: Explained[ClassPrediction], case: str = "") -> Headline:
        prediction = explained.prediction
        label = self._labels[prediction.label]
        certainty = (
            self._add_mismatch(self.model.guess_text, explained)
            if explained.out_of_distribution
            else self._describe_certainty(prediction, explained.known)
        )
        too_sure = "" if explained.out_of_distribution else self.find_too_sure()
        if self._output.risk:
            return self._write_risk(explained)
        share = prediction.probability
        short = (
            ""
            if share is None
            else formatting.capitalize(self._shares.describe_sureness(share, "row"))
        )
        if prediction.likely is not None:
            short = f"{self._name_range(prediction.likely)} in {self._count_held(explained.known)}"
        if too_sure:
            certainty, short = f"{certainty} {too_sure}", f"{short}. {too_sure}"
        return Headline(
            prediction.label,
            label,
            certainty,
            "A guess" if explained.out_of_distribution else short,
            f": {formatting.end_sentence(label)} {certainty}",
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
        certainty, short = formatting.end_sentence(f"That is the probability of {label}"), ""
        if explained.out_of_distribution:
            certainty = self._add_mismatch(self.model.guess_text, explained)
            short = "A guess"
        elif (calibration := self._calibration) is not None and calibration.rows:
            rows = formatting.format_number(calibration.rows, self._card.locale)
            too_sure = self.find_too_sure()
            certainty = f"{certainty} {too_sure or f'It was calibrated on {rows} rows.'}"
            short = "" if too_sure else f"Probability of {label}"
        return Headline(
            format_exact(risk),
            text,
            certainty,
            short,
            f": {text}. {certainty}",
            self._present_classes(probabilities),
            risk,
            subject=f"Probability of {label}",
            total_label=label,
        )

    def _name_range(self, likely: LikelyRange) -> str:
        """The likely classes, like "3 to 5"."""
        low, high = self._labels[likely.low], self._labels[likely.high]
        return low if low == high else f"{low} to {high}"

    def _count_held(self, known: frozenset[str]) -> str:
        """How many of such ranges held, like "9 of 10"."""
        ranges = self.model.ranges
        assert ranges is not None  # noqa: S101 (there is a likely range)
        group = ranges.find_group(known)
        return write_held(ranges.find_share(group), group.rows)

    @property
    def batch_headings(self) -> Mapping[str, str]:
        sure = {"probability": "Probability"} if self._output.probabilities else {}
        ends = {} if self.model.ranges is None else {"likely_low": "From", "likely_high": "To"}
        return {"label": self._output.label, **ends, **sure}

    def format_batch_value(self, name: str, values: Mapping[str, Any]) -> str:
        label = values["label"]
        if name in self.model.text_columns:
            return self._labels.get(values[name], "")
        return self._shares.format(values[f"probability_{label}"])

    def _make_notes(self, known: frozenset[str], broken: str = "") -> Notes:
        accuracies = self.model.accuracies
        if broken:
            return write_notes(
                self._origin,
                f"It named the right {self._output.noun} for {broken} {self._card.rows_noun}, "
                "fewer than was measured when it was made.",
            )
        if accuracies is None:
            return super()._make_notes(known, broken)
        group = accuracies.find(known)
        right = formatting.format_share(group.right, group.rows, self._card.locale)
        return write_notes(
            self._origin,
            f"With these facts it named the right {self._output.noun} for {right} cases that it "
            f"had not seen.{self._describe_steps(known)}",
        )

    def _describe_steps(self, known: frozenset[str]) -> str:
        """How often it was at most one step off, where the classes are steps."""
        if self.model.ranges is None:
            return ""
        close = self.model.ranges.find_group(known).close
        share = formatting.format_percent(close, self._card.locale, digits=1)
        return f" For {share} it was right or one step off."

    @property
    def _blank(self) -> tuple[ClassView, ...]:
        shown = self._output.shown[:MAX_CLASSES] if self._output.probabilities else ()
        return tuple(ClassView(item.value, item.label, "", "", 0.0) for item in shown)

    def _present_classes(self, probabilities: tuple[float, ...] | None) -> tuple[ClassView, ...]:
        """The most probable classes, the first one first; steps of a scale in their order."""
        if probabilities is None:
            return ()
        order = self._output.shown if self._output.order else ()
        return present_classes(self._output.classes, probabilities, self._scale.format, order)

    def _describe_certainty(self, prediction: ClassPrediction, known: frozenset[str]) -> str:
        """How sure the model is, and the probability of the classes not shown."""
        probabilities, likely = prediction.probabilities, prediction.likely
        if likely is not None:
            held = f"{self._count_held(known)} {self._card.rows_noun}"
            low, high = self._labels[likely.low], self._labels[likely.high]
            others = "no other" if low == high else f"between {low} and {high}"
            first = f"Most likely {self._labels[prediction.label]}"
            return f"{first}, and {others}. Ranges like this held for {held}."
        if probabilities is None:
            return describe_unsure(self._output.noun)
        sure = self._shares.describe_sureness(prediction.probability or 0.0, "row")
        sentence = formatting.end_sentence(f"The model is {sure}: {self._labels[prediction.label]}")
        rest = describe_hidden(probabilities, self._scale.format, self._card.locale)
        return f"{sentence} {rest}".rstrip()

    def _serialize_prediction(self, explained: Explained[ClassPrediction]) -> Payload:
        """Contributions are to the probability of the label."""
        label, probability, probabilities, likely = explained.prediction
        ends: Payload = {}
        if self.model.ranges is not None:
            ends["likely"] = None if likely is None else self._serialize_range(likely, explained)
        if probabilities is None:
            return {"label": label, **ends}
        place = self.model.risk_place
        risk = {} if place is None else {"risk": probabilities[place]}
        return {
            **risk,
            "label": label,
            **ends,
            "probability": probability,
            "probabilities": dict(zip(self._labels, probabilities, strict=True)),
            **self._serialize_contributions(explained),
        }

    def _serialize_range(
        self, likely: LikelyRange, explained: Explained[ClassPrediction]
    ) -> Payload:
        """Serialize a range; nobody knows how often one holds for a row unlike the data."""
        coverage = None if explained.out_of_distribution else likely.coverage
        return {"low": likely.low, "high": likely.high, "coverage": coverage}

    def _build_answer_schema(self) -> Schema:
        properties = build_class_properties(self._output)
        if self.model.ranges is not None:
            properties["likely"] = self._build_range_schema()
        if not self._output.probabilities:
            return build_answer(properties, None)
        contributions = build_contributions_schema(self._card, {self.contributions_key: SHARE})
        contributions["description"] = "What contributes to the probability of the label."
        if self._output.risk:
            label = self._labels[self._output.risk]
            contributions["description"] = "What contributes to the risk."
            properties["risk"] = {**SHARE, "description": f"The probability of {label}."}
        return build_answer(properties, contributions)

    def _build_range_schema(self) -> Schema:
        value: Schema = {"type": "string", "enum": list(self._output.order)}
        schema = build_object({"low": value, "high": value, "coverage": COVERAGE})
        description = "The lowest and the highest likely class, in the order of the scale."
        return {"anyOf": [schema, {"type": "null"}], "description": description}

    def api_texts(self) -> ApiTexts:
        texts = self._describe_api("label", "probability")
        return texts._replace(labels=list_labels(self._output.classes))

    def about(self) -> KindAbout:
        calibration = self._calibration
        if calibration is None:
            return self._about(RANGE_TEXT if self.model.ranges else "", "What the range means")
        bins = self.model.manifest.reliability
        plots = [plot_reliability(bins)] if bins else []
        locale = self._card.locale
        divisor = formatting.format_hundredths(calibration.temperature, locale)
        weighed = (
            " Each class is weighed so that it comes as often as in these rows."
            if calibration.weights
            else ""
        )
        text = (
            "They were calibrated on rows that the model had not seen: their logarithms are "
            f"divided by {divisor}, the number that suits those rows best (temperature scaling)."
            f"{weighed}"
        )
        if calibration.rows is not None:
            rows = formatting.format_number(calibration.rows, locale)
            most = formatting.format_limit(calibration.most, locale)
            text += (
                f" None is shown above {most}: {rows} rows cannot show that it is more certain, "
                "and of the rows for which it was surest some may have been wrong."
            )
        if self.model.ranges is not None:
            text = f"{text} {RANGE_TEXT}"
        return self._about(text, "What the probabilities mean", plots)
