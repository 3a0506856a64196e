"""The adapter for a model of rows that answers with a cluster, which visitors know as a group."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from app.feedback.outcomes import KeptAnswer
from app.kinds.adapter import Payload, Schema, list_labels
from app.kinds.rows import Headline, RowAdapter
from app.kinds.schemas import (
    NUMBER,
    SHARE,
    build_answer,
    build_contributions_schema,
    build_labels_schema,
    build_object,
)
from app.kinds.truths import ask_option
from app.presentation.contexts import ApiTexts, KindAbout
from app.presentation.figures import protect_figures
from app.presentation.result import ClassView, Notes, write_notes
from app.presentation.scales import MAX_CERTAINTY, PercentScale, format_exact
from model.contract import formatting
from model.contract.fields import AnyField
from model.contract.manifest import ClusterProfile, TypicalFact
from model.serving.kinds.clusters import ClusterModel
from model.serving.served_model import ClusterPrediction, Explained

MAX_CLUSTERS = 6
"""Clusters that are shown with a bar each."""

_BETWEEN = 1.1
"""How many times as far the next centre may be for a row that stands between two."""

SCALE_TEXT = protect_figures(
    "Percentages say how clearly it belongs to a group: 100% at the centre, 0% at the border, "
    "less beyond it."
)
CLARITY_TEXT = (
    "How clearly a row belongs to its group compares the distances to the two nearest centres: 0% "
    "is the border between two groups, 100% the centre of one, and below 0% another group is "
    "nearer (the simplified silhouette)."
)
PROBABILITY_TEXT = (
    "The probabilities are those of the mixture that the model found in its data. Nobody has "
    "checked them, for nobody knows to which group a row truly belongs."
)


class TypicalView(NamedTuple):
    """What is typical of a cluster in one fact: the fact's label, and the values in words."""

    label: str
    text: str


class ClusterDetail(NamedTuple):
    """What the template of clusters shows: a bar for each of the nearest, and what is typical.

    ``scale_text`` says what the percentages of reasons and curve mean, where nothing else does.
    ``rows_text`` says how many rows of the data are in the cluster.
    """

    shares: tuple[ClassView, ...]
    scale_text: str
    title: str
    rows_text: str
    facts: tuple[TypicalView, ...]


