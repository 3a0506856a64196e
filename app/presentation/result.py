"""From a prediction and its card to what ``kinds/_result.html`` shows: all words and coordinates set."""

import datetime as dt
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple

from babel.lists import format_list

from app.presentation import charts
from app.presentation.cached_templates import ConstantPart
from app.presentation.explanations import ExplanationPresenter, ReasonsView
from app.presentation.scales import Scale, ceiling
from app.presentation.submission import Submission
from model import ExplainedPredictor, Features, TabularModel
from model.contract import formatting
from model.serving.tabular_models import PredictionT


class Problem(NamedTuple):
    """A field that keeps the prediction back, and what to do about it."""

    name: str
    message: str


class ClassView(NamedTuple):
    """One class: its probability for programs, for people, and as the length of a bar of 100."""

    value: str
    label: str
    probability: str
    text: str
    bar: float


class RangeView(NamedTuple):
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


@dataclass(frozen=True, slots=True, eq=False)
class Notes(ConstantPart):
    """What stands below a prediction and depends only on which facts are known."""

    narrowing_name: str
    narrowing_thing: str
    narrowing_share: str
    accuracy: str
    origin: str


class Result(NamedTuple):
    """What stands in ``#result``.

    ``state`` is one of the promise's states that a server can answer with, ``announcement`` what a
    screen reader hears. ``value`` is the unrounded prediction or the class, ``text`` the same for
    people, ``query`` the address that brings this very answer back. ``classes`` are those with the
    highest probabilities, the first one first; ``odds`` says in words how sure the model is.
    """

    state: Literal["empty", "fresh", "withdrawn"]
    heading: str
    noun: str = ""
    announcement: str = ""
    sentence: str = ""
    problems: tuple[Problem, ...] = ()
    value: str = ""
    text: str = ""
    range: RangeView | None = None
    classes: tuple[ClassView, ...] = ()
    odds: str = ""
    reasons: ReasonsView | None = None
    notes: Notes | None = None
    what_if: str = ""
    query: str = ""
    today: str = ""


_GUESS = "The model has seen nothing like this, so this is a guess."


exact: Callable[[float], str] = "{:.10g}".format
"""A number as programs read it, to ten significant digits."""


def _cut(sentence: str, share: str) -> tuple[str, str, str]:
    """A sentence around {low} and {high}, cut at the two."""
    before, between, after = sentence.format(share=share, low="\0", high="\0").split("\0")
    return before, between, after


class Presenter(ABC, Generic[PredictionT]):
    """Words and figures for one model's answers; what no answer changes is made once."""

    def __init__(self, model: TabularModel[PredictionT], scale: Scale) -> None:
        self._model: TabularModel[PredictionT] = model
        self._card = model.card
        self._predictor: ExplainedPredictor[PredictionT] = ExplainedPredictor(model)
        self._scale = scale
        self._reasoner = ExplanationPresenter(model, scale, exact)
        trained = formatting.long_date(model.manifest.trained, self._card.locale)
        text = self._card.data_text or model.manifest.data.text
        self._notes: dict[frozenset[str], Notes] = {}
        self.origin = f"Trained on {trained} on {text}."
        self._today = (-1, "")
        self._bare_notes = Notes("", "", "", "", self.origin)

    def result(self, submission: Submission | None) -> Result:
        """The result for a submission; None where nothing was typed yet."""
        if submission is None:
            return self._empty()
        if submission.features is None:
            return self._withdrawn(submission)
        return self._fresh(submission, submission.features)

    def notes(self, known: frozenset[str], outside: bool = False) -> Notes:
        """What is to be said below a prediction from these optional facts; made once for each set.

        Figures that were measured on rows like those in the data say nothing about one outside.
        """
        if outside:
            return self._bare_notes
        found = self._notes.get(known)
        if found is None:
            found = self._notes[known] = self._make_notes(known)
        return found

    def _make_notes(self, known: frozenset[str]) -> Notes:
        ranges = self._model.ranges
        accuracy = self._model.manifest.accuracy
        name = thing = share = ""
        if ranges is not None:
            error = self._error(ranges.group(known).error, ranges.relative)
            accuracy = (
                f"With these facts, half of the estimates came within {error} "
                f"of the actual {self._card.output.noun}."
            )
            best = ranges.narrowing(known)
            if best is not None and best[1] >= 0.01:
                name = best[0]
                thing = self._card.by_name[name].thing
                share = formatting.percent(best[1], self._card.locale)
        elif self._model.manifest.metrics and len(known) < len(self._card.optional):
            # One figure over all rows that were held out, whatever was known of each.
            accuracy += " With facts left empty, as here, it may be wrong more often."
        return Notes(name, thing, share, accuracy, self.origin)

    def _error(self, error: float, relative: bool) -> str:
        if relative:
            return formatting.percent(error, self._card.locale, digits=1)
        return self._scale.apart(ceiling(self._scale, error))

    def _empty(self) -> Result:
        output = self._card.output
        needed = self._things(field.name for field in self._card.fields if field.required)
        sentence = f"Enter {needed}, and the {output.noun} appears here as you type."
        return Result("empty", output.label, sentence=sentence)

    def _withdrawn(self, submission: Submission) -> Result:
        heading = f"No {self._card.output.noun} yet"
        if any(name not in submission.lacking for name in submission.errors):
            problems = tuple(Problem(name, text) for name, text in submission.errors.items())
            spoken = "; ".join(problem.message for problem in problems)
            return Result(
                "withdrawn",
                heading,
                announcement=f"{heading}. {spoken}",
                sentence="To see one, mend this:",
                problems=problems,
                what_if=submission.what_if,
            )
        if submission.query:
            heading = "Almost there"
        sentence = f"Still to fill in: {self._things(submission.lacking)}."
        return Result(
            "withdrawn",
            heading,
            announcement=f"{heading}. {sentence}",
            sentence=sentence,
            what_if=submission.what_if,
        )

    def today(self) -> str:
        """The day on which an answer is given; looked up once a minute."""
        minute = int(time.time() / 60)
        if minute != self._today[0]:
            self._today = minute, formatting.long_date(dt.date.today(), self._card.locale)
        return self._today[1]

    @abstractmethod
    def _fresh(self, submission: Submission, features: Features) -> Result:
        """The result for a row that is complete."""

    def _things(self, names: Iterable[str]) -> str:
        things = [self._card.by_name[name].thing for name in names]
        return format_list(things, locale=self._card.locale)
