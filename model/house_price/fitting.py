"""The whole model, fitted to sales: a price, and the scale of its error."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.compose import TransformedTargetRegressor

from model.contract.arrays import Float64Array, IntArray
from model.house_price.features import FRAME, OPTIONAL
from model.house_price.pipeline import (
    OPTIONAL_COLUMNS,
    TrainingConfig,
    fit_price_model,
    fit_scale_model,
)
from model.house_price.sales import ReportedSales
from model.making.rows.subsets import assign_folds, iterate_folds, mask_features
from model.serving.explain import list_coalitions

COVERAGE = 0.9
"""The share of sales that a range should hold."""

SUBSETS = list_coalitions(len(OPTIONAL))


@dataclass(frozen=True)
class FittedModel:
    """A price model, one of the scale of its error, and predictions of models of the other folds.

    For each group of known features, value [128, N] is in dollars, scale [128, N] in log dollars.
    """

    price_model: TransformedTargetRegressor
    scale_model: TransformedTargetRegressor
    value: Float64Array
    scale: Float64Array


def fit_model(
    features: Float64Array,
    price: Float64Array,
    config: TrainingConfig,
    reports: ReportedSales,
    report: Callable[[str], object],
) -> FittedModel:
    """Fit everything to features [N, 10] and prices [N] in dollars.

    For calibration, the price of a row comes from a model of the other folds, and its scale from a
    model of the errors of the other folds. The models that are kept are fitted to all rows. Prices
    are learned from reports, too; but people report what is wrong, so that these are no sample, and
    no error is measured on them.
    """
    fold, value = predict_held_out(features, price, config, reports, report)
    error = np.abs(np.log(price / value))
    scale = np.empty_like(value)
    for learn, hold in iterate_folds(fold):
        model = fit_scale_model(features[learn], error[:, learn], config)
        scale[:, hold] = predict_subsets(model, features[hold])
    report("scale, all folds")
    fitted = FittedModel(
        price_model=_fit_price(features, price, reports, config),
        scale_model=fit_scale_model(features, error, config),
        value=value,
        scale=scale,
    )
    report("price and scale, all rows")
    return fitted


def predict_held_out(
    features: Float64Array,
    price: Float64Array,
    config: TrainingConfig,
    reports: ReportedSales,
    report: Callable[[str], object],
) -> tuple[IntArray, Float64Array]:
    """Predict features [N, 10] by models that are fitted to the prices [N] of the other folds.

    All of them learn from the reports.

    Returns:
        The fold of each row, [N], and its predictions in dollars for each group, [128, N].
    """
    fold = assign_folds(len(features), config.folds, np.random.default_rng(config.seed))
    value = np.empty((len(SUBSETS), len(features)))
    for number, (learn, hold) in enumerate(iterate_folds(fold), 1):
        model = _fit_price(features[learn], price[learn], reports, config)
        value[:, hold] = predict_subsets(model, features[hold])
        report(f"price, fold {number} of {config.folds}")
    return fold, value


def _fit_price(
    features: Float64Array, price: Float64Array, reports: ReportedSales, config: TrainingConfig
) -> TransformedTargetRegressor:
    return fit_price_model(
        np.concatenate([features, reports.features]), np.concatenate([price, reports.price]), config
    )


def predict_subsets(model: TransformedTargetRegressor, features: Float64Array) -> Float64Array:
    """Predict features [N, 10] with each subset of the optional ones known.

    Returns:
        Predictions [128, N], in the unit of the model.
    """
    masked = [
        mask_features(
            features, np.broadcast_to(subset, (len(features), len(subset))), OPTIONAL_COLUMNS
        )
        for subset in SUBSETS
    ]
    predictions = np.asarray(model.predict(FRAME.build(np.concatenate(masked))), dtype=float)
    return predictions.reshape(len(SUBSETS), len(features))
