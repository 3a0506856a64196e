"""How a price is learned: by a teacher of boosted trees, and by the small network that is kept.

The teacher is a mean of gradient boostings on the absolute error of the log price, whose median is
the target of the median percentage error. It is accurate, but too slow for a thousand predictions
a visitor. The network learns the teacher's predictions (Hinton, Vinyals and Dean, "Distilling the
Knowledge in a Neural Network", 2015). It is as accurate, smooth, and many times as fast.

All functions take a matrix of codes; their pipelines take its frame.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import Binarizer, OneHotEncoder, StandardScaler

from model.contract.arrays import Float64Array
from model.house_price.features import CHOICES, FIELDS, FRAME, NUMBERS, OPTIONAL
from model.house_price.network import fit_network
from model.making.rows.subsets import find_groups, mask_features, sample_known

OPTIONAL_COLUMNS = [FIELDS.index(name) for name in OPTIONAL]
_NEIGHBORHOOD = FIELDS.index("neighborhood")
# Cross-validation chose these five: monotone baths cost accuracy, and a newer house, or one more
# bedroom, need not cost more.
_INCREASING_FOR_TEACHER = ("sqft", "garage_cars", "lot_area", "basement_sqft", "fireplaces")
_INCREASING = ("sqft",)
_LEAST_SCALE = 0.02


@dataclass(frozen=True)
class TrainingConfig:
    """The size of the training: folds, copies, trees, layers and epochs."""

    folds: int = 10
    teachers: int = 4
    trees: int = 200
    trees_learning_rate: float = 0.07
    teacher_copies: int = 8
    network_copies: int = 24
    hidden: tuple[int, ...] = (64, 32)
    epochs: int = 48
    network_learning_rate: float = 0.006
    scale_copies: int = 8
    scale_trees: int = 60
    scale_hidden: tuple[int, ...] = (16,)
    scale_epochs: int = 12
    seed: int = 20061


def fit_price_model(
    features: Float64Array, price: Float64Array, config: TrainingConfig
) -> TransformedTargetRegressor:
    """Fit features [N, 10] to prices [N] in dollars; `predict` of the result gives dollars."""
    log_price = np.log(price)
    masked = make_masked_copies(features, config.network_copies, config.seed)
    fit = partial(
        fit_network,
        increasing=[NUMBERS.index(name) for name in _INCREASING],
        hidden=config.hidden,
        epochs=config.epochs,
        learning_rate=config.network_learning_rate,
        seed=config.seed,
    )
    return _distil(fit, features, masked, Teacher(features, log_price, config).predict(masked))


def fit_scale_model(
    features: Float64Array, error: Float64Array, config: TrainingConfig
) -> TransformedTargetRegressor:
    """Fit features [N, 10] to the size of the errors to expect; `predict` gives it in log dollars.

    The target is the 0.9 quantile of the error, so a range of 90 % is about the prediction times
    exp(+-scale) before calibration makes it exact.

    Args:
        features: coded features, [N, 10].
        error: |log price - log value| of each group and row, [128, N], by models that had not
            seen the row.
        config: the size of the training.
    """
    masked = make_masked_copies(features, config.scale_copies, config.seed)
    rows = np.tile(np.arange(len(features)), config.scale_copies)
    trees = HistGradientBoostingRegressor(
        loss="quantile",
        quantile=0.9,
        max_iter=config.scale_trees,
        learning_rate=0.06,
        max_leaf_nodes=8,
        min_samples_leaf=200,
        max_features=0.5,
        early_stopping=False,
        random_state=config.seed,
    )
    encoder = NeighborhoodEncoder(features[:, _NEIGHBORHOOD], error.mean(axis=0))
    encoded = encoder.encode(masked)
    trees.fit(encoded, error[find_groups(masked, OPTIONAL_COLUMNS), rows])
    predictions = np.log(np.maximum(trees.predict(encoded), _LEAST_SCALE))
    fit = partial(
        fit_network,
        hidden=config.scale_hidden,
        epochs=config.scale_epochs,
        learning_rate=config.network_learning_rate,
        seed=config.seed,
    )
    return _distil(fit, features, masked, predictions)


def _distil(
    fit: Callable[[Float64Array, Float64Array], MLPRegressor],
    features: Float64Array,
    masked: Float64Array,
    target: Float64Array,
) -> TransformedTargetRegressor:
    """Fit a network to a teacher's logarithms [M] for masked [M, 10]; it predicts their exp."""
    frame = FRAME.build(masked)
    preprocessing = _fit_preprocessing(features)
    network = fit(preprocessing.transform(frame), target)
    pipeline = Pipeline([("facts", preprocessing), ("network", network)])
    # The network is already fitted to its teacher; frozen, it is not fitted again.
    model = TransformedTargetRegressor(
        FrozenEstimator(pipeline), func=np.log, inverse_func=np.exp, check_inverse=False
    )
    return model.fit(frame.head(1), np.ones(1))


