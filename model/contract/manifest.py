"""The manifest: what the training command made, ``manifest.json`` in the model's folder.

Unknown keys are rejected.
"""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from model.contract.derived import FeatureStep
from model.contract.fields import Value
from model.contract.sources import Frame

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Artifact(BaseModel):
    """A file in the model's folder, as the training command wrote it."""

    model_config = _STRICT

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int


class TrainingData(BaseModel):
    """What the model was trained on."""

    model_config = _STRICT

    file: str
    sha256: str
    rows: int
    text: str
    source: str


class Metric(BaseModel):
    """One measured figure: a share between 0 and 1, or a plain number."""

    model_config = _STRICT

    name: str
    label: str
    value: float
    share: bool = True


class CalibrationGroup(BaseModel):
    """The calibration of the interval for one set of known optional facts.

    ``known`` are the optional facts that are given. A model with many optional facts has a group
    for each number of ``unknown`` ones instead. ``low`` and ``high`` are conformal quantiles of the
    residual divided by the scale, which is 1 for a predictor without one. ``width`` is the median
    width of the interval and ``error`` the median absolute error over the calibration rows: on a
    log scale relative to prediction and truth, on a linear scale in the prediction's unit.
    ``ood_threshold`` is there in models of before: 99 % of the training rows were nearer to their
    nearest rows.
    """

    model_config = _STRICT

    known: tuple[str, ...] = ()
    unknown: int | None = Field(default=None, ge=0)
    low: float = Field(ge=0)
    high: float = Field(ge=0)
    width: float = Field(gt=0)
    error: float = Field(ge=0)
    ood_threshold: float | None = Field(default=None, gt=0)


class Calibration(BaseModel):
    """How a prediction becomes an interval; ``scale`` says on which scale residuals are taken."""

    model_config = _STRICT

    method: str
    coverage: float = Field(gt=0.5, lt=1)
    scale: Literal["log", "linear"]
    groups: tuple[CalibrationGroup, ...] = Field(min_length=1)


BINS = 40
"""Bins of equal width on the axis, for outcomes, and on each side of the held-out plot."""


class Outcomes(BaseModel):
    """What the training rows came to: how many lie in each bin of the axis, and beyond its ends."""

    model_config = _STRICT

    counts: tuple[int, ...] = Field(min_length=BINS, max_length=BINS)
    below: int = Field(default=0, ge=0)
    above: int = Field(default=0, ge=0)


class HeldOutCell(BaseModel):
    """How many held-out rows have their truth and their prediction in two bins of the axis."""

    model_config = _STRICT

    truth: int = Field(ge=0, lt=BINS)
    prediction: int = Field(ge=0, lt=BINS)
    count: int = Field(gt=0)


class HeldOut(BaseModel):
    """Predictions of rows that the model had not seen, against the truth, as counts.

    ``rows`` are all of them; those with a truth or a prediction beyond the axis are in no cell.
    ``close`` is the share whose prediction is within a tenth of the truth.
    """

    model_config = _STRICT

    rows: int = Field(gt=0)
    close: float = Field(ge=0, le=1)
    cells: tuple[HeldOutCell, ...]


class GoldenRow(BaseModel):
    """A row with the prediction that the model made of it when it was trained.

    ``value`` is the prediction, or the probability of the class in ``label``.
    """

    model_config = _STRICT

    features: dict[str, Value]
    value: float
    label: str = ""
    low: float | None = None
    high: float | None = None


class ManifestBase(BaseModel):
    """What every training command writes: files, versions, data and figures."""

    model_config = _STRICT

    format: Literal[2] = 2
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
    neither ``outcomes`` nor ``held_out``, which are counted in bins of the axis. It may have a
    ``temperature`` instead of a calibration (see ``model.serving.temperature``).
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
    """

    columns: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    reference: dict[str, Value]
    axis: tuple[float, float] | None = None
    outcomes: Outcomes | None = None
    held_out: HeldOut | None = None
    calibration: Calibration | None = None
    temperature: float | None = Field(default=None, gt=0)
    neighbors: str = ""
    copula: str = ""
    frame: Frame | None = None
    features: FeatureStep | None = None
    runs_code: bool = False
    class_names: dict[str, str] = Field(default_factory=dict)
    module: str = ""
    ood_thresholds: tuple[float, ...] = ()
    golden: tuple[GoldenRow, ...] = Field(min_length=3)
