"""From a prediction and its card to what ``kinds/_result.html`` shows."""

import datetime as dt
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple

from babel.lists import format_list

from app.presentation import charts
from app.presentation.cached_templates import ConstantPart
from app.presentation.explanations import ExplanationPresenter, ExplanationView
from app.presentation.scales import Scale, round_up
from app.presentation.submission import Problem, Submission
from model import ExplainedPredictor, Features, TabularModel
from model.contract import formatting
from model.serving.tabular_models import PredictionT

FIX_TEXT = "Please fix this first:"
"""The sentence above the fields that are wrong."""

format_exact: Callable[[float], str] = "{:.10g}".format
"""Formats a number for programs, with ten significant digits."""


class ClassView(NamedTuple):
    """One class: its probability for programs, for people, and as the length of a bar of 100."""

    value: str
    label: str
    probability: str
    text: str
    bar: float


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


@dataclass(frozen=True, slots=True, eq=False)
class Notes(ConstantPart):
    """What stands below a prediction and depends only on which optional features are known.

    ``narrowing_field`` is the field that would narrow the interval most, ``narrowing_phrase`` its
    noun with a determiner, ``narrowing_percent`` by how much; all are "" where there is none.
    """

    narrowing_field: str
    narrowing_phrase: str
    narrowing_percent: str
    accuracy: str
    origin: str


class Result(NamedTuple):
    """What stands in ``#result``.

    ``state`` is the state of the result, ``announcement`` what a screen reader says. ``value`` is
    the unrounded prediction or the class, ``text`` the same for people, ``query`` the address that
    leads to the same result. ``classes`` are those with the highest probabilities, the first one
    first; ``certainty`` says in words how sure the model is.
    """

    state: Literal["empty", "fresh", "withdrawn"]
    heading: str
    noun: str = ""
    announcement: str = ""
    sentence: str = ""
    problems: tuple[Problem, ...] = ()
    value: str = ""
    text: str = ""
    interval: IntervalView | None = None
    classes: tuple[ClassView, ...] = ()
    certainty: str = ""
    explanation: ExplanationView | None = None
    notes: Notes | None = None
    what_if: str = ""
    query: str = ""
    today: str = ""


class Presenter(ABC, Generic[PredictionT]):
    """Turns one model's predictions into results; what no request changes is made once."""

    def __init__(self, model: TabularModel[PredictionT], scale: Scale) -> None:
        self._model: TabularModel[PredictionT] = model
        self._card = model.card
        self._predictor: ExplainedPredictor[PredictionT] = ExplainedPredictor(model)
        self._scale = scale
        self._explanations = ExplanationPresenter(model, scale, format_exact)
        trained = formatting.format_date(model.manifest.trained, self._card.locale)
        text = self._card.data_text or model.manifest.data.text
        self.origin = f"Trained on {trained} on {text}."
        self._notes: dict[frozenset[str], Notes] = {}
        self._origin_only = Notes("", "", "", "", self.origin)
        self._today = (-1, "")

    def present(self, submission: Submission | None) -> Result:
        """Present the result for a submission; None where nothing was typed yet."""
        if submission is None:
            return self._present_empty()
        if submission.features is None:
            return self._present_withdrawn(submission)
        return self._present_fresh(submission, submission.features)

    def get_notes(self, known: frozenset[str], out_of_distribution: bool = False) -> Notes:
        """Get the notes for these known optional features; made once for each set of them.

        A row out of distribution gets no accuracy: it was measured on rows like those in the data.
        """
        if out_of_distribution:
            return self._origin_only
        notes = self._notes.get(known)
        if notes is None:
            notes = self._notes[known] = self._make_notes(known)
        return notes

    def format_today(self) -> str:
        """Format today's date; looked up once a minute."""
        minute = int(time.time() / 60)
        if minute != self._today[0]:
            self._today = minute, formatting.format_date(dt.date.today(), self._card.locale)
        return self._today[1]

    @abstractmethod
    def _present_fresh(self, submission: Submission, features: Features) -> Result:
        """Present the result for a complete row."""

    def _present_empty(self) -> Result:
        output = self._card.output
        required = self._list_fields(field.name for field in self._card.fields if field.required)
        sentence = f"Enter {required}, and the {output.noun} appears here as you type."
        return Result("empty", output.label, sentence=sentence)

    def _present_withdrawn(self, submission: Submission) -> Result:
        heading = f"No {self._card.output.noun} yet"
        if submission.invalid:
            messages = "; ".join(submission.errors.values())
            return Result(
                "withdrawn",
                heading,
                announcement=f"{heading}. {messages}",
                sentence=FIX_TEXT,
                problems=submission.problems,
                what_if=submission.what_if,
            )
        if submission.query:
            heading = "Almost there"
        sentence = f"Still to fill in: {self._list_fields(submission.missing)}."
        return Result(
            "withdrawn",
            heading,
            announcement=f"{heading}. {sentence}",
            sentence=sentence,
            what_if=submission.what_if,
        )

    def _make_notes(self, known: frozenset[str]) -> Notes:
        intervals = self._model.intervals
        accuracy = self._model.manifest.accuracy
        name = phrase = percent = ""
        if intervals is not None:
            error = self._format_error(intervals.find_group(known).error, intervals.relative)
            accuracy = f"With these facts, half the time it is off by less than {error}."
            best = intervals.find_narrowing(known)
            if best is not None and best[1] >= 0.01:
                name = best[0]
                phrase = self._card.by_name[name].noun_phrase
                percent = formatting.format_percent(best[1], self._card.locale)
        elif self._model.manifest.metrics and len(known) < len(self._card.optional):
            # The accuracy was measured over all held-out rows, whatever was known of each.
            accuracy += " With facts left empty, as here, it may be wrong more often."
        return Notes(name, phrase, percent, accuracy, self.origin)

    def _format_error(self, error: float, relative: bool) -> str:
        if relative:
            return formatting.format_percent(error, self._card.locale, digits=1)
        return self._scale.format_difference(round_up(self._scale, error))

    def _list_fields(self, names: Iterable[str]) -> str:
        phrases = [self._card.by_name[name].noun_phrase for name in names]
        return format_list(phrases, locale=self._card.locale)
