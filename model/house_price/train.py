"""Train the house price model: `python -m model.house_price.train`.

Reads sales.csv; writes model.joblib, model.onnx and manifest.json beside it. With `--reports` it
learns from a file of what visitors reported, too. With `--counts` it writes only the counts that
the plots show, into the manifest that is there.
"""

import argparse
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import joblib
import numpy as np

from model.contract import formatting
from model.contract.arrays import Float64Array
from model.contract.fields import Value
from model.contract.manifest import Calibration, Manifest, TrainingData
from model.house_price.features import CARD, CHOICES, FIELDS, FRAME, OPTIONAL
from model.house_price.fitting import COVERAGE, fit_model, predict_held_out
from model.house_price.metrics import measure
from model.house_price.onnx_networks import compile_networks
from model.house_price.pipeline import OPTIONAL_COLUMNS, TrainingConfig
from model.house_price.sales import (
    NO_REPORTED_SALES,
    SALES,
    ReportedSales,
    Sales,
    read_reported_sales,
    read_sales,
)
from model.making.kinds.number import NumberKind
from model.making.kinds.output_kind import Evaluation
from model.making.kinds.regression_metrics import bin_truth
from model.making.measuring.copula_fitting import fit_copula
from model.making.measuring.indexing import build_neighbors, compute_importance
from model.making.measuring.outcomes import count_held_out, count_outcomes
from model.making.rows.prepared import PredictFloat64, ServedFiles, load_compiled
from model.making.rows.subsets import mask_features, sample_known
from model.making.writing.manifests import (
    answer_golden_rows,
    describe_artifact,
    save_manifest,
    write_manifest,
)
from model.serving.copula import GaussianCopula
from model.serving.neighbors import Neighbors

_MASKED_COMPARISONS = 4
_EXPLAINED = 200
_CHOICES = {FIELDS.index(name): len(listed) for name, listed in CHOICES.items()}

SOURCE = (
    "Dean De Cock, \u201cAmes, Iowa: Alternative to the Boston Housing Data as an End of Semester "
    "Regression Project\u201d, Journal of Statistics Education 19(3), 2011, from the Ames City "
    "Assessor\u2019s Office. Prices are in dollars of the year of the sale."
)
METHOD = (
    "Nine of ten sales should fall into their range. Its width was set on sales that the model "
    "had not seen, separately for each combination of facts and by prices like this one. So it "
    "holds with three facts as well as with all, and it is wider where the model is less sure. How "
    "many sales fall into it was measured on sales that had no part in setting it (conformal "
    "prediction)."
)
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
    config: TrainingConfig,
    *,
    reports: ReportedSales = NO_REPORTED_SALES,
    report: Callable[[str], object] = lambda _line: None,
) -> Manifest:
    """Train on sales, write the model's files to a folder, and return the manifest.

    The same sales, reports and config give the same model and figures; only the date differs.
    Prices are learned from reports, too, but ranges and figures come from sales alone.

    Raises:
        CompileError: the compiled model differs from the pipelines.
        ValueError: there are too few sales to calibrate a range.
    """
    fitted = fit_model(sales.features, sales.price, config, reports, report)
    pipelines = {"value": fitted.price_model, "spread": fitted.scale_model}
    compiled = compile_networks(
        pipelines, FRAME, _make_comparison_rows(sales.features, config.seed)
    )
    report("compiled and compared")
    joblib.dump(pipelines, folder / "model.joblib", compress=3)
    (folder / "model.onnx").write_bytes(compiled)
    predict, scale = (load_compiled(compiled, output) for output in pipelines)
    reference = _compute_reference(sales.features)
    neighbors = _index_sales(predict, sales, reference)
    report("indexed for similar sales")
    metrics, groups = measure(fitted, sales.price)
    count = formatting.format_number(len(sales), CARD.locale)
    shares = {
        metric.name: formatting.format_percent(metric.value, CARD.locale, digits=1)
        for metric in metrics
    }
    evaluation = Evaluation(
        how=f"Measured on {count} sales. Each was priced by a model that had not seen it, and its "
        f"range was set on the others ({config.folds}-fold cross-validation).",
        accuracy=f"Half the time it is off by less than {shares['error_all']} with all "
        f"ten facts, by less than {shares['error_three']} with three.",
        metrics=metrics,
        calibration=Calibration(method=METHOD, coverage=COVERAGE, scale="log", groups=groups),
        truth_bins=bin_truth(fitted.value[-1], sales.price),
        held_out=(sales.price, fitted.value[-1]),
    )
    return write_manifest(
        folder,
        CARD,
        NumberKind(),
        ServedFiles(files=("model.joblib", "model.onnx"), served="model.onnx"),
        evaluation,
        neighbors,
        fit_sales_copula(sales.features),
        data=TrainingData(
            file=SALES.name,
            sha256=describe_artifact(SALES).sha256,
            rows=len(sales),
            text=f"{count} houses sold in Ames, Iowa, from 2006 to 2010{_count_reports(reports)}",
            source=SOURCE,
        ),
        truth=sales.price,
        reference=reference,
        golden=answer_golden_rows(CARD, NumberKind(), evaluation, GOLDEN, predict, scale),
        seed=config.seed,
    )


