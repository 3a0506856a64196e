"""What every kind of model has to say while one is added."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd

from model.contract.arrays import BoolArray, Float64Array, IntArray
from model.contract.manifest import (
    AccuracyGroup,
    Calibration,
    ClusterProfile,
    FactGroup,
    Metric,
    OrdinalCalibration,
    OutputManifest,
    ProbabilityCalibration,
    ReliabilityBin,
    TruthBin,
)
from model.making.columns.drafting import DraftOutput
from model.making.kinds.evidence import AS_GIVEN, Fit, Reading
from model.making.options import AddNote, AddOptions
from model.making.rows.dataset import Dataset
from model.making.rows.prepared import PredictFloat64

_Group = TypeVar("_Group", bound=FactGroup)

FOLDS = 10
"""Parts of the held-out rows for cross-validation over them."""


@dataclass(frozen=True)
class Evaluation:
    """What held-out rows showed: figures, calibration, and both in words.

    ``baseline`` says how good the same answer to every row would be, ``leaning`` that its answers
    are mostly too high or too low. ``output_keys`` are keys of the card's output that follow.
    ``held_out`` are the truth and the prediction of each row of a model of numbers, both shape
    (rows,). ``outputs`` are the others of the manifest, ``clusters`` and
    ``scores`` its own.
    """

    how: str
    accuracy: str
    metrics: tuple[Metric, ...] = ()
    calibration: Calibration | None = None
    probabilities: ProbabilityCalibration | None = None
    truth_bins: tuple[TruthBin, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    accuracies: tuple[AccuracyGroup, ...] = ()
    ordinal: OrdinalCalibration | None = None
    baseline: str = ""
    leaning: str = ""
    output_keys: Mapping[str, object] = field(default_factory=dict)
    held_out: tuple[Float64Array, Float64Array] | None = None
    outputs: tuple[OutputManifest, ...] = ()
    clusters: tuple[ClusterProfile, ...] = ()
    scores: tuple[float, ...] = ()


@dataclass(frozen=True)
class Band:
    """Rows with similar answers: indices, shape (rows,), of which the first stands for the others.

    ``title`` is that of an example; ``holds`` tells of an answer, shape () or (classes,), whether
    the title is true of it.
    """

    title: str
    rows: IntArray
    holds: Callable[[Float64Array], bool]


@dataclass(frozen=True)
class OneOutput:
    """One of several outputs as a kind of its own; ``name`` is "" where there is no other.

    ``select`` takes its part, shape (rows,), of answers or truths of all outputs.
    """

    name: str
    kind: "OutputKind"
    select: Callable[[Float64Array], Float64Array]


class OutputKind(ABC):
    """A kind of answer: values, shape (rows,), or probabilities, shape (rows, classes)."""

    name: ClassVar[str]
    """What a card calls it."""

    output: ClassVar[str]
    """The name of the output in the ONNX form that is served."""

    answers_text: ClassVar[str]
    """What it answers with, in a sentence; for classes, what these are called."""

    has_truth: ClassVar[bool] = True
    """Whether data can say what it should have answered."""

    weighs_classes: ClassVar[bool] = False
    """Whether its classes may be steps of a scale, or one of them a risk."""

    judges_rows: ClassVar[bool] = False
    """Whether it says itself which rows are unlike the data."""

    classes: tuple[Any, ...]
    """The classes as the model's file has them; empty for a kind without."""

    @abstractmethod
    def with_names(self, names: Sequence[str]) -> "OutputKind":
        """Return the same kind with names for its classes, in their order; none keep their own.

        Raises:
            AddError: if these cannot be its classes.
        """

    @property
    def class_names(self) -> dict[str, str]:
        """The names of classes by what the model's file has for them, where it has numbers."""
        return {}

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """The shape of one answer: () or (classes,)."""

    @abstractmethod
    def predict(self, fitted: Any, rows: Any) -> Float64Array:
        """Answer rows like those that the estimator was fitted to; see the class for the shape.

        Raises:
            AddError: if it has several outputs.
        """

    def predict_quietly(self, fitted: Any, rows: Any) -> Float64Array:
        """Answer as ``predict``, see the class for the shape; nobody could change here what the
        estimator warns of."""
        with warnings.catch_warnings(action="ignore"):
            return self.predict(fitted, rows)

    @abstractmethod
    def append_answer(self, graph: Any, outputs: Sequence[str]) -> None:
        """Append the nodes that lead from a converted estimator's outputs to "answer".

        Raises:
            CompileError: if its converter left out what is served.
        """

    def describe_threshold(self, threshold: float, where: str) -> str:
        """Say what becomes of a threshold for probabilities that a file holds; "" for nothing.

        It is between 0 and 1, and ``where`` is the file that holds it, with its key.
        """
        return ""

    def doubt_answers(self, fitted: Any, rows: Any) -> str:
        """Say why an estimator's probabilities cannot be shown; "" where they can.

        ``rows`` are like those that it was fitted to.

        Raises:
            AddError: if what it answers contradicts itself.
        """
        return ""

    def without_probabilities(self) -> "OutputKind":
        """Return the kind of a model that names its answer alone."""
        return self

    def count_differing(self, answers: Float64Array, expected: Float64Array) -> int:
        """Count the rows that have another answer than expected.

        Answers and expected ones are as the class says; in another shape all rows differ.
        """
        if answers.shape != expected.shape:
            return len(expected)
        return int((~self.are_close(answers, expected)).sum())

    @abstractmethod
    def are_close(self, answers: Float64Array, expected: Float64Array) -> BoolArray:
        """Say of each row whether it has the answer expected, shape (rows,).

        Args:
            answers: see the class for the shape.
            expected: of the same shape.
        """

    @abstractmethod
    def fit(self, answers: Float64Array, truth: Float64Array) -> Fit:
        """Measure how well answers fit the truth, shape (rows,), of the same rows."""

    @abstractmethod
    def list_losses(self, answers: Float64Array, truth: Float64Array) -> Float64Array:
        """Return how wrong each answer is, shape (rows,), for the truth of the same rows."""

    def list_readings(
        self, answers: Float64Array, truth: Float64Array, all_truth: Float64Array, movable: bool
    ) -> tuple[Reading, ...]:
        """List what answers may mean, the answers as they are first.

        Args:
            answers: of some rows, see the class for the shape.
            truth: of the same rows, shape (rows,).
            all_truth: of all rows, shape (all rows,).
            movable: whether the classes may stand in another order.
        """
        return (AS_GIVEN,)

    @abstractmethod
    def accepts(
        self, given: Fit, cause: Fit, rarity: float, reading: Reading, inputs: bool, rare: bool
    ) -> bool:
        """Say whether a cause explains the answers clearly better than they are as given.

        Args:
            given: the answers as they are.
            cause: the answers under the cause.
            rarity: of the cause, taken off its rank.
            reading: what the answers are read as.
            inputs: whether the cause changes what the model is given.
            rare: whether it is a unit or a place of a column.
        """

    @abstractmethod
    def is_beyond_doubt(self, given: Fit) -> bool:
        """Whether answers are so good that no cause can be accepted."""

    @abstractmethod
    def is_good_enough(self, given: Fit) -> bool:
        """Whether answers are so good that units and places are not doubted."""

    def explain_nonsense(self, answers: Float64Array, truth: Float64Array) -> str:
        """Say why answers cannot belong to the truth, shape (rows,); "" where they can."""
        return ""

    @abstractmethod
    def make_value_function(self, predict: PredictFloat64, answer: Float64Array) -> PredictFloat64:
        """Make the function of one value a row whose contributions explain an answer.

        Args:
            predict: the model.
            answer: to one row, shape (1,) or (1, classes).
        """

    @abstractmethod
    def read_truth(self, cells: pd.Series, options: AddOptions) -> Float64Array:
        """Read the true answer of each row, shape (rows,): a number, or the index of its class.

        Raises:
            AddError: if the target holds what the model cannot answer.
        """

    @abstractmethod
    def draft_output(self, truth: Float64Array, options: AddOptions) -> DraftOutput:
        """Draft what the answer is called and how it is shown, for true answers, shape (rows,).

        Raises:
            AddError: if a page cannot show it.
        """

    def make_limit(self, output: DraftOutput) -> Callable[[Float64Array], Float64Array]:
        """Make what keeps answers, shape (rows,) or (rows, outputs), within the card's bounds."""
        return np.asarray

    @abstractmethod
    def evaluate(
        self, dataset: Dataset, output: DraftOutput, coverage: float, add_note: AddNote
    ) -> Evaluation:
        """Measure and calibrate on the held-out rows, as far as there are enough of them."""

    @abstractmethod
    def measure_facts(self, answers: Float64Array, truth: Float64Array, count: int) -> Metric:
        """Measure how good answers are with some of the facts, on held-out rows.

        Answers are as the class says, ``truth`` has the shape (rows,), and ``count`` facts were
        known.
        """

    @abstractmethod
    def describe_facts(self, few: Metric, every: Metric, shown: int, output: DraftOutput) -> str:
        """Say how good it is with the facts that a form shows, and with all.

        ``few`` is the figure with the facts that are shown, ``every`` the same with all.
        """

    score_name: ClassVar[str]
    """What ``compute_score`` gives, as people call it."""

    @abstractmethod
    def decide(self, answers: Float64Array) -> Float64Array:
        """Return the number, or the index of the likeliest class, of each row, shape (rows,).

        Args:
            answers: of the model, see the class for the shape.
        """

    @abstractmethod
    def compute_losses(self, decided: Float64Array, truth: Float64Array) -> Float64Array:
        """Compute how wrong each row is, shape (rows,), of ``decide`` and of the truth."""

    @abstractmethod
    def compute_score(self, losses: Float64Array, truth: Float64Array) -> float:
        """Compute the score of losses, shape (rows,); 1 is the best."""

    @abstractmethod
    def make_baselines(self) -> dict[str, Any]:
        """Make plain estimators of numbers without holes, by name; the last gives a constant."""

    @abstractmethod
    def choose_bands(
        self, answers: Float64Array, truth: Float64Array, output: DraftOutput
    ) -> Sequence[Band]:
        """Choose bands of rows whose middle can be an example; perhaps none.

        Answers are as the class says, ``truth`` has the shape (rows,).
        """

    def find_axis(self, truth: Float64Array) -> tuple[float, float] | None:
        """Find the ends of a scale for true answers, shape (rows,), if they are drawn on one."""
        return None

    def list_outputs(self) -> Sequence[OneOutput]:
        """List each output as a kind of its own, in order; the kind itself where there is one."""
        return (OneOutput("", self, lambda values: values),)

    def split(self, truth: Float64Array) -> list[tuple[OneOutput, Float64Array]]:
        """Split a truth in the shape of answers: each output with its own, shape (rows,)."""
        return [(output, output.select(truth)) for output in self.list_outputs()]

    def first(self, values: Float64Array) -> Float64Array:
        """Return what stands first of truths or answers, shape (rows,), where these are several."""
        return values

    def list_others(self, answer: Float64Array) -> tuple[float, ...]:
        """List the values of an answer behind the first; none where there is one.

        Args:
            answer: to one row, shape () or (outputs,).
        """
        return ()

    @abstractmethod
    def read_answer(self, answer: Float64Array) -> tuple[float, str]:
        """Return the value or probability of an answer, shape () or (classes,), and its class."""


def skip_evaluation(accuracy: str, add_note: AddNote) -> Evaluation:
    """Say that there are no held-out rows to measure the model on."""
    add_note(
        "Nothing was measured and there is no range, because no held-out rows were given. "
        "Give rows that the model has not seen with --holdout: a file, or a column of the data."
    )
    return Evaluation("Nothing was measured: no rows were held out from the model.", accuracy)


def find_fullest_group(groups: Sequence[_Group]) -> _Group:
    """Return the group of rows in which most facts are known."""
    return max(groups, key=lambda group: len(group.known) - (group.unknown or 0))


def make_metric(name: str, label: str, value: float) -> Metric:
    """Make a figure in the answer's unit or in none, with six significant digits."""
    return Metric(name=name, label=label, value=round_digits(value), share=False)


def make_share(name: str, label: str, value: float) -> Metric:
    """Make a figure that is a share, 0 to 1, with four decimals."""
    return Metric(name=name, label=label, value=round(value, 4))


def round_digits(value: float) -> float:
    """Round to six significant digits."""
    return float(f"{value:.6g}")
