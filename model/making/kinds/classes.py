"""Adding a model that answers with one of several classes."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from model.contract import formatting
from model.contract.arrays import BoolArray, Float64Array
from model.contract.expressions import write_column
from model.contract.manifest import AccuracyGroup, Metric
from model.contract.outputs import MOST_CLASSES
from model.making.columns.drafting import DraftOutput
from model.making.columns.naming import (
    UNNAMED,
    ask_for_class,
    find_pair,
    format_choice,
    join_words,
    name_rows,
    name_target,
    split_words,
)
from model.making.errors import AddError
from model.making.kinds.class_evidence import (
    accepts_classes,
    are_swapped,
    comes_first,
    find_favourite,
    fit_classes,
    list_surest_rows,
    match_classes,
)
from model.making.kinds.classification_metrics import (
    describe_excess,
    describe_rows,
    measure_classifier,
)
from model.making.kinds.evidence import AS_GIVEN, Fit, Reading
from model.making.kinds.ordinal import (
    calibrate_ranges,
    choose_order,
    describe_order,
    measure_ranges,
    measure_steps,
)
from model.making.kinds.output_kind import Band, Evaluation, OutputKind, make_share, skip_evaluation
from model.making.kinds.without_truth import find_estimator_type
from model.making.onnx.graphs import append_one_hot, append_probabilities
from model.making.options import LOCALE, AddNote, AddOptions, write_constant
from model.making.rows.dataset import Dataset
from model.making.rows.prepared import TOLERANCE, PredictFloat64
from model.making.rows.subsets import iterate_groups
from model.serving.kinds.classes import ClassModel, read_probabilities
from model.serving.served_model import ServedModel

_LEAST_PROBABILITY = 1e-3
_FEW = 0.2
"""The share of rows up to which others than the model's classes may be left out."""
_MOST_NAMED = 10
"""Values that a line to write names."""
_MOST_DOUBTED = 0.005
"""Share of rows in which ``predict`` may name another class than the likeliest: support vector
machines do so next to a tie, of 200 rows of scikit-learn's data in one at most. A threshold that
was chosen does in many."""
_MOST_TREES = 400
"""Trees of the boosted baseline, one a class and round. Fewer rounds learn in larger steps: on 500
words and twenty classes 20 rounds took 13 s and were right for 66 % of 300 texts, 100 for 68 %."""


