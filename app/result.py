"""From a prediction and its card to what ``_result.html`` shows: all words and coordinates set."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from babel.dates import format_date
from babel.lists import format_list

from app import charts
from app.submission import Submission
from model import Interval, Model, Prediction, formatting


@dataclass(frozen=True, slots=True)
class Problem:
    """A field that keeps the prediction back, and what to do about it."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class RangeView:
    """The interval as a sentence, cut where its two ends stand, and as a gauge on a fixed axis.

    ``low`` and ``high`` are unrounded, for programs that read the page.
    """

    before: str
    low: str
    low_text: str
    between: str
    high: str
    high_text: str
    after: str
    gauge: charts.Gauge
    gauge_title: str
    axis_low: str
    axis_high: str


@dataclass(frozen=True, slots=True)
class Notes:
    """What stands below a prediction and depends only on which facts are known."""

    narrowing_name: str
    narrowing_thing: str
    narrowing_share: str
    accuracy: str
    origin: str


@dataclass(frozen=True, slots=True)
class Result:
    """What stands in ``#result``.

    ``state`` is one of the promise's states that a server can answer with, ``announcement`` what a
    screen reader hears. ``value`` is the unrounded prediction, ``text`` the same for people.
    """

    state: Literal["empty", "fresh", "withdrawn"]
    heading: str
    announcement: str = ""
    sentence: str = ""
    problems: tuple[Problem, ...] = ()
    value: str = ""
    text: str = ""
    range: RangeView | None = None
    known: frozenset[str] = frozenset()


def exact(value: float) -> str:
    """A number as programs read it, to ten significant digits."""
    return format(value, ".10g")


class Presenter:
    """Words and figures for one model's answers; what no answer changes is made once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._card = model.card
        self._output = model.card.output
        self._step = self._output.round_to
        sentence = self._output.range_text.replace("{share}", self._share()) + "."
        self._before, rest = sentence.split("{low}")
        self._between, self._after = rest.split("{high}")
        low, high = model.manifest.axis
        self._axis = self._amount(low), self._amount(high)
        trained = format_date(model.manifest.trained, "long", locale=self._card.locale)
        text = self._card.data_text or model.manifest.data.text
        self.origin = f"Trained on {trained} on {text}."

    def result(self, submission: Submission | None) -> Result:
        """The result for a submission; None where nothing was typed yet."""
        if submission is None:
            return self._empty()
        if submission.features is None:
            return self._withdrawn(submission)
        features = submission.features
        return self._fresh(self._model.predict(features), self._model.known(features))

    def notes(self, known: frozenset[str]) -> Notes:
        """What is to be said below a prediction from these optional facts."""
        ranges = self._model.ranges
        accuracy = self._model.manifest.accuracy
        name = thing = share = ""
        if ranges is not None:
            error = formatting.percent(ranges.group(known).error, self._card.locale, digits=1)
            accuracy = (
                f"With these facts, half of the estimates came within {error} "
                f"of the actual {self._output.noun}."
            )
            best = ranges.narrowing(known)
            if best is not None and best[1] >= 0.01:
                name = best[0]
                thing = self._card.by_name[name].thing
                share = formatting.percent(best[1], self._card.locale)
        return Notes(name, thing, share, accuracy, self.origin)

    def _empty(self) -> Result:
        needed = self._things(field.name for field in self._card.fields if field.required)
        sentence = f"Enter {needed}, and the {self._output.noun} appears here as you type."
        return Result("empty", self._output.label, sentence=sentence)

    def _withdrawn(self, submission: Submission) -> Result:
        heading = f"No {self._output.noun} yet"
        if any(name not in submission.lacking for name in submission.errors):
            problems = tuple(Problem(name, text) for name, text in submission.errors.items())
            spoken = "; ".join(problem.message for problem in problems)
            return Result(
                "withdrawn", heading, f"{heading}. {spoken}", "To see one, mend this:", problems
            )
        if submission.query:
            heading = "Almost there"
        sentence = f"Still to fill in: {self._things(submission.lacking)}."
        return Result("withdrawn", heading, f"{heading}. {sentence}", sentence)

    def _fresh(self, prediction: Prediction, known: frozenset[str]) -> Result:
        text = self._amount(prediction.value)
        view = self._range(prediction.value, prediction.interval) if prediction.interval else None
        spoken = f"{self._output.label} {text}."
        if view is not None:
            spoken += f" {view.before}{view.low_text}{view.between}{view.high_text}{view.after}"
        return Result(
            "fresh",
            self._output.label,
            spoken,
            value=exact(prediction.value),
            text=text,
            range=view,
            known=known,
        )

    def _range(self, value: float, interval: Interval) -> RangeView:
        low, high = interval.low, interval.high
        low_text, high_text = self._amount(low, math.floor), self._amount(high, math.ceil)
        axis_low, axis_high = self._axis
        return RangeView(
            before=self._before,
            low=exact(low),
            low_text=low_text,
            between=self._between,
            high=exact(high),
            high_text=high_text,
            after=self._after,
            gauge=charts.gauge(value, low, high, self._model.manifest.axis),
            gauge_title=f"From {low_text} to {high_text}, on a scale from {axis_low} "
            f"to {axis_high}",
            axis_low=axis_low,
            axis_high=axis_high,
        )

    def _amount(self, value: float, rounding: Callable[[float], int] = round) -> str:
        """A value of the output as people say it, rounded to the card's step."""
        step = self._step
        rounded = rounding(value / step) * step
        if self._output.format == "currency":
            return formatting.currency(rounded, self._output.unit, self._card.locale)
        text = formatting.number(rounded, self._card.locale)
        return f"{text}\u00a0{self._output.unit}" if self._output.unit else text

    def _share(self) -> str:
        tenths = self._output.coverage * 10
        if math.isclose(tenths, round(tenths)):
            return f"{round(tenths)} of 10"
        return formatting.percent(self._output.coverage, self._card.locale)

    def _things(self, names: Iterable[str]) -> str:
        things = [self._card.by_name[name].thing for name in names]
        return format_list(things, locale=self._card.locale)