def make_masked_copies(features: Float64Array, copies: int, seed: int) -> Float64Array:
    """Return copies of features [N, 10] with optional ones masked at random.

    Returns:
        The copies, one after the other, [copies * N, 10].
    """
    rng = np.random.default_rng(seed)
    known = sample_known(rng, len(features), copies, len(OPTIONAL))
    return np.concatenate([mask_features(features, drawn, OPTIONAL_COLUMNS) for drawn in known])


class Teacher:
    """The mean of boosted trees over masked features; it predicts log dollars."""

    def __init__(
        self, features: Float64Array, log_price: Float64Array, config: TrainingConfig
    ) -> None:
        """Fit features [N, 10] to log prices [N]."""
        self._encode = NeighborhoodEncoder(features[:, _NEIGHBORHOOD], log_price).encode
        self._members = []
        for member in range(config.teachers):
            seed = config.seed + 1 + member
            masked = self._encode(make_masked_copies(features, config.teacher_copies, seed))
            trees = HistGradientBoostingRegressor(
                loss="absolute_error",
                max_iter=config.trees,
                learning_rate=config.trees_learning_rate,
                max_leaf_nodes=31,
                min_samples_leaf=20,
                max_features=0.3,
                early_stopping=False,
                monotonic_cst=[int(name in _INCREASING_FOR_TEACHER) for name in FIELDS],
                random_state=seed,
            )
            self._members.append(trees.fit(masked, np.tile(log_price, config.teacher_copies)))

    def predict(self, features: Float64Array) -> Float64Array:
        """Return the log prices [N] of features [N, 10]."""
        encoded = self._encode(features)
        predictions: Float64Array = np.mean(
            [trees.predict(encoded) for trees in self._members], axis=0
        )
        return predictions


class NeighborhoodEncoder:
    """An encoder that replaces a neighborhood by its rank by the target.

    Trees split an ordered column far better than 27 unordered ones. A neighborhood with few sales
    is drawn to the mean of all, as if it had ten more sales at that mean.
    """

    def __init__(self, codes: Float64Array, target: Float64Array) -> None:
        """Rank codes [N] by target [N]."""
        prior_sales, count = 10, len(CHOICES["neighborhood"])
        known = ~np.isnan(codes)  # a report may lack it
        places = codes[known].astype(int)
        sales = np.bincount(places, minlength=count)
        total = np.bincount(places, weights=target[known], minlength=count)
        level = (total + prior_sales * target.mean()) / (sales + prior_sales)
        self._rank = np.append(np.argsort(np.argsort(level, kind="stable")), np.nan)

    def encode(self, features: Float64Array) -> Float64Array:
        """Return a copy of features [N, 10] with ranks for codes; unknown stays NaN."""
        encoded = features.copy()
        codes = np.nan_to_num(features[:, _NEIGHBORHOOD], nan=len(self._rank) - 1).astype(int)
        encoded[:, _NEIGHBORHOOD] = self._rank[codes]
        return encoded


def _fit_preprocessing(features: Float64Array) -> ColumnTransformer:
    """Return a transformer from a frame of features to inputs of a network; numbers come first.

    An unknown number becomes the mean, and an input "known" tells it from a real mean. An unknown
    choice, or one without a sale, is none of the choices.
    """
    frame = FRAME.build(features)
    choices = [
        [choice for choice in CHOICES[name] if (frame[name] == choice).any()] for name in CHOICES
    ]
    optional_numbers = [name for name in OPTIONAL if name in NUMBERS]
    numbers = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0))
    # No number is negative, so -1 can mean "unknown". SimpleImputer(add_indicator=True) does the
    # same but does not convert to ONNX.
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
