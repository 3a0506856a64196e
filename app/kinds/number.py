"""The adapter for a model of rows that answers with a number."""

import math
from typing import NamedTuple

from app.kinds.adapter import Payload, Schema
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import NUMBER, build_answer, build_contributions_schema, build_object
from app.presentation import charts
from app.presentation.contexts import ApiTexts, KindAbout
from app.presentation.result import Notes
from app.presentation.scales import NumberScale, format_exact, round_up
from model.contract import formatting
from model.serving.kinds.number import NumberModel
from model.serving.served_model import Explained, PointPrediction, PredictionInterval

GUESS_TEXT = "The model has seen nothing like this, so this is a guess."
"""What the page says of a row out of distribution where there is no interval."""


class IntervalView(NamedTuple):
    """The interval as a sentence, split at its two bounds, and as a gauge on a fixed axis.

    ``low`` and ``high`` are unrounded, for programs that read the page.
    """

    before: str
    low: str
    low_text: str
    between: str
    high: str
    high_text: str
    after: str
    gauge: charts.GaugeGeometry
    gauge_title: str
    axis_low: str
    axis_high: str


class NumberAdapter(RowAdapter[PointPrediction]):
    """Presents and serializes the predictions of a model of numbers."""

    model: NumberModel
    answer_noun = "estimate"
    contributions_key = "prediction"
    guess_warning = "The model has seen nothing like this row, so this is a guess."

    def __init__(self, model: NumberModel) -> None:
        super().__init__(model, NumberScale(model.card))
        self._output = model.card.output
        coverage = self._format_coverage()
        self._sentences = {
            False: _split_sentence(f"{self._output.range_text}.", coverage),
            True: _split_sentence(f"{self._output.outside_text}.", coverage),
        }
        self._axis = model.manifest.axis or (0.0, 1.0)
        self._axis_texts = self._scale.format(self._axis[0]), self._scale.format(self._axis[1])

    def _write_headline(self, explained: Explained[PointPrediction]) -> Headline:
        value, interval = explained.prediction
        text = self._scale.format(self._scale.round(value))
        if interval is None:
            guess = GUESS_TEXT if explained.out_of_distribution else ""
            certainty = self._add_mismatch(guess, explained)
            announcement = f" {text}. {certainty}".rstrip()
            return Headline(format_exact(value), text, certainty, announcement, None, value)
        view = self._present_interval(value, interval, explained.out_of_distribution)
        if explained.mismatch is not None:
            view = view._replace(after=self._add_mismatch(view.after, explained))
        announcement = (
            f" {text}. {view.before}{view.low_text}{view.between}{view.high_text}{view.after}"
        )
        return Headline(format_exact(value), text, "", announcement, view, value)

    def _present_interval(
        self, value: float, interval: PredictionInterval, out_of_distribution: bool
    ) -> IntervalView:
        low, high = interval.low, interval.high
        low_text = self._scale.format(self._scale.round(low, math.floor))
        high_text = self._scale.format(self._scale.round(high, math.ceil))
        before, between, after = self._sentences[out_of_distribution]
        axis_low, axis_high = self._axis_texts
        return IntervalView(
            before,
            format_exact(low),
            low_text,
            between,
            format_exact(high),
            high_text,
            after,
            charts.lay_out_gauge(value, low, high, self._axis),
            f"From {low_text} to {high_text}, on a scale from {axis_low} to {axis_high}",
            axis_low,
            axis_high,
        )

    def _format_coverage(self) -> str:
        tenths = self._output.coverage * 10
        if math.isclose(tenths, round(tenths)):
            return f"{round(tenths)} of 10"
        return formatting.format_percent(self._output.coverage, self._card.locale)

    def _make_notes(self, known: frozenset[str]) -> Notes:
        intervals = self.model.intervals
        if intervals is None:
            return super()._make_notes(known)
        error = intervals.find_group(known).error
        if intervals.relative:
            off = formatting.format_percent(error, self._card.locale, digits=1)
        else:
            off = self._scale.format_difference(round_up(self._scale, error))
        accuracy = f"With these facts, half the time it is off by less than {off}."
        best = intervals.find_narrowing(known)
        if best is None or best[1] < 0.01:
            return Notes(self._origin, accuracy)
        name, share = best
        phrase = self._card.by_name[name].noun_phrase
        percent = formatting.format_percent(share, self._card.locale)
        return Notes(self._origin, accuracy, name, phrase, percent)

    def _serialize_prediction(self, explained: Explained[PointPrediction]) -> Payload:
        value, interval = explained.prediction
        return {
            "prediction": value,
            "interval": None
            if interval is None
            else {
                "low": interval.low,
                "high": interval.high,
                "coverage": None if explained.out_of_distribution else interval.coverage,
            },
            **self._serialize_contributions(explained),
        }

    def _build_answer_schema(self) -> Schema:
        prediction = {**NUMBER, "title": self._output.label}
        if self._output.unit:
            prediction["description"] = f"In {self._output.unit}, not rounded."
        return build_answer(
            {"prediction": prediction, "interval": self._build_interval_schema()},
            build_contributions_schema(self._card, {"prediction": NUMBER}),
        )

    def _build_interval_schema(self) -> Schema:
        if self.model.intervals is None:
            return {"type": "null", "description": "This model has no interval."}
        share = {
            "type": ["number", "null"],
            "minimum": 0,
            "maximum": 1,
            "description": "The share of such intervals that hold the truth, for rows like those "
            "in the data; null for a row unlike them, for which it is unknown.",
        }
        return build_object({"low": NUMBER, "high": NUMBER, "coverage": share})

    def api_texts(self) -> ApiTexts:
        return self._describe_api("prediction", "interval")

    def about(self) -> KindAbout:
        calibration = self.model.manifest.calibration
        method = "" if calibration is None else calibration.method
        return self._about(method, "What the range means")


def _split_sentence(sentence: str, share: str) -> tuple[str, str, str]:
    """Fill the slot {share} of a sentence, and split it at {low} and {high}."""
    before, between, after = sentence.format(share=share, low="\0", high="\0").split("\0")
    return before, between, after
