"""How a price is learned: a teacher of boosted trees, and the small network that is kept.

The teacher is an average of gradient boostings on the absolute error of the log price (its median
is what the median percentage error asks for), accurate but too slow to be asked a thousand times
for each visitor. The network learns the teacher's answers (Hinton, Vinyals and Dean, "Distilling
the Knowledge in a Neural Network", 2015), is as accurate, smooth, and many times as fast.

All functions take the matrix of `facts.to_matrix`; the pipelines that they return take the frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Binarizer, OneHotEncoder, StandardScaler

from model.contract.arrays import Float64Array
from model.house_price.facts import CHOICES, FIELDS, NUMBERS, OPTIONAL, to_frame
from model.house_price.network import fit_network
from model.making.conformal import group_of, mask, sample_known

OPTIONAL_COLUMNS = [FIELDS.index(name) for name in OPTIONAL]
_NEIGHBORHOOD = FIELDS.index("neighborhood")
# By cross-validation: a floor under these five costs nothing; under baths it costs accuracy, and a
# year or a bedroom more need not be dearer (an old house may be a landmark).
_RISING_FOR_TEACHER = ("sqft", "garage_cars", "lot_area", "basement_sqft", "fireplaces")
_RISING = ("sqft",)
_LEAST_SPREAD = 0.02


@dataclass(frozen=True)
class Recipe:
    """How much work to put into the training."""

    teachers: int = 4
    trees: int = 200
    learning_rate: float = 0.07
    teacher_copies: int = 8
    network_copies: int = 24
    hidden: tuple[int, ...] = (64, 32)
    epochs: int = 48
    step: float = 0.006
    spread_copies: int = 8
    spread_trees: int = 60
    spread_hidden: tuple[int, ...] = (16,)
    spread_epochs: int = 12
    seed: int = 20061


QUICK = Recipe(
    teachers=1,
    trees=30,
    learning_rate=0.2,
    teacher_copies=4,
    network_copies=8,
    hidden=(16, 8),
    epochs=12,
    spread_copies=4,
    spread_trees=15,
    spread_hidden=(8,),
    spread_epochs=3,
)


def fit_price(
    facts: Float64Array, price: Float64Array, recipe: Recipe
) -> TransformedTargetRegressor:
    """Fit facts [N, 10] to prices [N] in dollars; `predict` of the result gives dollars."""
    log_price = np.log(price)
    masked = masked_copies(facts, recipe.network_copies, recipe.seed)
    answers = Teacher(facts, log_price, recipe).answer(masked)
    prepare = _fit_preparation(facts)
    frame = to_frame(masked)
    network = fit_network(
        prepare.transform(frame),
        answers,
        rising=[NUMBERS.index(name) for name in _RISING],
        hidden=recipe.hidden,
        epochs=recipe.epochs,
        learning_rate=recipe.step,
        seed=recipe.seed,
    )
    pipeline = Pipeline([("facts", prepare), ("network", network)])
    return _in_units(pipeline, frame)


def fit_spread(
    facts: Float64Array, error: Float64Array, recipe: Recipe
) -> TransformedTargetRegressor:
    """Fit facts [N, 10] to the size of the errors to expect; `predict` gives it in log dollars.

    error [128, N] is |log price - log value| of each row and group of known facts, by models that
    did not see the row. What is learned is its 0.9 quantile, so that a range of 90 % is about the
    prediction times exp(+-spread) before calibration makes it exact.
    """
    rng = np.random.default_rng(recipe.seed)
    known = sample_known(rng, len(facts), recipe.spread_copies, len(OPTIONAL))
    masked = np.concatenate([mask(facts, drawn, OPTIONAL_COLUMNS) for drawn in known])
    rows = np.tile(np.arange(len(facts)), recipe.spread_copies)
    trees = HistGradientBoostingRegressor(
        loss="quantile",
        quantile=0.9,
        max_iter=recipe.spread_trees,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=200,
        max_features=0.5,
        early_stopping=False,
        random_state=recipe.seed,
    )
    encoder = NeighborhoodRank(facts[:, _NEIGHBORHOOD], error.mean(axis=0))
    encoded = encoder.encode(masked)
    trees.fit(encoded, error[group_of(masked, OPTIONAL_COLUMNS), rows])
    answers = np.log(np.maximum(trees.predict(encoded), _LEAST_SPREAD))
    prepare = _fit_preparation(facts)
    frame = to_frame(masked)
    network = fit_network(
        prepare.transform(frame),
        answers,
        hidden=recipe.spread_hidden,
        epochs=recipe.spread_epochs,
        seed=recipe.seed,
    )
    return _in_units(Pipeline([("facts", prepare), ("network", network)]), frame)


def _in_units(pipeline: Pipeline, frame: pd.DataFrame) -> TransformedTargetRegressor:
    """Return the fitted pipeline with exp after it."""
    # The network is fitted already, to a teacher; frozen, it stays as it is.
    model = TransformedTargetRegressor(
        FrozenEstimator(pipeline), func=np.log, inverse_func=np.exp, check_inverse=False
    )
    return model.fit(frame.head(1), np.ones(1))


def masked_copies(facts: Float64Array, copies: int, seed: int) -> Float64Array:
    """Return facts [copies * N, 10] with optional ones masked at random, copy after copy."""
    rng = np.random.default_rng(seed)
    known = sample_known(rng, len(facts), copies, len(OPTIONAL))
    return np.concatenate([mask(facts, drawn, OPTIONAL_COLUMNS) for drawn in known])


class Teacher:
    """An average of boosted trees over masked facts; answers in log dollars."""

    def __init__(self, facts: Float64Array, log_price: Float64Array, recipe: Recipe) -> None:
        """Fit facts [N, 10] to log_price [N]."""
        self._encode = NeighborhoodRank(facts[:, _NEIGHBORHOOD], log_price).encode
        self._members = []
        for member in range(recipe.teachers):
            seed = recipe.seed + 1 + member
            masked = self._encode(masked_copies(facts, recipe.teacher_copies, seed))
            trees = HistGradientBoostingRegressor(
                loss="absolute_error",
                max_iter=recipe.trees,
                learning_rate=recipe.learning_rate,
                max_leaf_nodes=31,
                min_samples_leaf=20,
                max_features=0.3,
                early_stopping=False,
                monotonic_cst=[int(name in _RISING_FOR_TEACHER) for name in FIELDS],
                random_state=seed,
            )
            self._members.append(trees.fit(masked, np.tile(log_price, recipe.teacher_copies)))

    def answer(self, facts: Float64Array) -> Float64Array:
        """Return the log prices [N] of facts [N, 10]."""
        encoded = self._encode(facts)
        answers: Float64Array = np.mean([trees.predict(encoded) for trees in self._members], axis=0)
        return answers


class NeighborhoodRank:
    """Puts the neighborhoods in the order of their level of the target.

    Trees split an ordered column far better than 27 unordered ones; few sales are drawn to the
    mean of all, as if ten more had fetched it.
    """

    def __init__(self, codes: Float64Array, target: Float64Array) -> None:
        """Rank codes [N] by target [N]."""
        few, count = 10, len(CHOICES["neighborhood"])
        sales = np.bincount(codes.astype(int), minlength=count)
        total = np.bincount(codes.astype(int), weights=target, minlength=count)
        level = (total + few * target.mean()) / (sales + few)
        self._rank = np.append(np.argsort(np.argsort(level, kind="stable")), np.nan)

    def encode(self, facts: Float64Array) -> Float64Array:
        """Return a copy of facts [N, 10] with ranks for codes; unknown stays NaN."""
        encoded = facts.copy()
        codes = np.nan_to_num(facts[:, _NEIGHBORHOOD], nan=len(self._rank) - 1).astype(int)
        encoded[:, _NEIGHBORHOOD] = self._rank[codes]
        return encoded


def _fit_preparation(facts: Float64Array) -> ColumnTransformer:
    """Return what makes inputs of a network from a frame of facts; numbers come first.

    An unknown number becomes the mean and is told from it by an input that says "known"; an unknown
    choice, or one without a sale, is none of the choices.
    """
    frame = to_frame(facts)
    choices = [
        [choice for choice in CHOICES[name] if (frame[name] == choice).any()] for name in CHOICES
    ]
    optional_numbers = [name for name in OPTIONAL if name in NUMBERS]
    numbers = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0))
    # No number is negative, so -1 is free to say "unknown". (SimpleImputer(add_indicator=True) says
    # the same and does not convert to ONNX.)
    known = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0), Binarizer(threshold=-0.5)
    )
    one_hot = OneHotEncoder(categories=choices, handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", numbers, list(NUMBERS)),
            ("known", known, optional_numbers),
            ("choices", one_hot, list(CHOICES)),
        ]
    ).fit(frame)
