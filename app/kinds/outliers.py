"""The adapter for a model of rows that says whether one is unusual."""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

from app.feedback.outcomes import KeptAnswer
from app.kinds.adapter import Payload, Schema
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import NUMBER, SHARE, build_answer, build_contributions_schema
from app.kinds.truths import ask_option
from app.presentation.contexts import ApiTexts, KindAbout
from app.presentation.result import Notes, write_notes
from app.presentation.scales import PercentScale
from model.contract import formatting
from model.contract.fields import AnyField, Option
from model.serving.kinds.outliers import INLIER, OUTLIER, OutlierModel
from model.serving.served_model import Explained, OutlierPrediction

METHOD_TEXT = (
    "The model gives each row a score. How unusual a row is compares its score with those of the "
    "rows that the model learned from: 90% means that it is more unusual than 90 of 100 of them."
)


class OutlierDetail(NamedTuple):
    """What the template of outliers shows: a bar from the most usual row to the most unusual.

    ``place`` is where the row stands, "" for none, and ``limit`` from where on a row is called
    unusual, both in percent of the whole width; ``width`` is that of what is unusual. ``title``
    says it in words.
    """

    title: str
    place: str
    limit: str
    width: str
    limit_text: str


class OutlierAdapter(RowAdapter[OutlierPrediction]):
    """Presents and serializes the predictions of a model that finds unusual rows."""

    model: OutlierModel
    styles = ("rows.css", "outliers.css")
    error_text = "Answered otherwise in"
    contributions_key = "rank"

    def __init__(self, model: OutlierModel) -> None:
        self._output = output = model.card.output
        self._labels = {OUTLIER: output.outlier_text, INLIER: output.inlier_text}
        labels = (output.inlier_text, output.outlier_text)
        super().__init__(model, PercentScale(model.card.locale, labels, (0.0, 1.0)))

    def make_truth_field(self) -> AnyField:
        options = [Option(value=value, label=label) for value, label in self._labels.items()]
        return ask_option(self._output.noun, tuple(options))

    def summarize_answer(self, explained: Explained[OutlierPrediction]) -> KeptAnswer:
        return KeptAnswer(OUTLIER if explained.prediction.is_outlier else INLIER)

    def _write_headline(self, explained: Explained[OutlierPrediction], case: str = "") -> Headline:
        is_outlier, _, rank = explained.prediction
        label = OUTLIER if is_outlier else INLIER
        text, certainty = self._labels[label], self._describe_rank(rank)
        place = f"{100 * rank:.1f}"
        return Headline(
            label,
            text,
            certainty,
            "",
            f": {text}. {certainty}",
            self._draw(certainty, place),
            rank,
            subject="How unusual it is",
            total_label=f"This {self._card.case_noun}",
        )

    def _describe_rank(self, rank: float) -> str:
        rows = self._card.rows_noun
        count = round(100 * rank)
        if rank >= 1:
            number = formatting.format_number(self.model.manifest.data.rows, self._card.locale)
            return f"It is more unusual than every one of the {number} {rows}."
        if count >= 100:
            return f"It is more unusual than over 99 of 100 {rows}."
        if count <= 0:
            return f"Hardly any of the {rows} is more usual."
        return f"It is more unusual than {count} of 100 {rows}."

    def _draw(self, title: str, place: str) -> OutlierDetail:
        share = 100 * self.model.outlier_share
        return OutlierDetail(title, place, f"{100 - share:.1f}", f"{share:.1f}", self._limit_text)

    @cached_property
    def _limit_text(self) -> str:
        share = formatting.format_percent(self.model.outlier_share, self._card.locale, digits=1)
        return f"The model calls {share} of the {self._card.rows_noun} unusual."

    @cached_property
    def _blank(self) -> OutlierDetail:
        return self._draw(self._limit_text, "")

    @property
    def batch_headings(self) -> Mapping[str, str]:
        return {"label": self._output.label, "rank": "More unusual than"}

    def _make_notes(self, known: frozenset[str], broken: str = "") -> Notes:
        return write_notes(self._origin, self.model.manifest.accuracy)

    def _serialize_prediction(self, explained: Explained[OutlierPrediction]) -> Payload:
        is_outlier, score, rank = explained.prediction
        return {
            "label": OUTLIER if is_outlier else INLIER,
            "unusual": is_outlier,
            "rank": rank,
            "score": score,
            **self._serialize_contributions(explained),
        }

    def _build_answer_schema(self) -> Schema:
        contributions = build_contributions_schema(self._card, {"rank": SHARE})
        contributions["description"] = "What contributes to the rank."
        label = {"type": "string", "enum": [OUTLIER, INLIER], "title": self._output.label}
        return build_answer(
            {
                "label": label,
                "unusual": {"type": "boolean", "description": "Whether it is an outlier."},
                "rank": {
                    **SHARE,
                    "description": "The share of the training rows that are less unusual.",
                },
                "score": {
                    **NUMBER,
                    "description": "The model's own (decision_function), below 0 for an outlier.",
                },
            },
            contributions,
        )

    def api_texts(self) -> ApiTexts:
        return self._describe_api("label", "rank")

    def about(self) -> KindAbout:
        return self._about(f"{METHOD_TEXT} {self._limit_text}", "What unusual means")
