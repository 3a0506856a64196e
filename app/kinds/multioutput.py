"""The adapter for a model of rows that answers with several numbers."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from app.feedback.outcomes import KeptAnswer, OutputValue
from app.kinds.adapter import Payload, Schema
from app.kinds.number import IntervalView, NumberAdapter, StripView
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import build_object
from app.presentation.batches import BatchAnswers, Tally
from app.presentation.contexts import ApiTexts, KindAbout
from app.presentation.result import Result
from app.presentation.submission import Submission
from model import Features
from model.contract import formatting
from model.contract.fields import AnyField
from model.serving.kinds.multioutput import MultioutputModel
from model.serving.served_model import Explained, MultioutputPrediction, PointPrediction

_KEYS = ("prediction", "unit", "interval")
"""What an answer says of each number."""


class OutputView(NamedTuple):
    """Another output: its name and value for programs, and both with its range for people.

    ``what_if`` is what an address says to have its reasons, "" where no what-if can go over a fact.
    """

    name: str
    label: str
    value: str
    text: str
    range_text: str
    what_if: str


class MultioutputDetail(NamedTuple):
    """What the template of several numbers shows: that of the chosen one, and the others."""

    interval: IntervalView | None
    strip: StripView
    lead: str
    others: tuple[OutputView, ...]


class MultioutputAdapter(RowAdapter[MultioutputPrediction]):
    """Presents and serializes several numbers: one adapter of a number each."""

    model: MultioutputModel
    answer_noun = "estimate"
    contributions_key = "prediction"
    styles = ("rows.css", "multioutput.css")
    error_text = NumberAdapter.error_text

    def __init__(self, model: MultioutputModel) -> None:
        output = model.card.output
        self._names = [output.name, *(other.name for other in output.others)]
        self._adapters = [
            NumberAdapter(alone, f"{name}." if place else "")
            for place, (name, alone) in enumerate(zip(self._names, model.models, strict=True))
        ]
        self._first = self._adapters[0]
        super().__init__(model, self._first._scale)
        self.words = self._first.words
        # The truths that become known are those of the first number.
        self._first.find_broken = lambda: self.find_broken()

    def make_truth_field(self) -> AnyField:
        return self._first.make_truth_field()

    def summarize_answer(self, explained: Explained[MultioutputPrediction]) -> KeptAnswer:
        return self._first.summarize_answer(self._select(explained, 0))

    def format_value(self, value: OutputValue) -> str:
        return self._first.format_value(value)

    def format_error(self, error: float) -> str:
        return self._first.format_error(error)

    def present(
        self,
        submission: Submission[Features] | None,
        explained: Explained[MultioutputPrediction] | None,
    ) -> Result:
        if submission is None or explained is None or submission.row is None:
            return super().present(submission, explained)
        place = explained.prediction.place
        result = self._adapters[place].present(submission, self._select(explained, place))
        headline = self._write_headline(explained)
        announcement = f"{result.label}{headline.announcement}"
        return result._replace(detail=headline.detail, announcement=announcement)

    def _select(
        self, explained: Explained[MultioutputPrediction], place: int
    ) -> Explained[PointPrediction]:
        """What is explained, as the answer of one output."""
        return Explained(explained.prediction.values[place], *explained[1:])

    def _write_headline(
        self, explained: Explained[MultioutputPrediction], case: str = ""
    ) -> Headline:
        chosen = explained.prediction.place
        headline = self._adapters[chosen]._write_headline(self._select(explained, chosen), case)
        others = tuple(
            self._present_other(explained, place)
            for place in range(len(self._adapters))
            if place != chosen
        )
        also = " ".join(formatting.end_sentence(f"{other.label}: {other.text}") for other in others)
        assert headline.detail is not None  # noqa: S101 (that of a number)
        interval, strip, lead = headline.detail
        return headline._replace(
            announcement=f"{headline.announcement} {also}",
            detail=MultioutputDetail(interval, strip, lead, others),
        )

    def _present_other(self, explained: Explained[MultioutputPrediction], place: int) -> OutputView:
        adapter = self._adapters[place]
        alone = adapter._write_headline(self._select(explained, place))
        interval = None if alone.detail is None else alone.detail[0]
        range_text = ""
        if interval is not None:
            range_text = f"{interval.short}{interval.low_text} to {interval.high_text}"
        field = adapter.default_what_if
        return OutputView(
            self._names[place],
            adapter._output.label,
            alone.value,
            alone.text,
            range_text,
            adapter.what_if_prefix + field if field else "",
        )

    @property
    def _blank(self) -> MultioutputDetail:
        return MultioutputDetail(*self._first._blank, ())

    def _compute_gains(self, known: frozenset[str]) -> dict[str, float]:
        return self._first._compute_gains(known)

    @property
    def batch_headings(self) -> Mapping[str, str]:
        others = zip(self._names[1:], self._adapters[1:], strict=True)
        labels = {name: adapter._output.label for name, adapter in others}
        return {**self._first.batch_headings, **labels}

    def present_batch(self, tally: Tally) -> BatchAnswers:
        return self._first.present_batch(tally)

    def format_batch_value(self, name: str, values: Mapping[str, Any]) -> str:
        if name not in self._names[1:]:
            return self._first.format_batch_value(name, values)
        adapter = self._adapters[self._names.index(name)]
        return adapter.format_batch_value("prediction", {"prediction": values[name]})

    def _serialize_prediction(self, explained: Explained[MultioutputPrediction]) -> Payload:
        """Contributions are to the first output."""
        alone = {}
        for place, name in enumerate(self._names):
            payload = self._adapters[place]._serialize_prediction(self._select(explained, place))
            alone[name] = {key: payload[key] for key in _KEYS if key in payload}
        first = self._first._serialize_prediction(self._select(explained, 0))
        return {**first, "outputs": alone}

    def _build_answer_schema(self) -> Schema:
        schemas = [adapter._build_answer_schema() for adapter in self._adapters]
        outputs = {
            name: build_object(
                {key: part for key, part in schema["properties"].items() if key in _KEYS}
            )
            for name, schema in zip(self._names, schemas, strict=True)
        }
        schema = schemas[0]
        return {
            **schema,
            "properties": {**schema["properties"], "outputs": build_object(outputs)},
            "required": [*schema["required"], "outputs"],
        }

    def api_texts(self) -> ApiTexts:
        return self._describe_api("prediction", "outputs")

    def about(self) -> KindAbout:
        about = self._first.about()
        return about._replace(accuracy=self.model.manifest.accuracy)