@dataclass(frozen=True)
class ClassesKind(OutputKind):
    """One of several classes; ``probabilities`` is False where it only names a class.

    ``names`` are what the classes are called, in their order, where the file has numbers for them.
    """

    name = "classes"
    answers_text = "Classes"
    score_name = "right answers"
    weighs_classes = True
    option: ClassVar[str] = "--classes"
    noun: ClassVar[str] = "class"
    output = "probabilities"
    classes: tuple[Any, ...]
    probabilities: bool
    names: tuple[str, ...] = ()

    @classmethod
    def from_estimator(cls, fitted: Any, where: str) -> "ClassesKind | None":
        """Return the kind of an estimator that answers so.

        Raises:
            AddError: if it was not fitted, or answers several classes for each row.
        """
        kind = find_estimator_type(fitted)  # "" for what only looks like an estimator
        looks_so = hasattr(fitted, "classes_") or hasattr(fitted, "predict_proba")
        if kind != "classifier" and (kind or not looks_so):
            return None
        found = getattr(fitted, "classes_", None)
        if found is None:
            name = type(fitted).__name__
            raise AddError(
                f"{where} holds a {name} without classes_: it was not fitted yet, or what it "
                "answers is written nowhere. Fit it, and save it; or say it before you save it, in "
                "the order of its predict_proba: model.classes_ = ['no', 'yes'], or [0, 1] where "
                "its predict answers numbers."
            )
        if isinstance(found, list) and any(np.ndim(each) for each in found):
            raise _refuse_several(len(found))
        return cls(tuple(np.asarray(found).tolist()), hasattr(fitted, "predict_proba"))

    @classmethod
    def from_served(
        cls, model: ServedModel[Any, Any]
    ) -> "tuple[ClassesKind, PredictFloat64] | None":
        """Return the kind of a served model that answers so, and its predictor."""
        if not isinstance(model, ClassModel):
            return None
        output = model.card.output
        names = tuple(item.value for item in output.classes)
        return cls(names, output.probabilities), model.predict_matrix

    def with_names(self, names: Sequence[str]) -> "ClassesKind":
        if names and len(names) != len(self.classes):
            raise AddError(self._refuse_count(len(names)))
        if len(set(names)) != len(names):
            raise AddError(f"{self.option} names one {self.noun} twice: {', '.join(names)}.")
        return replace(self, names=tuple(names))

    def _refuse_count(self, count: int) -> str:
        listed = ", ".join(str(item) for item in self.classes)
        return f"--classes names {count}, but the model answers {len(self.classes)}: {listed}."

    @property
    def class_names(self) -> dict[str, str]:
        return {str(item): name for item, name in zip(self.classes, self.names, strict=False)}

    @property
    def values(self) -> tuple[str, ...]:
        """The classes as a card has them."""
        return tuple(map(str, self.names or self.classes))

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.classes),)

    def predict(self, fitted: Any, rows: Any) -> Float64Array:
        if self.probabilities:
            return read_probabilities(fitted, rows)
        labels = np.atleast_1d(fitted.predict(rows))
        if labels.shape[1:] > (1,):
            raise _refuse_several(labels.shape[1])
        return np.stack([labels.reshape(-1) == item for item in self.classes], axis=1).astype(float)

    def doubt_answers(self, fitted: Any, rows: Any) -> str:
        if not self.probabilities:
            return ""
        shares = self.predict(fitted, rows)
        named = self.without_probabilities().predict(fitted, rows)
        # Of classes that are equally likely the page names the first.
        doubted = int((named.argmax(axis=1) != shares.argmax(axis=1)).sum())
        if doubted <= _MOST_DOUBTED * len(shares):
            return ""
        return (
            f"In {doubted:,} of {len(shares):,} rows its predict names another class than the "
            "likeliest by its predict_proba. The page shows what predict says, without "
            "probabilities. For these, fit a CalibratedClassifierCV around it, or name with --risk "
            "the class whose probability is the answer."
        )

    def describe_threshold(self, threshold: float, where: str) -> str:
        if len(self.classes) != 2 or threshold == 0.5:
            return ""
        risk = shlex.quote(self.values[1])
        return (
            f"{where} is {threshold:g}, and the page does not decide by it: it names the likelier "
            f"class. For the probability of one class as the answer, add --risk {risk}."
        )

    def without_probabilities(self) -> "ClassesKind":
        return replace(self, probabilities=False)

    def append_answer(self, graph: Any, outputs: Sequence[str]) -> None:
        if self.probabilities:
            append_probabilities(graph, outputs)
        else:
            append_one_hot(graph, outputs[0], self.classes)

    def are_close(self, answers: Float64Array, expected: Float64Array) -> BoolArray:
        return np.asarray((np.abs(answers - expected) <= TOLERANCE).all(axis=1))

    def fit(self, answers: Float64Array, truth: Float64Array) -> Fit:
        return fit_classes(answers, truth)

    def list_losses(self, answers: Float64Array, truth: Float64Array) -> Float64Array:
        chosen = answers[np.arange(len(truth)), truth.astype(np.int64)]
        return -np.log(np.clip(chosen, _LEAST_PROBABILITY, None))

    def list_readings(
        self, answers: Float64Array, truth: Float64Array, all_truth: Float64Array, movable: bool
    ) -> tuple[Reading, ...]:
        order = match_classes(answers, truth)
        if not movable or order == tuple(range(len(order))):
            return (AS_GIVEN,)
        meant = ",".join(self.values[place] for place in order)
        back = np.argsort(order)
        return (
            AS_GIVEN,
            Reading(
                f"its classes in the order {meant}",
                f"--classes {shlex.quote(meant)}",
                lambda rows: rows[:, back],
                rarity=0.05,
                is_plain=are_swapped(answers, truth, order),
            ),
        )

    def accepts(
        self, given: Fit, cause: Fit, rarity: float, reading: Reading, inputs: bool, rare: bool
    ) -> bool:
        plain = reading.is_plain and not inputs
        return plain or accepts_classes(given, cause, rarity, rare, bool(reading.as_if))

    def is_beyond_doubt(self, given: Fit) -> bool:
        return given.balanced > 0.9 and given.skill > 0.9

    def is_good_enough(self, given: Fit) -> bool:
        return given.skill > 0.3

    def explain_nonsense(self, answers: Float64Array, truth: Float64Array) -> str:
        found = find_favourite(answers, truth)
        if found is None:
            return ""
        label = (self.names or self.classes)[found.place]
        return (
            f"It names {label} in {found.named:.0%} of the rows, of which {found.true:.0%} are it, "
            "and does not tell the classes apart."
        )

    def make_value_function(self, predict: PredictFloat64, answer: Float64Array) -> PredictFloat64:
        predicted = int(answer[0].argmax())
        return lambda rows: predict(rows)[:, predicted]

    def read_truth(self, cells: pd.Series, options: AddOptions) -> Float64Array:
        codes: dict[Any, int] = {item: code for code, item in enumerate(self.classes)}
        codes |= {str(item): code for code, item in enumerate(self.classes)}
        named = {name: code for code, name in enumerate(self.names)}
        truth = [named.get(str(cell), -1) for cell in cells.tolist()]
        if -1 in truth:  # the data have the model's numbers, and the names stand for these
            codes |= named
            truth = [codes.get(cell, -1) for cell in cells.tolist()]
        if -1 in truth:  # a file was read without the blanks around its cells
            stripped = {str(item).strip(): code for code, item in enumerate(self.classes)}
            if len(stripped) == len(self.classes):
                truth = [stripped.get(str(cell).strip(), -1) for cell in cells.tolist()]
        if -1 in truth:
            unknown = cells[np.array(truth) == -1]
            distinct = sorted(cells.astype(str).unique())
            hint = " Give the target that it was fitted on, or name another --target."
            if len(unknown) <= _FEW * len(cells) and unknown.nunique() <= _MOST_NAMED:
                hint += _advise_without(options.target, unknown.unique().tolist())
            if len(distinct) == len(self.classes):
                hint = (
                    " If it was fitted on numbers that stand for these, name them in the order of "
                    f"its numbers: --classes '{','.join(distinct)}'"
                )
            raise AddError(
                f"The target {options.target!r} holds {unknown.tolist()[0]!r}, but the model "
                f"answers {', '.join(str(item) for item in self.classes[:10])}.{hint}"
            )
        return np.array(truth, dtype=float)

    def draft_output(self, truth: Float64Array, options: AddOptions) -> DraftOutput:
        if len(self.classes) > MOST_CLASSES:
            raise AddError(
                f"The model answers {len(self.classes)} classes, and a page can show "
                f"{MOST_CLASSES}. Fit it on fewer classes."
            )
        naming = name_target(options.target or "y", False, options.described, options.locale)
        values = self.values
        labels = [format_choice(item) for item in values]
        pair = find_pair(labels)
        is_flag = pair is not None
        if is_flag:
            known = options.described.get(options.target)
            worded = known.codes if known else {}
            labels = [
                worded.get(label, "Yes" if pair and label == pair[1] else "No") for label in labels
            ]
        if is_flag or self.names:  # the target's name does not describe such classes
            naming = replace(naming, noun="answer")
        keys = {
            "classes": [
                {"value": value, "label": label}
                for value, label in zip(values, labels, strict=True)
            ],
            "probabilities": self.probabilities,
        }
        order = () if options.risk else choose_order(values, options)
        shown = [labels[values.index(value)] for value in order] or labels
        rows = name_rows(options.data.name)
        topic = join_words(split_words(options.name)) if naming.label == UNNAMED else naming.label
        title = ask_for_class(naming, rows, shown, topic)
        if order:
            keys["order"] = list(order)
            if naming.noun.endswith("s") and shown[0].isdecimal():
                title = f"How many {naming.noun} for {rows.this}?"
        if options.risk:
            keys["risk"] = risk = self._find_risk(options.risk, values, labels)
            label = labels[values.index(risk)]
            flags = {"Yes": topic, "No": f"it that {topic} is No"} if is_flag else {}
            title = f"How likely is {flags.get(label, label)}?"
        return DraftOutput(
            naming,
            title,
            keys,
            f"{naming.label}: {', '.join(shown)}",
            tuple(labels),
            locale=options.locale,
        )

    def _find_risk(self, risk: str, values: Sequence[str], labels: Sequence[str]) -> str:
        """The class whose probability is the answer."""
        if not self.probabilities:
            raise AddError("--risk: the model names a class and gives no probabilities.")
        found = [
            value for pair in zip(values, labels, strict=True) if risk in pair for value in pair[:1]
        ]
        if not found:
            raise AddError(f"--risk {risk}: the model answers {', '.join(values[:10])}.")
        return found[0]

    def evaluate(
        self, dataset: Dataset, output: DraftOutput, coverage: float, add_note: AddNote
    ) -> Evaluation:
        rows = dataset.matrix[dataset.held_out]
        order = cast(Sequence[str], output.keys.get("order", ()))
        if note := describe_order(order, self.values, output.naming.name, "risk" in output.keys):
            add_note(note)
        if not len(rows):
            return skip_evaluation("How good it is was not measured.", add_note)
        shown = formatting.format_number(len(rows), output.locale)
        answers = dataset.answer(rows)
        truth = dataset.truth[dataset.held_out].astype(np.int64)
        is_risk = "risk" in output.keys
        metrics, calibration, reliability = measure_classifier(
            answers, truth, self.probabilities, is_risk
        )
        accuracies = tuple(
            AccuracyGroup(
                known=known,
                unknown=unknown,
                right=float(np.mean(dataset.answer(masked).argmax(axis=1) == truth[chosen])),
                rows=len(chosen),
            )
            for known, unknown, chosen, masked in iterate_groups(rows, dataset.optional)
        )
        if calibration is not None:
            most = formatting.format_limit(calibration.most, LOCALE)
            add_note(f"{shown} held-out rows allow it to be up to {most} sure.")
        excess = ""
        if calibration is not None and not is_risk:
            excess = describe_excess(answers, truth, output.labels, output.locale)
        if excess:
            add_note(
                f"{excess} So it is where a fit weighs its classes or draws rare ones more often. "
                "--risk CLASS gives the probability of that class as often as it comes."
            )
        ordinal, off = None, ""
        if order:
            ordinal = calibrate_ranges(dataset, order, self.values, coverage)
            places = [self.values.index(value) for value in order]
            found = measure_steps(answers[:, places], np.argsort(places)[truth])
            metrics += (*found, *measure_ranges(ordinal))
            close = formatting.format_percent(found[0].value, output.locale, digits=1)
            off = f" For {close} it was right or one step off."
        right = float(np.mean(answers.argmax(axis=1) == truth))
        most_frequent = np.bincount(dataset.truth[~dataset.held_out].astype(np.int64)).argmax()
        share = formatting.format_percent(
            float(np.mean(truth == most_frequent)), output.locale, digits=1
        )
        return Evaluation(
            f"{describe_rows(f'{shown} rows', 'model', reliability)} {excess}".strip(),
            f"It named the right {output.naming.noun} for "
            f"{formatting.format_share(right, len(rows), output.locale)} rows that it had not "
            f"seen.{off}",
            metrics,
            probabilities=calibration,
            reliability=reliability,
            accuracies=accuracies,
            ordinal=ordinal,
            baseline=f"Naming the most frequent one every time is right for {share}.",
        )

    def measure_facts(self, answers: Float64Array, truth: Float64Array, count: int) -> Metric:
        right = float(np.mean(answers.argmax(axis=1) == truth))
        return make_share(f"accuracy_{count}", f"Right answers, {count} facts", right)

    def describe_facts(self, few: Metric, every: Metric, shown: int, output: DraftOutput) -> str:
        right, most = (
            formatting.format_percent(item.value, output.locale, 1) for item in (few, every)
        )
        return (
            f"With the {shown} facts that the form shows first, it named the right "
            f"{output.naming.noun} for {right} of the rows that it had not seen; with all facts, "
            f"for {most}."
        )

    def decide(self, answers: Float64Array) -> Float64Array:
        return np.asarray(answers.argmax(axis=1), dtype=float)

    def compute_losses(self, decided: Float64Array, truth: Float64Array) -> Float64Array:
        return np.asarray(decided != truth, dtype=float)

    def compute_score(self, losses: Float64Array, truth: Float64Array) -> float:
        return 1 - float(np.mean(losses))

    def make_baselines(self) -> dict[str, Any]:
        rounds = max(10, min(100, _MOST_TREES // len(self.classes)))
        trees = HistGradientBoostingClassifier(
            max_iter=rounds, learning_rate=min(0.3, 10 / rounds), random_state=0
        )
        return {
            "Boosted trees": trees,
            "A linear model": LogisticRegression(max_iter=200),
            "Always the most frequent": DummyClassifier(),
        }

    def choose_bands(
        self, answers: Float64Array, truth: Float64Array, output: DraftOutput
    ) -> Sequence[Band]:
        return [
            Band(f"Probably {output.labels[code]}", rows, partial(comes_first, code))
            for code, rows in list_surest_rows(answers, truth)
        ]

    def read_answer(self, answer: Float64Array) -> tuple[float, str]:
        probability = float(answer.max()) if self.probabilities else 1.0
        return probability, self.values[int(answer.argmax())]


def _advise_without(column: str, values: Sequence[Any]) -> str:
    """Say how to leave out the rows that have some values in a column."""
    cell = write_column(column)
    condition = " and ".join(f"{cell} != {write_constant(value)}" for value in values)
    return f" To leave such rows out, write --where {shlex.quote(condition)}."


def _refuse_several(count: int) -> AddError:
    """The error of a model that answers so many classes for each row."""
    return AddError(
        f"The model answers {count} classes for each row, and a page shows one. Fit a model for "
        "the one that you want to show."
    )
