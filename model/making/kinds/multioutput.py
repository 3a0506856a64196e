"""Adding a model that answers with several numbers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from model.contract.arrays import BoolArray, Float64Array
from model.contract.manifest import Metric, OutputManifest
from model.making.columns.drafting import DraftOutput
from model.making.errors import AddError
from model.making.kinds.evidence import Fit, Reading
from model.making.kinds.number import NumberKind
from model.making.kinds.output_kind import Band, Evaluation, OneOutput, OutputKind
from model.making.onnx.graphs import append_matrix
from model.making.options import AddNote, AddOptions
from model.making.rows.dataset import Dataset
from model.making.rows.prepared import PredictFloat64
from model.serving.kinds.multioutput import MultioutputModel
from model.serving.served_model import ServedModel


@dataclass(frozen=True)
class MultioutputKind(NumberKind):
    """Several numbers: answers and truth have shape (rows, outputs), the headline first.

    It is chosen and checked by the headline, and each output is measured by itself. ``targets``
    are the columns of the data with the truths.
    """

    name = "multioutput"
    output = "values"
    targets: tuple[str, ...]

    @classmethod
    def from_estimator(cls, fitted: Any, where: str) -> None:
        """Return None: how many numbers are meant is told by the targets."""

    @classmethod
    def from_served(cls, model: ServedModel[Any, Any]) -> tuple[NumberKind, PredictFloat64] | None:
        """Return the kind of a served model that answers so, and its predictor."""
        if not isinstance(model, MultioutputModel):
            return None
        output = model.card.output
        names = (output.name, *(other.name for other in output.others))
        return cls(names), model.predict_matrix

    def list_outputs(self) -> Sequence[OneOutput]:
        return [
            OneOutput(name, _OneNumber(), partial(_take_column, place))
            for place, name in enumerate(self.targets)
        ]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.targets),)

    def predict(self, fitted: Any, rows: Any) -> Float64Array:
        values = np.asarray(fitted.predict(rows), dtype=float)
        self.require_width(values.shape[1] if values.ndim > 1 else 1)
        return values

    def require_width(self, width: int) -> None:
        """Refuse a model that answers so many numbers, unless there is a target for each.

        Raises:
            AddError: if there is not.
        """
        if width != len(self.targets):
            raise AddError(
                f"The model answers {width} number{'s' * (width > 1)} for each row, and --target "
                f"names {len(self.targets)} columns: {', '.join(self.targets)}. Name a column for "
                "each number, in the order of the model's columns."
            )

    def append_answer(self, graph: Any, outputs: Sequence[str]) -> None:
        append_matrix(graph, outputs[0])

    def are_close(self, answers: Float64Array, expected: Float64Array) -> BoolArray:
        pairs = zip(answers.T, expected.T, strict=True)
        close = [super(MultioutputKind, self).are_close(*pair) for pair in pairs]
        return np.asarray(np.all(close, axis=0))

    def fit(self, answers: Float64Array, truth: Float64Array) -> Fit:
        return super().fit(self.first(answers), self.first(truth))

    def list_losses(self, answers: Float64Array, truth: Float64Array) -> Float64Array:
        return np.abs(self.first(answers) - self.first(truth))

    list_readings = OutputKind.list_readings

    def explain_nonsense(self, answers: Float64Array, truth: Float64Array) -> str:
        pairs = zip(self.targets, answers.T, truth.T, strict=True)
        found = ((name, super(MultioutputKind, self).explain_nonsense(*p)) for name, *p in pairs)
        return " ".join(f"{name}: {text}" for name, text in found if text)

    def make_value_function(self, predict: PredictFloat64, answer: Float64Array) -> PredictFloat64:
        return lambda rows: self.first(predict(rows))

    def draft_output(self, truth: Float64Array, options: AddOptions) -> DraftOutput:
        drafts = [
            super(MultioutputKind, self).draft_output(column, replace(options, target=name))
            for name, column in zip(self.targets, truth.T, strict=True)
        ]
        names = [draft.naming.name for draft in drafts]
        if len(set(names)) < len(names):
            raise AddError(f"--target names outputs that would have one name: {', '.join(names)}.")
        first, *others = drafts
        listed = [
            {"name": draft.naming.name, "label": draft.naming.label, "noun": draft.naming.noun}
            | {key: value for key, value in draft.keys.items() if value != ""}
            for draft in others
        ]
        return replace(
            first,
            keys={"name": first.naming.name, **first.keys, "others": listed},
            description="; ".join(draft.description for draft in drafts),
            others=tuple(others),
        )

    def make_limit(self, output: DraftOutput) -> Callable[[Float64Array], Float64Array]:
        limits = [
            super(MultioutputKind, self).make_limit(draft) for draft in (output, *output.others)
        ]
        return lambda values: np.column_stack(
            [limit(column) for limit, column in zip(limits, values.T, strict=True)]
        )

    def evaluate(
        self, dataset: Dataset, output: DraftOutput, coverage: float, add_note: AddNote
    ) -> Evaluation:
        found, said = [], set[str]()
        for place, draft in enumerate((output, *output.others)):
            notes: list[str] = []
            found.append(super().evaluate(_select(dataset, place), draft, coverage, notes.append))
            for note in notes:
                if note not in said:  # what is true of all is said once
                    add_note(f"{draft.naming.label}: {note}" if found[-1].metrics else note)
                said.add(note)
        first, *others = found
        measured = tuple(
            OutputManifest(
                name=draft.naming.name,
                axis=super(MultioutputKind, self).find_axis(truth),
                calibration=each.calibration,
                truth_bins=each.truth_bins,
            )
            for draft, truth, each in zip(output.others, dataset.truth.T[1:], others, strict=True)
        )
        drafts = (output, *output.others)
        accuracy, baseline, metrics = first.accuracy, first.baseline, first.metrics
        if metrics:
            baseline = f"{output.naming.label}: {baseline}"
            pairs = list(zip(drafts, found, strict=True))
            accuracy = " ".join(f"{draft.naming.label}: {each.accuracy}" for draft, each in pairs)
            metrics = tuple(
                _name_metric(metric, draft) for draft, each in pairs for metric in each.metrics
            )
        return replace(
            first,
            accuracy=accuracy,
            baseline=baseline,
            metrics=metrics,
            outputs=measured,
            held_out=None,
        )

    def measure_facts(self, answers: Float64Array, truth: Float64Array, count: int) -> Metric:
        return super().measure_facts(self.first(answers), self.first(truth), count)

    def decide(self, answers: Float64Array) -> Float64Array:
        return self.first(answers)

    def choose_bands(
        self, answers: Float64Array, truth: Float64Array, output: DraftOutput
    ) -> Sequence[Band]:
        return [
            replace(band, holds=partial(_holds_of_first, band.holds))
            for band in super().choose_bands(self.first(answers), self.first(truth), output)
        ]

    def first(self, values: Float64Array) -> Float64Array:
        return values[:, 0]

    def read_answer(self, answer: Float64Array) -> tuple[float, str]:
        return float(answer[0]), ""

    def list_others(self, answer: Float64Array) -> tuple[float, ...]:
        return tuple(answer[1:].tolist())


class _OneNumber(NumberKind):
    """One of several numbers: no option changes it and leaves the others."""

    def list_readings(
        self, answers: Float64Array, truth: Float64Array, all_truth: Float64Array, movable: bool
    ) -> tuple[Reading, ...]:
        found = super().list_readings(answers, truth, all_truth, movable)
        advice = "Fit it on that column as it is."
        return tuple(replace(item, advice=advice if item.advice else "") for item in found)


def _holds_of_first(holds: Callable[[Any], bool], answer: Float64Array) -> bool:
    return holds(answer[0])


def _take_column(place: int, values: Float64Array) -> Float64Array:
    return values[:, place]


def _select(dataset: Dataset, place: int) -> Dataset:
    """The data of a model that answers one of the outputs."""
    return replace(
        dataset,
        truth=dataset.truth[:, place],
        predict=lambda rows: dataset.answer(rows)[:, place],
        limit=np.asarray,
    )


def _name_metric(metric: Metric, draft: DraftOutput) -> Metric:
    name = f"{metric.name}_{draft.naming.name}"
    return metric.model_copy(update={"name": name, "label": f"{metric.label}, {draft.naming.noun}"})
