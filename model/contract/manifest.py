"""The manifest: what the training command made, ``manifest.json`` in the model's folder.

Unknown keys are rejected.
"""

import datetime as dt
import itertools
from typing import Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    NonPositiveFloat,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from model.contract import formatting
from model.contract.derived import FeatureStep
from model.contract.fields import Value
from model.contract.sources import Frame
from model.contract.strict import Share, StrictModel


class Artifact(StrictModel):
    """A file in the model's folder, as the training command wrote it."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int


class TrainingData(StrictModel):
    """What the model was trained on."""

    file: str
    sha256: str
    rows: int
    text: str
    source: str


class Metric(StrictModel):
    """One measured figure: a share between 0 and 1, or a plain number."""

    name: str
    label: str
    value: float
    share: bool = True

    def format(self, locale: str) -> str:
        """Write the figure for people."""
        if self.share:
            return formatting.format_percent(self.value, locale, digits=1)
        return formatting.format_figure(self.value, locale)


ResidualScale = Literal["linear", "sqrt", "log"]
"""The scale on which the ends of an interval count from the prediction."""


class FactGroup(StrictModel):
    """What was measured for one set of known optional facts.

    ``known`` are the optional facts that are given. A model with many optional facts has a group
    for each number of ``unknown`` ones instead.
    """

    known: tuple[str, ...] = ()
    unknown: NonNegativeInt | None = None


class AccuracyGroup(FactGroup):
    """The share of ``rows`` held-out rows for which a classifier was ``right``."""

    right: Share
    rows: PositiveInt


class OrdinalGroup(FactGroup):
    """How far ``rows`` held-out rows are off whose classes are steps of a scale.

    ``close`` is the share that was right or one step off. ``threshold`` is the probability that a
    range of likely classes has at most, None where the rows are too few for one, and ``inside`` the
    share of rows whose class was in a range that others set.
    """

    rows: PositiveInt
    close: Share
    threshold: Share | None = None
    inside: Share | None = None


class OrdinalCalibration(StrictModel):
    """The ranges of likely classes, which shall hold the true class in a share ``coverage``.

    ``order`` are the classes from the lowest step.
    """

    order: tuple[str, ...]
    coverage: float = Field(gt=0.5, lt=1)
    groups: tuple[OrdinalGroup, ...]


class CalibrationGroup(FactGroup):
    """The calibration of the interval for one set of known optional facts.

    At each of the ``knots``, ascending predictions,
    ``lows`` and ``highs`` are the ends of the interval from the prediction: on the calibration's
    scale, in units of the predictor's own scale of the error, which is 1 for one without.

    ``width`` is the median width of the interval and ``error`` the median absolute error: on a log
    scale relative to prediction and truth, else in the prediction's unit. ``inside`` is the share
    of ``rows`` held-out rows within an interval that others set, and ``fifths`` the same for each
    fifth of the predictions, from the lowest; a model of an earlier format has none of the three.
    ``ood_threshold`` is there in models of before: 99 % of the training rows were nearer to their
    nearest rows.
    """

    knots: tuple[float, ...] = Field(min_length=1)
    lows: tuple[NonPositiveFloat, ...]
    highs: tuple[NonNegativeFloat, ...]
    width: PositiveFloat
    error: NonNegativeFloat
    rows: PositiveInt | None = None
    inside: Share | None = None
    fifths: tuple[float, ...] = ()
    ood_threshold: PositiveFloat | None = None

    @model_validator(mode="after")
    def _each_knot_has_both_ends(self) -> "CalibrationGroup":
        if not len(self.knots) == len(self.lows) == len(self.highs):
            raise ValueError("knots, lows and highs must have the same length")
        if any(after <= before for before, after in itertools.pairwise(self.knots)):
            raise ValueError("knots must ascend")
        return self


class Calibration(StrictModel):
    """How a prediction becomes an interval.

    ``scale`` says on which scale its ends count: one of roots keeps it from going below 0.
    """

    method: str
    coverage: float = Field(gt=0.5, lt=1)
    scale: ResidualScale
    groups: tuple[CalibrationGroup, ...] = Field(min_length=1)


BINS = 40
"""Bins of equal width on the axis, for outcomes, and on each side of the held-out plot."""


class Outcomes(StrictModel):
    """What the training rows came to: how many lie in each bin of the axis, and beyond its ends."""

    counts: tuple[int, ...] = Field(min_length=BINS, max_length=BINS)
    below: NonNegativeInt = 0
    above: NonNegativeInt = 0


class HeldOutCell(StrictModel):
    """How many held-out rows have their truth and their prediction in two bins of the axis."""

    truth: int = Field(ge=0, lt=BINS)
    prediction: int = Field(ge=0, lt=BINS)
    count: PositiveInt


class HeldOut(StrictModel):
    """Predictions of rows that the model had not seen, against the truth, as counts.

    ``rows`` are all of them; those with a truth or a prediction beyond the axis are in no cell.
    ``close`` is the share whose prediction is within a tenth of the truth.
    """

    rows: PositiveInt
    close: Share
    cells: tuple[HeldOutCell, ...]


class ProbabilityCalibration(StrictModel):
    """How probabilities are made no surer than the evidence.

    Each is multiplied by its class's weight, if there are ``weights``. A share ``uniform`` of each
    is replaced by the uniform distribution, then their logarithms are divided by ``temperature``,
    and then as much is replaced again that none is above ``most``.
    ``rows`` is the number of held-out rows that showed this, None for a model of an earlier format.
    """

    rows: PositiveInt | None = None
    weights: tuple[PositiveFloat, ...] = ()
    uniform: float = Field(default=0.0, ge=0, lt=1)
    temperature: PositiveFloat
    most: float = Field(default=1.0, gt=0.5, le=1)


class TruthBin(StrictModel):
    """The truth of held-out rows with similar predictions, all in the prediction's unit.

    ``estimate`` is the median prediction; between ``low`` and ``high`` lie 80 % of the truths, half
    of them below ``middle``.
    """

    estimate: float
    low: float
    middle: float
    high: float


class ReliabilityBin(StrictModel):
    """Held-out rows with similar probabilities of the class that comes first.

    ``probability`` is the mean of these, and ``right`` the share of the rows for which it was so.
    """

    probability: Share
    right: Share
    rows: PositiveInt


class TypicalFact(StrictModel):
    """What sets the training rows of a cluster apart in one field.

    Half of the rows lie between ``low`` and ``high``, in codes of the field; or a share
    ``inside`` of them has the one value that both name, and a share ``outside`` of all others.
    """

    field: str
    low: float
    high: float
    inside: Share | None = None
    outside: Share | None = None


class ClusterProfile(StrictModel):
    """The training ``rows`` of a cluster, and what is typical of them, the clearest first.

    ``facts`` are empty where so few rows are in it that they would show one of them.
    """

    cluster: str
    rows: NonNegativeInt
    facts: tuple[TypicalFact, ...] = ()


class FieldBins(StrictModel):
    """The bins of one field, and how many training rows are in each.

    Those of a number lie between ``edges``, ascending, of which the first and the last are the
    smallest and the largest training value, rounded to the outside. A choice, and a number that
    has few values, has a bin for each code in ``choices``; a choice has one for all in ``others``.
    ``counts`` has the training rows of each bin, then of those without a value, and 0 for values
    that none of them has.
    """

    edges: tuple[float, ...] = ()
    choices: tuple[float, ...] = ()
    others: tuple[float, ...] = ()
    counts: tuple[int, ...] = Field(min_length=3)


class OutputManifest(StrictModel):
    """What was made of a further output of a model of several; see ``Manifest``."""

    name: str
    axis: tuple[float, float] | None = None
    calibration: Calibration | None = None
    truth_bins: tuple[TruthBin, ...] = ()


class GoldenRow(StrictModel):
    """A row with the prediction that the model made of it when it was trained.

    ``value`` is the prediction, or the probability of the class in ``label``, the distance to the
    cluster in ``label``, or the score of an outlier detector. ``others`` are the predictions of
    further outputs.
    """

    features: dict[str, Value]
    value: float
    label: str = ""
    low: float | None = None
    high: float | None = None
    others: tuple[float, ...] = ()


class ManifestBase(StrictModel):
    """What every training command writes: files, versions, data and figures."""

    format: Literal[3] = 3
    trained: dt.date
    seed: int
    served: str
    artifacts: dict[str, Artifact]
    versions: dict[str, str]
    data: TrainingData
    how: str
    metrics: tuple[Metric, ...]
    accuracy: str


class Manifest(ManifestBase):
    """What the training command of a tabular model writes.

    ``axis`` are the bounds of the scale on which a number is drawn; a classifier has none, and
    neither ``outcomes`` nor ``held_out``, which are counted in bins of the axis. It may have
    calibrated ``probabilities`` instead of a calibration (see ``model.serving.probabilities``), and
    ``accuracies`` by which facts are known; ``ordinal`` is there where its classes are steps.
    ``truth_bins`` and ``reliability`` sum up what held-out rows showed, for plots.
    ``columns`` are the card's fields in their order, and ``inputs`` the same in the order in which
    the artifact takes them, where that is another one.
    ``frame`` describes the input of an estimator that is served as it was saved, if that differs
    from the card's columns. ``features`` is the step from the card's fields to the model's
    columns, where some of these are derived. ``runs_code`` says that the joblib file needs classes
    or functions that are not known here: loading it runs its code, which somebody trusted.
    ``class_names`` are the card's values of the classes of an estimator that has numbers for them.
    ``module`` is the name of the Python file that has that code, where it is no installed module's.
    ``neighbors`` and ``copula`` are the files of the similar rows and of the joint distribution of
    the facts, which finds rows that are out-of-distribution. A model of before has thresholds for
    the distance to its nearest rows instead: ``ood_thresholds`` by the number of unknown facts, or
    one in each group of the calibration.
    ``others`` are the further outputs of a model of several; axis and calibration are the first's.
    ``clusters`` say what is typical of each cluster, in the card's order. ``scores`` are quantiles
    of the scores of the training rows, in equal steps from the lowest to the highest: what an
    outlier detector compares a row with.
    ``field_bins`` count the training rows in bins of each field, to compare what is asked with.
    ``vectorizers`` are the files of what is known of the texts of a field, by its name: which words
    the model knows, and what it makes of them.
    """

    columns: tuple[str, ...]
    inputs: tuple[str, ...] = ()
    choices: dict[str, tuple[str, ...]]
    reference: dict[str, Value]
    axis: tuple[float, float] | None = None
    outcomes: Outcomes | None = None
    held_out: HeldOut | None = None
    calibration: Calibration | None = None
    probabilities: ProbabilityCalibration | None = None
    accuracies: tuple[AccuracyGroup, ...] = ()
    ordinal: OrdinalCalibration | None = None
    neighbors: str = ""
    copula: str = ""
    field_bins: dict[str, FieldBins] = Field(default_factory=dict)
    vectorizers: dict[str, str] = Field(default_factory=dict)
    frame: Frame | None = None
    features: FeatureStep | None = None
    runs_code: bool = False
    class_names: dict[str, str] = Field(default_factory=dict)
    module: str = ""
    ood_thresholds: tuple[float, ...] = ()
    truth_bins: tuple[TruthBin, ...] = ()
    reliability: tuple[ReliabilityBin, ...] = ()
    others: tuple[OutputManifest, ...] = ()
    clusters: tuple[ClusterProfile, ...] = ()
    scores: tuple[float, ...] = ()
    golden: tuple[GoldenRow, ...] = Field(min_length=3)
