"""The adapter for a model of rows that answers with a number."""

import math
from collections.abc import Mapping
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup

from app.feedback.outcomes import KeptAnswer, OutputValue
from app.kinds.adapter import Payload, Schema
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import (
    COVERAGE,
    NUMBER,
    build_answer,
    build_contributions_schema,
    build_object,
)
from app.kinds.truths import ask_number
from app.presentation import charts
from app.presentation.batches import BatchAnswers, Tally, present_distribution
from app.presentation.contexts import ApiTexts, KindAbout, ScatterView
from app.presentation.figures import protect_figures
from app.presentation.plots import plot_coverage, plot_truth
from app.presentation.result import Notes, write_notes
from app.presentation.scales import NumberScale, format_exact, round_up, write_held
from model.contract import formatting
from model.contract.fields import AnyField
from model.contract.manifest import BINS, Outcomes
from model.serving.intervals import describe_evidence
from model.serving.kinds.number import NumberModel
from model.serving.served_model import Explained, PointPrediction, PredictionInterval

GUESS_TEXT = "The model has seen nothing like this, so this is a guess."
"""What the page says of a row out of distribution where there is no interval."""

TYPICAL_TEXT = "typical"
"""The label of the answer to the typical row."""

LEAST_GAIN = 0.01
"""The least share by which a feature narrows the range that is worth a word."""

CLEAR_CORRELATION = 0.1
"""From here on, a feature usually goes with higher or with lower answers."""


class IntervalView(NamedTuple):
    """The interval as a sentence, split at its two bounds; on a phone they follow ``short``.

    ``low`` and ``high`` are unrounded, for programs that read the page.
    """

    before: str
    low: str
    low_text: str
    between: str
    high: str
    high_text: str
    after: Markup
    short: str


class RangeSentence(NamedTuple):
    """What stands before, between and after the ends of a range; ``shown_after`` in HTML."""

    before: str
    between: str
    after: str
    shown_after: Markup


class StripView(NamedTuple):
    """The answer among all outcomes; ``title`` says in words what is drawn.

    ``own_text`` stands at the answer, "" where there is none, ``typical_value`` at the typical one.
    ``rank`` is how many of a hundred outcomes are lower, "" where nobody counted them.
    """

    geometry: charts.StripGeometry
    title: str
    own_text: str
    typical_value: str
    rank: str


class NumberDetail(NamedTuple):
    """What the template of a number shows; ``interval`` is None where there is none.

    ``lead`` is the range where it stands before the number, "" elsewhere.
    """

    interval: IntervalView | None
    strip: StripView
    lead: str = ""