class ClusterAdapter(RowAdapter[ClusterPrediction]):
    """Presents and serializes the predictions of a model of clusters."""

    model: ClusterModel
    styles = ("rows.css", "clusters.css")
    error_text = "Named another group in"

    def __init__(self, model: ClusterModel) -> None:
        self._output = output = model.card.output
        self._labels = {item.value: item.label for item in output.clusters}
        self._is_probability = output.measure == "probability"
        self._scale_text = SCALE_TEXT if output.measure == "distance" else ""
        self.contributions_key = model.measure_name
        bounds = (1 - MAX_CERTAINTY, MAX_CERTAINTY) if self._is_probability else (-1.0, 1.0)
        scale = PercentScale(model.card.locale, tuple(self._labels.values()), bounds)
        super().__init__(model, scale)

    def make_truth_field(self) -> AnyField:
        return ask_option(self._output.noun, self._output.clusters)

    def summarize_answer(self, explained: Explained[ClusterPrediction]) -> KeptAnswer:
        label, clarity, _ = explained.prediction
        return KeptAnswer(label, probability=clarity if self._is_probability else None)

    @cached_property
    def _profiles(self) -> dict[str, tuple[str, tuple[TypicalView, ...]]]:
        return {
            profile.cluster: (self._describe_rows(profile), self._describe_facts(profile.facts))
            for profile in self.model.manifest.clusters
        }

    def _describe_rows(self, profile: ClusterProfile) -> str:
        rows = formatting.format_number(profile.rows, self._card.locale)
        every = formatting.format_number(
            sum(other.rows for other in self.model.manifest.clusters), self._card.locale
        )
        text = f"{rows} of {every} {self._card.rows_noun} are in this group."
        if profile.facts:
            return text
        return f"{text} No fact sets it apart clearly, or there are too few of them to tell."

    def _describe_facts(self, facts: Iterable[TypicalFact]) -> tuple[TypicalView, ...]:
        views = []
        for fact in facts:
            field = self._card.by_name[fact.field]
            low, high = (field.format_value(field.decode(code)) for code in (fact.low, fact.high))
            if fact.inside is not None and fact.outside is not None:
                inside, outside = (
                    formatting.format_percent(share, self._card.locale)
                    for share in (fact.inside, fact.outside)
                )
                text = f"{low} for {inside} of them, and for {outside} of all others"
            elif low == high:
                text = f"{low} for half of them"
            else:
                text = f"{low} to {high} for half of them"
            views.append(TypicalView(field.label, text))
        return tuple(views)

    def _write_headline(self, explained: Explained[ClusterPrediction], case: str = "") -> Headline:
        prediction = explained.prediction
        label = self._labels[prediction.label]
        certainty = (
            self._add_mismatch(self.model.guess_text, explained)
            if explained.out_of_distribution
            else self._describe_clarity(prediction)
        )
        rows_text, facts = self._profiles[prediction.label]
        subject = f"How clearly it is {label}"
        return Headline(
            prediction.label,
            label,
            certainty,
            "A guess" if explained.out_of_distribution else "",
            f": {formatting.end_sentence(label)} {certainty}",
            ClusterDetail(
                self._present_shares(prediction),
                self._scale_text,
                f"Typical of {label}",
                rows_text,
                facts,
            ),
            prediction.clarity,
            subject=f"Probability of {label}" if self._is_probability else subject,
            total_label=label,
        )

    def _describe_clarity(self, prediction: ClusterPrediction) -> str:
        """Say how clearly a row belongs to its cluster, in comparison with the next."""
        if prediction.clarity is None:
            return "The model names the group and does not say how clearly."
        nearest = self._rank(prediction)
        (_, own), (value, other) = nearest[:2]
        following = self._labels[value]
        if self._is_probability:
            sure, rest = self._scale.format(own), self._scale.format(other)
            return f"The model gives this group {sure}, and the next, {following}, {rest}."
        if not own:
            return f"It is at the very centre of the group; the next is {following}."
        times = other / own
        if times < _BETWEEN:
            return f"It stands between two groups: {following} is nearly as near."
        number = formatting.format_short(float(f"{times:.2g}"), self._card.locale)
        return f"The next group, {following}, is {number} times as far away."

    def _rank(self, prediction: ClusterPrediction) -> list[tuple[str, float]]:
        """Each cluster with its probability or distance, the one with the most affinity first."""
        pairs = zip(self._labels, prediction.affinities, strict=True)
        ordered = sorted(pairs, key=lambda pair: -pair[1])
        return [(value, abs(affinity)) for value, affinity in ordered]

    def _present_shares(self, prediction: ClusterPrediction) -> tuple[ClassView, ...]:
        if prediction.clarity is None:
            return ()
        ranked = self._rank(prediction)[:MAX_CLUSTERS]
        least = ranked[0][1]
        views: list[ClassView] = []
        for value, amount in ranked:
            if self._is_probability:
                text, bar = self._scale.format(amount), amount
            else:
                bar = least / amount if amount else 1.0
                times = formatting.format_short(
                    float(f"{1 / bar if bar else 99:.2g}"), self._card.locale
                )
                text = "nearest" if not views else f"{times} times as far"
            shown = round(100 * bar, 1)
            mark = "within" if views else "up"
            label = self._labels[value]
            views.append(ClassView(value, label, format_exact(amount), text, shown, mark))
        return tuple(views)

    @property
    def _blank(self) -> ClusterDetail:
        shown = self._output.clusters[:MAX_CLUSTERS] if self._output.measure != "none" else ()
        shares = tuple(ClassView(item.value, item.label, "", "", 0.0) for item in shown)
        return ClusterDetail(shares, self._scale_text, "", "", ())

    @property
    def batch_headings(self) -> Mapping[str, str]:
        heading = "Probability" if self._is_probability else "How clearly"
        shown = {} if self._output.measure == "none" else {self.model.measure_name: heading}
        return {"label": self._output.label, **shown}

    def _make_notes(self, known: frozenset[str], broken: str = "") -> Notes:
        return write_notes(self._origin, self.model.manifest.accuracy)

    def _serialize_prediction(self, explained: Explained[ClusterPrediction]) -> Payload:
        """Contributions are to the clarity or the probability of the label."""
        label, clarity, affinities = explained.prediction
        if clarity is None:
            return {"label": label}
        amounts = dict(zip(self._labels, map(abs, affinities), strict=True))
        return {
            "label": label,
            self.model.measure_name: clarity,
            "probabilities" if self._is_probability else "distances": amounts,
            **self._serialize_contributions(explained),
        }

    def _build_answer_schema(self) -> Schema:
        label = build_labels_schema(self._output.label, self._output.clusters)
        if self._output.measure == "none":
            return build_answer({"label": label}, None)
        if self._is_probability:
            text, plural, amount = "That of the label.", "probabilities", SHARE
            clarity: Schema = SHARE
        else:
            text, plural = "0 on the border to the next group, 1 at the centre.", "distances"
            amount = {**NUMBER, "minimum": 0}
            clarity = {**NUMBER, "minimum": -1, "maximum": 1}
        name = self.model.measure_name
        contributions = build_contributions_schema(self._card, {name: clarity})
        contributions["description"] = f"What contributes to the {name} of the label."
        each = {item.value: {**amount, "title": item.label} for item in self._output.clusters}
        return build_answer(
            {
                "label": label,
                name: {**clarity, "description": text},
                plural: build_object(each),
            },
            contributions,
        )

    def api_texts(self) -> ApiTexts:
        texts = self._describe_api("label", self.model.measure_name)
        return texts._replace(labels=list_labels(self._output.clusters))

    def about(self) -> KindAbout:
        text = PROBABILITY_TEXT if self._is_probability else CLARITY_TEXT
        if self._output.measure == "none":
            text = "The model names a group and does not say how clearly a row belongs to it."
        described = []
        for value, (rows_text, facts) in self._profiles.items():
            listed = "; ".join(f"{fact.label.lower()} {fact.text}" for fact in facts)
            listed = formatting.capitalize(listed)
            described.append(f"{self._labels[value]}: {rows_text} {listed}".strip().rstrip("."))
        lines = "".join(f"\n{line}." for line in described)
        return self._about(text + lines, "What the groups are")