def _count_reports(reports: ReportedSales) -> str:
    if not len(reports):
        return ""
    noun = "visitor" if len(reports) == 1 else "visitors"
    return (
        f", and the prices that {formatting.format_number(len(reports), CARD.locale)} {noun} knew"
    )


def add_counts(
    sales: Sales,
    folder: Path,
    config: TrainingConfig,
    report: Callable[[str], object],
) -> Manifest:
    """Write the counts of sales and of held-out prices into a manifest, and leave its model as is.

    Raises:
        ValueError: if the manifest is not that of a model of numbers.
    """
    manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    if manifest.axis is None:
        raise ValueError(f"{folder}: the manifest has no axis")
    _, value = predict_held_out(sales.features, sales.price, config, NO_REPORTED_SALES, report)
    counted = manifest.model_copy(
        update={
            "outcomes": count_outcomes(sales.price, manifest.axis),
            "held_out": count_held_out(sales.price, value[-1], manifest.axis),
        }
    )
    save_manifest(folder, counted)
    return counted


def _make_comparison_rows(features: Float64Array, seed: int) -> Float64Array:
    """Return every row with all features, with the required ones alone, and masked at random."""
    rng = np.random.default_rng(seed)
    shape = (len(features), len(OPTIONAL))
    known = [np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)]
    known += list(sample_known(rng, shape[0], _MASKED_COMPARISONS, shape[1], none=0, every=0))
    return np.concatenate([mask_features(features, drawn, OPTIONAL_COLUMNS) for drawn in known])


def fit_sales_copula(features: Float64Array) -> GaussianCopula | None:
    """Fit the joint distribution of features [N, 10], for any of them that are known.

    Sales have every feature and visitors do not, so half of the rows lack some. Conditions are in
    order, neighborhoods are not.
    """
    known = sample_known(np.random.default_rng(0), len(features), 1, len(OPTIONAL))[0]
    masked = mask_features(features, known, OPTIONAL_COLUMNS)
    unordered = {FIELDS.index("neighborhood"): len(CHOICES["neighborhood"])}
    return fit_copula(np.concatenate([features, masked]), unordered)


def _index_sales(
    predict: PredictFloat64, sales: Sales, reference: Mapping[str, Value]
) -> Neighbors:
    """Return the similar sales, by a distance learned from the compiled model."""
    importance = compute_importance(
        NumberKind(), predict, sales.features, CARD.encode(reference), _EXPLAINED
    )
    rows = sales.features.astype(np.float32)
    return build_neighbors(rows, sales.price, sales.year_sold, _CHOICES, importance, predict)


def _compute_reference(features: Float64Array) -> dict[str, Value]:
    """Return the typical house: the median of each number, the most frequent choice."""
    reference: dict[str, Value] = {}
    for field, column in zip(CARD.fields, features.T, strict=True):
        if field.categories:
            reference[field.name] = field.decode(float(np.bincount(column.astype(int)).argmax()))
        else:
            reference[field.name] = field.decode(float(np.median(column)))
    return reference


def main() -> None:
    """Train on sales.csv and write everything beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument(
        "--counts", action="store_true", help="write the counts for the plots alone, and no model"
    )
    parser.add_argument("--reports", type=Path, help="a file of feedback export --training")
    parser.add_argument("--output", type=Path, default=SALES.parent, help="folder to write to")
    arguments = parser.parse_args()
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"{time.monotonic() - started:6.1f} s  {line}", flush=True)

    sales, folder, config = read_sales(), arguments.output, TrainingConfig(arguments.folds)
    if arguments.counts:
        made = add_counts(sales, folder, config, report)
    else:
        reports = read_reported_sales(arguments.reports) if arguments.reports else NO_REPORTED_SALES
        made = train(sales, folder, config, reports=reports, report=report)
    for metric in made.metrics:
        report(f"{metric.value:7.4f}  {metric.label}")


if __name__ == "__main__":
    main()