class NumberAdapter(RowAdapter[PointPrediction]):
    """Presents and serializes the predictions of a model of numbers."""

    model: NumberModel
    answer_noun = "estimate"
    contributions_key = "prediction"
    error_text = "Half the time it was off by less than"

    def __init__(self, model: NumberModel, what_if_prefix: str = "") -> None:
        self.what_if_prefix = what_if_prefix
        super().__init__(model, NumberScale(model.card))
        self._output = model.card.output
        self._guess = _split_sentence(f"{self._output.outside_text}.", "")
        self._get_evidence = lru_cache(maxsize=1024)(self._find_evidence)
        self._get_sentence = lru_cache(maxsize=1024)(self._make_sentence)
        assert model.manifest.axis is not None  # noqa: S101 (it was checked)
        self._axis = model.manifest.axis
        # With the required facts alone, as in the first answer, so that the mark keeps its place.
        reference = {**model.manifest.reference, **dict.fromkeys(model.card.optional)}
        (typical,) = model.predict([reference])
        self._typical = typical.value
        outcomes = model.manifest.outcomes
        self._below = None if outcomes is None else _count_below(outcomes)
        assert self.words is not None  # noqa: S101 (those of rows)
        if outcomes is not None:
            self.words = self.words._replace(
                bars=charts.draw_bars(outcomes.counts), bars_text=self._describe_bars(outcomes)
            )
        self.words = self.words._replace(
            similar_text=f"{self.words.similar_text} They are the rings above."
        )

    @property
    def outcomes(self) -> tuple[int, ...]:
        counted = self.model.manifest.outcomes
        return () if counted is None else counted.counts

    def _describe_bars(self, outcomes: Outcomes) -> str:
        card, inside = self._card, sum(outcomes.counts)
        count, every = (
            formatting.format_number(number, card.locale)
            for number in (inside, inside + outcomes.below + outcomes.above)
        )
        if count == every:
            return f"The bars are all {every} {card.rows_noun}."
        return f"The bars are {count} of {every} {card.rows_noun}; the others lie beyond the ends."

    def _find_directions(self) -> dict[str, int]:
        neighbors, found = self.model.neighbors, {}
        if neighbors is None:
            return {}
        for name, column in zip(self._card.names, neighbors.rows.T, strict=True):
            known = ~np.isnan(column)
            field = self._card.by_name[name]
            if field.options or field.is_text or np.ptp(column[known]) == 0:
                continue
            share = np.corrcoef(column[known], neighbors.targets[known])[0, 1]
            if abs(share) >= CLEAR_CORRELATION:
                found[name] = 1 if share > 0 else -1
        return found

    def make_truth_field(self) -> AnyField:
        return ask_number(self._output, self._card.locale, self._axis, self._typical, self._scale)

    def summarize_answer(self, explained: Explained[PointPrediction]) -> KeptAnswer:
        value, interval = explained.prediction
        return (
            KeptAnswer(value)
            if interval is None
            else KeptAnswer(value, interval.low, interval.high)
        )

    def format_value(self, value: OutputValue) -> str:
        return self._scale.format(float(value))

    def format_error(self, error: float) -> str:
        return self._scale.format_difference(round_up(self._scale, error))

    def _write_headline(self, explained: Explained[PointPrediction], case: str = "") -> Headline:
        value, interval = explained.prediction
        text = self._scale.format(self._scale.round(value))
        if interval is None:
            guess = GUESS_TEXT if explained.out_of_distribution else ""
            certainty = self._add_mismatch(guess, explained)
            announcement = f" {formatting.end_sentence(text)} {certainty}".rstrip()
            detail = NumberDetail(None, self._present_strip(explained, text, case))
            return Headline(
                format_exact(value), text, certainty, certainty, announcement, detail, value
            )
        is_guess = explained.out_of_distribution
        sentence = self._guess
        if not is_guess:
            sentence = self._get_sentence(explained.known, self.find_broken())
        elif explained.mismatch is not None:
            after = self._add_mismatch(sentence.after, explained)
            sentence = sentence._replace(after=after, shown_after=protect_figures(after))
        view = self._present_interval(interval, sentence, is_guess)
        announcement = (
            f" {formatting.end_sentence(text)} "
            f"{view.before}{view.low_text}{view.between}{view.high_text}{sentence.after}"
        )
        lead = f"{view.low_text} to {view.high_text}" if self._output.lead == "range" else ""
        detail = NumberDetail(view, self._present_strip(explained, text, case), lead)
        return Headline(format_exact(value), text, "", "", announcement, detail, value)

    def _present_interval(
        self, interval: PredictionInterval, sentence: RangeSentence, is_guess: bool
    ) -> IntervalView:
        low, high = interval.low, interval.high
        high_text = self._scale.format(self._scale.round(high, math.ceil))
        if sentence.after.startswith("."):
            high_text = high_text.removesuffix(".")  # of the unit
        return IntervalView(
            sentence.before,
            format_exact(low),
            self._scale.format(self._scale.round(low, math.floor)),
            sentence.between,
            format_exact(high),
            high_text,
            sentence.shown_after,
            "A guess: " if is_guess else "",
        )

    def _make_sentence(self, known: frozenset[str], broken: str) -> RangeSentence:
        """Make the sentence about the interval for these known optional features.

        Where too few held, ``broken`` says how many of the last cases did, and this is what counts.
        """
        if broken:
            return _split_sentence(f"{self._output.range_text}.", broken)
        assert self.model.intervals is not None  # noqa: S101 (there is an interval)
        group = self.model.intervals.find_group(known)
        share = self.model.intervals.find_share(group)
        text = write_held(share, group.rows)
        return _split_sentence(f"{self._output.range_text}.", text)

    def _present_strip(
        self, explained: Explained[PointPrediction], text: str, case: str
    ) -> StripView:
        """Present an answer, and its text, among all outcomes."""
        value, interval = explained.prediction
        shapley = explained.shapley
        typical = self._typical if shapley is None else shapley.base
        # The typical case itself has one number wherever it stands.
        typical_value = text if typical == value else self._format_finely(typical)
        noun = self._card.case_noun
        rank = self._describe_rank(value)
        own_text = case or f"this {noun}"
        return StripView(
            charts.lay_out_strip(
                self._axis,
                typical,
                value,
                None if interval is None else (interval.low, interval.high),
                [row.target for row in explained.neighbors],
                self._scale,
                (own_text, TYPICAL_TEXT, f" {typical_value}"),
            ),
            f"{self._output.label} {text}; a typical {noun} {typical_value}.",
            own_text,
            typical_value,
            rank,
        )

    def _format_finely(self, value: float) -> str:
        """Format a value to the step of the contributions, which begin at the typical one."""
        step = self._scale.fine_step
        return self._scale.format(round(value / step) * step)

    def _describe_rank(self, value: float) -> str:
        """Say how many of a hundred outcomes in the data are lower; "" where nobody counted."""
        if self._below is None:
            return ""
        low, high = self._axis
        place = min(max((value - low) / (high - low), 0.0), 1.0) * BINS
        number = min(int(place), BINS - 1)
        first, second = self._below[number : number + 2]
        below = first + (second - first) * (place - number)
        return str(round(100 * below / self._below[-1]))

    @cached_property
    def _blank(self) -> NumberDetail:
        text = self._format_finely(self._typical)
        labels = "", TYPICAL_TEXT, f" {text}"
        geometry = charts.lay_out_strip(
            self._axis, self._typical, None, None, (), self._scale, labels
        )
        title = f"A typical {self._card.case_noun}: {text}"
        return NumberDetail(None, StripView(geometry, title, "", text, ""))

    def _make_notes(self, known: frozenset[str], broken: str = "") -> Notes:
        intervals = self.model.intervals
        if intervals is None:
            return super()._make_notes(known, broken)
        error = intervals.find_group(known).error
        if intervals.relative:
            off = formatting.format_percent(error, self._card.locale, digits=1)
        else:
            off = self._scale.format_difference(round_up(self._scale, error))
        accuracy = "With these facts, half the time it is off by less than"
        return write_notes(self._origin, accuracy, off, self._get_evidence(known, broken) or "")

    def _compute_gains(self, known: frozenset[str]) -> dict[str, float]:
        intervals = self.model.intervals
        gains = {} if intervals is None else intervals.measure_gains(known)
        return {name: share for name, share in gains.items() if share >= LEAST_GAIN}

    @property
    def batch_headings(self) -> Mapping[str, str]:
        ends = {} if self.model.intervals is None else {"low": "From", "high": "To"}
        return {"prediction": self._output.label, **ends}

    def present_batch(self, tally: Tally) -> BatchAnswers:
        found = present_distribution(tally, self._typical, self._scale, self._card.case_noun)
        return BatchAnswers((), found)

    def format_batch_value(self, name: str, values: Mapping[str, Any]) -> str:
        rounding = {"low": math.floor, "high": math.ceil}.get(name, round)
        return self._scale.format(self._scale.round(values[name], rounding))

    def _serialize_prediction(self, explained: Explained[PointPrediction]) -> Payload:
        value, interval = explained.prediction
        return {
            "prediction": value,
            **({"unit": self._output.unit} if self._output.format == "duration" else {}),
            "interval": None
            if interval is None
            else {
                "low": interval.low,
                "high": interval.high,
                **self._serialize_evidence(explained, interval),
            },
            **self._serialize_contributions(explained),
        }

    def _serialize_evidence(
        self, explained: Explained[PointPrediction], interval: PredictionInterval
    ) -> Payload:
        """Serialize how often such intervals held; nobody knows for a row unlike the data."""
        if explained.out_of_distribution:
            return {"coverage": None, "evidence": None}
        evidence = self._get_evidence(explained.known, self.find_broken())
        return {"coverage": interval.coverage, "evidence": evidence}

    def _find_evidence(self, known: frozenset[str], broken: str = "") -> str | None:
        intervals = self.model.intervals
        if intervals is None:
            return None
        text = describe_evidence(intervals.find_group(known), self._card.locale)
        if broken:
            text += f" That is no longer true: it held for {broken} {self._card.rows_noun}."
        return text.strip() or None

    def _build_answer_schema(self) -> Schema:
        prediction = {**NUMBER, "title": self._output.label}
        if self._output.unit:
            prediction["description"] = f"In {self._output.unit}, not rounded."
        elif self._output.format == "percent":
            prediction["description"] = "A share, from 0 to 1, not rounded."
        prediction |= {
            key: bound
            for key, bound in (("minimum", self._output.min), ("maximum", self._output.max))
            if bound is not None
        }
        unit: Schema = {"type": "string", "const": self._output.unit}
        return build_answer(
            {
                "prediction": prediction,
                **({"unit": unit} if self._output.format == "duration" else {}),
                "interval": self._build_interval_schema(),
            },
            build_contributions_schema(self._card, {"prediction": NUMBER}),
        )

    def _build_interval_schema(self) -> Schema:
        if self.model.intervals is None:
            return {"type": "null", "description": "This model has no interval."}
        evidence = {
            "type": ["string", "null"],
            "description": "What that was measured on, and what it cannot promise.",
        }
        return build_object(
            {"low": NUMBER, "high": NUMBER, "coverage": COVERAGE, "evidence": evidence}
        )

    def _format_rounded(self, value: float) -> str:
        return self._scale.format(self._scale.round(value))

    def api_texts(self) -> ApiTexts:
        return self._describe_api("prediction", "interval")

    def about(self) -> KindAbout:
        calibration, intervals = self.model.manifest.calibration, self.model.intervals
        method, plots, bins = "", [], self.model.manifest.truth_bins
        if bins:
            plots.append(plot_truth(bins, self._output.noun, self._format_rounded))
        if calibration is not None and intervals is not None:
            every = frozenset(self._card.optional)
            evidence = self._get_evidence(every) or ""
            if every and evidence:
                evidence = f"With every fact given: {evidence[0].lower()}{evidence[1:]}"
            method = f"{calibration.method} {evidence}".rstrip()
            if fifths := intervals.find_group(every).fifths:
                plots.append(plot_coverage(fifths, calibration.coverage))
        about = self._about(method, "What the range means", plots)
        return about._replace(scatter=self._present_scatter())

    def _present_scatter(self) -> ScatterView | None:
        held_out, card = self.model.manifest.held_out, self._card
        if held_out is None:
            return None
        rows = formatting.format_number(held_out.rows, card.locale)
        share = formatting.format_percent(held_out.close, card.locale)
        return ScatterView(
            charts.lay_out_scatter(held_out, self._axis, self._scale),
            f"Estimates of {rows} {card.rows_noun} against what they came to: {share} are within "
            "10% of it.",
            f"Each dot is one of the {rows} {card.rows_noun}, estimated by a model that had not "
            "seen it, from all that is known of it; a larger dot is several at one place. Above "
            "the line the estimate is too high, below it too low. "
            f"{share} of them are within 10%.",
            "What it was",
        )


def _count_below(outcomes: Outcomes) -> tuple[int, ...]:
    """How many outcomes lie below the left end of each bin, below the last one, and at all."""
    counts = (outcomes.below, *outcomes.counts)
    return (*accumulate(counts), sum(counts) + outcomes.above)


def _split_sentence(sentence: str, share: str) -> RangeSentence:
    """Fill the slot {share} of a sentence, and split it at {low} and {high}."""
    before, between, after = sentence.format(share=share, low="\0", high="\0").split("\0")
    return RangeSentence(before, between, after, protect_figures(after))
