"""Adding a model that answers with a number."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge

from model.contract import formatting
from model.contract.amounts import make_difference_writer
from model.contract.arrays import BoolArray, Float64Array
from model.contract.fields.bounds import round_bounds
from model.contract.manifest import Metric
from model.contract.outputs import NumberOutput
from model.contract.units import CURRENCIES
from model.making.columns.drafting import DraftOutput
from model.making.columns.naming import ask_for_number, name_rows, name_target
from model.making.data.number_texts import read_number_texts
from model.making.errors import AddError
from model.making.kinds.conformal import choose_scale, count_needed_rows
from model.making.kinds.evidence import Fit, Reading
from model.making.kinds.measures import find_measure, make_output, name_time
from model.making.kinds.number_evidence import (
    accepts_number,
    explain_nonsense,
    fit_numbers,
    list_number_readings,
)
from model.making.kinds.output_kind import (
    Band,
    Evaluation,
    OutputKind,
    find_fullest_group,
    make_metric,
    skip_evaluation,
)
from model.making.kinds.regression_metrics import bin_truth, measure_regressor
from model.making.kinds.without_truth import find_estimator_type
from model.making.onnx.graphs import append_flat
from model.making.options import LOCALE, AddNote, AddOptions
from model.making.rows.dataset import Dataset
from model.making.rows.prepared import TOLERANCE, PredictFloat64
from model.serving.intervals import describe_evidence
from model.serving.kinds.number import NumberModel
from model.serving.served_model import ServedModel

_AXIS_QUANTILES = (0.005, 0.995)
"""A gauge from the lowest to the highest answer would leave most answers in a small part of it."""

_IN_BAND = 0.1
_MANY = 10
_LEAST_IN_BAND = 20
_LEAST_WHOLE = 100
"""Errors from here on are written in whole units of a currency, as the page writes its answers."""


_LEANING = 0.75
"""From this share of answers that are too high, or too low, a model does not answer with the
middle: it answers with a quantile, or with the mean of skewed values."""

LEAST_GAIN = 0.3
"""A page leads with the range where the median error is less than so much below a guess's."""


