"""The adapter for a model that answers with a number: its result and its JSON."""

import math

from app.kinds.payload import (
    OPTION,
    Payload,
    identify_model,
    list_warnings,
    serialize_contributions,
)
from app.presentation import charts
from app.presentation.result import IntervalView, Presenter, Result, format_exact
from app.presentation.scales import NumberScale
from app.presentation.submission import Submission
from model import Features, Interval, Prediction, Regressor, TabularModel
from model.contract import formatting
from model.serving.batch import RowPrediction

GUESS_TEXT = "The model has seen nothing like this, so this is a guess."
"""What the page says of a row out of distribution where there is no interval."""

GUESS_WARNING = "The model has seen nothing like this row, so this is a guess."
"""What the API says of every row out of distribution."""


class NumberPresenter(Presenter[Prediction]):
    """Turns the predictions of a model of numbers into results."""

    def __init__(self, model: Regressor) -> None:
        super().__init__(model, NumberScale(model.card))
        self._output = model.card.number_output
        coverage = self._format_coverage()
        self._sentences = {
            False: _split_sentence(f"{self._output.range_text}.", coverage),
            True: _split_sentence(f"{self._output.outside_text}.", coverage),
        }
        self._axis = model.manifest.axis or (0.0, 1.0)
        self._axis_texts = self._scale.format(self._axis[0]), self._scale.format(self._axis[1])

    def _present_fresh(self, submission: Submission, features: Features) -> Result:
        what_if = submission.what_if or self._predictor.default_what_if
        explained = self._predictor.explain_row(features, what_if)
        out_of_distribution = explained.out_of_distribution
        prediction = explained.prediction
        text = self._scale.format(self._scale.round(prediction.value))
        interval = None
        if prediction.interval:
            interval = self._present_interval(
                prediction.value, prediction.interval, out_of_distribution
            )
        certainty = GUESS_TEXT if interval is None and out_of_distribution else ""
        announcement = f"{self._output.label} {text}. {certainty}".strip()
        if interval is not None:
            announcement += (
                f" {interval.before}{interval.low_text}"
                f"{interval.between}{interval.high_text}{interval.after}"
            )
        return Result(
            "fresh",
            self._output.label,
            self._output.noun,
            announcement,
            value=format_exact(prediction.value),
            text=text,
            interval=interval,
            certainty=certainty,
            explanation=self._explanations.present(explained, features, what_if, prediction.value),
            notes=self.get_notes(explained.known, out_of_distribution),
            what_if=submission.what_if,
            query=submission.query,
            today=self.format_today(),
        )

    def _present_interval(
        self, value: float, interval: Interval, out_of_distribution: bool
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


def _split_sentence(sentence: str, share: str) -> tuple[str, str, str]:
    """Fill the slot {share} of a sentence, and split it at {low} and {high}."""
    before, between, after = sentence.format(share=share, low="\0", high="\0").split("\0")
    return before, between, after


class NumberSerializer:
    """Writes the predictions of a model of numbers as JSON."""

    def __init__(self, model: TabularModel[Prediction]) -> None:
        self._names, self._reference = model.card.names, model.manifest.reference
        self._model = identify_model(model)

    def serialize(self, answer: RowPrediction[Prediction]) -> Payload:
        """Serialize one row's answer."""
        interval = answer.prediction.interval
        payload: Payload = {
            "prediction": answer.prediction.value,
            "interval": None
            if interval is None
            else {
                "low": interval.low,
                "high": interval.high,
                "coverage": None if answer.out_of_distribution else interval.coverage,
            },
        }
        if answer.explanation is not None:
            payload[OPTION] = serialize_contributions(
                answer.explanation, "prediction", self._names, self._reference
            )
        payload["warnings"] = list_warnings(answer.out_of_distribution, GUESS_WARNING)
        payload["model"] = self._model
        return payload
