"""Adding a model that sorts rows into clusters that it found by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from model.contract import formatting
from model.contract.arrays import BoolArray, Float64Array
from model.contract.manifest import ClusterProfile, Metric, TypicalFact
from model.contract.outputs import MOST_CLASSES
from model.making.columns.drafting import DraftOutput
from model.making.columns.naming import Naming, format_choice, name_rows
from model.making.errors import AddError
from model.making.kinds.class_evidence import comes_first, list_surest_rows
from model.making.kinds.classes import ClassesKind
from model.making.kinds.evidence import Fit
from model.making.kinds.output_kind import Band, Evaluation, OutputKind, make_metric
from model.making.kinds.without_truth import answer_training_rows, find_estimator_type
from model.making.onnx.graphs import CompileError, append_negative
from model.making.options import LOCALE, AddNote, AddOptions
from model.making.rows.dataset import Dataset
from model.making.rows.prepared import TOLERANCE, PredictFloat64
from model.serving.kinds.clusters import (
    ClusterModel,
    compute_clarity,
    count_clusters,
    find_measure,
    measure_affinities,
)
from model.serving.served_model import ServedModel

_MOST_FACTS = 3
_LEAST_ROWS = 10
"""Rows of a cluster below which what is typical of them would show one of them."""
_LEAST_DIFFERENCE = 0.2
"""Standard deviations below which a fact does not set a cluster apart."""
_LETTERS = "abcdef"
_LEAST_AGREEMENT = 0.9
NO_TRUTH = (
    "There is no truth to measure it by, because the model found the groups by itself; so no "
    "accuracy is claimed."
)


@dataclass(frozen=True)
class ClustersKind(ClassesKind):
    """One of several clusters: their numbers are its classes, its answers are affinities.

    See ``ClusterPrediction`` for affinities, and ``ClusterOutput`` for ``measure``.
    """

    name = "clusters"
    answers_text = "Groups"
    output = "affinities"
    has_truth = False
    weighs_classes = False
    option = "--clusters"
    noun = "group"
    measure: str = "none"

    @classmethod
    def from_estimator(cls, fitted: Any, where: str) -> "ClustersKind | None":
        """Return the kind of an estimator that answers so.

        Raises:
            AddError: if it found no clusters, or a single one.
        """
        kind = find_estimator_type(fitted)
        if kind not in ("clusterer", "density_estimator") or not hasattr(fitted, "predict"):
            return None
        count = count_clusters(fitted)
        if not count:
            name = type(fitted).__name__
            raise AddError(
                f"{where} holds a {name} that has no groups: it was not fitted yet, or found none. "
                "Fit it, and save it."
            )
        if count == 1:
            raise AddError(
                f"{where} holds a {type(fitted).__name__} with one group: every row belongs to it, "
                "so there is nothing to answer. Fit it with more of them."
            )
        return cls(tuple(range(count)), True, measure=find_measure(fitted))

    @classmethod
    def from_served(
        cls, model: ServedModel[Any, Any]
    ) -> "tuple[ClustersKind, PredictFloat64] | None":
        """Return the kind of a served model that answers so, and its predictor."""
        if not isinstance(model, ClusterModel):
            return None
        output = model.card.output
        names = tuple(item.value for item in output.clusters)
        return cls(names, True, measure=output.measure), model.predict_matrix

    def _refuse_count(self, count: int) -> str:
        return (
            f"--clusters names {count}, but the model has {len(self.classes)} groups, numbered 0 "
            f"to {len(self.classes) - 1}. Name each, in the order of its numbers."
        )

    @property
    def class_names(self) -> dict[str, str]:
        return {}

    def predict(self, fitted: Any, rows: Any) -> Float64Array:
        return measure_affinities(fitted, rows)

    def append_answer(self, graph: Any, outputs: Sequence[str]) -> None:
        if self.measure == "none":
            raise CompileError("its ONNX form does not tell of each group")
        if self.measure == "probability":
            super().append_answer(graph, outputs)
        else:
            append_negative(graph, outputs[1])

    def are_close(self, answers: Float64Array, expected: Float64Array) -> BoolArray:
        allowed = TOLERANCE
        if self.measure == "distance":
            # Float32 computes squares of distances, and loses digits of one close to 0.
            answers, expected = -np.square(answers), -np.square(expected)
            allowed *= float(np.mean(np.abs(expected)))
        close = (np.abs(answers - expected) <= allowed).all(axis=1)
        return np.asarray(close & (answers.argmax(axis=1) == expected.argmax(axis=1)))

    def fit(self, answers: Float64Array, truth: Float64Array) -> Fit:
        agreement = float(np.mean(answers.argmax(axis=1) == truth))
        text = f"{agreement:.0%} of the rows have the same group there"
        return replace(super().fit(self._name(answers), truth), text=text)

    def list_losses(self, answers: Float64Array, truth: Float64Array) -> Float64Array:
        return super().list_losses(self._name(answers), truth)

    def _name(self, answers: Float64Array) -> Float64Array:
        """The answers with 1 for the cluster of a row and 0 for the others, of the same shape."""
        named: Float64Array = np.eye(len(self.classes))[answers.argmax(axis=1)]
        return named

    list_readings = OutputKind.list_readings

    def explain_nonsense(self, answers: Float64Array, truth: Float64Array) -> str:
        agreement = float(np.mean(answers.argmax(axis=1) == truth))
        if agreement >= _LEAST_AGREEMENT:
            return ""
        return (
            f"Only {agreement:.0%} of its rows have the group there that the model names. A target "
            "of such a model is the column with the groups that it answered itself. Leave --target "
            "out if the data have none."
        )

    def make_value_function(self, predict: PredictFloat64, answer: Float64Array) -> PredictFloat64:
        place = int(answer[0].argmax())
        return lambda rows: compute_clarity(predict(rows), place, self.measure)

    def read_truth(self, cells: pd.Series, options: AddOptions) -> Float64Array:
        known = {str(item): code for code, item in enumerate(self.classes)}
        if self.names == options.classes:  # names that nobody gave are guessed
            known |= {name: code for code, name in enumerate(self.names)}
        texts = cells.map(lambda cell: str(int(cell)) if _is_whole(cell) else str(cell))
        unknown = [text for text in texts.unique().tolist() if text not in known]
        if unknown:
            raise AddError(
                f"The target {options.target!r} holds {unknown[0]!r}, but the model answers with "
                f"groups that it found by itself: {', '.join(known)}. Leave --target out; or name "
                "the column with the groups that the model answered."
            )
        return np.asarray(texts.map(known), dtype=float)

    def draft_output(self, truth: Float64Array, options: AddOptions) -> DraftOutput:
        if len(self.classes) > MOST_CLASSES:
            raise AddError(
                f"The model has {len(self.classes)} groups, and a page can show {MOST_CLASSES}. "
                "Fit it with fewer of them."
            )
        labels = tuple(map(format_choice, self.names)) or tuple(
            f"Group {number}" for number in self.classes
        )
        keys: dict[str, object] = {
            "clusters": [
                {"value": value, "label": label}
                for value, label in zip(self.values, labels, strict=True)
            ],
            "measure": self.measure,
        }
        return DraftOutput(
            Naming("group", "Group", "group", ""),
            f"Which group does {name_rows(options.data.name).this} belong to?",
            keys,
            f"One of {len(labels)} groups: {', '.join(labels)}",
            labels,
            locale=options.locale,
        )

    def evaluate(
        self, dataset: Dataset, output: DraftOutput, coverage: float, add_note: AddNote
    ) -> Evaluation:
        rows, answers = answer_training_rows(dataset)
        places = answers.argmax(axis=1)
        profiles, metrics = [], []
        for place, (value, label) in enumerate(zip(self.values, output.labels, strict=True)):
            inside = places == place
            facts = _find_typical_facts(dataset, rows, inside)
            profiles.append(ClusterProfile(cluster=value, rows=int(inside.sum()), facts=facts))
            metrics.append(make_metric(f"rows_{place}", f"Rows in {label}", float(inside.sum())))
            add_note(f"{label}: {_describe_profile(dataset, profiles[-1])}")
        metrics += self._measure_clarity(answers, places)
        if not self.names:
            more = ",…" if len(self.classes) > len(_LETTERS) else ""
            add_note(
                "Nobody has named the groups yet. Name them in the order of the model's numbers: "
                f"--clusters {','.join(_LETTERS[: len(self.classes)])}{more}"
            )
        count = formatting.format_number(len(rows), output.locale)
        return Evaluation(
            f"The figures count the {count} rows of its data. {NO_TRUTH}",
            f"It sorts {_name_rows(output)} into {len(self.classes)} groups. {NO_TRUTH}",
            tuple(metrics),
            clusters=tuple(profiles),
        )

    def _measure_clarity(self, answers: Float64Array, places: Any) -> list[Metric]:
        if self.measure == "none":
            return []
        clarity = [
            compute_clarity(row[None], place, self.measure)[0]
            for row, place in zip(answers, places.tolist(), strict=True)
        ]
        label = "Mean simplified silhouette"
        if self.measure == "probability":
            label = "Mean probability of the group"
        return [make_metric("clarity", label, float(np.mean(clarity)))]

    def choose_bands(
        self, answers: Float64Array, truth: Float64Array, output: DraftOutput
    ) -> Sequence[Band]:
        return [
            Band(output.labels[code], rows, partial(comes_first, code))
            for code, rows in list_surest_rows(answers)
        ]

    def read_answer(self, answer: Float64Array) -> tuple[float, str]:
        place = int(answer.argmax())
        return abs(float(answer[place])), self.values[place]


def _name_rows(output: DraftOutput) -> str:
    case = output.title.removeprefix("Which group does ").removesuffix(" belong to?")
    return "rows" if case == "it" else f"a {case.removeprefix('this ')}"


def _is_whole(cell: Any) -> bool:
    return isinstance(cell, int | float | np.number) and float(cell).is_integer()


def _find_typical_facts(
    dataset: Dataset, rows: Float64Array, inside: BoolArray
) -> tuple[TypicalFact, ...]:
    """Find the facts that set the rows of a cluster apart, the clearest first.

    Args:
        dataset: has the fields.
        rows: the training rows, shape (rows, fields), NaN where unknown.
        inside: which of them are in the cluster, shape (rows,).
    """
    found = []
    for item, codes in zip(dataset.fields, rows.T, strict=True):
        known = ~np.isnan(codes)
        here, other = codes[inside & known], codes[~inside & known]
        if item.field.is_text or len(here) < _LEAST_ROWS or not len(other):
            continue
        if item.field.options:
            difference, fact = _compare_choices(item.name, here, other)
        else:
            low, high = np.quantile(here, (0.25, 0.75), method="nearest").tolist()
            spread = max(float(np.std(codes[known])), 1e-12)
            difference = abs(float(here.mean() - other.mean())) / spread
            fact = TypicalFact(field=item.name, low=low, high=high)
        if difference >= _LEAST_DIFFERENCE:
            found.append((difference, fact))
    found.sort(key=lambda pair: -pair[0])
    return tuple(fact for _, fact in found[:_MOST_FACTS])


def _compare_choices(
    name: str, here: Float64Array, other: Float64Array
) -> tuple[float, TypicalFact]:
    """The value that is most over-represented in a cluster, and by how many deviations.

    ``here`` are the codes in the cluster, ``other`` all other codes, shape (rows,) each.
    """
    values = np.unique(here)
    shares = np.array([[np.mean(codes == value) for codes in (here, other)] for value in values])
    place = int(np.argmax(shares[:, 0] - shares[:, 1]))
    inside, outside = shares[place].tolist()
    share = (inside * len(here) + outside * len(other)) / (len(here) + len(other))
    difference = (inside - outside) / max((share * (1 - share)) ** 0.5, 1e-12)
    value = float(values[place])
    inside, outside = round(inside, 4), round(outside, 4)
    return difference, TypicalFact(
        field=name, low=value, high=value, inside=inside, outside=outside
    )


def _describe_profile(dataset: Dataset, profile: ClusterProfile) -> str:
    """How many rows a cluster has, and what is typical of them, for the report."""
    count = formatting.format_number(profile.rows, LOCALE)
    rows = f"{count} row{'' if profile.rows == 1 else 's'}"
    fields = {item.name: item for item in dataset.fields}
    facts = []
    for fact in profile.facts:
        item = fields[fact.field]
        low, high = (item.field.format_value(item.field.decode(c)) for c in (fact.low, fact.high))
        facts.append(f"{item.column.naming.noun} {low if low == high else f'{low} to {high}'}")
    if not profile.rows:
        return "no row of the data is in it."
    if not facts:
        few = profile.rows < _LEAST_ROWS
        return f"{rows}{', too few to say what is typical of them' if few else ''}."
    return f"{rows}, typically {', '.join(facts)}."