class NumberKind(OutputKind):
    """A number in the target's unit."""

    name = "number"
    answers_text = "It answers with a number."
    score_name = "R²"
    output = "value"
    classes = ()

    @property
    def shape(self) -> tuple[int, ...]:
        return ()

    @classmethod
    def from_estimator(cls, fitted: Any, where: str) -> "NumberKind | None":
        """Return the kind of an estimator that answers so."""
        kind = find_estimator_type(fitted)  # "" for what only looks like an estimator
        looks_so = not (hasattr(fitted, "classes_") or hasattr(fitted, "predict_proba"))
        return cls() if kind == "regressor" or (not kind and looks_so) else None

    @classmethod
    def from_served(
        cls, model: ServedModel[Any, Any]
    ) -> "tuple[NumberKind, PredictFloat64] | None":
        """Return the kind of a served model that answers so, and its predictor."""
        if not isinstance(model, NumberModel):
            return None
        return cls(), lambda rows: model.predictor.predict(rows)[0].astype(np.float64)

    def with_names(self, names: Sequence[str]) -> "NumberKind":
        if names:
            raise AddError("--classes names classes, but the model answers with a number.")
        return self

    def predict(self, fitted: Any, rows: Any) -> Float64Array:
        # A model that squeezes its answers has no dimension left for a single row.
        values = np.atleast_1d(np.asarray(fitted.predict(rows), dtype=float))
        if values.size != len(values):
            raise AddError(
                f"The model answers {values.shape[1]} numbers for each row. Name a column of the "
                "data for each, in its order: --target a,b. The first stands first on the page."
            )
        return values.reshape(-1)

    def append_answer(self, graph: Any, outputs: Sequence[str]) -> None:
        append_flat(graph, outputs[0], "answer")

    def are_close(self, answers: Float64Array, expected: Float64Array) -> BoolArray:
        # A value close to 0 may differ by as much as the values usually do.
        allowed = TOLERANCE * np.maximum(np.abs(expected), float(np.std(expected)))
        return np.asarray(np.abs(answers - expected) <= allowed)

    def fit(self, answers: Float64Array, truth: Float64Array) -> Fit:
        return fit_numbers(answers, truth)

    def list_losses(self, answers: Float64Array, truth: Float64Array) -> Float64Array:
        return np.abs(answers - truth)

    def list_readings(
        self, answers: Float64Array, truth: Float64Array, all_truth: Float64Array, movable: bool
    ) -> tuple[Reading, ...]:
        return list_number_readings(all_truth)

    def accepts(
        self, given: Fit, cause: Fit, rarity: float, reading: Reading, inputs: bool, rare: bool
    ) -> bool:
        return accepts_number(given, cause, rarity, reading, inputs, rare)

    def is_beyond_doubt(self, given: Fit) -> bool:
        return given.rank > 0.88

    def is_good_enough(self, given: Fit) -> bool:
        return given.skill > 0.7

    def explain_nonsense(self, answers: Float64Array, truth: Float64Array) -> str:
        return explain_nonsense(answers, truth)

    def make_value_function(self, predict: PredictFloat64, answer: Float64Array) -> PredictFloat64:
        return predict

    def read_truth(self, cells: pd.Series, options: AddOptions) -> Float64Array:
        try:
            truth = cells.to_numpy(dtype=float)
        except (TypeError, ValueError):
            read = read_number_texts(cells, options.decimal)
            if read is None:
                raise AddError(
                    f"The model answers with a number, but the target {options.target!r} holds "
                    f"{cells.iloc[0]!r}. Name another --target, or write numbers there like those "
                    "that the model was fitted on. A class of your own that answers classes lists "
                    "them: classes_ = ['no', 'yes']."
                ) from None
            truth = read.to_numpy(dtype=float)
        if not np.isfinite(truth).all():
            raise AddError(
                f"The target {options.target!r} holds infinite numbers. Remove these rows from the "
                "data."
            )
        if truth.min() == truth.max():
            raise AddError(
                f"The target {options.target!r} is {truth[0]:g} in every row. Name another "
                "--target, or give more rows."
            )
        return np.asarray(truth, dtype=float)

    def draft_output(self, truth: Float64Array, options: AddOptions) -> DraftOutput:
        naming = name_target(options.target or "y", True, options.described, options.locale)
        is_currency = naming.unit in CURRENCIES
        measure = find_measure(options.target, naming.unit, truth)
        if measure.format == "duration":
            naming = name_time(naming)
        step = measure.step or choose_rounding_step(float(np.std(truth)))
        are_counts = bool(truth.min() >= 0 and (truth == np.round(truth)).all())
        if are_counts and float(np.median(truth)) >= _MANY:
            step = max(step, 1.0)  # a fraction of one says nothing beside so many
        keys: dict[str, object] = {
            "format": "currency" if is_currency else measure.format,
            "unit": naming.unit if measure.unit is None else measure.unit,
            "round_to": max(step, 1) if is_currency else step,
            **measure.bounds,
            "coverage": options.coverage,
            "range_text": "Most likely between {low} and {high}. Ranges like this held for {share} "
            "rows",
        }
        shown = f"{formatting.format_short(step, LOCALE)} {naming.unit}".strip()
        if measure.step is not None:
            drafted = make_output(naming.label, keys)
            shown = make_difference_writer(drafted, LOCALE)(step)
        description = f"{naming.label}, {measure.description}in steps of {shown}"
        title = ask_for_number(naming, name_rows(options.data.name), are_counts)
        return DraftOutput(naming, title, keys, description, locale=options.locale)

    def make_limit(self, output: DraftOutput) -> Callable[[Float64Array], Float64Array]:
        return make_output(output.naming.label, output.keys).limit

    def evaluate(
        self, dataset: Dataset, output: DraftOutput, coverage: float, add_note: AddNote
    ) -> Evaluation:
        rows = dataset.matrix[dataset.held_out]
        if not len(rows):
            return skip_evaluation(
                "How good it is was not measured, so it gives no range.", add_note
            )
        if len(rows) < (needed := count_needed_rows(coverage)):
            how = (
                f"A range that holds {coverage:.0%} of rows needs at least {needed} held-out rows, "
                f"and a few hundred to be precise; there are {len(rows)}."
            )
            add_note(f"There is no range. {how}")
            return Evaluation(how, "Too few rows were held out to give a range.")
        truth = dataset.truth[dataset.held_out]
        write = _make_writer(make_output(output.naming.label, output.keys), output.locale)
        metrics, calibration = measure_regressor(
            dataset.answer, rows, truth, dataset.optional, coverage, choose_scale(dataset.truth)
        )
        fullest = find_fullest_group(calibration.groups)
        evidence = describe_evidence(fullest, LOCALE)
        add_note(
            f"Of its ranges {formatting.format_percent(fullest.inside, LOCALE)} held. {evidence}"
            if fullest.inside is not None
            else evidence
        )
        count = formatting.format_number(len(rows), output.locale)
        how = f"On {count} rows that the model had not seen."
        accuracy = f"Half the time it is off by less than {write(metrics[0].value)}."
        predictions = dataset.answer(rows)
        middle = float(np.median(dataset.truth[~dataset.held_out]))
        guessed = float(np.median(np.abs(truth - middle)))
        base = write(guessed, math.floor)
        is_weak = metrics[0].value > (1 - LEAST_GAIN) * guessed
        return Evaluation(
            how,
            accuracy,
            metrics,
            calibration,
            leaning=_describe_leaning(predictions, truth, output.locale),
            baseline=f"Guessing the middle every time is off by more than {base} half the time.",
            output_keys={"lead": "range"} if is_weak else {},
            truth_bins=bin_truth(predictions, truth),
            held_out=(truth, predictions),
        )

    def measure_facts(self, answers: Float64Array, truth: Float64Array, count: int) -> Metric:
        error = float(np.median(np.abs(answers - truth)))
        return make_metric(f"error_{count}", f"Median error, {count} facts", error)

    def describe_facts(self, few: Metric, every: Metric, shown: int, output: DraftOutput) -> str:
        write = _make_writer(make_output(output.naming.label, output.keys), output.locale)
        off, least = write(few.value), write(every.value)
        return (
            f"With the {shown} facts that the form shows first, half the time it is off by less "
            f"than {off}; with all facts, by less than {least}."
        )

    def decide(self, answers: Float64Array) -> Float64Array:
        return answers

    def compute_losses(self, decided: Float64Array, truth: Float64Array) -> Float64Array:
        return (decided - truth) ** 2

    def compute_score(self, losses: Float64Array, truth: Float64Array) -> float:
        return 1 - float(np.mean(losses)) / max(float(np.var(truth)), 1e-300)

    def make_baselines(self) -> dict[str, Any]:
        return {
            "Boosted trees": HistGradientBoostingRegressor(random_state=0),
            "A linear model": Ridge(),
            "Always the mean": DummyRegressor(),
        }

    def choose_bands(
        self, answers: Float64Array, truth: Float64Array, output: DraftOutput
    ) -> Sequence[Band]:
        order = np.argsort(answers, kind="stable")
        bands = []
        noun = output.naming.noun
        # A typical answer is that to the typical row, which need not be in the middle.
        for which, share in {"medium": 0.5, "low": 0.1, "high": 0.9}.items():
            middle = int(share * (len(order) - 1))
            nearest = np.argsort(np.abs(np.arange(len(order)) - middle), kind="stable")
            low, high = np.quantile(answers, (share - _IN_BAND, share + _IN_BAND)).tolist()
            bands.append(
                Band(
                    f"{which.capitalize() if formatting.is_plural(noun) else f'A {which}'} {noun}",
                    order[nearest[: max(_LEAST_IN_BAND, len(order) // 5)]],
                    partial(_lies_between, low, high),
                )
            )
        return bands

    def find_axis(self, truth: Float64Array) -> tuple[float, float] | None:
        low, high = np.quantile(truth, _AXIS_QUANTILES).tolist()
        return round_bounds(low, high, False) if low < high else (low, low + 1)

    def read_answer(self, answer: Float64Array) -> tuple[float, str]:
        return float(answer), ""


def _describe_leaning(predictions: Float64Array, truth: Float64Array, locale: str) -> str:
    """Say that most answers are too high or too low; "" where they are not."""
    for word, share in (
        ("high", float(np.mean(predictions > truth))),
        ("low", float(np.mean(predictions < truth))),
    ):
        if share >= _LEANING:
            shown = formatting.format_share(share, len(truth), locale)
            return (
                f"It answers {word}, and not with the middle: for {shown} rows that it had not "
                f"seen, the answer was too {word}."
            )
    return ""


def _make_writer(output: NumberOutput, locale: str) -> Callable[..., str]:
    """What writes an error, to four digits where the page rounds by a step of the answer.

    It rounds up, so that no error is stated too small, or as its second argument says.
    """
    is_currency = output.format == "currency"
    has_step = output.format in ("percent", "duration")
    exact = {"format": "number", "round_to": 1e-9}  # writes every decimal
    plain = output if has_step else output.model_copy(update=exact)
    write_figure = make_difference_writer(plain, locale)
    write_whole = make_difference_writer(output, locale)

    def write(error: float, rounding: Callable[[float], int] = math.ceil) -> str:
        is_whole = is_currency and error >= _LEAST_WHOLE
        step = 1.0 if is_whole else 10.0 ** (math.floor(math.log10(error or 1)) - 3)
        if has_step:
            step = output.round_to
        # A quotient is a little off a whole number that it stands for.
        rounded = rounding(round(error / step, 6)) * step
        return (write_whole if is_whole else write_figure)(rounded)

    return write


def _lies_between(low: float, high: float, answer: Float64Array) -> bool:
    return bool(low <= answer <= high)


def choose_rounding_step(deviation: float) -> float:
    """Choose the step to which answers are rounded: a power of ten, about a fiftieth.

    Args:
        deviation: the standard deviation of the answers, in their unit.
    """
    return float(10.0 ** math.floor(math.log10(max(deviation, 1e-9) / 50)))
