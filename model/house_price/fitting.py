"""The model as a whole: price, spread and calibrated bounds, fitted to one set of sales."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.compose import TransformedTargetRegressor

from model.contract.arrays import Float64Array, IntArray
from model.house_price.facts import OPTIONAL, to_frame
from model.house_price.pipeline import OPTIONAL_COLUMNS, Recipe, fit_price, fit_spread
from model.making.conformal import Bounds, calibrate, every_subset, folds, mask, splits

COVERAGE = 0.9
"""The share of sales that a range should hold."""

SUBSETS = every_subset(len(OPTIONAL))


@dataclass(frozen=True)
class HeldOut:
    """What models that had not seen a row said of it, for each group of known facts.

    value [128, N] is in dollars, spread [128, N] in log dollars, fold [N] counts from 0.
    """

    value: Float64Array
    spread: Float64Array
    fold: IntArray

    def scores(self, price: Float64Array) -> Float64Array:
        """Return the signed errors [128, N] in units of the spread, for prices [N]."""
        return np.log(price / self.value) / self.spread


@dataclass(frozen=True)
class Fitted:
    """A price model with its range, and what cross-validation said of it on the way."""

    price: TransformedTargetRegressor
    spread: TransformedTargetRegressor
    bounds: Bounds
    held_out: HeldOut


def fit(
    facts: Float64Array,
    price: Float64Array,
    recipe: Recipe,
    *,
    folds_count: int = 10,
    report: Callable[[str], object] = lambda _line: None,
) -> Fitted:
    """Fit everything to facts [N, 10] and prices [N] in dollars.

    A row's prediction for calibration comes from a model fitted to the other folds, its spread from
    one fitted to the errors of the other folds. The models that are kept are fitted to all rows.
    """
    fold = folds(len(facts), folds_count, np.random.default_rng(recipe.seed))
    value = np.empty((len(SUBSETS), len(facts)))
    for number, (learn, hold) in enumerate(splits(fold), 1):
        model = fit_price(facts[learn], price[learn], recipe)
        value[:, hold] = predict_subsets(model, facts[hold])
        report(f"price, fold {number} of {folds_count}")
    error = np.abs(np.log(price / value))
    spread = np.empty_like(value)
    for learn, hold in splits(fold):
        model = fit_spread(facts[learn], error[:, learn], recipe)
        spread[:, hold] = predict_subsets(model, facts[hold])
    report("spread, all folds")
    held_out = HeldOut(value, spread, fold)
    fitted = Fitted(
        price=fit_price(facts, price, recipe),
        spread=fit_spread(facts, error, recipe),
        bounds=calibrate(held_out.scores(price), COVERAGE),
        held_out=held_out,
    )
    report("price and spread, all rows")
    return fitted


def predict_subsets(model: TransformedTargetRegressor, facts: Float64Array) -> Float64Array:
    """Return the answers [128, N] to facts [N, 10] with each subset of the optional ones known."""
    masked = [
        mask(facts, np.broadcast_to(subset, (len(facts), len(subset))), OPTIONAL_COLUMNS)
        for subset in SUBSETS
    ]
    answers = np.asarray(model.predict(to_frame(np.concatenate(masked))), dtype=float)
    return answers.reshape(len(SUBSETS), len(facts))
