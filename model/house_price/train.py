"""Train the house price model: `python -m model.house_price.train`.

Reads sales.csv; writes model.joblib, model.onnx and manifest.json beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np

from model.contract import formatting
from model.contract.arrays import Float32Array, Float64Array
from model.contract.fields import Value
from model.contract.manifest import (
    Artifact,
    Calibration,
    CalibrationGroup,
    GoldenRow,
    Manifest,
    Metric,
    TrainingData,
)
from model.house_price.features import CARD, CHOICES, FIELDS, OPTIONAL, REQUIRED
from model.house_price.fitting import COVERAGE, FittedModel, fit_model
from model.house_price.metrics import compute_group_metrics, compute_metrics
from model.house_price.onnx_networks import convert_networks
from model.house_price.pipeline import OPTIONAL_COLUMNS, TrainingConfig
from model.house_price.sales import SALES, Sales, read_sales
from model.making.conformal import ConformalBounds, find_groups, mask_features, sample_known
from model.making.neighbors import build_neighbors, compute_ood_thresholds
from model.making.onnx.compile import CONVERTERS, compile_pipelines
from model.serving.explain import explain
from model.serving.neighbors import Neighbors
from model.serving.predictors import OnnxPredictor

_LIBRARIES = ("joblib", "numpy", "onnx", "onnxruntime", "pandas", "scikit-learn", "skl2onnx")
_MASKED_COMPARISONS = 4
# A gauge from the lowest to the highest price would leave most prices in its first third.
_AXIS_QUANTILES = (0.005, 0.995)
_AXIS_STEP = 10_000
_EXPLAINED = 200

SOURCE = (
    "Dean De Cock, \u201cAmes, Iowa: Alternative to the Boston Housing Data as an End of Semester "
    "Regression Project\u201d, Journal of Statistics Education 19(3), 2011, from the Ames City "
    "Assessor\u2019s Office. Prices are in dollars of the year of the sale."
)
METHOD = (
    "Nine of ten sales should fall into their range. It is a conformal range: its width was set on "
    "sales that the model had not seen, separately for each combination of facts, so it holds with "
    "three facts as well as with all. It is wider where the model is less sure."
)
_LABELS = {
    "error": "Median error, {}",
    "coverage": "Sales inside their range (90% is the aim), {}",
    "width": "Typical width of the range, {}",
}
_GIVEN = {
    "three": "three facts",
    "all": "all ten facts",
    "random": "averaged over which facts were given",
}

GOLDEN: tuple[dict[str, Value], ...] = (
    {"beds": 3, "baths": 2, "sqft": 1850},
    {"beds": 2, "baths": 1, "sqft": 900, "year_built": 1925, "neighborhood": "Old_Town"},
    {
        "beds": 4,
        "baths": 3.5,
        "sqft": 2600,
        "year_built": 2005,
        "neighborhood": "Northridge_Heights",
        "condition": "Average",
        "garage_cars": 3,
        "lot_area": 12000,
        "basement_sqft": 1400,
        "fireplaces": 1,
    },
)
"""Inputs whose predictions the manifest keeps, so that start-up can test a served model."""


def train(
    sales: Sales,
    folder: Path,
    config: TrainingConfig | None = None,
    *,
    folds_count: int = 10,
    report: Callable[[str], object] = lambda _line: None,
) -> Manifest:
    """Train on sales, write model.joblib and model.onnx to a folder, and return the manifest.

    The same sales and config give the same model and figures; only the date differs. A quick run
    for tests: `train(sales.head(400), folder, QUICK, folds_count=3)`.

    Raises:
        CompileError: the compiled model differs from the pipelines.
        ValueError: there are too few sales to calibrate a range.
    """
    config = config or TrainingConfig()
    fitted = fit_model(sales.features, sales.price, config, folds_count=folds_count, report=report)
    pipelines = {"value": fitted.price_model, "spread": fitted.scale_model}
    compiled = compile_pipelines(
        pipelines,
        FIELDS,
        CHOICES,
        _make_comparison_rows(sales.features, config.seed),
        {"as networks": convert_networks, **CONVERTERS},
    )
    report("compiled and compared")
    joblib.dump(pipelines, folder / "model.joblib", compress=3)
    (folder / "model.onnx").write_bytes(compiled)
    neighbors = _index_neighbors(compiled, sales)
    neighbors.save(folder / "neighbors.npz")
    report("indexed for similar sales")
    metrics = compute_metrics(fitted.held_out, sales.price)
    count = formatting.format_number(len(sales), CARD.locale)
    percent = partial(formatting.format_percent, locale=CARD.locale, digits=1)
    return Manifest(
        trained=date.today(),
        seed=config.seed,
        columns=FIELDS,
        choices=CHOICES,
        served="model.onnx",
        artifacts={
            name: _describe_artifact((folder / name).read_bytes())
            for name in ("model.joblib", "model.onnx", "neighbors.npz")
        },
        versions={"python": platform.python_version()}
        | {name: version(name) for name in _LIBRARIES},
        data=TrainingData(
            file=SALES.name,
            sha256=_describe_artifact(SALES.read_bytes()).sha256,
            rows=len(sales),
            text=f"{count} houses sold in Ames, Iowa, from 2006 to 2010",
            source=SOURCE,
        ),
        how=f"By {folds_count}-fold cross-validation over {count} sales: each was priced by "
        "a model that had not seen it, and its range was calibrated on the others.",
        metrics=tuple(_make_metric(name, value) for name, value in metrics.items()),
        accuracy=f"Half the time it is off by less than {percent(metrics['error_all'])} with all "
        f"ten facts, by less than {percent(metrics['error_three'])} with three.",
        reference=_compute_reference(sales.features),
        axis=_compute_axis(sales.price),
        calibration=_make_calibration(fitted, sales.price, neighbors),
        neighbors="neighbors.npz",
        golden=_make_golden(compiled, fitted.bounds),
    )


def _describe_artifact(content: bytes) -> Artifact:
    return Artifact(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _make_metric(name: str, value: float) -> Metric:
    kind, given = name.split("_")
    return Metric(name=name, label=_LABELS[kind].format(_GIVEN[given]), value=round(value, 4))


def _compute_axis(price: Float64Array) -> tuple[float, float]:
    """Return the bounds of the gauge, at round numbers."""
    low, high = np.quantile(price, _AXIS_QUANTILES) / _AXIS_STEP
    return float(np.floor(low)) * _AXIS_STEP, float(np.ceil(high)) * _AXIS_STEP


def _make_comparison_rows(features: Float64Array, seed: int) -> Float64Array:
    """Return every row with all features, with the required ones alone, and masked at random."""
    rng = np.random.default_rng(seed)
    shape = (len(features), len(OPTIONAL))
    known = [np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)]
    known += list(sample_known(rng, shape[0], _MASKED_COMPARISONS, shape[1], none=0, every=0))
    return np.concatenate([mask_features(features, drawn, OPTIONAL_COLUMNS) for drawn in known])


def _index_neighbors(compiled: bytes, sales: Sales) -> Neighbors:
    """Return the index of similar sales, by a distance learned from the compiled model."""
    predictor = OnnxPredictor(compiled)

    def predict_values(rows: Float32Array) -> Float64Array:
        return predictor.predict(rows)[0].astype(np.float64)

    rows = sales.features.astype(np.float32)
    typical = _compute_reference(sales.features)
    reference = np.array([[field.encode(typical[field.name]) for field in CARD.fields]], np.float32)
    explained = [
        explain(predict_values, row[None, :], reference).contributions
        for row in rows[:: max(1, len(rows) // _EXPLAINED)]
    ]
    importance = np.abs(explained).mean(axis=0)
    choices = {FIELDS.index(name): len(listed) for name, listed in CHOICES.items()}
    return build_neighbors(
        rows, sales.price, sales.year_sold, choices, importance.tolist(), predict_values
    )


def _make_calibration(
    fitted: FittedModel, price: Float64Array, neighbors: Neighbors
) -> Calibration:
    """Return the bounds of each group; a manifest counts both away from the value."""
    group_metrics = compute_group_metrics(fitted.held_out, price)
    required = [FIELDS.index(name) for name in REQUIRED]
    known = [[*required, *map(FIELDS.index, group.known)] for group in group_metrics]
    supports = compute_ood_thresholds(neighbors, known)
    groups = tuple(
        CalibrationGroup(
            known=group.known,
            low=round(-float(fitted.bounds.low[number]), 6),
            high=round(float(fitted.bounds.high[number]), 6),
            width=round(group.width, 4),
            error=round(group.error, 4),
            support=round(supports[number], 4),
        )
        for number, group in enumerate(group_metrics)
    )
    return Calibration(method=METHOD, coverage=COVERAGE, scale="log", groups=groups)


def _compute_reference(features: Float64Array) -> dict[str, Value]:
    """Return the typical house: the median of each number, the most frequent choice."""
    reference: dict[str, Value] = {}
    for field, column in zip(CARD.fields, features.T, strict=True):
        if field.kind == "choice":
            reference[field.name] = field.decode(float(np.bincount(column.astype(int)).argmax()))
        else:
            reference[field.name] = field.decode(float(np.median(column)))
    return reference


def _make_golden(compiled: bytes, bounds: ConformalBounds) -> tuple[GoldenRow, ...]:
    """Return `GOLDEN` with the predictions of the compiled model, in dollars and cents."""
    rows = np.array(
        [[field.encode(features.get(field.name)) for field in CARD.fields] for features in GOLDEN]
    )
    value, scale = OnnxPredictor(compiled).predict(rows.astype(np.float32))
    assert scale is not None  # noqa: S101 (both were compiled)
    groups = find_groups(rows, OPTIONAL_COLUMNS)
    low, high = bounds.interval(value.astype(np.float64), scale.astype(np.float64), groups)
    return tuple(
        GoldenRow(
            features=features,
            value=round(float(value[row]), 2),
            low=round(float(low[row]), 2),
            high=round(float(high[row]), 2),
        )
        for row, features in enumerate(GOLDEN)
    )


def main() -> None:
    """Train on sales.csv and write everything beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--output", type=Path, default=SALES.parent, help="folder to write to")
    arguments = parser.parse_args()
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    made = train(read_sales(), arguments.output, folds_count=arguments.folds, report=report)
    text = json.dumps(made.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (arguments.output / "manifest.json").write_text(text + "\n", encoding="utf-8")
    for metric in made.metrics:
        report(f"{metric.value:7.4f}  {metric.label}")


if __name__ == "__main__":
    main()
