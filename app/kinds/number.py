"""A model that answers with a number: its result, its JSON."""

import math

from app.kinds.payload import GUESS, OPTION, Payload, contributions, name_of
from app.presentation import charts
from app.presentation.result import _GUESS, Presenter, RangeView, Result, _cut, exact
from app.presentation.scales import NumberScale
from app.presentation.submission import Submission
from model import Features, Interval, Prediction, Regressor, TabularModel
from model.contract import formatting
from model.serving.batch import RowAnswer


class NumberPresenter(Presenter[Prediction]):
    """Words and figures for a model that answers with a number."""

    def __init__(self, model: Regressor) -> None:
        super().__init__(model, NumberScale(model.card))
        self._output = model.card.number
        self._sentences = {
            False: _cut(f"{self._output.range_text}.", self._share()),
            True: _cut(f"{self._output.outside_text}.", self._share()),
        }
        self._ends = model.manifest.axis or (0.0, 1.0)
        self._axis = self._scale.format(self._ends[0]), self._scale.format(self._ends[1])

    def _fresh(self, submission: Submission, features: Features) -> Result:
        what_if = submission.what_if or self._predictor.default
        answer = self._predictor.explain_row(features, what_if)
        prediction = answer.prediction
        text = self._scale.format(self._scale.round(prediction.value))
        view = None
        if prediction.interval:
            view = self._range(prediction.value, prediction.interval, answer.outside)
        odds = _GUESS if view is None and answer.outside else ""
        spoken = f"{self._output.label} {text}. {odds}".strip()
        if view is not None:
            spoken += f" {view.before}{view.low_text}{view.between}{view.high_text}{view.after}"
        return Result(
            "fresh",
            self._output.label,
            self._output.noun,
            spoken,
            value=exact(prediction.value),
            text=text,
            range=view,
            odds=odds,
            reasons=self._reasoner.view(answer, features, what_if, prediction.value),
            notes=self.notes(answer.known, answer.outside),
            what_if=submission.what_if,
            query=submission.query,
            today=self.today(),
        )

    def _range(self, value: float, interval: Interval, outside: bool) -> RangeView:
        low, high = interval.low, interval.high
        low_text = self._scale.format(self._scale.round(low, math.floor))
        high_text = self._scale.format(self._scale.round(high, math.ceil))
        before, between, after = self._sentences[outside]
        axis_low, axis_high = self._axis
        return RangeView(
            before,
            exact(low),
            low_text,
            between,
            exact(high),
            high_text,
            after,
            charts.gauge(value, low, high, self._ends),
            f"From {low_text} to {high_text}, on a scale from {axis_low} to {axis_high}",
            axis_low,
            axis_high,
        )

    def _share(self) -> str:
        tenths = self._output.coverage * 10
        if math.isclose(tenths, round(tenths)):
            return f"{round(tenths)} of 10"
        return formatting.percent(self._output.coverage, self._card.locale)


class NumberSerializer:
    """Says what a model of numbers answers."""

    def __init__(self, model: TabularModel[Prediction]) -> None:
        self._names, self._reference = model.card.names, model.manifest.reference
        self._model = name_of(model)

    def serialize(self, found: RowAnswer[Prediction]) -> Payload:
        """One row's answer."""
        interval = found.prediction.interval
        said: Payload = {
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
